//! Walking the frames of a segment, past what is damaged.

use alloc::vec::Vec;

use crate::planted::{Planted, planted};

use super::frame::{FRAME_HEAD_BYTES, Head};
use super::header::HEADER_BLOCK_BYTES;
use crate::hash::checksum::crc32c;

/// Bytes asked for at a time.
pub(super) const CHUNK_BYTES: u64 = 1 << 20;

const HEAD: u64 = FRAME_HEAD_BYTES as u64;

/// The part of a segment that is in memory: at most a frame and a chunk.
#[derive(Debug, Default)]
pub(super) struct Window {
    start: u64,
    bytes: Vec<u8>,
    /// Where the segment ends, as far as is known.
    end: u64,
}

/// Whether bytes are at hand.
enum Look {
    Here,
    Read {
        offset: u64,
        length: usize,
    },
    /// The segment ends before them.
    Short,
}

impl Window {
    /// Turns to another segment of `end` bytes.
    pub(super) fn reset(&mut self, end: u64) {
        self.start = 0;
        self.bytes.clear();
        self.end = end;
    }

    /// Takes bytes that were asked for; fewer than `requested` tell where the segment ends.
    pub(super) fn supply(&mut self, bytes: &[u8], requested: usize) {
        let bytes = bytes.get(..requested).unwrap_or(bytes);
        self.bytes.extend_from_slice(bytes);
        if bytes.len() < requested {
            self.end = self.filled();
        }
    }

    /// Treats the segment as ending where the last read would have begun.
    pub(super) fn cut(&mut self) {
        self.end = self.filled();
    }

    /// Bytes at hand; empty if they are not.
    pub(super) fn slice(&self, at: u64, length: usize) -> &[u8] {
        let from = at.saturating_sub(self.start) as usize;
        self.bytes.get(from..from + length).unwrap_or(&[])
    }

    fn filled(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    #[inline]
    fn look(&mut self, at: u64, length: u64) -> Look {
        if at >= self.start && at + length <= self.filled() {
            return Look::Here;
        }
        if at + length > self.end {
            return Look::Short;
        }
        if at < self.start || at > self.filled() {
            self.bytes.clear();
        } else {
            self.bytes.drain(..(at - self.start) as usize);
        }
        self.start = at;
        let offset = self.filled();
        let length = CHUNK_BYTES.min(self.end - offset) as usize;
        Look::Read { offset, length }
    }
}

/// What a walk came upon.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    /// More bytes are needed; walk on once they are supplied.
    Read { offset: u64, length: usize },
    /// A believable head; whether its payload is intact.
    Frame {
        offset: u64,
        head: Head,
        is_intact: bool,
    },
    /// Bytes that are no frame, up to the next believable head (`next` is its LSN) or the limit.
    /// Those from `blank_from` up to the limit are zero.
    Gap {
        offset: u64,
        length: u64,
        first: u64,
        next: Option<u64>,
        blank_from: u64,
    },
    /// The limit.
    End,
}

/// A position in the frames of a segment. Copy it to come back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    salt: u32,
    /// Of the next frame.
    pos: u64,
    /// Frames end here at the latest.
    limit: u64,
    /// LSN of the frame at `pos`.
    expected: u64,
    /// Payload checksum of the frame before, if that one is known.
    chain: Option<u32>,
    /// While scanning for a believable head: the next place to look at.
    scan: Option<u64>,
    /// While scanning: from here on, all bytes before that place are zero.
    blank_from: u64,
}

impl Walk {
    /// From the first frame on.
    pub(super) const fn begin(salt: u32, first_lsn: u64, limit: u64) -> Self {
        let chain = Some(0);
        Self {
            salt,
            pos: HEADER_BLOCK_BYTES,
            limit,
            expected: first_lsn,
            chain,
            scan: None,
            blank_from: 0,
        }
    }

    /// From a frame boundary on.
    pub(super) const fn resume(salt: u32, pos: u64, lsn: u64, limit: u64) -> Self {
        Self {
            salt,
            pos,
            limit,
            expected: lsn,
            chain: None,
            scan: None,
            blank_from: 0,
        }
    }

    pub(super) const fn pos(&self) -> u64 {
        self.pos
    }

