//! A group: frames of one segment that go to storage as one persist.

use alloc::vec::Vec;

use crate::ids::{Lsn, SegmentId};
use crate::planted::{Planted, planted};

use super::frame::{COPY, FRAME_HEAD_BYTES, FrameKind, Head, MORE};
use super::header::{HEADER_BLOCK_BYTES, PAGE_BYTES};
use crate::hash::checksum::crc32c;

/// What a frame says beyond its payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    pub(super) salt: u32,
    pub(super) lsn: Lsn,
    pub(super) synced_up_to: u64,
    pub(super) chain: u32,
}

/// A frame that is to be written a second time.
#[derive(Clone, Copy, Debug)]
struct Twice {
    kind: FrameKind,
    /// Of the payload, in `bytes`.
    at: usize,
    length: usize,
    payload_crc: u32,
}

/// Bytes on their way to storage, from `offset` of `segment` on.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) segment: SegmentId,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    /// The last LSN in it.
    pub(super) last: Lsn,
    /// Whether a completed repair is behind it.
    pub(super) settled: bool,
    frames: u64,
    twice: Vec<Twice>,
}

impl Group {
    /// An empty group in a buffer that is used again; at offset 0 it starts with room for the
    /// header block.
    pub(super) fn new(segment: SegmentId, offset: u64, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        if offset == 0 {
            buffer.resize(HEADER_BLOCK_BYTES as usize, 0);
        }
        Self {
            segment,
            offset,
            bytes: buffer,
            last: Lsn(0),
            settled: false,
            frames: 0,
            twice: Vec::new(),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// Where in the segment the next frame goes.
    pub(super) const fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    /// Appends a frame and gives the checksum of its payload, the next one's chain value.
    pub(super) fn push(
        &mut self,
        stamp: Stamp,
        kind: FrameKind,
        payload: &[u8],
        points: u32,
        more: bool,
    ) -> u32 {
        let payload_crc = crc32c(stamp.salt, payload);
        let flags = if more { MORE } else { 0 };
        self.push_head(stamp, kind, flags, payload.len(), payload_crc, points);
        let at = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        self.align();
        if kind.is_written_twice() && !planted(Planted::CopyOmitted) {
            let length = payload.len();
            self.twice.push(Twice {
                kind,
                at,
                length,
                payload_crc,
            });
        }
        payload_crc
    }

    /// Writes the second copies, each a page or more behind the end of its first, with a pad
    /// where there is nothing else to keep them apart. `next` gives the stamp of each frame
    /// from the chain value before it; returned is the chain value after the last.
    pub(super) fn push_copies(
        &mut self,
        mut chain: u32,
        mut next: impl FnMut(u32) -> Stamp,
    ) -> u32 {
        let page = if planted(Planted::CopiesClose) {
            0
        } else {
            PAGE_BYTES as usize
        };
        for twice in core::mem::take(&mut self.twice) {
            let apart = (twice.at + twice.length).next_multiple_of(8) + page;
            if let Some(missing) = apart.checked_sub(self.bytes.len()).filter(|&gap| gap > 0) {
                let zeros = [0; PAGE_BYTES as usize];
                let length = missing.saturating_sub(FRAME_HEAD_BYTES);
                let payload = zeros.get(..length).unwrap_or(&zeros);
                chain = self.push(next(chain), FrameKind::Pad, payload, 0, false);
            }
            let (kind, crc) = (twice.kind, twice.payload_crc);
            self.push_head(next(chain), kind, COPY, twice.length, crc, 0);
            self.bytes
                .extend_from_within(twice.at..twice.at + twice.length);
            self.align();
            chain = crc;
        }
        chain
    }

    fn push_head(
        &mut self,
        stamp: Stamp,
        kind: FrameKind,
        flags: u8,
        payload_bytes: usize,
        payload_crc: u32,
        points: u32,
    ) {
        let head = Head {
            payload_bytes: payload_bytes as u32,
            lsn: stamp.lsn.0,
            synced_up_to: stamp.synced_up_to,
            chain: stamp.chain,
            points,
            payload_crc,
            kind,
            flags,
        };
        self.bytes.extend_from_slice(&head.encode(stamp.salt));
        self.frames += 1;
        self.last = stamp.lsn;
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
    }
}
