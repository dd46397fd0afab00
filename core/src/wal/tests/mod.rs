//! The log against hostile storage. Here: a store in memory, and what replay gave.

mod append;
mod crash;
mod flips;
mod format;
mod segments;
mod snapshot;
mod truncate;
mod unreadable;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::fault::StorageFault;
use crate::ids::{BlobId, FileId, Lsn, SegmentId};

pub(super) const NODE: u128 = 0x0123_4567_89ab_cdef_0011_2233_4455_6677;

/// Files by key: segments by their ids, blobs by theirs and [`BLOB`].
pub(super) type Store = BTreeMap<u64, Vec<u8>>;

/// Tells the key of a blob from that of a segment.
pub(super) const BLOB: u64 = 1 << 63;

pub(super) fn file(key: u64) -> FileId {
    if key & BLOB == 0 {
        FileId::Segment(SegmentId(key))
    } else {
        FileId::Blob(BlobId(key & !BLOB))
    }
}

pub(super) fn key(file: FileId) -> u64 {
    match file {
        FileId::Segment(id) => id.0,
        FileId::Blob(id) => id.0 | BLOB,
    }
}

pub(super) fn segments<const N: usize>(ids: [u64; N]) -> [FileId; N] {
    ids.map(|id| FileId::Segment(SegmentId(id)))
}

/// All parts of a snapshot of the segments below `segment`, with these rows in it, a frame each.
pub(super) fn snapshot(segment: u64, first_lsn: u64, rows: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = SnapshotWriter::new(&config(0), SegmentId(segment), Lsn(first_lsn));
    let mut blob = Vec::new();
    let mut put = |writer: &SnapshotWriter| {
        let (offset, bytes) = writer.part();
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        blob.resize(end.max(blob.len()), 0);
        blob[start..end].copy_from_slice(bytes);
    };
    for part in rows.chunks(3) {
        writer.append(FrameKind::Definitions, &[0xd0; 20], 0, true);
        for (at, row) in part.iter().enumerate() {
            writer.append(FrameKind::Rows, row, 1, at + 1 < part.len());
        }
        writer.seal();
        put(&writer);
        writer.advance();
    }
    writer.close();
    put(&writer);
    blob
}

pub(super) fn config(segment_bytes_roll: u64) -> LogConfig {
    LogConfig {
        node_id: NODE,
        seed: 42,
        segment_bytes_roll,
        pending_bytes_max: 1 << 20,
    }
}

pub(super) fn first_log(segment_bytes_roll: u64) -> Log {
    Log::begin(
        config(segment_bytes_roll),
        SegmentId(1),
        None,
        Lsn(1),
        false,
    )
}

/// Puts the bytes of a persist where they belong.
pub(super) fn apply(store: &mut Store, persist: &Persist, bytes: &[u8]) {
    assert_eq!(bytes.len(), persist.length);
    let segment = store.entry(persist.segment.0).or_default();
    let end = persist.offset as usize + bytes.len();
    if segment.len() < end {
        assert_eq!(segment.len() as u64, persist.offset, "a hole");
        segment.resize(end, 0);
    }
    segment[persist.offset as usize..end].copy_from_slice(bytes);
}

/// Performs all that is offered; `registers` says whether register writes arrive.
pub(super) fn drain(log: &mut Log, store: &mut Store, registers: bool) {
    while let Some(persist) = log.poll() {
        if persist.sync || registers {
            apply(store, &persist, log.bytes(persist.ticket));
        }
        log.complete(persist.ticket, Ok(())).unwrap();
    }
}

/// A frame as it was handed out, or as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) lsn: u64,
    pub(super) kind: FrameKind,
    pub(super) payload: Vec<u8>,
    pub(super) points: u32,
    pub(super) more: bool,
    pub(super) segment: u64,
    pub(super) certified: bool,
}

/// All that a replay gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) frames: Vec<Seen>,
    pub(super) quarantined: Vec<(u64, u64, u64, Reason)>,
    pub(super) refused: Option<String>,
    pub(super) end: ReplayEnd,
}

impl Outcome {
    pub(super) fn rows(&self) -> Vec<&Seen> {
        self.frames
            .iter()
            .filter(|frame| frame.kind == FrameKind::Rows)
            .collect()
    }

