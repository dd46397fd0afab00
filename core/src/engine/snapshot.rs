//! Writing the points of the cache out as a blob, a part at a time, and retiring the log behind
//! it.
//!
//! ```text
//! enough log -> cut -> freeze -> parts ... -> all of it durable in the log -> header -> retire
//! ```
//!
//! The log is cut between two requests: what was stored before is in segments below the cut,
//! and what was stored then is what the snapshot holds, while writes go on behind it. It gets
//! its header, and with it its name, only when all that it covers is durable; from then on it
//! stands for those segments, which are deleted. A part that fails costs nothing: the log is
//! still there, and the next snapshot comes when as much has been logged again.

use alloc::vec::Vec;

use super::recorder::{put_change, put_layout};
use super::slot::Slot;
use super::{Effect, Engine, Phase};
use crate::cache::Position;
use crate::fault::StorageFault;
use crate::ids::{FileId, Lsn, SegmentId, SeriesId, ShardId};
use crate::planted::{Planted, planted};
use crate::wal::{LogConfig, RecordWriter, ReplayEnd, SnapshotWriter, definition};

use super::effects::Awaited;

/// Size at which a frame of rows is closed, in bytes: what damage costs at most.
const FRAME_BYTES: usize = 4 << 10;

/// When to write snapshots, and what the next one stands for.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    under_way: Option<Snapshot>,
    /// Log bytes of earlier runs that no snapshot covers.
    inherited_bytes: u64,
    /// Log bytes of this run when it was last cut.
    cut_at: u64,
    /// Length of the last snapshot: the next is not due before as much has been logged.
    last_bytes: u64,
    /// Files that the next one covers, beside the segments of this run.
    kept: Vec<FileId>,
    /// The first segment of this run that none covers.
    first: SegmentId,
    may_retire: bool,
}

/// A snapshot under way.
#[derive(Debug)]
struct Snapshot {
    writer: SnapshotWriter,
    record: RecordWriter,
    /// What is still to be written; the last one is under way.
    shards: Vec<Frozen>,
    /// The shard under way, if it was dropped meanwhile: a part of it is no state it ever had, and
    /// would be there again if the drop were lost.
    dropped: Option<Slot>,
    stage: Stage,
    part_bytes: u64,
    is_in_flight: bool,
    /// It gets its name when the log is durable up to here.
    settled_by: Lsn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Rows,
    /// Waits until what it covers is durable.
    Header,
    /// With the host.
    Naming,
}

/// A shard as it was when the log was cut.
#[derive(Debug)]
struct Frozen {
    shard: ShardId,
    /// Rows of each series then.
    rows: Vec<u32>,
    /// The series under way, and where in it.
    series: u32,
    position: Option<Position>,
    layouts_defined: Vec<bool>,
}

impl Snapshots {
    /// What opening found.
    pub(super) fn after(end: &ReplayEnd) -> Self {
        Self {
            inherited_bytes: end.log_bytes,
            last_bytes: end.snapshot_bytes,
            kept: end.kept.clone(),
            first: end.next_segment,
            may_retire: end.may_retire,
            ..Self::default()
        }
    }

    /// Keeps a shard that is dropped, if it is being written, until it is written whole.
    pub(super) fn keep(&mut self, slot: Slot) {
        if let Some(snapshot) = &mut self.under_way
            && let Some(frozen) = snapshot.shards.last()
            && frozen.shard == slot.shard.id
            && frozen.has_begun()
        {
            snapshot.dropped = Some(slot);
        }
    }
}

impl Engine {
    /// The next part, if there is one to write.
    pub(super) fn poll_snapshot(&mut self) -> Option<Effect> {
        if self.phase() != Phase::Running {
            return None;
        }
        if self.is_snapshot_due() {
            self.begin_snapshot();
        }
        let (accepted, durable) = (self.accepted_lsn(), self.durable_lsn());
        let snapshot = self.snapshots.under_way.as_mut()?;
        if snapshot.is_in_flight || !snapshot.next_part(&self.slots, accepted, durable) {
            return None;
        }
        snapshot.is_in_flight = true;
        let (blob, first_lsn) = (snapshot.writer.blob(), snapshot.writer.first_lsn());
        if planted(Planted::RetireEarly) && snapshot.stage == Stage::Naming {
            self.retire(SegmentId(blob.0), first_lsn);
        }
        let snapshot = self.snapshots.under_way.as_ref()?;
        let (offset, bytes) = snapshot.writer.part();
        Some(Effect::PutBlob {
            id: self.in_flight.add(Awaited::Part),
            blob: snapshot.writer.blob(),
            offset,
            length: bytes.len(),
            is_last: snapshot.stage == Stage::Naming,
        })
    }

