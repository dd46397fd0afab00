//! A small log of a real engine: definitions, rows, statements, three segments, and what is
//! known of where each request lies in it.

use std::collections::BTreeMap;
use std::ops::Range;

use tidegate_core::engine::{Config, Damage, Engine, FileInfo, Phase, WriteRequest};
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{BlobId, FileId, SegmentId};
use tidegate_core::model::Precision;
use tidegate_core::storage::{self, Storage};

use super::file::{BLOBS, file_of, number_of};
use super::format::first_lsn;
use super::history::History;
use super::loss;
use super::observe::{Counts, observe, points, policy};

const NOW_NS: i64 = 1_767_225_600_000_000_000;
const NODE: u128 = 7;

/// How much is written, and how it is cut into files.
#[derive(Clone, Copy, Debug)]
struct Extent {
    bodies: i64,
    roll_bytes: u64,
    snapshot_log_bytes: u64,
}

/// Three segments.
const LOG: Extent = Extent {
    bodies: 14,
    roll_bytes: 26_000,
    snapshot_log_bytes: u64::MAX,
};
/// A snapshot, and three segments behind it.
const SNAPSHOT_AND_LOG: Extent = Extent {
    bodies: 20,
    roll_bytes: 24_000,
    snapshot_log_bytes: 70_000,
};
/// As the log, up to a snapshot of its first part.
const SNAPSHOT_ALONE: Extent = Extent {
    bodies: 14,
    roll_bytes: 28_000,
    snapshot_log_bytes: 45_000,
};

/// Segments, and snapshots behind them, by their numbers on the simulated disk.
pub type Segments = BTreeMap<u64, Vec<u8>>;

/// The log and what it holds.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The bytes.
    pub segments: Segments,
    /// Of each request that was logged: segment and bytes of the write that brought it.
    pub places: Vec<(u64, Range<usize>)>,
    history: History,
    hidden: u64,
}

/// What an engine made of damaged bytes.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Requests that lost something, by number.
    pub lost: Vec<usize>,
    /// Values that are not shown, or older ones in their place.
    pub values_lost: u64,
    /// What was reported.
    pub damage: Vec<Damage>,
    /// Bytes taken for a torn tail.
    pub torn_bytes: u64,
    /// Rows that nothing proved durable.
    pub points_relogged: u64,
}

/// Segments to be read; what is written goes into `written` and is not read again.
#[derive(Debug, Default)]
struct Bytes<'a> {
    given: Option<&'a Segments>,
    written: Segments,
    /// A blob that is not whole.
    part: Vec<u8>,
}

impl Storage for Bytes<'_> {
    fn files(&mut self) -> Result<Vec<FileInfo>, StorageFault> {
        let info = |(&number, bytes): (&u64, &Vec<u8>)| {
            Some(FileInfo {
                file: file_of(number)?,
                length: bytes.len() as u64,
            })
        };
        let given = self.given.into_iter().flatten();
        Ok(given.filter_map(info).collect())
    }

    fn persist(
        &mut self,
        segment: SegmentId,
        offset: u64,
        bytes: &[u8],
        _: bool,
    ) -> Result<(), StorageFault> {
        overwrite(self.written.entry(segment.0).or_default(), offset, bytes);
        Ok(())
    }

    fn put(
        &mut self,
        blob: BlobId,
        offset: u64,
        bytes: &[u8],
        is_last: bool,
    ) -> Result<(), StorageFault> {
        overwrite(&mut self.part, offset, bytes);
        if is_last {
            let whole = std::mem::take(&mut self.part);
            self.written.insert(number_of(FileId::Blob(blob)), whole);
        }
        Ok(())
    }

    fn read(
        &mut self,
        file: FileId,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), StorageFault> {
        let held = self.given.and_then(|given| given.get(&number_of(file)));
        let held = held.ok_or(StorageFault::Unreadable)?;
        let start = held.len().min(offset as usize);
        out.extend_from_slice(&held[start..held.len().min(start + length)]);
        Ok(())
    }

    fn delete(&mut self, file: FileId) -> Result<(), StorageFault> {
        self.written.remove(&number_of(file));
        Ok(())
    }

    fn quarantine(&mut self, _: FileId, _: u64, _: u64) -> Result<(), StorageFault> {
        Ok(())
    }
}

fn overwrite(held: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let (start, end) = (offset as usize, offset as usize + bytes.len());
    held.resize(held.len().max(end), 0);
    held[start..end].copy_from_slice(bytes);
}

fn config(node_id: u128, extent: Extent) -> Config {
    Config {
        segment_bytes_roll: extent.roll_bytes,
        snapshot_log_bytes: extent.snapshot_log_bytes,
        snapshot_part_bytes: 2_000,
        ..Config::new("d", node_id, 42)
    }
}

