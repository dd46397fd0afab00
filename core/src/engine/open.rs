//! From the log back to an engine: applying records, then logging again what is not proven.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use super::effects::Awaited;
use super::slot::Slot;
use super::snapshot::Snapshots;
use super::{Effect, Engine, FileInfo, State};
use crate::fault::StorageFault;
use crate::ids::{FileId, LayoutId, SeriesId, ShardId};
use crate::meta::Change;
use crate::model::FieldType;
use crate::planted::{Planted, planted};
use crate::wal::definition::{self, Definition};
use crate::wal::{self, FrameKind, Log, LogConfig, LogDamage, Replay, ReplayEnd, Step};

/// The state of an engine that reads its log.
#[derive(Debug)]
pub(super) struct Opening {
    replay: Replay,
    is_reading: bool,
    known: Known,
    /// Payloads of rows that nothing proves durable; at most what one run had in flight.
    uncertified: Vec<Vec<u8>>,
}

/// What definitions told so far.
#[derive(Debug, Default)]
struct Known {
    /// What the current segment's numbers stand for.
    numbers: BTreeMap<ShardId, Numbers>,
    /// Shards of which a group was ever seen.
    housed: BTreeSet<ShardId>,
    /// Rows of shards of which none was: lost unless a later segment knows the group.
    homeless: BTreeMap<ShardId, LogDamage>,
    /// Shards of policies that were dropped: what the log still holds of them is not wanted.
    dropped: BTreeSet<ShardId>,
    /// Drops of policies that nothing proves durable.
    uncertified_drops: Vec<Change>,
}

/// One shard's numbers in a segment, and what they stand for in this engine.
#[derive(Debug, Default)]
struct Numbers {
    series: Vec<Option<SeriesId>>,
    layouts: Vec<Option<Layout>>,
}

#[derive(Clone, Debug)]
struct Layout {
    id: LayoutId,
    types: Vec<FieldType>,
}

impl Opening {
    pub(super) fn new(node_id: u128, files: &[FileInfo]) -> Self {
        let files: Vec<_> = files.iter().map(|info| (info.file, info.length)).collect();
        Self {
            replay: Replay::new(node_id, &files),
            is_reading: false,
            known: Known::default(),
            uncertified: Vec::new(),
        }
    }

    pub(super) fn supply(&mut self, result: Result<&[u8], StorageFault>) {
        self.is_reading = false;
        self.replay.supply(result);
    }
}

impl Numbers {
    fn layout_types(&self, layout: LayoutId) -> Option<&[FieldType]> {
        Some(&self.layouts.get(layout.0 as usize)?.as_ref()?.types)
    }
}

fn put<T: Clone>(list: &mut Vec<Option<T>>, index: u32, value: T) {
    let index = index as usize;
    if list.len() <= index {
        list.resize(index + 1, None);
    }
    list[index] = Some(value);
}

impl Engine {
    /// Takes opening as far as it goes without the host.
    pub(super) fn advance_opening(&mut self) {
        let state = core::mem::replace(&mut self.state, State::Running);
        let State::Opening(mut opening) = state else {
            self.state = state;
            return;
        };
        while !opening.is_reading {
            match opening.replay.step() {
                Step::Read {
                    file,
                    offset,
                    length,
                } => {
                    let id = self.in_flight.add(Awaited::Read);
                    self.queue.push_back(Effect::Read {
                        id,
                        file,
                        offset,
                        length,
                    });
                    opening.is_reading = true;
                }
                Step::FileStart { .. } => opening.known.numbers.clear(),
                Step::Frame(frame) => {
                    self.apply_frame(&frame, &mut opening.known, &mut opening.uncertified);
                }
                Step::Quarantine {
                    file,
                    offset,
                    length,
                    ..
                } => self.set_aside(file, offset, length),
                Step::Refuse(text) => {
                    self.state = State::Refused(text);
                    return;
                }
                Step::Done(end) => return self.start_running(&end, &opening),
            }
        }
        self.state = State::Opening(opening);
    }

    /// Applies a frame, unless it is one to be left out.
    fn apply_frame(
        &mut self,
        frame: &wal::Frame<'_>,
        known: &mut Known,
        uncertified: &mut Vec<Vec<u8>>,
    ) {
        if self.config.skip.contains(&(frame.file, frame.lsn)) {
            self.skip_frame(frame);
            return;
        }
        self.applying.store(frame.lsn.0, Ordering::Relaxed);
        match frame.kind {
            FrameKind::Definitions => {
                self.apply_definitions(frame.payload, frame.certified, known);
            }
            FrameKind::Rows => {
                if !frame.certified {
                    self.recovery.points_relogged += u64::from(frame.points);
                    uncertified.push(frame.payload.to_vec());
                }
                self.apply_rows_frame(frame, known);
            }
            _ => {}
        }
        self.applying.store(0, Ordering::Relaxed);
    }

