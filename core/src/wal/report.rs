//! What replay hands out: steps, frames, and what it found.

use alloc::string::String;
use alloc::vec::Vec;

use crate::ids::{FileId, Lsn, SegmentId};

use super::frame::FrameKind;

/// One step of a replay. See [`Replay`](super::Replay).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Read these bytes and answer with [`Replay::supply`](super::Replay::supply).
    Read {
        /// Which file.
        file: FileId,
        /// Where in it, in bytes.
        offset: u64,
        /// How many bytes; fewer are supplied only where the file ends.
        length: usize,
    },
    /// Frames of this file follow. It defines all it uses: what earlier ones defined is to be
    /// forgotten.
    FileStart {
        /// Which segment or snapshot.
        file: FileId,
    },
    /// A frame, in log order.
    Frame(Frame<'a>),
    /// A range that could not be used, for storage to set a copy aside. Not an error.
    Quarantine {
        /// Which file.
        file: FileId,
        /// Where in it, in bytes.
        offset: u64,
        /// How many bytes.
        length: u64,
        /// Why.
        reason: Reason,
    },
    /// This log is not ours to open; says why and what to do. Nothing comes after.
    Refuse(String),
    /// All is delivered.
    Done(ReplayEnd),
}

/// A frame of definitions or rows, its payload verified and borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Where it was found.
    pub file: FileId,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// Its LSN; in a snapshot, its number. In a damaged file definitions come early and again,
    /// so this is not monotonic for them.
    pub lsn: Lsn,
    /// Definitions or rows, nothing else.
    pub kind: FrameKind,
    /// Points in it, as its writer counted them.
    pub points: u32,
    /// Whether the record goes on with the next frame.
    pub more: bool,
    /// What the writer appended.
    pub payload: &'a [u8],
    /// False if nothing proves it durable: it is to be logged again into the new segment.
    pub certified: bool,
}

/// Why a range is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Behind the last whole record of the last segment; was never acknowledged as durable.
    #[error("torn tail: never acknowledged as durable")]
    TornTail,
    /// Holds no header: its creation was cut short, so nothing in it was acknowledged.
    #[error("torn segment: its creation was cut short")]
    TornSegment,
    /// Was durable once and is damaged.
    #[error("damaged: checksums do not match")]
    Damaged,
    /// Its header names another segment than its name does.
    #[error("its header belongs to another segment")]
    Misplaced,
}

/// A damaged range of what had been durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogDamage {
    /// Which segment or snapshot.
    pub file: FileId,
    /// Where it begins, in bytes.
    pub offset: u64,
    /// How many bytes could not be used; 0 if they are not there at all.
    pub length: u64,
    /// First LSN lost. Of a snapshot: the number of its first frame that is lost.
    pub first: Lsn,
    /// Last LSN lost. Where nothing tells how many there were, the last one there can have been;
    /// at the end of a log, the last one that is known of.
    pub last: Lsn,
    /// Points lost, where the frame head still tells. 0 for a copy or a pad: nothing is lost.
    pub points: Option<u64>,
}

/// What a replay found, and where the log goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayEnd {
    /// The segment to begin.
    pub next_segment: SegmentId,
    /// What it follows: the last segment of which anything is proven durable, and where that
    /// proof ends; 0 if that could not be read, and is to be delivered once it can be.
    pub predecessor: Option<(SegmentId, u64)>,
    /// The first LSN of the next segment. LSNs of frames that are not certified are given out
    /// again; none of them ever left this node.
    pub next_lsn: Lsn,
    /// Whether the next segment is a repair: frames were delivered as not certified, and the
    /// segment that holds them could be read to its end. If not, it stays in force, and nothing
    /// is to be logged again.
    pub repair: bool,
    /// The highest low watermark seen.
    pub low_watermark: SegmentId,
    /// Damage to what had been durable, in log order.
    pub damage: Vec<LogDamage>,
    /// Bytes set aside that were never acknowledged as durable.
    pub torn_bytes: u64,
    /// Segments delivered.
    pub segments: u64,
    /// Whole records delivered.
    pub records: u64,
    /// Segments to delete, without alarm, once the next segment (and its repair) is durable:
    /// below the low watermark, abandoned repairs, and creations cut short. Never one that could
    /// not be read, nor, while there is one, a segment that may stand in for it.
    pub obsolete: Vec<FileId>,
    /// All other files: they hold the log, or may once they can be read.
    pub kept: Vec<FileId>,
    /// Bytes of the segments that were delivered.
    pub log_bytes: u64,
    /// Bytes of the snapshot that was delivered.
    pub snapshot_bytes: u64,
    /// Whether a snapshot of what was delivered may stand in for all of `kept`. Not if
    /// something could not be read that the next open may be able to read.
    pub may_retire: bool,
}
