//! Crashes without end: a disk that forgets what was not synced, writers that were told.

mod disk;

use alloc::collections::BTreeSet;

use super::*;
use disk::{Disk, File};

/// A writer's record: its number is in every frame of it.
#[derive(Clone, Debug)]
struct Record {
    number: u64,
    frames: u64,
    ticket: Lsn,
    certified: bool,
}

/// A node through its lives.
struct World {
    /// Whether reads fail at some of its openings.
    has_bad_reads: bool,
    /// Whether one ever did: what was taken up as it stood may then vanish, unacknowledged.
    was_blind: bool,
    lots: Lots,
    disk: Disk,
    next_number: u64,
    /// Told durable, and not retired since.
    acked: BTreeSet<u64>,
    /// Frames of every record that was attempted.
    attempted: BTreeMap<u64, u64>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    crashes: u64,
    repairs: u64,
    torn: u64,
    obsolete: u64,
    faults: u64,
    retired: u64,
    acked: u64,
    /// Openings at which a read failed.
    blind: u64,
}

impl World {
    fn new(seed: u64, has_bad_reads: bool) -> Self {
        Self {
            has_bad_reads,
            was_blind: false,
            lots: Lots(seed),
            disk: Disk::default(),
            next_number: 0,
            acked: BTreeSet::new(),
            attempted: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    /// Replays what the disk has. Reads of one segment may fail, from some offset on or from
    /// some attempt on; otherwise there is no reason for an alarm.
    fn open(&mut self) -> Outcome {
        let store = self.disk.store();
        let named = |(_, file): &(&u64, &File)| file.is_name_durable;
        let names: Vec<u64> = self
            .disk
            .files
            .iter()
            .filter(named)
            .map(|(id, _)| *id)
            .collect();
        if !self.has_bad_reads || names.is_empty() || self.lots.draw(3) > 0 {
            let outcome = replay(&store);
            assert_eq!(outcome.end.damage, [], "an alarm, and nothing was damaged");
            return outcome;
        }
        let newest = names.len() as u64 - 1;
        let at = newest - self.lots.draw(3).min(newest);
        let (bad, skip) = (names[at as usize], self.lots.draw(4));
        let from =
            [0, 0, HEADER_BLOCK_BYTES, HEADER_BLOCK_BYTES + 3000][self.lots.draw(4) as usize];
        let mut reads = 0;
        let mut has_failed = false;
        let outcome = replay_failing(&store, |segment, offset| {
            let is_hit = segment == bad && offset >= from;
            reads += u64::from(is_hit);
            has_failed |= is_hit && reads > skip;
            is_hit && reads > skip
        });
        self.was_blind |= has_failed;
        self.counts.blind += u64::from(has_failed);
        outcome
    }

    /// Opens what the disk has, and checks it against what was promised.
    fn recover(&mut self) -> (Outcome, Vec<Record>) {
        let outcome = self.open();
        assert_eq!(outcome.refused, None);
        let is_blind = !outcome.end.damage.is_empty();
        let mut records: Vec<Record> = Vec::new();
        let (mut is_open, mut proven) = (false, Vec::new());
        for frame in &outcome.frames {
            if frame.kind == FrameKind::Definitions {
                assert_eq!(frame.payload[0], 0xd0);
                continue;
            }
            let number = u64::from_le_bytes(frame.payload[..8].try_into().unwrap());
            let ticket = Lsn(frame.lsn);
            let last = records.last_mut().filter(|_| is_open);
            match last.filter(|record| !is_blind || record.number == number) {
                Some(record) => {
                    assert_eq!(record.number, number);
                    record.frames += 1;
                }
                None => records.push(Record {
                    number,
                    frames: 1,
                    ticket,
                    certified: frame.certified,
                }),
            }
            is_open = frame.more;
            if frame.certified && !is_open {
                proven.push(number);
            }
        }
        assert!(
            records.is_sorted_by(|a, b| a.number < b.number),
            "twice, or out of order"
        );
        // Of a record some frames may be unreadable; then damage tells of them.
        if is_blind {
            records.retain(|record| self.attempted.get(&record.number) == Some(&record.frames));
        }
        for record in &records {
            assert_eq!(
                self.attempted.get(&record.number),
                Some(&record.frames),
                "not whole"
            );
        }
        let numbers: BTreeSet<u64> = records.iter().map(|record| record.number).collect();
        let lost: Vec<_> = self.acked.difference(&numbers).collect();
        assert!(
            lost.is_empty() || is_blind,
            "acknowledged and lost: {lost:?}\n{:?}",
            outcome.end
        );
        // Once proven durable, it may not vanish again.
        if !self.was_blind {
            self.acked.extend(proven);
        }
        self.counts.repairs += u64::from(outcome.end.repair);
        self.counts.torn += u64::from(outcome.end.torn_bytes > 0);
        self.counts.obsolete += outcome.end.obsolete.len() as u64;
        (outcome, records)
    }

    /// One life: recovery, repair, work, until something ends it.
    fn live(&mut self) {
        let (outcome, recovered) = self.recover();
        let end = &outcome.end;
        let seed = self.lots.draw(u64::MAX);
        let config = LogConfig {
            seed,
            ..config(HEADER_BLOCK_BYTES + 6000)
        };
        let mut log = Log::begin(
            config,
            end.next_segment,
            end.predecessor,
            end.next_lsn,
            end.repair,
        );
        log.raise_low_watermark(end.low_watermark);
        let mut open: Vec<Record> = Vec::new();
        if end.repair && !self.repair(&mut log, &outcome, &recovered, &mut open) {
            return self.crash();
        }
        let mut obsolete = end.obsolete.clone();
        for _ in 0..self.lots.draw(40) {
            open.push(self.append(&mut log));
            if !self.io(&mut log, &mut open, 30) {
                return self.crash();
            }
            // Once the new segment is durable, the old ones may go.
            if log.durable() >= open.first().map_or(Lsn(0), |record| record.ticket) {
                for segment in core::mem::take(&mut obsolete) {
                    self.disk.delete(key(segment));
                }
            }
        }
        if self.lots.draw(3) == 0 && end.damage.is_empty() {
            let from = (end.next_segment, end.next_lsn);
            self.retire(&mut log, from, &recovered, &mut open);
        }
        self.crash();
    }

    /// Logs again what nothing proved durable.
    fn repair(
        &mut self,
        log: &mut Log,
        outcome: &Outcome,
        recovered: &[Record],
        open: &mut Vec<Record>,
    ) -> bool {
        assert!(log.begin_record());
        log.append(FrameKind::Definitions, &[0xd0; 20], 0, false);
        let again = outcome.frames.iter().filter(|frame| !frame.certified);
        for frame in again.filter(|frame| frame.kind == FrameKind::Rows) {
            log.append(frame.kind, &frame.payload, frame.points, frame.more);
            if !frame.more && !self.io(log, open, 8) {
                return false;
            }
        }
        let ticket = log.append(FrameKind::RepairComplete, b"", 0, false);
        // From the mark on nothing of it may vanish, acknowledged before or not.
        let again = recovered.iter().filter(|record| !record.certified);
        open.extend(again.map(|record| Record {
            ticket,
            ..record.clone()
        }));
        self.io(log, open, 8)
    }

    fn append(&mut self, log: &mut Log) -> Record {
        let starts = log.begin_record();
        self.next_number += 1;
        let (number, frames) = (self.next_number, 1 + self.lots.draw(3));
        self.attempted.insert(number, frames);
        if starts || self.lots.draw(10) == 0 {
            log.append(FrameKind::Definitions, &[0xd0; 20], 0, true);
        }
        let mut ticket = Lsn(0);
        for at in 0..frames {
            let mut payload = number.to_le_bytes().to_vec();
            payload.resize(8 + self.lots.draw(900) as usize, at as u8);
            ticket = log.append(FrameKind::Rows, &payload, 1, at + 1 < frames);
        }
        Record {
            number,
            frames,
            ticket,
            certified: false,
        }
    }

    /// Lets storage do some of what is offered. False if that ended this life.
    fn io(&mut self, log: &mut Log, open: &mut Vec<Record>, risk: u64) -> bool {
        while self.lots.draw(3) > 0 {
            let Some(persist) = log.poll() else { break };
            let bytes = log.bytes(persist.ticket).to_vec();
            if self.lots.draw(risk) == 0 {
                let part = self.lots.draw(bytes.len() as u64 + 1) as usize;
                self.disk.write(&persist, &bytes, part);
                return false;
            }
            self.disk.write(&persist, &bytes, bytes.len());
            if persist.sync && self.lots.draw(risk) == 0 {
                self.counts.faults += 1;
                self.disk.fail_sync(persist.segment.0, &mut self.lots);
                log.complete(persist.ticket, Err(StorageFault::Io)).unwrap();
                assert!(log.poll().is_none());
                return false;
            }
            if persist.sync {
                self.disk.sync(persist.segment.0);
            }
            log.complete(persist.ticket, Ok(())).unwrap();
            let durable = log.durable();
            for record in open.extract_if(.., |record| record.ticket <= durable) {
                self.counts.acked += u64::from(self.acked.insert(record.number));
            }
        }
        true
    }

    /// Gives up what is before `segment`, mark first and deletion once that is durable.
    fn retire(
        &mut self,
        log: &mut Log,
        (segment, first_lsn): (SegmentId, Lsn),
        old: &[Record],
        open: &mut Vec<Record>,
    ) {
        if log.segment() == segment {
            return;
        }
        let blob = snapshot(segment.0, first_lsn.0, &[]);
        self.disk.keep(segment.0 | BLOB, blob);
        log.raise_low_watermark(segment);
        for record in old {
            // What a repair repeated is in the segment that stays.
            self.acked.remove(&record.number);
        }
        let from = log.segment();
        for _ in 0..30 {
            open.push(self.append(log));
            if log.segment() > from {
                break;
            }
        }
        let until = log.accepted();
        while let Some(persist) = log.poll() {
            let bytes = log.bytes(persist.ticket).to_vec();
            self.disk.write(&persist, &bytes, bytes.len());
            if persist.sync {
                self.disk.sync(persist.segment.0);
            }
            log.complete(persist.ticket, Ok(())).unwrap();
        }
        assert!(log.durable() >= until && log.segment() > from);
        for record in open.drain(..) {
            self.acked.insert(record.number);
        }
        let gone: Vec<u64> = self
            .disk
            .files
            .range(..segment.0)
            .map(|(id, _)| *id)
            .collect();
        self.counts.retired += gone.len() as u64;
        gone.into_iter().for_each(|id| self.disk.delete(id));
    }

    fn crash(&mut self) {
        self.counts.crashes += 1;
        if self.lots.draw(3) > 0 {
            self.disk.lose_power(&mut self.lots);
        }
    }
}

/// What happened in the lives of many worlds.
fn live(seeds: u64, has_bad_reads: bool) -> [u64; 8] {
    let mut counts = [0; 8];
    for seed in 0..seeds {
        let mut world = World::new(seed, has_bad_reads);
        for _ in 0..12 {
            world.live();
        }
        let Counts {
            crashes,
            repairs,
            torn,
            obsolete,
            faults,
            retired,
            acked,
            blind,
        } = world.counts;
        let all = [
            crashes, repairs, torn, obsolete, faults, retired, acked, blind,
        ];
        counts
            .iter_mut()
            .zip(all)
            .for_each(|(sum, count)| *sum += count);
    }
    counts
}

#[test]
fn nothing_acknowledged_is_lost_whatever_a_crash_forgets() {
    let counts = live(400, false);
    // A branch that is never taken proves nothing.
    assert!(counts[..7].iter().all(|&count| count > 50), "{counts:?}");
}

#[test]
fn nothing_acknowledged_is_lost_for_good_to_reads_that_fail_at_times() {
    let counts = live(400, true);
    assert!(counts.iter().all(|&count| count > 50), "{counts:?}");
}
