//! Reading one segment or snapshot alone, for an offline tool: whatever became of its
//! neighbours, and of its header block, every frame whose checksums hold is found.
//!
//! Replay judges a log as a whole and refuses what is not its own; this judges nothing but
//! bytes. Where all copies of the header are lost, the register still tells the salt; where that
//! is lost too, the frames do: a checksum can be run backwards to the seed it began with.

mod first;

use crate::ids::{BlobId, FileId, Lsn, SegmentId};

use super::frame::{FRAME_HEAD_BYTES, FrameKind, Head};
use super::header::{HEADER_BLOCK_BYTES, Header, HeaderFound, Register, SLOT_BYTES, SLOTS_AT};
use super::probe::Probe;
use super::report::{Frame, LogDamage};
use super::scan::{Found, Walk, Window};
use first::first_frame;

/// What told how to read a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Its header.
    Header,
    /// Its durable-end register; the header is lost.
    Register,
    /// A frame; the whole header block is lost.
    Frame,
}

/// Why a segment cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Illegible {
    /// Its header is intact and of this format version.
    Newer(u16),
    /// Neither header, register nor a single whole frame.
    Nothing,
}

/// A segment in memory, and what it says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Salvage<'a> {
    bytes: &'a [u8],
    file: FileId,
    header: Header,
    told: Told,
    /// Where the first frame is, and its LSN.
    begin: (u64, u64),
    register: Option<Register>,
    /// Whether there was a register that cannot be read: then nothing tells torn from damaged.
    is_register_lost: bool,
}

/// What reading came upon, in the order of the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A frame whose checksums hold.
    Frame {
        /// The frame.
        frame: Frame<'a>,
        /// Whether it repeats another one, for want of which it is here.
        is_copy: bool,
    },
    /// A range that had been durable and cannot be read.
    Lost(LogDamage),
    /// What lies behind all that was ever durable.
    Torn {
        /// Where it begins, in bytes.
        offset: u64,
        /// How many bytes.
        length: u64,
    },
}

impl<'a> Salvage<'a> {
    /// Of the bytes of a whole segment or snapshot, with zeros where they could not be read, and
    /// what its name says that it is.
    pub fn new(bytes: &'a [u8], file: FileId) -> Result<Self, Illegible> {
        let named = SegmentId(file.to_pair().1);
        let block = bytes.get(..HEADER_BLOCK_BYTES as usize).unwrap_or(bytes);
        let found = Header::find(block, file);
        let own = match found {
            HeaderFound::Newer(version) => return Err(Illegible::Newer(version)),
            HeaderFound::Valid(header) => Some(header),
            HeaderFound::None => None,
        };
        let segment = own.map_or(named, |header| header.segment);
        let register = Register::find(block, segment);
        let register = register.filter(|found| own.is_none_or(|own| own.salt == found.salt));
        let (told, header, begin) = match (own, register) {
            (Some(header), _) => (
                Told::Header,
                header,
                // Frames of a snapshot are numbered from 1.
                Some((
                    HEADER_BLOCK_BYTES,
                    header.snapshot.map_or(header.first_lsn.0, |_| 1),
                )),
            ),
            (None, Some(register)) => (
                Told::Register,
                nameless(named, register.salt),
                first_frame(bytes, Some(register.salt)).map(|(at, head, _)| (at, head.lsn)),
            ),
            (None, None) => {
                let (at, head, salt) = first_frame(bytes, None).ok_or(Illegible::Nothing)?;
                (Told::Frame, nameless(named, salt), Some((at, head.lsn)))
            }
        };
        let begin = begin.ok_or(Illegible::Nothing)?;
        let has_slot = |at: usize| slot_is_written(block, at);
        let file = match (own, file) {
            (None, file) => file,
            (Some(header), _) if header.snapshot.is_some() => FileId::Blob(BlobId(segment.0)),
            (Some(_), _) => FileId::Segment(segment),
        };
        Ok(Self {
            bytes,
            file,
            header,
            told,
            begin,
            register,
            is_register_lost: register.is_none()
                && (told != Told::Header || SLOTS_AT.into_iter().any(has_slot)),
        })
    }

    /// What told how to read it.
    pub const fn told(&self) -> Told {
        self.told
    }

    /// What it is as its header says; else as its name does.
    pub const fn file(&self) -> FileId {
        self.file
    }

    /// Whose segment it is, if its header is left.
    pub fn node_id(&self) -> Option<u128> {
        (self.told == Told::Header).then_some(self.header.node_id)
    }

    /// The segment before it, if its header is left and names one.
    pub fn predecessor(&self) -> Option<SegmentId> {
        self.header.predecessor.map(|(segment, _)| segment)
    }

    /// Where the segment before it ends and the LSN that follows, for [`read`](Self::read) of
    /// that one; `None` if that was not known. Of several that name it, the farthest counts: a
    /// repair may have been repeated.
    pub fn seal(&self) -> Option<(u64, Lsn)> {
        let (_, end) = self.header.predecessor?;
        (end > HEADER_BLOCK_BYTES).then_some((end, self.first_lsn()))
    }

    /// The LSN of its first frame, or of the first that is left.
    pub const fn first_lsn(&self) -> Lsn {
        Lsn(self.begin.1)
    }

    /// Segments below this one are garbage.
    pub const fn low_watermark(&self) -> SegmentId {
        self.header.low_watermark
    }

    /// Whether it repeats the end of its predecessor and was not brought to the end of that:
    /// then the predecessor has all of it.
    pub fn is_abandoned_repair(&self) -> bool {
        if !self.header.repair || self.register.is_some_and(|found| found.settled) {
            return false;
        }
        let mut is_complete = false;
        self.walk(self.bytes.len() as u64, |found| {
            is_complete |= matches!(found, Found::Frame { head, is_intact: true, .. }
                if head.kind == FrameKind::RepairComplete);
        });
        !is_complete
    }

