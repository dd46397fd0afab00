//! Where the log goes on, and what becomes of the segments that are not part of it.

use alloc::collections::VecDeque;

use crate::ids::{FileId, Lsn, SegmentId};
use crate::planted::{Planted, planted};

use super::super::frame::frames_max;
use super::super::header::{HEADER_BLOCK_BYTES, Header, OPEN_END};
use super::super::probe::Proof;
use super::super::report::{LogDamage, Reason, ReplayEnd};
use super::{Chain, Info, Note, State};

/// LSNs that are skipped where a log goes on behind segments that cannot be read, and nothing
/// tells where they began: more than one node ever gives out, and 2^22 times fit.
pub(in crate::wal) const LSNS_UNKNOWN: u64 = 1 << 40;

impl Chain {
    /// Fills in where the log goes on, and judges the segments that are not part of it. It begins
    /// with `first_lsn`.
    pub(in crate::wal) fn conclude(
        &self,
        first_lsn: u64,
        end: &mut ReplayEnd,
        notes: &mut VecDeque<Note>,
    ) {
        let newest = self.infos.last().map_or(0, |info| info.id.0);
        end.next_segment = SegmentId(newest.saturating_add(1));
        end.next_lsn = Lsn(first_lsn.max(1));
        end.low_watermark = self.low;
        end.may_retire = !self.is_disturbed && !self.is_open_ended();
        if let Some((header, proof, _)) = &self.head {
            end.next_lsn = Lsn(proof.next_lsn);
            // A segment of which nothing is proven may vanish with the next power cut, header
            // and all: the next one follows what that one followed.
            let is_proven = proof.certified > HEADER_BLOCK_BYTES;
            let certified = if planted(Planted::EndLate) {
                proof.usable
            } else {
                proof.certified
            };
            let own = Some((header.segment, certified));
            end.predecessor = if is_proven || planted(Planted::VanishingNamed) {
                own
            } else {
                header.predecessor
            };
        }
        if let Some(newest) = self.hidden.first() {
            end.predecessor = Some((newest.id, OPEN_END));
            end.next_lsn = Lsn(self.lsn_behind_hidden());
        }
        // Of what follows, nobody may skip what was never read: LSNs that are passed over belong to
        // segments that cannot be read.
        let proven = self.head.map(|(_, proof, _)| Lsn(proof.next_lsn));
        let follows = proven.unwrap_or(end.next_lsn).min(end.next_lsn);
        for info in &self.infos {
            self.conclude_one(info, follows, end, notes);
        }
    }

    /// An LSN above all that segments which cannot be read may have used.
    fn lsn_behind_hidden(&self) -> u64 {
        let behind = |(_, proof, length): &(Header, Proof, u64)| {
            proof.next_lsn + frames_max(length.saturating_sub(proof.certified))
        };
        let known = self.head.as_ref().map(behind);
        let behind = self.hidden.iter().rev().fold(known, |lsn, info| {
            let from = lsn.max(info.lsn_min()).unwrap_or(LSNS_UNKNOWN);
            Some(from.saturating_add(frames_max(info.length)))
        });
        behind.unwrap_or(1)
    }

    /// `follows` is the LSN behind the proof.
    fn conclude_one(
        &self,
        info: &Info,
        follows: Lsn,
        end: &mut ReplayEnd,
        notes: &mut VecDeque<Note>,
    ) {
        if info.id < self.low {
            end.obsolete.push(FileId::Segment(info.id));
            return;
        }
        if self.idle.contains(&info.id) {
            return;
        }
        if self.is_named(info.id) {
            notes.extend(info.reason().map(|reason| info.note(reason)));
            let is_behind = self.head.is_some_and(|(head, ..)| info.id < head.segment);
            if is_behind && planted(Planted::DeleteInForce) {
                end.obsolete.push(FileId::Segment(info.id));
            }
            return;
        }
        let is_newest = self.head.is_none_or(|(head, ..)| info.id > head.segment);
        let lost_up_to = match info.state {
            // Abandoned; but one that was durable and whose successor went past it was not
            // readable then, and what it holds is still missing.
            State::Headed(Header { repair, .. }, register) => {
                let register = register.filter(|found| !repair || found.settled);
                // What a segment repeats is not given up while that one cannot be read.
                let is_kept = self.is_disturbed && !planted(Planted::StandInDeleted);
                if register.is_none() && !is_kept {
                    end.obsolete.push(FileId::Segment(info.id));
                }
                register.map(|found| found.durable_lsn)
            }
            State::Headless {
                register: Some(register),
                ..
            } => register.settled.then_some(register.durable_lsn),
            State::Headless { is_blank, .. } => {
                // One with something in it is kept: nobody can tell what it was.
                if is_blank {
                    end.obsolete.push(FileId::Segment(info.id));
                }
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
            State::Unreadable => None,
        };
        end.damage.extend(lost_up_to.map(|last| LogDamage {
            file: FileId::Segment(info.id),
            offset: 0,
            length: info.length,
            first: follows.min(last),
            last,
            points: None,
        }));
    }
}
