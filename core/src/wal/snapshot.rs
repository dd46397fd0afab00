//! Writing a snapshot: the points of all segments below one, as a blob.
//!
//! A snapshot is laid out as a segment, and read back by the same code: a header block, then
//! frames of definitions and rows. What differs: it is written in parts, its header last and
//! with the totals of all that it holds, so what is missing later can be counted.

use alloc::vec::Vec;

use crate::ids::{BlobId, Lsn, SegmentId};

use super::frame::FrameKind;
use super::group::{Group, Stamp};
use super::header::{self, HEADER_BLOCK_BYTES, Header, Totals};
use super::log::LogConfig;
use super::record::FrameSink;

/// A snapshot that is being written, one part at a time.
#[derive(Debug)]
pub struct SnapshotWriter {
    header: Header,
    totals: Totals,
    part: Group,
    /// The header block, once all frames are written.
    block: Vec<u8>,
    chain: u32,
    frame: Lsn,
}

impl SnapshotWriter {
    /// Of all segments below `segment`; `first_lsn` is the LSN that follows them.
    pub fn new(config: &LogConfig, segment: SegmentId, first_lsn: Lsn) -> Self {
        Self {
            header: Header {
                repair: false,
                // Not the salt of the segment with this number.
                salt: header::salt(!config.seed, segment),
                segment,
                node_id: config.node_id,
                predecessor: None,
                first_lsn,
                low_watermark: segment,
                snapshot: None,
            },
            totals: Totals::default(),
            part: Group::new(segment, HEADER_BLOCK_BYTES, Vec::new()),
            block: Vec::new(),
            chain: 0,
            frame: Lsn(0),
        }
    }

    /// Its name.
    pub const fn blob(&self) -> BlobId {
        BlobId(self.header.segment.0)
    }

    /// The LSN that follows what it covers.
    pub const fn first_lsn(&self) -> Lsn {
        self.header.first_lsn
    }

    /// Where its frames end, in bytes.
    pub const fn end(&self) -> u64 {
        self.part.end()
    }

    /// Where the part under way belongs, and its bytes. The part at offset 0 is the last.
    pub fn part(&self) -> (u64, &[u8]) {
        if self.block.is_empty() {
            (self.part.offset, &self.part.bytes)
        } else {
            (0, &self.block)
        }
    }

    /// Completes the part under way; nothing is appended until [`advance`](Self::advance).
    pub fn seal(&mut self) {
        let (frame, salt) = (&mut self.frame, self.header.salt);
        self.chain = self.part.push_copies(self.chain, |chain| {
            *frame = frame.next();
            stamp(salt, *frame, chain)
        });
    }

    /// Begins the next part.
    pub fn advance(&mut self) {
        let (segment, end) = (self.part.segment, self.part.end());
        let buffer = core::mem::take(&mut self.part.bytes);
        self.part = Group::new(segment, end, buffer);
    }

    /// Makes the header block the last part.
    pub fn close(&mut self) {
        self.totals.end = self.part.end();
        self.totals.frames = self.frame.0;
        self.header.snapshot = Some(self.totals);
        self.block.resize(HEADER_BLOCK_BYTES as usize, 0);
        self.header.write(&mut self.block);
    }
}

impl FrameSink for SnapshotWriter {
    fn append(&mut self, kind: FrameKind, payload: &[u8], points: u32, more: bool) -> Lsn {
        self.frame = self.frame.next();
        self.totals.points += u64::from(points);
        let stamp = stamp(self.header.salt, self.frame, self.chain);
        self.chain = self.part.push(stamp, kind, payload, points, more);
        self.frame
    }

    fn accepted(&self) -> Lsn {
        self.frame
    }
}

const fn stamp(salt: u32, lsn: Lsn, chain: u32) -> Stamp {
    Stamp {
        salt,
        lsn,
        synced_up_to: 0,
        chain,
    }
}
