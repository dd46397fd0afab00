//! Builds the record of one request, frame by frame.

use alloc::vec::Vec;

use super::slot::Slot;
use crate::ids::{LayoutId, Lsn, SeriesId};
use crate::limits::FRAME_BYTES_MAX;
use crate::meta::{Catalog, Change};
use crate::wal::{FrameKind, Log, RowsWriter, definition};

/// A rows frame is closed at this size, so that a row more does not exceed the frame's bound.
const ROWS_BYTES_CLOSE: usize = FRAME_BYTES_MAX / 2;

/// A row of this size is written field by field, so that any row fits a frame.
pub(super) const ROW_BYTES_SPLIT: usize = FRAME_BYTES_MAX / 4;

/// Rows and definitions of the record that is being built.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    /// Rows of the frame that is being built.
    pub(super) rows: RowsWriter,
    definitions: Vec<u8>,
    /// Counts segments of this run, from 1: what was defined in an earlier one is not in this.
    generation: u32,
    is_open: bool,
    /// A frame of this record was appended.
    has_frames: bool,
}

impl Recorder {
    /// Opens the record if it is not. Must come before anything is put into it: where it
    /// begins a segment, the catalog is logged anew and nothing counts as defined.
    #[inline]
    pub(super) fn open(&mut self, log: &mut Log, catalog: &Catalog) {
        if !self.is_open {
            self.open_first(log, catalog);
        }
    }

    fn open_first(&mut self, log: &mut Log, catalog: &Catalog) {
        self.is_open = true;
        self.has_frames = false;
        if log.begin_record() {
            self.generation += 1;
            for change in catalog.account() {
                self.put_change(&change);
            }
        }
    }

    /// Which segment of this run the record is in.
    pub(super) const fn generation(&self) -> u32 {
        self.generation
    }

    /// Puts a change to the catalog.
    pub(super) fn put_change(&mut self, change: &Change) {
        let mut bytes = Vec::new();
        change.encode(&mut bytes);
        definition::put_catalog(&mut self.definitions, &bytes);
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
            let key = slot.shard.index.series_key(series);
            definition::put_series(&mut self.definitions, slot.shard.id, series, key);
        }
        if slot.mark_layout(layout, self.generation) {
            put_layout(&mut self.definitions, slot, layout);
        }
        if self.definitions.len() > ROWS_BYTES_CLOSE {
            self.flush_definitions(log, true);
        }
    }

    /// Closes the rows frame if it is long enough. The record goes on.
    #[inline]
    pub(super) fn spill_if_full(&mut self, log: &mut Log) {
        if self.rows.len() > ROWS_BYTES_CLOSE {
            self.flush_definitions(log, true);
            self.flush_rows(log, true);
        }
    }

    /// Ends the record: its ticket, or the last LSN there is if it is empty.
    pub(super) fn finish(&mut self, log: &mut Log) -> Lsn {
        if !core::mem::take(&mut self.is_open) {
            return log.accepted();
        }
        if !self.rows.is_empty() {
            self.flush_definitions(log, true);
            self.flush_rows(log, false);
        } else if !self.definitions.is_empty() || self.has_frames {
            // An empty definitions frame ends a record whose last rows frame was spilled.
            self.flush_definitions_always(log, false);
        }
        log.accepted()
    }

    fn flush_definitions(&mut self, log: &mut Log, more: bool) {
        if !self.definitions.is_empty() {
            self.flush_definitions_always(log, more);
        }
    }

    fn flush_definitions_always(&mut self, log: &mut Log, more: bool) {
        log.append(FrameKind::Definitions, &self.definitions, 0, more);
        self.definitions.clear();
        self.has_frames = true;
    }

    fn flush_rows(&mut self, log: &mut Log, more: bool) {
        let points = self.rows.points();
        log.append(FrameKind::Rows, self.rows.finish(), points, more);
        self.rows.clear();
        self.has_frames = true;
    }
}

fn put_layout(out: &mut Vec<u8>, slot: &Slot, id: LayoutId) {
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