    /// The bytes of the part in flight.
    pub(super) fn snapshot_bytes(&self) -> &[u8] {
        let snapshot = self.snapshots.under_way.as_ref();
        snapshot.map_or(&[], |snapshot| snapshot.writer.part().1)
    }

    /// Takes the report on a part.
    pub(super) fn complete_part(&mut self, result: Result<(), StorageFault>) {
        let Some(snapshot) = &mut self.snapshots.under_way else {
            return;
        };
        snapshot.is_in_flight = false;
        let (blob, first_lsn) = (snapshot.writer.blob(), snapshot.writer.first_lsn());
        if result.is_err() && !planted(Planted::SnapshotHole) {
            self.snapshots.under_way = None;
            let id = self.in_flight.add(Awaited::Other);
            let file = FileId::Blob(blob);
            self.queue.push_back(Effect::Delete { id, file });
        } else if snapshot.stage == Stage::Naming {
            self.snapshots.last_bytes = snapshot.writer.end();
            self.snapshots.under_way = None;
            self.retire(SegmentId(blob.0), first_lsn);
        } else {
            snapshot.writer.advance();
        }
    }

    fn is_snapshot_due(&self) -> bool {
        let snapshots = &self.snapshots;
        let appended = self.log.as_ref().map_or(0, |log| log.appended_bytes());
        let uncovered = snapshots.inherited_bytes + (appended - snapshots.cut_at);
        let bound = self.config.snapshot_log_bytes.max(snapshots.last_bytes);
        let may_retire = snapshots.may_retire || planted(Planted::SnapshotDespite);
        snapshots.under_way.is_none() && may_retire && uncovered >= bound
    }

    /// Cuts the log and freezes what is stored.
    fn begin_snapshot(&mut self) {
        let Some(log) = &mut self.log else { return };
        let (segment, first_lsn) = if planted(Planted::SnapshotUncut) {
            (log.segment().next(), log.accepted().next())
        } else {
            log.cut()
        };
        self.snapshots.cut_at = log.appended_bytes();
        self.snapshots.inherited_bytes = 0;
        let config = LogConfig {
            node_id: self.config.node_id,
            seed: self.config.seed,
            segment_bytes_roll: self.config.segment_bytes_roll,
            pending_bytes_max: self.config.pending_bytes_max,
        };
        let mut snapshot = Snapshot {
            writer: SnapshotWriter::new(&config, segment, first_lsn),
            record: RecordWriter::default(),
            shards: self.slots.iter().rev().map(Frozen::of).collect(),
            dropped: None,
            stage: Stage::Rows,
            part_bytes: self.config.snapshot_part_bytes,
            is_in_flight: false,
            settled_by: Lsn(first_lsn.0.saturating_sub(1)),
        };
        for change in self.catalog.account() {
            if planted(Planted::SnapshotBare) {
                break;
            }
            put_change(&mut snapshot.record, &mut snapshot.writer, &change);
        }
        self.snapshots.under_way = Some(snapshot);
    }

    /// The snapshot of all below `segment` is durable: what it covers is garbage.
    fn retire(&mut self, segment: SegmentId, first_lsn: Lsn) {
        assert!(
            self.durable_lsn().next() >= first_lsn,
            "a snapshot of what is not durable"
        );
        if let Some(log) = &mut self.log
            && !planted(Planted::RetireUnmarked)
        {
            log.raise_low_watermark(segment);
        }
        if planted(Planted::RetireOmitted) {
            return;
        }
        if planted(Planted::RetireHigh) {
            self.obsolete.push(FileId::Segment(segment));
        }
        let snapshots = &mut self.snapshots;
        self.obsolete.append(&mut snapshots.kept);
        while snapshots.first < segment {
            self.obsolete.push(FileId::Segment(snapshots.first));
            snapshots.first = snapshots.first.next();
        }
        let blob = crate::ids::BlobId(segment.0);
        snapshots.kept.push(FileId::Blob(blob));
    }
}

