//! Which segments make up the log, and where each of them ends.

mod conclude;

pub(super) use conclude::LSNS_UNKNOWN;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::ids::{FileId, SegmentId};
use crate::planted::{Planted, planted};

use super::header::{HEADER_BLOCK_BYTES, Header, OPEN_END, Register};
use super::probe::Proof;
use super::report::Reason;

/// A segment of the listing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Info {
    pub(super) id: SegmentId,
    pub(super) length: u64,
    pub(super) state: State,
    /// Whether a page with a slot of its register could not be read.
    pub(super) is_slot_unread: bool,
}

/// What its header block told.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Headed(Header, Option<Register>),
    /// No intact header; whether there is anything at all, here or behind the block.
    Headless {
        register: Option<Register>,
        is_blank: bool,
    },
    /// Its header is intact and another segment's.
    Misplaced,
    Unreadable,
}

/// A stretch of the log.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    Usable(Extent),
    /// A segment or snapshot that is part of the log and cannot be used, now or ever.
    Missing {
        file: FileId,
        length: u64,
        /// It began at this LSN at the latest: where the proof of the segment before it ends.
        /// If it was a repair, what follows there has LSNs that were given out again here.
        first_lsn_max: u64,
        /// LSN of what follows, if anything tells it.
        end_lsn: Option<u64>,
    },
}

/// The part of a segment or snapshot that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) file: FileId,
    pub(super) salt: u32,
    pub(super) first_lsn: u64,
    pub(super) length: u64,
    /// Frames end here at the latest.
    pub(super) limit: u64,
    /// Frames up to here are proven durable.
    pub(super) certified: u64,
    /// LSN of what follows the proof; unknown if the successor is missing.
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
    pub(super) file: FileId,
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

/// What is known of the end of the segment that the search goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// Nothing, and nothing follows it: what is not proven is to be logged again.
    Newest,
    /// Its successor is lost, and proved all of it durable.
    Sealed,
    /// Nothing; what follows may repeat what is not proven, so nobody may log that again.
    Open,
}

/// Follows predecessor links from the newest segment that counts back to the oldest.
#[derive(Debug)]
pub(super) struct Chain {
    /// Ascending.
    infos: Vec<Info>,
    low: SegmentId,
    /// Newest first.
    entries: Vec<Entry>,
    head: Option<(Header, Proof, u64)>,
    pick: Pick,
    link: Link,
    /// LSN that follows an open link, if a successor tells it.
    follows: Option<u64>,
    /// Segments behind the head that cannot be read; newest first.
    hidden: Vec<Info>,
    /// Segments that a successor names and that turned out to hold nothing of the log.
    idle: Vec<SegmentId>,
    /// Whether a segment of the log cannot be read now, or may vanish unrepeated.
    is_disturbed: bool,
}