/// A request of the sample: a body, or a statement and the policy it drops.
enum Ask {
    Body(&'static str, String),
    Statement(&'static str, Option<&'static str>),
}

fn asks(bodies: i64) -> Vec<Ask> {
    let mut asks = vec![
        Ask::Statement("CREATE DATABASE d", None),
        Ask::Statement(
            "CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 1",
            None,
        ),
    ];
    for number in 0..bodies {
        let mut body = String::new();
        for host in 0..3 {
            let time = NOW_NS + number * 1_000;
            body += &format!("cpu,host=h{host} n={number}i,load={host}.5 {time}\n");
        }
        // The same place each time, so that order matters.
        body += &format!("gauge v={number}i {NOW_NS}\n");
        if number % 3 == 0 {
            let time = NOW_NS - number * 86_400_000_000_000;
            body += &format!("new{number},host=a up=t,text=\"{number}\" {time}\n");
        }
        asks.push(Ask::Body(if number % 5 == 4 { "p" } else { "" }, body));
        if number == 5 {
            asks.push(Ask::Statement(
                "ALTER RETENTION POLICY p ON d DURATION 520w",
                None,
            ));
        }
        if number == 9 {
            asks.push(Ask::Statement("DROP RETENTION POLICY p ON d", Some("p")));
            let again = "CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 1";
            asks.push(Ask::Statement(again, None));
            for host in 0..3 {
                let body = format!("cpu,host=h{host} n=0i {NOW_NS}\n");
                asks.push(Ask::Body("p", body));
            }
        }
    }
    let last = format!("last,host=a v=1i {}\n", NOW_NS + 30 * 86_400_000_000_000);
    asks.push(Ask::Body("", last));
    asks
}

impl Sample {
    /// Writes it.
    pub fn new() -> Result<Self, String> {
        Self::of_node(NODE, LOG, false)
    }

    /// Writes one of which a snapshot stands for the first segments.
    pub fn with_snapshot() -> Result<Self, String> {
        Self::of_node(NODE, SNAPSHOT_AND_LOG, false)
    }

    /// Writes one up to its snapshot, which stands for all of it.
    pub fn snapshot_alone() -> Result<Self, String> {
        Self::of_node(NODE, SNAPSHOT_ALONE, true)
    }

    /// Writes that of another database.
    pub(super) fn of_another_node() -> Result<Self, String> {
        Self::of_node(NODE + 1, LOG, false)
    }

    fn of_node(node_id: u128, extent: Extent, is_alone: bool) -> Result<Self, String> {
        let mut storage = Bytes::default();
        let config = config(node_id, extent);
        let mut engine = storage::open(config, &mut storage).map_err(|why| why.to_string())?;
        let empty = observe(&mut engine, NOW_NS)?;
        let mut sample = Self {
            segments: Segments::new(),
            places: Vec::new(),
            history: History::new(empty.catalog),
            hidden: extent.bodies as u64,
        };
        for (number, ask) in asks(extent.bodies).into_iter().enumerate() {
            let accepted = engine.accepted_lsn().0;
            let before = Counts::of(&engine.view(NOW_NS));
            let dropped = carry_out(&mut engine, &ask)?;
            let new = points(&engine.view(NOW_NS), &before);
            let lsns = (accepted + 1, engine.accepted_lsn().0);
            let catalog = observe(&mut engine, NOW_NS)?.catalog;
            sample.history.push(new, dropped, lsns, catalog);
            // Statements share a write with what follows, so that a policy's end, its return and
            // what is written to it then are one; and now and then two bodies do.
            let is_body = matches!(ask, Ask::Body(..));
            if !is_body || number % 4 == 1 {
                continue;
            }
            sample.drain(&mut engine, &mut storage)?;
            if is_alone && storage.written.keys().all(|&file| file >= BLOBS) {
                break;
            }
        }
        sample.drain(&mut engine, &mut storage)?;
        sample.history.promise(sample.history.records.len());
        sample.segments = storage.written;
        Ok(sample)
    }

    fn drain(&mut self, engine: &mut Engine, storage: &mut Bytes<'_>) -> Result<(), String> {
        let newest = |storage: &Bytes<'_>| {
            let last = storage.written.range(..BLOBS).next_back();
            last.map_or((0, 0), |(id, bytes)| (*id, bytes.len()))
        };
        let before = newest(storage);
        storage::drive(engine, storage).map_err(|misuse| misuse.to_string())?;
        let after = newest(storage);
        let start = if before.0 == after.0 { before.1 } else { 0 };
        let place = (after.0, start..after.1);
        self.places.resize(self.history.records.len(), place);
        // What a snapshot covers is there only.
        if let Some((&blob, bytes)) = storage.written.range(BLOBS..).next_back() {
            let is_covered = |place: &&mut (u64, Range<usize>)| place.0 < blob - BLOBS;
            let covered = self.places.iter_mut().filter(is_covered);
            covered.for_each(|place| *place = (blob, 0..bytes.len()));
        }
        Ok(())
    }

    /// Whether a file of it is a snapshot.
    pub const fn is_snapshot(&self, number: u64) -> bool {
        number >= BLOBS
    }

