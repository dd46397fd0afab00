//! The fast path of a write: lines that look like the ones before.
//!
//! The series is expected, the text between values is compared whole, numbers are guessed.
//! Whatever deviates is left to the general path, which judges it; both give the same rows.

use alloc::vec::Vec;

use super::recorder::Recorder;
use super::slot::Slot;
use crate::index::{Arrival, ArrivalId};
use crate::line::{FIELDS_MAX, TimeCursor, key_end};
use crate::meta::{Catalog, ShardGroup};
use crate::model::{equal, row};
use crate::route::Window;
use crate::wal::Log;

/// The longest row of a template: a width code and eight bytes a field.
const ROW_BYTES_MAX: usize = 9 * FIELDS_MAX;

/// What a run of lines needs to know beside the engine.
#[derive(Debug)]
pub(super) struct FastRun {
    times: TimeCursor,
    /// Earliest time that needs no second look.
    time_min: i64,
    /// Latest such time.
    time_max: i64,
    bits: Vec<u64>,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Body offset of the first line not taken.
    pub(super) at: usize,
    /// Lines taken, a point each.
    pub(super) lines: u32,
}

impl FastRun {
    pub(super) fn new(times: TimeCursor, bits: Vec<u64>) -> Self {
        Self {
            times,
            time_min: i64::MAX,
            time_max: i64::MIN,
            bits,
        }
    }

    pub(super) fn into_bits(self) -> Vec<u64> {
        self.bits
    }

    /// Sets the times that need no second look while the current shard stays: its group's, cut
    /// to the policy's window.
    pub(super) fn restrict(&mut self, window: &Window, group: Option<ShardGroup>) {
        (self.time_min, self.time_max) = group.map_or((i64::MAX, i64::MIN), |group| {
            let (min, max) = window.range();
            (
                min.max(group.start_ns),
                max.min(group.end_ns.saturating_sub(1)),
            )
        });
    }

    /// Takes lines from `body[at..]` into `slot` until one deviates.
    pub(super) fn take(
        &mut self,
        body: &[u8],
        mut at: usize,
        slot: &mut Slot,
        recorder: &mut Recorder,
        log: &mut Log,
        catalog: &Catalog,
    ) -> Progress {
        let mut lines = 0;
        while let Some((id, arrival, fields_at)) = expect(slot, body, at) {
            let Some(template) = slot.template(arrival.layout) else {
                break;
            };
            self.bits.clear();
            let Some(parsed) = template.parse(body, fields_at, &mut self.bits) else {
                break;
            };
            let Some((time, end)) = self.times.parse(body, parsed.end) else {
                break;
            };
            if time < self.time_min || time > self.time_max {
                break;
            }
            recorder.open(log, catalog);
            let (series, layout) = (arrival.series, arrival.layout);
            if !slot.is_defined(series, layout, recorder.generation()) {
                recorder.define(slot, series, layout, log);
            }
            let Some(types) = slot.shard.index.layouts().get(layout) else {
                break;
            };
            let class = row::class_of(parsed.integers_or);
            let place = (slot.shard.id, series, layout);
            let out = recorder
                .record
                .begin_row(log, place, class, time, ROW_BYTES_MAX);
            let values_at = out.len();
            row::encode_bits(&types.types, types.integers, &self.bits, class, out);
            recorder.record.count_point();
            let values = recorder.record.values_since(values_at);
            slot.shard.cache.append(series, layout, class, time, values);
            slot.latest = id;
            (at, lines) = (end, lines + 1);
        }
        Progress { at, lines }
    }
}

/// The spelling at `body[at..]` and the offset of the space behind it: the successor of the
/// latest one, or else the one that a lookup finds.
#[inline]
fn expect(slot: &mut Slot, body: &[u8], at: usize) -> Option<(ArrivalId, Arrival, usize)> {
    let arrivals = &mut slot.arrivals;
    let expected = arrivals.get(slot.latest)?.next;
    let arrival = arrivals.get(expected)?;
    let key = arrivals.key(arrival);
    let end = at + key.len();
    if body.get(end) == Some(&b' ') && body.get(at..end).is_some_and(|text| equal(text, key)) {
        return Some((expected, *arrival, end));
    }
    let end = key_end(body, at)?;
    let found = arrivals.find(body.get(at..end)?)?;
    arrivals.follow(slot.latest, found);
    Some((found, *arrivals.get(found)?, end))
}