impl Snapshot {
    /// Builds the next part; false if there is none yet.
    fn next_part(&mut self, slots: &[Slot], accepted: Lsn, durable: Lsn) -> bool {
        if self.stage == Stage::Rows {
            while (self.writer.part().1.len() as u64) < self.part_bytes
                && self.write_some(slots, accepted)
            {}
            self.record.finish(&mut self.writer);
            if !self.writer.part().1.is_empty() {
                self.writer.seal();
                return true;
            }
            self.stage = Stage::Header;
        }
        let is_durable = durable >= self.settled_by;
        if self.stage == Stage::Header && (is_durable || planted(Planted::SnapshotEarly)) {
            self.writer.close();
            self.stage = Stage::Naming;
            return true;
        }
        false
    }

    /// Writes about a frame of rows, or moves on to the next shard; false after the last.
    fn write_some(&mut self, slots: &[Slot], accepted: Lsn) -> bool {
        let Some(frozen) = self.shards.last_mut() else {
            return false;
        };
        let slot = slots
            .binary_search_by_key(&frozen.shard, |slot| slot.shard.id)
            .ok();
        let slot = slot.and_then(|at| slots.get(at)).or(self.dropped.as_ref());
        if slot.is_none() {
            // It was dropped before its turn; the log behind the cut says so and has to be durable.
            self.settled_by = accepted;
        }
        let goes_on =
            slot.is_some_and(|slot| frozen.write_some(slot, &mut self.record, &mut self.writer));
        if !goes_on {
            self.shards.pop();
            self.dropped = None;
        }
        true
    }
}

impl Frozen {
    fn of(slot: &Slot) -> Self {
        let series = slot.shard.index.series_count() as u32;
        let left_out = u32::from(planted(Planted::SnapshotShort));
        let rows = (0..series).map(|id| slot.shard.cache.rows_of(SeriesId(id)) - left_out);
        Self {
            shard: slot.shard.id,
            rows: rows.collect(),
            series: 0,
            position: None,
            layouts_defined: Vec::new(),
        }
    }

    /// Whether something of it is written.
    const fn has_begun(&self) -> bool {
        self.series > 0 || self.position.is_some()
    }

    /// Writes about a frame of rows; false if there are no more.
    fn write_some(
        &mut self,
        slot: &Slot,
        record: &mut RecordWriter,
        writer: &mut SnapshotWriter,
    ) -> bool {
        let shard = self.shard;
        while let Some(&count) = self.rows.get(self.series as usize) {
            let series = SeriesId(self.series);
            let count = if planted(Planted::SnapshotLate) {
                u32::MAX
            } else {
                count
            };
            let cache = &slot.shard.cache;
            let mut rows = match self.position.take() {
                Some(position) => cache.rows_from(series, count, position),
                None => {
                    let key = slot.shard.index.series_key(series);
                    record.define(writer, |out| {
                        definition::put_series(out, shard, series, key);
                    });
                    cache.rows(series, count)
                }
            };
            while let Some(row) = rows.next() {
                if is_first(&mut self.layouts_defined, row.layout.0) {
                    record.define(writer, |out| put_layout(out, slot, row.layout));
                }
                record
                    .begin_row(
                        writer,
                        (shard, series, row.layout),
                        row.class,
                        row.time,
                        row.values.len(),
                    )
                    .extend_from_slice(row.values);
                record.count_point();
                if record.rows_bytes() >= FRAME_BYTES {
                    self.position = Some(rows.position());
                    record.finish(writer);
                    return true;
                }
            }
            self.series += 1;
        }
        false
    }
}

fn is_first(seen: &mut Vec<bool>, index: u32) -> bool {
    let index = index as usize;
    if seen.len() <= index {
        seen.resize(index + 1, false);
    }
    !core::mem::replace(&mut seen[index], true)
}