    /// Hands out all pieces. `sealed` is what a successor says: where this segment ends, and the
    /// LSN that follows. Then all before is proven, and what is behind counts for nothing.
    pub fn read(&self, sealed: Option<(u64, Lsn)>, mut visit: impl FnMut(Piece<'a>)) {
        let length = self.bytes.len() as u64;
        let whole = self.header.snapshot;
        let sealed = whole.map_or(sealed, |whole| Some((whole.end, Lsn(whole.frames + 1))));
        let (proven, limit) = sealed.map_or_else(|| self.proof(), |(end, _)| (end, end));
        let follows = sealed.map_or(0, |(_, lsn)| lsn.0);
        if self.begin.0 > HEADER_BLOCK_BYTES {
            let before = self.begin.1.saturating_sub(1);
            let offset = HEADER_BLOCK_BYTES;
            visit(Piece::Lost(self.lost(
                offset,
                self.begin.0,
                (1.min(before), before),
            )));
        }
        let (mut expected, mut is_cut) = (self.begin.1, length < proven);
        self.walk(limit.min(length), |found| match found {
            Found::Read { .. } | Found::End => {}
            Found::Frame {
                offset,
                head,
                is_intact,
            } => {
                expected = head.lsn + 1;
                let end = offset + head.frame_bytes();
                if is_intact {
                    let is_copy = head.is_copy();
                    if let Some(frame) = self.frame(offset, head, proven) {
                        visit(Piece::Frame { frame, is_copy });
                    }
                } else {
                    let points = Some(u64::from(head.points));
                    let lost = self.lost(offset, end, (head.lsn, head.lsn));
                    visit(Piece::Lost(LogDamage { points, ..lost }));
                }
            }
            Found::Gap {
                offset,
                length,
                next: None,
                ..
            } if offset >= proven => self.torn(offset, length, &mut visit),
            Found::Gap {
                offset,
                length,
                first,
                next,
                ..
            } => {
                is_cut &= next.is_some();
                expected = next.unwrap_or(follows).max(first + 1);
                visit(Piece::Lost(self.lost(
                    offset,
                    offset + length,
                    (first, expected - 1),
                )));
            }
        });
        if is_cut {
            let last = follows.max(expected + 1) - 1;
            visit(Piece::Lost(self.lost(length, length, (expected, last))));
        }
        if sealed.is_none() && limit < length {
            self.torn(limit, length - limit, &mut visit);
        }
    }

    /// Hands out bytes behind the end; zeros may have been written there ahead of the log.
    fn torn(&self, offset: u64, length: u64, visit: &mut impl FnMut(Piece<'a>)) {
        let bytes = self.bytes.get(offset as usize..).unwrap_or_default();
        if bytes.iter().take(length as usize).any(|&byte| byte != 0) {
            visit(Piece::Torn { offset, length });
        }
    }

    /// How far it was durable as far as anything tells, and how far it is to be read.
    fn proof(&self) -> (u64, u64) {
        let length = self.bytes.len() as u64;
        let mut window = self.window();
        let header = Header {
            repair: false,
            ..self.header
        };
        let mut probe = Probe::new(&header, self.register.as_ref(), length);
        match probe.run(&mut window) {
            Ok(proof) if self.is_register_lost => (proof.certified, length),
            Ok(proof) => (proof.certified, proof.usable),
            Err(_) => (length, length),
        }
    }

    fn walk(&self, limit: u64, mut visit: impl FnMut(Found)) {
        let mut window = self.window();
        let (pos, lsn) = self.begin;
        let mut walk = match self.told {
            Told::Header => Walk::begin(self.header.salt, lsn, limit),
            _ => Walk::resume(self.header.salt, pos, lsn, limit),
        };
        loop {
            let found = walk.next(&mut window);
            visit(found);
            // All of it is in memory, so a read is asked for nowhere.
            if matches!(found, Found::End | Found::Read { .. }) {
                return;
            }
        }
    }

    fn window(&self) -> Window {
        let mut window = Window::default();
        window.reset(self.bytes.len() as u64);
        window.supply(self.bytes, self.bytes.len());
        window
    }

    fn frame(&self, offset: u64, head: Head, proven: u64) -> Option<Frame<'a>> {
        let at = usize::try_from(offset).ok()? + FRAME_HEAD_BYTES;
        let payload = self.bytes.get(at..at + head.payload_bytes as usize)?;
        Some(Frame {
            file: self.file,
            offset,
            lsn: Lsn(head.lsn),
            kind: head.kind,
            points: head.points,
            more: head.has_more(),
            payload,
            certified: offset + head.frame_bytes() <= proven,
        })
    }

    const fn lost(&self, from: u64, to: u64, (first, last): (u64, u64)) -> LogDamage {
        LogDamage {
            file: self.file,
            offset: from,
            length: to - from,
            first: Lsn(first),
            last: Lsn(last),
            points: None,
        }
    }
}

/// Stands in for a header that is lost.
const fn nameless(segment: SegmentId, salt: u32) -> Header {
    Header {
        repair: false,
        salt,
        segment,
        node_id: 0,
        predecessor: None,
        first_lsn: Lsn(0),
        low_watermark: SegmentId(0),
        snapshot: None,
    }
}

fn slot_is_written(block: &[u8], at: usize) -> bool {
    let slot = block.get(at..at + SLOT_BYTES).unwrap_or_default();
    slot.iter().any(|&byte| byte != 0)
}

#[cfg(test)]
mod tests;