    /// At most so many points are stored that newer ones hide.
    pub const fn hidden(&self) -> u64 {
        self.hidden
    }

    /// Requests in it.
    pub fn requests(&self) -> usize {
        self.history.records.len()
    }

    /// Opens an engine on `segments`: it has to hold the effect of a prefix of all requests, and
    /// to report nothing.
    ///
    /// # Errors
    ///
    /// Says what is wrong.
    pub fn is_prefix(&self, segments: &Segments) -> Result<(), String> {
        let mut bytes = Bytes {
            given: Some(segments),
            ..Bytes::default()
        };
        let opened = storage::open(config(NODE, LOG), &mut bytes).map_err(|why| why.to_string());
        let mut engine = opened?;
        let seen = observe(&mut engine, NOW_NS)?;
        if !engine.recovery().damage.is_empty() {
            return Err(format!("ALARM: {:?}", engine.recovery().damage));
        }
        let mut history = self.history.clone();
        history.floor = 0;
        history.reopened(&seen, 0, 0).map(drop)
    }

    /// Opens an engine on `segments` and holds what it finds against what was written.
    ///
    /// # Errors
    ///
    /// Says what is wrong, invented, or lost without a report.
    pub fn judge(&self, segments: &Segments) -> Result<Verdict, String> {
        let mut bytes = Bytes {
            given: Some(segments),
            ..Bytes::default()
        };
        let opened = storage::open(config(NODE, LOG), &mut bytes).map_err(|why| why.to_string());
        let mut engine = opened?;
        if engine.phase() != Phase::Running {
            return Err(format!("{:?} {:?}", engine.phase(), engine.refusal()));
        }
        let seen = observe(&mut engine, NOW_NS)?;
        let report = engine.recovery().clone();
        let end = engine.durable_lsn().0.min(engine.accepted_lsn().0);
        let mut known = report.damage.clone();
        for damage in known.iter_mut().filter(|damage| damage.last.0 >= end) {
            damage.last.0 = u64::MAX;
        }
        // Frames of a blob have numbers of their own.
        for damage in &mut known {
            let held = segments.get(&number_of(damage.file));
            let is_blob = matches!(damage.file, FileId::Blob(_));
            if let Some(first_lsn) = held.filter(|_| is_blob).and_then(|bytes| first_lsn(bytes)) {
                (damage.first.0, damage.last.0) = (1, first_lsn - 1);
            }
        }
        let mut history = self.history.clone();
        let accepted = engine.accepted_lsn().0;
        let is_shown = |(key, value)| seen.content.points.get(key) == Some(value);
        let all = self.history.content.points.iter();
        let values_lost = all.filter(|&pair| !is_shown(pair)).count() as u64;
        let lost = loss::check(&mut history, &seen.content, &known, u64::MAX, accepted)?;
        Ok(Verdict {
            lost,
            values_lost,
            damage: report.damage,
            torn_bytes: report.torn_bytes,
            points_relogged: report.points_relogged,
        })
    }
}

fn carry_out(engine: &mut Engine, ask: &Ask) -> Result<Option<u64>, String> {
    match ask {
        Ask::Statement(text, dropped) => {
            engine.execute(NOW_NS, text)?;
            Ok(dropped.map(policy))
        }
        Ask::Body(policy, body) => {
            let request = WriteRequest {
                now_ns: NOW_NS,
                retention_policy: (*policy).to_owned(),
                precision: Precision::Nanosecond,
                ..WriteRequest::default()
            };
            let written = engine.write(&request, body.as_bytes());
            written.map_err(|error| error.to_string())?;
            Ok(None)
        }
    }
}

/// A frame, found by walking a segment as `docs/format.md` says, without the core's help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameAt {
    /// Segment.
    pub segment: u64,
    /// Bytes of its payload.
    pub payload: Range<usize>,
    /// Its LSN.
    pub lsn: u64,
    /// 1: definitions, 2: rows, 3: pad.
    pub kind: u8,
    /// Whether it is the second copy.
    pub is_copy: bool,
    /// Points, as its head says.
    pub points: u32,
}

/// All frames of undamaged segments.
pub fn frames(segments: &Segments) -> Vec<FrameAt> {
    let mut frames = Vec::new();
    for (&segment, bytes) in segments {
        let mut at = 12_288;
        while let Some(head) = bytes.get(at..at + 40) {
            let number = |from: usize| {
                u32::from_le_bytes([head[from], head[from + 1], head[from + 2], head[from + 3]])
            };
            let length = number(4) as usize;
            frames.push(FrameAt {
                segment,
                payload: at + 40..at + 40 + length,
                lsn: u64::from(number(8)) | u64::from(number(12)) << 32,
                kind: head[36],
                is_copy: head[37] & 2 != 0,
                points: number(28),
            });
            at = (at + 40 + length).next_multiple_of(8);
        }
    }
    frames
}
