//! Which segments make up the log, and where each of them ends.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::ids::{Lsn, SegmentId};

use super::header::{HEADER_BLOCK_BYTES, Header, Register};
use super::probe::Proof;
use super::report::{LogDamage, Reason, ReplayEnd};

/// A segment of the listing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Info {
    pub(super) id: SegmentId,
    pub(super) length: u64,
    pub(super) state: State,
}

/// What its header block told.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Headed(Header, Option<Register>),
    Headless(Option<Register>),
    /// Its header is intact and another segment's.
    Misplaced,
    Unreadable,
}

/// A stretch of the log.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    Segment(Extent),
    /// A segment that a successor names and that cannot be used.
    Missing {
        segment: SegmentId,
        length: u64,
        /// It began at this LSN at the latest: where the proof of the segment before it ends.
        /// If it was a repair, what follows there has LSNs that were given out again here.
        first_lsn_max: u64,
        end_lsn: u64,
    },
}

/// The part of a segment that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) segment: SegmentId,
    pub(super) salt: u32,
    pub(super) first_lsn: u64,
    pub(super) length: u64,
    /// Frames end here at the latest.
    pub(super) limit: u64,
    /// Frames up to here are proven durable.
    pub(super) certified: u64,
    /// LSN of what follows; unknown if the successor is missing.
    pub(super) end_lsn: Option<u64>,
    /// Of the last segment: whether its tail could not be read.
    pub(super) tail: Option<Tail>,
}

/// What lies behind the usable part of the last segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    Torn,
    Unreadable,
}

/// A range to set aside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    pub(super) segment: SegmentId,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) reason: Reason,
}

/// Where the search goes on.
#[derive(Clone, Copy, Debug)]
enum Pick {
    /// With the highest segment below this one.
    Below(u64),
    /// With the one a successor names: its end, and the LSN that follows.
    Named(SegmentId, u64, u64),
    Over,
}

/// Follows predecessor links from the newest segment that counts back to the oldest.
#[derive(Debug)]
pub(super) struct Chain {
    /// Ascending.
    infos: Vec<Info>,
    low: SegmentId,
    /// Newest first.
    entries: Vec<Entry>,
    head: Option<(Header, Proof)>,
    pick: Pick,
}

impl Chain {
    /// From the listing, its headers read.
    pub(super) fn new(infos: Vec<Info>) -> Self {
        let headers = infos.iter().filter_map(Info::header);
        let low = headers
            .map(|header| header.low_watermark)
            .max()
            .unwrap_or_default();
        Self {
            infos,
            low,
            entries: Vec::new(),
            head: None,
            pick: Pick::Below(u64::MAX),
        }
    }

    /// Goes on until a segment has to be probed (answer with [`judge`](Self::judge)) or the
    /// chain is complete.
    pub(super) fn advance(&mut self) -> Option<Info> {
        loop {
            match self.pick {
                Pick::Over => return None,
                Pick::Below(bound) => {
                    let mut older = self.infos.iter().rev().filter(|info| info.id.0 < bound);
                    let candidate = older.find(|info| self.counts(info));
                    if candidate.is_some() {
                        return candidate.copied();
                    }
                    self.pick = Pick::Over;
                }
                Pick::Named(id, ..) if id < self.low => self.pick = Pick::Over,
                Pick::Named(id, end, end_lsn) => self.follow(id, end, end_lsn),
            }
        }
    }

    /// Takes the proof of the segment that [`advance`](Self::advance) gave.
    pub(super) fn judge(&mut self, info: Info, proof: Proof) {
        let Some(header) = info.header() else { return };
        if header.repair && !proof.is_settled && self.has_older(header) {
            self.pick = Pick::Below(info.id.0);
            return;
        }
        let mut extent = Extent {
            segment: info.id,
            salt: header.salt,
            first_lsn: header.first_lsn.0,
            length: info.length,
            limit: info.length,
            certified: u64::MAX,
            end_lsn: None,
            tail: None,
        };
        if let Some(Entry::Missing { first_lsn_max, .. }) = self.entries.last_mut() {
            *first_lsn_max = proof.next_lsn;
        }
        if self.head.is_none() {
            self.head = Some((*header, proof));
            extent.limit = proof.usable;
            extent.certified = proof.certified;
            extent.end_lsn = Some(proof.next_lsn);
            extent.tail = Some(if proof.is_unreadable {
                Tail::Unreadable
            } else {
                Tail::Torn
            });
        }
        self.entries.push(Entry::Segment(extent));
        self.pick = Pick::before(header);
    }

    /// The chain, oldest first.
    pub(super) fn entries(&self) -> VecDeque<Entry> {
        self.entries.iter().rev().copied().collect()
    }