    /// Reports a frame as damaged. Definitions may come twice.
    fn skip_frame(&mut self, frame: &wal::Frame<'_>) {
        let damage = LogDamage {
            file: frame.file,
            offset: frame.offset,
            length: (wal::FRAME_HEAD_BYTES + frame.payload.len()) as u64,
            first: frame.lsn,
            last: frame.lsn,
            points: Some(u64::from(frame.points)),
        };
        if !self.recovery.damage.contains(&damage) {
            self.recovery.damage.push(damage);
            self.set_aside(damage.file, damage.offset, damage.length);
        }
    }

    fn set_aside(&mut self, file: FileId, offset: u64, length: u64) {
        let id = self.in_flight.add(Awaited::Other);
        self.queue.push_back(Effect::Quarantine {
            id,
            file,
            offset,
            length,
        });
    }

    /// Applies rows and reports those that no definition makes readable: their own frames are
    /// intact, both copies of what they refer to are not.
    fn apply_rows_frame(&mut self, frame: &wal::Frame<'_>, known: &mut Known) {
        let damage = |points: u64| LogDamage {
            file: frame.file,
            offset: frame.offset,
            length: (wal::FRAME_HEAD_BYTES + frame.payload.len()) as u64,
            first: frame.lsn,
            last: frame.lsn,
            points: Some(points),
        };
        let lost = self.apply_rows(frame.payload, known, false);
        let lost = lost.min(u64::from(frame.points));
        self.recovery.points += u64::from(frame.points) - lost;
        if lost > 0 && !planted(Planted::UndefinedSilent) {
            self.recovery.damage.push(damage(lost));
        }
        for section in wal::sections(frame.payload) {
            if known.housed.contains(&section.shard) {
                continue;
            }
            let rows = u64::from(section.rows);
            let homeless = known.homeless.entry(section.shard);
            let homeless = homeless.or_insert_with(|| damage(0));
            homeless.last = frame.lsn;
            homeless.points = homeless.points.map(|points| points.saturating_add(rows));
        }
    }

    fn apply_definitions(&mut self, payload: &[u8], is_certified: bool, known: &mut Known) {
        let mut field_slots = Vec::new();
        let Known {
            numbers,
            housed,
            dropped,
            uncertified_drops,
            ..
        } = known;
        for entry in definition::entries(payload) {
            match entry {
                Definition::Catalog(bytes) => {
                    if let Some(change) = Change::decode(bytes, &mut 0) {
                        let is_drop = matches!(change, Change::DropPolicy(_));
                        if is_drop && planted(Planted::DropNotReplayed) {
                            continue;
                        }
                        if let Change::DropPolicy(name) = &change {
                            let groups = self.catalog.policy(name).map(|p| p.groups.iter());
                            dropped.extend(groups.into_iter().flatten().map(|g| g.shard));
                            self.slots.retain(|slot| !dropped.contains(&slot.shard.id));
                        }
                        self.catalog.apply(&change);
                        if is_drop && !is_certified {
                            uncertified_drops.push(change.clone());
                        }
                        // A group of a policy that nothing defines does not take.
                        if let Change::PutGroup { group, .. } = &change
                            && self.catalog.group_of(group.shard).is_some()
                        {
                            housed.insert(group.shard);
                            dropped.remove(&group.shard);
                        }
                    }
                }
                Definition::Series { shard, series, key } => {
                    if dropped.contains(&shard) {
                        continue;
                    }
                    let slot = self.slot_for_replay(shard);
                    let index = &mut slot.shard.index;
                    let id = index.series(key).unwrap_or_else(|| index.add_series(key));
                    put(&mut numbers.entry(shard).or_default().series, series.0, id);
                }
                Definition::Layout {
                    shard,
                    layout,
                    measurement,
                    fields,
                } => {
                    if dropped.contains(&shard) {
                        continue;
                    }
                    let slot = self.slot_for_replay(shard);
                    let types = fields.iter().map(|&(_, field_type)| field_type).collect();
                    let owner = slot.shard.index.intern_measurement(measurement);
                    let fields = fields.iter().copied();
                    let id = slot.shard.intern_layout(owner, fields, &mut field_slots);
                    if let Some(id) = id {
                        let layouts = &mut numbers.entry(shard).or_default().layouts;
                        put(layouts, layout.0, Layout { id, types });
                    }
                }
            }
        }
    }

    /// The slot of a shard, made if it is not there. The catalog may get to know the shard later,
    /// from the account of another segment.
    fn slot_for_replay(&mut self, shard: ShardId) -> &mut Slot {
        self.current = self.slot_of(shard).unwrap_or_else(|| self.add_slot(shard));
        &mut self.slots[self.current]
    }

    /// Drops the slots whose shards the catalog has no more.
    pub(super) fn drop_slots(&mut self) {
        let (catalog, before) = (&self.catalog, self.slots.len());
        let is_gone = |slot: &mut Slot| catalog.group_of(slot.shard.id).is_none();
        for slot in self.slots.extract_if(.., is_gone) {
            self.snapshots.keep(slot);
        }
        self.current = self.slots.len().saturating_sub(1);
        if self.slots.len() != before {
            self.recount_series();
        }
    }