    /// LSNs of the rows that came.
    pub(super) fn row_lsns(&self) -> Vec<u64> {
        self.rows().iter().map(|frame| frame.lsn).collect()
    }
}

pub(super) fn listing(store: &Store) -> Vec<(FileId, u64)> {
    store
        .iter()
        .map(|(id, bytes)| (file(*id), bytes.len() as u64))
        .collect()
}

pub(super) fn replay(store: &Store) -> Outcome {
    replay_with(&listing(store), |segment, offset, length| {
        let bytes = &store[&segment];
        let end = bytes.len().min(offset as usize + length);
        Ok(bytes[offset as usize..end].to_vec())
    })
}

/// A replay to which every read that `fails` says fails.
pub(super) fn replay_failing(store: &Store, mut fails: impl FnMut(u64, u64) -> bool) -> Outcome {
    replay_with(&listing(store), |segment, offset, length| {
        if fails(segment, offset) {
            return Err(StorageFault::Unreadable);
        }
        let bytes = &store[&segment];
        Ok(bytes[offset as usize..bytes.len().min(offset as usize + length)].to_vec())
    })
}

pub(super) fn replay_with(
    listing: &[(FileId, u64)],
    mut read: impl FnMut(u64, u64, usize) -> Result<Vec<u8>, StorageFault>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut replay = Replay::new(NODE, listing);
    let mut current = None;
    for _ in 0..1_000_000 {
        match replay.step() {
            Step::Read {
                file,
                offset,
                length,
            } => {
                let answer = read(key(file), offset, length);
                replay.supply(answer.as_deref().map_err(|fault| *fault));
            }
            Step::FileStart { file } => current = Some(file),
            Step::Frame(frame) => {
                assert_eq!(current, Some(frame.file));
                outcome.frames.push(Seen {
                    lsn: frame.lsn.0,
                    kind: frame.kind,
                    payload: frame.payload.to_vec(),
                    points: frame.points,
                    more: frame.more,
                    segment: key(frame.file),
                    certified: frame.certified,
                });
            }
            Step::Quarantine {
                file,
                offset,
                length,
                reason,
            } => {
                outcome
                    .quarantined
                    .push((key(file), offset, length, reason));
            }
            Step::Refuse(text) => {
                outcome.refused = Some(text);
                return outcome;
            }
            Step::Done(end) => {
                outcome.end = end;
                return outcome;
            }
        }
    }
    panic!("a replay that does not end");
}

/// A log of three segments: each defines what it uses, twice, and has rows in several groups.
pub(super) struct Sample {
    pub(super) store: Store,
    /// Definitions and rows as appended.
    pub(super) written: Vec<Seen>,
    pub(super) accepted: Lsn,
}

pub(super) fn sample(registers: bool) -> Sample {
    let mut log = first_log(HEADER_BLOCK_BYTES + 4_500);
    let (mut store, mut written) = (Store::new(), Vec::new());
    let mut number = 0u8;
    let mut in_last = 0;
    while in_last < 7 {
        number += 1;
        let starts = log.begin_record();
        let mut frames = vec![(FrameKind::Rows, vec![number; 5 + usize::from(number) % 9])];
        if starts || number % 7 == 3 {
            frames.insert(0, (FrameKind::Definitions, vec![0x80 | number; 13]));
        }
        in_last += u64::from(log.segment() == SegmentId(3));
        let count = frames.len();
        for (at, (kind, payload)) in frames.into_iter().enumerate() {
            let points = if kind == FrameKind::Rows {
                u32::from(number)
            } else {
                0
            };
            let more = at + 1 < count;
            let lsn = log.append(kind, &payload, points, more).0;
            let (segment, certified) = (log.segment().0, true);
            written.push(Seen {
                lsn,
                kind,
                payload,
                points,
                more,
                segment,
                certified,
            });
        }
        if number % 3 != 1 {
            drain(&mut log, &mut store, registers);
        }
    }
    drain(&mut log, &mut store, registers);
    assert_eq!(store.len(), 3);
    Sample {
        store,
        written,
        accepted: log.accepted(),
    }
}

/// Numbers for tests that draw lots. Source: splitmix64.
pub(super) struct Lots(pub(super) u64);

impl Lots {
    pub(super) fn draw(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}