impl Chain {
    /// From the listing, its headers read. Segments below `low` do not count.
    pub(super) fn new(infos: Vec<Info>, low: SegmentId) -> Self {
        Self {
            infos,
            low,
            entries: Vec::new(),
            head: None,
            pick: Pick::Below(u64::MAX),
            link: Link::Newest,
            follows: None,
            hidden: Vec::new(),
            idle: Vec::new(),
            is_disturbed: false,
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
                    let found = older.find(|info| self.counts(info) || self.is_hidden(info));
                    match found.copied() {
                        None => self.pick = Pick::Over,
                        Some(info) if self.counts(&info) => return Some(info),
                        Some(info) => self.pass(&info),
                    }
                }
                Pick::Named(id, ..) if id < self.low => self.pick = Pick::Over,
                Pick::Named(id, OPEN_END, end_lsn) => {
                    let candidate = self.follow_open(id, end_lsn);
                    if candidate.is_some() {
                        return candidate;
                    }
                }
                Pick::Named(id, end, end_lsn) => self.follow(id, end, end_lsn),
            }
        }
    }

    /// Takes the proof of the segment that [`advance`](Self::advance) gave.
    pub(super) fn judge(&mut self, info: Info, proof: Proof) {
        let Some(header) = info.header() else { return };
        let is_settled = proof.is_settled || planted(Planted::HalfRepairCounts);
        if header.repair && !is_settled && self.has_older(header) {
            if proof.is_unreadable {
                self.pass(&info);
            } else {
                self.idle.extend(self.follows.map(|_| info.id));
                self.pick = Pick::Below(info.id.0);
            }
            return;
        }
        if self.head.is_none() {
            self.head = Some((*header, proof, info.length));
        }
        self.is_disturbed |= proof.is_unreadable;
        if self.link == Link::Newest && proof.is_unreadable {
            self.link = Link::Open;
            self.hidden.push(info);
        }
        if let Some(Entry::Missing { first_lsn_max, .. }) = self.entries.last_mut() {
            *first_lsn_max = proof.next_lsn;
        }
        // Nobody repeats this repair, so what it repeats stays until its mark is proven.
        let is_proven = !header.repair || proof.certified > HEADER_BLOCK_BYTES;
        self.is_disturbed |= self.link == Link::Open && !is_proven;
        self.entries
            .push(Entry::Usable(self.extent(&info, header, proof)));
        self.pick = Pick::before(header);
    }

    fn extent(&self, info: &Info, header: &Header, proof: Proof) -> Extent {
        let mut extent = Extent {
            file: FileId::Segment(info.id),
            salt: header.salt,
            first_lsn: header.first_lsn.0,
            length: info.length,
            limit: info.length,
            certified: u64::MAX,
            end_lsn: None,
            tail: None,
        };
        if self.link == Link::Newest && !planted(Planted::FoundIsProven) {
            extent.certified = proof.certified;
            extent.tail = Some(Tail::Torn);
        }
        if self.link != Link::Sealed {
            extent.limit = proof.usable;
            if planted(Planted::UnprovenDropped) {
                extent.limit = proof.certified;
            }
            extent.end_lsn = Some(proof.next_lsn);
            if proof.is_unreadable {
                extent.tail = Some(Tail::Unreadable);
            }
            if proof.is_blank {
                // As if the segment ended here: nobody wrote there.
                extent.length = proof.usable;
            }
        }
        extent
    }

    /// The chain, oldest first.
    pub(super) fn entries(&self) -> VecDeque<Entry> {
        self.entries.iter().rev().copied().collect()
    }

    /// Whether the newest segment of the log cannot be read, or not to its end.
    pub(super) const fn is_open_ended(&self) -> bool {
        !self.hidden.is_empty()
    }

    fn follow(&mut self, id: SegmentId, end: u64, end_lsn: u64) {
        let info = self.infos.iter().find(|info| info.id == id);
        let Some((info, header)) = info.and_then(|info| Some((info, info.header()?))) else {
            if planted(Planted::MissingSilent) {
                self.pick = Pick::Below(id.0);
                return;
            }
            self.is_disturbed |= info.is_some_and(Info::is_opaque);
            self.miss(id, info.map_or(0, |info| info.length), Some(end_lsn));
            self.link = Link::Sealed;
            return;
        };
        self.pick = Pick::before(header);
        self.entries.push(Entry::Usable(Extent {
            file: FileId::Segment(id),
            salt: header.salt,
            first_lsn: header.first_lsn.0,
            length: info.length,
            limit: end,
            certified: u64::MAX,
            end_lsn: Some(end_lsn),
            tail: None,
        }));
    }

    /// Follows a link to a segment that could not be read when it was written: the segment to
    /// probe, if it can be read now.
    fn follow_open(&mut self, id: SegmentId, end_lsn: u64) -> Option<Info> {
        self.link = Link::Open;
        self.follows = Some(end_lsn);
        let info = self.infos.iter().find(|info| info.id == id).copied();
        match info {
            Some(info) if self.counts(&info) => return Some(info),
            Some(info) if self.is_hidden(&info) => self.pass(&info),
            // Its creation was cut short, it turns out.
            Some(Info {
                state: State::Headless { .. },
                ..
            }) => {
                self.idle.push(id);
                self.pick = Pick::Below(id.0);
            }
            other => self.miss(id, other.map_or(0, |info| info.length), Some(end_lsn)),
        }
        None
    }

    /// Goes past a segment that belongs to the log and cannot be read.
    fn pass(&mut self, info: &Info) {
        self.is_disturbed = true;
        if self.head.is_none() {
            self.hidden.push(*info);
        }
        let told = info.register().map(|found| found.durable_lsn.0 + 1);
        let end_lsn = self.follows.take().or(told);
        self.miss(info.id, info.length, end_lsn);
        self.link = Link::Open;
    }

    fn miss(&mut self, segment: SegmentId, length: u64, end_lsn: Option<u64>) {
        self.entries.push(Entry::Missing {
            file: FileId::Segment(segment),
            length,
            first_lsn_max: u64::MAX,
            end_lsn,
        });
        self.pick = Pick::Below(segment.0);
        self.follows = None;
    }

    /// Whether a segment can be read and is not retired.
    fn counts(&self, info: &Info) -> bool {
        info.header().is_some() && info.id >= self.low
    }

    /// Whether a segment is part of the log as far as can be told, and cannot be read.
    fn is_hidden(&self, info: &Info) -> bool {
        info.is_opaque() && info.id >= self.low
    }

    /// Whether there is something to go back to if this repair is not complete. If it names a
    /// segment that is gone, going back would hide that; one that only cannot be read now will
    /// be there again.
    fn has_older(&self, header: &Header) -> bool {
        let is_there = |info: &Info| self.counts(info) || matches!(info.state, State::Unreadable);
        let older = |info: &Info| info.id < header.segment && info.id >= self.low && is_there(info);
        let names_lost = header.predecessor.is_some_and(|(id, _)| {
            id >= self.low
                && !self
                    .infos
                    .iter()
                    .any(|info| info.id == id && is_there(info))
        });
        !names_lost && self.infos.iter().any(older)
    }

    fn is_named(&self, id: SegmentId) -> bool {
        let file = FileId::Segment(id);
        self.entries.iter().any(|entry| match entry {
            Entry::Usable(extent) => extent.file == file,
            Entry::Missing { file: missing, .. } => *missing == file,
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
    /// Of a listing.
    pub(super) const fn unread(id: SegmentId, length: u64) -> Self {
        let state = State::Headless {
            register: None,
            is_blank: true,
        };
        Self {
            id,
            length,
            state,
            is_slot_unread: false,
        }
    }

    pub(super) const fn header(&self) -> Option<&Header> {
        match &self.state {
            State::Headed(header, _) => Some(header),
            _ => None,
        }
    }

    const fn register(&self) -> Option<&Register> {
        match &self.state {
            State::Headless {
                register: Some(register),
                ..
            }
            | State::Headed(_, Some(register)) => Some(register),
            _ => None,
        }
    }

    /// Whether it was durable, or may have been, and does not show what it holds.
    const fn is_opaque(&self) -> bool {
        match self.state {
            State::Unreadable => true,
            State::Headless { register, .. } => register.is_some(),
            State::Headed(..) | State::Misplaced => false,
        }
    }

    /// An LSN that frames of it are known to reach.
    fn lsn_min(&self) -> Option<u64> {
        let first = self.header().map(|header| header.first_lsn.0);
        first.max(self.register().map(|found| found.durable_lsn.0 + 1))
    }

    /// Why a segment that is part of the log cannot be used, if there is something to copy.
    const fn reason(&self) -> Option<Reason> {
        match self.state {
            State::Headless { .. } if self.length > 0 => Some(Reason::Damaged),
            State::Misplaced => Some(Reason::Misplaced),
            _ => None,
        }
    }

    const fn note(&self, reason: Reason) -> Note {
        Note {
            file: FileId::Segment(self.id),
            offset: 0,
            length: self.length,
            reason,
        }
    }
}