    /// Counts what the limits on series and tag values are about.
    fn recount_series(&mut self) {
        let indexes = self.slots.iter().map(|slot| &slot.shard.index);
        self.cardinality.recount(indexes);
    }

    /// Puts rows into the caches; with `log_again`, only into the log. Returns how many rows
    /// nothing defines.
    fn apply_rows(&mut self, payload: &[u8], known: &Known, log_again: bool) -> u64 {
        let mut lost = 0;
        for mut section in wal::sections(payload) {
            if known.dropped.contains(&section.shard) {
                continue;
            }
            let slot = self
                .slot_of(section.shard)
                .and_then(|slot| self.slots.get_mut(slot));
            let (Some(known), Some(slot)) = (known.numbers.get(&section.shard), slot) else {
                lost += u64::from(section.rows);
                continue;
            };
            loop {
                let row = match section.next_row(|layout| known.layout_types(layout)) {
                    Ok(Some(row)) => row,
                    Ok(None) => break,
                    Err(rows) => {
                        lost += u64::from(rows);
                        break;
                    }
                };
                let series = known.series.get(row.series.0 as usize).copied().flatten();
                let layout = known
                    .layouts
                    .get(row.layout.0 as usize)
                    .and_then(Option::as_ref);
                let (Some(series), Some(layout)) = (series, layout) else {
                    lost += 1;
                    continue;
                };
                let place = (series, layout.id);
                if !log_again {
                    slot.shard
                        .cache
                        .append(series, layout.id, row.class, row.time, row.values);
                } else if let Some(log) = &mut self.log {
                    self.recorder.open(log, &self.catalog);
                    self.recorder
                        .log_row(slot, log, place, row.class, row.time, row.values);
                    self.recorder.record.count_point();
                }
            }
        }
        lost
    }

    /// Begins the log of this run, with what nothing proves durable in front.
    fn start_running(&mut self, end: &ReplayEnd, opening: &Opening) {
        let config = LogConfig {
            node_id: self.config.node_id,
            seed: self.config.seed,
            segment_bytes_roll: self.config.segment_bytes_roll,
            pending_bytes_max: self.config.pending_bytes_max,
        };
        let mut log = Log::begin(
            config,
            end.next_segment,
            end.predecessor,
            end.next_lsn,
            end.repair,
        );
        log.raise_low_watermark(end.low_watermark);
        if planted(Planted::WatermarkHigh) {
            log.raise_low_watermark(end.next_segment);
        }
        self.opened_at = log.accepted();
        self.log = Some(log);
        self.state = State::Running;
        self.note_recovery(end, &opening.known);
        let is_unread = !end.may_retire;
        let is_partial = is_unread || !self.recovery.damage.is_empty();
        if is_partial && !planted(Planted::IdsNotSkipped) {
            // Rows that can be read another day must not turn up in shards they are not of; no
            // earlier run had the number of the new segment.
            self.catalog.note_damage(end.next_segment.0 << 32);
        }
        if is_unread {
            self.catalog.seal_groups();
        }
        self.obsolete.clone_from(&end.obsolete);
        self.snapshots = Snapshots::after(end);
        self.drop_slots();
        self.recount_series();
        if end.repair {
            self.repeat(opening);
        }
        if planted(Planted::DeleteEarly) {
            self.delete_obsolete();
        }
    }

    /// Logs again what nothing proves durable, and marks the end of it.
    fn repeat(&mut self, opening: &Opening) {
        if let Some(log) = &mut self.log {
            // An account that only adds drops nothing by itself.
            let drops = &opening.known.uncertified_drops;
            self.recorder.open_first(log, &self.catalog, drops);
        }
        let mark = |log: &mut Option<Log>| {
            if let Some(log) = log {
                log.append(FrameKind::RepairComplete, &[], 0, false);
            }
        };
        if planted(Planted::MarkFirst) {
            mark(&mut self.log);
        }
        for payload in &opening.uncertified {
            if !planted(Planted::RowsNotRepeated) {
                self.apply_rows(payload, &opening.known, true);
            }
        }
        if let Some(log) = &mut self.log {
            self.recorder.finish(log);
        }
        if !planted(Planted::MarkOmitted) && !planted(Planted::MarkFirst) {
            mark(&mut self.log);
        }
    }

    fn note_recovery(&mut self, end: &ReplayEnd, known: &Known) {
        self.recovery.segments = end.segments;
        self.recovery.records = end.records;
        self.recovery.torn_bytes = end.torn_bytes;
        let homeless = known.homeless.iter();
        let homeless = homeless.filter(|(shard, _)| !known.housed.contains(shard));
        let damage = &mut self.recovery.damage;
        damage.extend(end.damage.iter().chain(homeless.map(|(_, damage)| damage)));
        damage.sort_by_key(|damage| (damage.file, damage.offset));
    }
}
