//! The record of one request, and what the current segment defines.

use alloc::vec::Vec;

use super::slot::Slot;
use crate::ids::{LayoutId, Lsn, SeriesId};
use crate::meta::{Catalog, Change};
use crate::model::row::Class;
use crate::planted::{Planted, planted};
use crate::wal::{FrameSink, Log, RecordWriter, definition};

/// The record that is being built.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub(super) record: RecordWriter,
    /// Counts segments of this run, from 1: what was defined in an earlier one is not in this.
    generation: u32,
    is_open: bool,
}

impl Recorder {
    /// Opens the record if it is not. Must come before anything is put into it: where it
    /// begins a segment, the catalog is logged anew and nothing counts as defined.
    #[inline]
    pub(super) fn open(&mut self, log: &mut Log, catalog: &Catalog) {
        if !self.is_open {
            self.open_first(log, catalog, &[]);
        }
    }

    /// Opens the record; where it begins a segment, with these changes in front of the account.
    pub(super) fn open_first(&mut self, log: &mut Log, catalog: &Catalog, before: &[Change]) {
        self.is_open = true;
        if log.begin_record() {
            let is_first = self.generation == 0;
            if is_first || !planted(Planted::GenerationKept) {
                self.generation += 1;
            }
            if !is_first && planted(Planted::AccountOmitted) {
                return;
            }
            for change in before.iter().chain(&catalog.account()) {
                self.put_change(log, change);
            }
        }
    }

    /// Which segment of this run the record is in.
    pub(super) const fn generation(&self) -> u32 {
        self.generation
    }

    /// Puts a change to the catalog.
    pub(super) fn put_change(&mut self, log: &mut Log, change: &Change) {
        put_change(&mut self.record, log, change);
    }

    /// Puts the definitions of a series and a layout that the segment lacks.
    #[cold]
    pub(super) fn define(
        &mut self,
        slot: &mut Slot,
        series: SeriesId,
        layout: LayoutId,
        log: &mut Log,
    ) {
        if slot.mark_series(series, self.generation) {
            let (shard, key) = (slot.shard.id, slot.shard.index.series_key(series));
            self.record
                .define(log, |out| definition::put_series(out, shard, series, key));
        }
        if slot.mark_layout(layout, self.generation) {
            self.record.define(log, |out| put_layout(out, slot, layout));
        }
    }

    /// Puts a row into the record, with the definitions it needs, and into the cache.
    pub(super) fn store_row(
        &mut self,
        slot: &mut Slot,
        log: &mut Log,
        (series, layout): (SeriesId, LayoutId),
        class: Class,
        time: i64,
        values: &[u8],
    ) {
        self.log_row(slot, log, (series, layout), class, time, values);
        slot.shard.cache.append(series, layout, class, time, values);
    }

    /// Puts a row into the record, with the definitions it needs.
    pub(super) fn log_row(
        &mut self,
        slot: &mut Slot,
        log: &mut Log,
        (series, layout): (SeriesId, LayoutId),
        class: Class,
        time: i64,
        values: &[u8],
    ) {
        if !slot.is_defined(series, layout, self.generation) {
            self.define(slot, series, layout, log);
        }
        let place = (slot.shard.id, series, layout);
        self.record
            .begin_row(log, place, class, time, values.len())
            .extend_from_slice(values);
    }

    /// Ends the record: its ticket, or the last LSN there is if it was never opened.
    pub(super) fn finish(&mut self, log: &mut Log) -> Lsn {
        if !core::mem::take(&mut self.is_open) {
            return log.accepted();
        }
        self.record.finish(log)
    }
}

pub(super) fn put_change(record: &mut RecordWriter, out: &mut impl FrameSink, change: &Change) {
    let mut bytes = Vec::new();
    change.encode(&mut bytes);
    record.define_catalog(out, &bytes);
}

pub(super) fn put_layout(out: &mut Vec<u8>, slot: &Slot, id: LayoutId) {
    let index = &slot.shard.index;
    let Some(layout) = index.layouts().get(id) else {
        return;
    };
    let Some(measurement) = index.measurement(layout.measurement) else {
        return;
    };
    let fields = layout
        .slots
        .iter()
        .zip(&layout.types)
        .map(|(&slot, &field_type)| {
            (
                measurement.field(slot).map_or(&[][..], |field| &field.name),
                field_type,
            )
        });
    definition::put_layout(out, slot.shard.id, id, measurement.name(), fields);
}
