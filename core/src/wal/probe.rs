//! Where the proof ends: reading the tail of a segment that no successor seals.

use crate::planted::{Planted, planted};

use super::frame::FrameKind;
use super::header::{HEADER_BLOCK_BYTES, Header, Register};
use super::scan::{Found, Walk, Window};

/// What a probe found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Proof {
    /// Up to here the segment was durable: a register or a later frame says so.
    pub(super) certified: u64,
    /// End of the last whole record that follows without a break; at least `certified`.
    pub(super) usable: u64,
    /// LSN of the frame at `certified`.
    pub(super) next_lsn: u64,
    /// Of a repair segment: whether all it was to repeat is there.
    pub(super) is_settled: bool,
    /// Whether a read failed; what lies behind it is unknown, not torn.
    pub(super) is_unreadable: bool,
    /// Whether nothing but zeros lies behind `usable`: a host may write them ahead of the log.
    pub(super) is_blank: bool,
}

/// Reads a tail twice: first for promises, for any frame may prove an earlier one durable;
/// then for the first break behind the proof.
#[derive(Debug)]
pub(super) struct Probe {
    origin: Walk,
    walk: Walk,
    register_lsn: Option<(u64, u64)>,
    is_second: bool,
    has_gap: bool,
    /// Whether the completion mark is durable, or none is needed.
    is_mark_proven: bool,
    next_lsn: Option<u64>,
    /// From here on there are only zeros.
    blank_from: Option<u64>,
    /// Whether there may be a register that proves more.
    is_doubtful: bool,
    /// Of the segment.
    length: u64,
    proof: Proof,
}

impl Probe {
    /// Of a segment of `length` bytes. A repair segment is read from its first frame on, for
    /// its completion mark; others only behind their register.
    pub(super) fn new(header: &Header, register: Option<&Register>, length: u64) -> Self {
        let register = register.filter(|_| !planted(Planted::RegisterIgnored));
        let register_lsn = register.map(|found| (found.durable_end, found.durable_lsn.0 + 1));
        let origin = match register_lsn {
            Some((end, lsn)) if !header.repair => Walk::resume(header.salt, end, lsn, length),
            _ => Walk::begin(header.salt, header.first_lsn.0, length),
        };
        let certified = register_lsn.map_or(HEADER_BLOCK_BYTES, |(end, _)| end);
        let is_settled = register.is_some_and(|found| found.settled);
        Self {
            origin,
            walk: origin,
            register_lsn,
            is_second: false,
            has_gap: false,
            is_mark_proven: is_settled || !header.repair,
            next_lsn: None,
            blank_from: None,
            is_doubtful: false,
            length,
            proof: Proof {
                certified,
                is_settled,
                ..Proof::default()
            },
        }
    }

    /// A register could not be read: whatever breaks the tail may have been durable.
    pub(super) const fn doubt(&mut self) {
        self.is_doubtful = true;
    }

    /// A read failed: what follows is taken for the end, and remembered.
    pub(super) fn unreadable(&mut self, window: &mut Window) {
        self.proof.is_unreadable = true;
        window.cut();
    }

    /// Goes on as far as the window allows: the read that is needed, or the proof.
    pub(super) fn run(&mut self, window: &mut Window) -> Result<Proof, (u64, usize)> {
        while !self.is_second {
            match self.walk.next(window) {
                Found::Read { offset, length } => return Err((offset, length)),
                Found::Frame { head, .. } if !planted(Planted::PromiseIgnored) => {
                    self.proof.certified = self.proof.certified.max(head.synced_up_to);
                }
                Found::Frame { .. } | Found::Gap { .. } => {}
                Found::End => {
                    self.is_second = true;
                    self.walk = self.origin;
                    self.proof.usable = self.proof.certified;
                }
            }
        }
        loop {
            let (at, expected) = (self.walk.pos(), self.walk.expected());
            let found = self.walk.next(window);
            if let Found::Read { offset, length } = found {
                return Err((offset, length));
            }
            if at >= self.proof.certified {
                self.next_lsn.get_or_insert(expected);
            }
            if self.is_end(found) {
                return Ok(self.finish());
            }
        }
    }

    /// Whether nothing usable comes after this.
    fn is_end(&mut self, found: Found) -> bool {
        let certified = self.proof.certified;
        match found {
            Found::Read { .. } => false,
            Found::Frame {
                offset,
                head,
                is_intact,
            } => {
                let end = offset + head.frame_bytes();
                self.has_gap |= !is_intact;
                if !is_intact && offset >= certified {
                    return true;
                }
                let is_whole = !head.has_more() || planted(Planted::RecordByHalves);
                if end > certified && is_whole {
                    self.proof.usable = end;
                }
                let is_mark = head.kind == FrameKind::RepairComplete && is_intact;
                self.is_mark_proven |= is_mark && end <= certified;
                self.proof.is_settled |= is_mark && (end <= certified || !self.has_gap);
                false
            }
            Found::Gap {
                offset,
                length,
                next,
                blank_from,
                ..
            } => {
                self.has_gap = true;
                self.blank_from = Some(blank_from);
                if offset < certified && offset + length >= certified {
                    self.next_lsn = next.or(self.next_lsn);
                }
                offset >= certified
            }
            Found::End => true,
        }
    }

    fn finish(&mut self) -> Proof {
        self.proof.is_unreadable |= self.is_doubtful && self.proof.usable < self.length;
        let blank_from = self.blank_from.filter(|_| !self.proof.is_unreadable);
        self.proof.is_blank = blank_from.is_some_and(|from| from <= self.proof.usable);
        let certified = self.proof.certified;
        if self.proof.is_settled && !self.is_mark_proven {
            // The mark may vanish with the next power cut, and the whole repair with it: until
            // it is durable, nothing that was repeated is.
            let (certified, next_lsn) = (self.origin.pos(), self.origin.expected());
            return Proof {
                certified,
                next_lsn,
                ..self.proof
            };
        }
        let told = self
            .register_lsn
            .filter(|(end, _)| *end == certified)
            .map(|(_, lsn)| lsn);
        let next_lsn = told
            .or(self.next_lsn)
            .unwrap_or_else(|| self.walk.expected());
        Proof {
            next_lsn,
            ..self.proof
        }
    }
}