    /// LSN of the frame at [`pos`](Self::pos).
    pub(super) const fn expected(&self) -> u64 {
        self.expected
    }

    /// The next frame or gap.
    pub(super) fn next(&mut self, window: &mut Window) -> Found {
        if self.scan.is_none() {
            if self.pos >= self.limit {
                return Found::End;
            }
            match self.frame(window) {
                Some(found) => return found,
                None => {
                    self.scan = Some(self.pos);
                    self.blank_from = self.pos;
                }
            }
        }
        self.scan(window)
    }

    /// The frame at `pos`, or a read; `None` if there is no believable one.
    fn frame(&mut self, window: &mut Window) -> Option<Found> {
        let offset = self.pos;
        match window.look(offset, HEAD) {
            Look::Here => {}
            Look::Read { offset, length } => return Some(Found::Read { offset, length }),
            Look::Short => return None,
        }
        let head = self.head(window, offset)?;
        let is_next = head.lsn == self.expected;
        let follows = self.chain.is_none_or(|chain| chain == head.chain);
        if !(is_next && follows || planted(Planted::OrderUnchecked)) {
            return None;
        }
        let is_intact = match window.look(offset, HEAD + u64::from(head.payload_bytes)) {
            Look::Here => {
                let payload = window.slice(offset + HEAD, head.payload_bytes as usize);
                crc32c(self.salt, payload) == head.payload_crc || planted(Planted::PayloadUnchecked)
            }
            Look::Read { offset, length } => return Some(Found::Read { offset, length }),
            Look::Short => false,
        };
        self.pos += head.frame_bytes();
        self.expected += 1;
        self.chain = Some(head.payload_crc);
        Some(Found::Frame {
            offset,
            head,
            is_intact,
        })
    }

    /// Looks for the next believable head behind `pos`.
    fn scan(&mut self, window: &mut Window) -> Found {
        let (offset, first) = (self.pos, self.expected);
        let mut at = self.scan.unwrap_or(self.limit);
        if planted(Planted::DamageEndsSegment) {
            at = self.limit;
        }
        while at + HEAD <= self.limit {
            match window.look(at, HEAD) {
                Look::Here => {}
                Look::Read { offset, length } => {
                    self.scan = Some(at);
                    return Found::Read { offset, length };
                }
                Look::Short => break,
            }
            self.note_blank(window, at, 8);
            // At least the frame at `pos` is lost, and no frame is shorter than its head.
            let lsn_max = first.saturating_add((at - offset) / HEAD);
            if let Some(head) = self.head(window, at)
                && (head.lsn > first && head.lsn <= lsn_max || planted(Planted::ScanUnbounded))
            {
                *self = Self::resume(self.salt, at, head.lsn, self.limit);
                return Found::Gap {
                    offset,
                    length: at - offset,
                    first,
                    next: Some(head.lsn),
                    blank_from: self.limit,
                };
            }
            at += 8;
        }
        let rest = self.limit - at.min(self.limit);
        match window.look(at, rest) {
            Look::Here => self.note_blank(window, at, rest as usize),
            Look::Read { offset, length } => {
                self.scan = Some(at);
                return Found::Read { offset, length };
            }
            // What is not there is not known.
            Look::Short => self.blank_from = self.limit,
        }
        let (length, blank_from) = (self.limit - offset, self.blank_from);
        *self = Self::resume(self.salt, self.limit, first, self.limit);
        Found::Gap {
            offset,
            length,
            first,
            next: None,
            blank_from,
        }
    }

    /// Remembers the last byte that is not zero; `length` bytes are at hand.
    #[inline]
    fn note_blank(&mut self, window: &Window, at: u64, length: usize) {
        let bytes = window.slice(at, length);
        if bytes.iter().any(|&byte| byte != 0) {
            self.blank_from = at + length as u64;
        }
    }

    /// The head at `at`, if it can be one there.
    #[inline]
    fn head(&self, window: &Window, at: u64) -> Option<Head> {
        let bytes = window.slice(at, FRAME_HEAD_BYTES).first_chunk()?;
        let head = Head::decode(bytes, self.salt)?;
        let fits = head.frame_bytes() <= self.limit - at;
        (fits && head.synced_up_to <= at).then_some(head)
    }
}