    /// Fills in where the log goes on, and judges the segments that are not part of it.
    pub(super) fn conclude(&self, end: &mut ReplayEnd, notes: &mut VecDeque<Note>) {
        let newest = self.infos.last().map_or(0, |info| info.id.0);
        end.next_segment = SegmentId(newest.saturating_add(1));
        end.next_lsn = Lsn(1);
        end.low_watermark = self.low;
        if let Some((header, proof)) = &self.head {
            end.next_lsn = Lsn(proof.next_lsn);
            // A segment of which nothing is proven may vanish with the next power cut, header
            // and all: the next one follows what that one followed.
            let is_proven = proof.certified > HEADER_BLOCK_BYTES;
            let own = Some((header.segment, proof.certified));
            end.predecessor = if is_proven { own } else { header.predecessor };
        }
        for info in &self.infos {
            self.conclude_one(info, end, notes);
        }
    }

    fn conclude_one(&self, info: &Info, end: &mut ReplayEnd, notes: &mut VecDeque<Note>) {
        if info.id < self.low {
            end.obsolete.push(info.id);
            return;
        }
        if self.is_named(info.id) {
            notes.extend(info.reason().map(|reason| info.note(reason)));
            return;
        }
        let is_newest = self.head.is_none_or(|(head, _)| info.id > head.segment);
        let lost_up_to = match info.state {
            // Abandoned; but one that was durable and whose successor went past it was not
            // readable then, and what it holds is still missing.
            State::Headed(header, register) => {
                let register = register.filter(|found| !header.repair || found.settled);
                if register.is_none() {
                    end.obsolete.push(info.id);
                }
                register.map(|found| found.durable_lsn)
            }
            State::Headless(Some(register)) if is_newest => {
                notes.push_back(info.note(Reason::Damaged));
                Some(register.durable_lsn)
            }
            State::Headless(_) => {
                end.obsolete.push(info.id);
                if is_newest && info.length > 0 {
                    end.torn_bytes += info.length;
                    notes.push_back(info.note(Reason::TornSegment));
                }
                None
            }
            State::Misplaced => {
                notes.push_back(info.note(Reason::Misplaced));
                is_newest.then_some(end.next_lsn)
            }
            State::Unreadable => is_newest.then_some(end.next_lsn),
        };
        end.damage.extend(lost_up_to.map(|last| LogDamage {
            segment: info.id,
            offset: 0,
            length: info.length,
            first: end.next_lsn.min(last),
            last,
            points: None,
        }));
    }

    fn follow(&mut self, id: SegmentId, end: u64, end_lsn: u64) {
        let info = self.infos.iter().find(|info| info.id == id);
        let Some((info, header)) = info.and_then(|info| Some((info, info.header()?))) else {
            let length = info.map_or(0, |info| info.length);
            self.entries.push(Entry::Missing {
                segment: id,
                length,
                first_lsn_max: u64::MAX,
                end_lsn,
            });
            self.pick = Pick::Below(id.0);
            return;
        };
        self.pick = Pick::before(header);
        self.entries.push(Entry::Segment(Extent {
            segment: id,
            salt: header.salt,
            first_lsn: header.first_lsn.0,
            length: info.length,
            limit: end,
            certified: u64::MAX,
            end_lsn: Some(end_lsn),
            tail: None,
        }));
    }

    /// Whether a segment can be read and is not retired.
    fn counts(&self, info: &Info) -> bool {
        info.header().is_some() && info.id >= self.low
    }

    /// Whether there is something to go back to if this repair is not complete. If it names a
    /// segment that is gone, going back would hide that.
    fn has_older(&self, header: &Header) -> bool {
        let older = |info: &&Info| info.id < header.segment && self.counts(info);
        let names_lost = header.predecessor.is_some_and(|(id, _)| {
            id >= self.low
                && !self
                    .infos
                    .iter()
                    .any(|info| info.id == id && self.counts(info))
        });
        !names_lost && self.infos.iter().any(|info| older(&info))
    }

    fn is_named(&self, id: SegmentId) -> bool {
        self.entries.iter().any(|entry| match entry {
            Entry::Segment(extent) => extent.segment == id,
            Entry::Missing { segment, .. } => *segment == id,
        })
    }
}

impl Pick {
    /// The link of a header, followed. Links only go down, so the walk ends.
    fn before(header: &Header) -> Self {
        match header.predecessor {
            Some((id, end)) if id < header.segment => Self::Named(id, end, header.first_lsn.0),
            _ => Self::Over,
        }
    }
}

impl Info {
    const fn header(&self) -> Option<&Header> {
        match &self.state {
            State::Headed(header, _) => Some(header),
            _ => None,
        }
    }

    /// Why a segment that is part of the log cannot be used, if there is something to copy.
    const fn reason(&self) -> Option<Reason> {
        match self.state {
            State::Headless(_) if self.length > 0 => Some(Reason::Damaged),
            State::Misplaced => Some(Reason::Misplaced),
            _ => None,
        }
    }

    const fn note(&self, reason: Reason) -> Note {
        Note {
            segment: self.id,
            offset: 0,
            length: self.length,
            reason,
        }
    }
}
