//! Reading one segment or snapshot out, frame by frame.

use alloc::collections::BTreeMap;

use crate::ids::{FileId, Lsn};
use crate::planted::{Planted, planted};

use super::chain::{Extent, Tail};
use super::frame::{FrameKind, Head, frames_max};
use super::report::LogDamage;
use super::scan::{Found, Walk, Window};

/// What reading came upon.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Read {
        offset: u64,
        length: usize,
    },
    Frame(Handed),
    Damage {
        damage: LogDamage,
        is_readable: bool,
    },
    Torn {
        offset: u64,
        length: u64,
    },
    /// Nothing is left; the LSN that follows.
    Over {
        next_lsn: u64,
    },
}

/// A frame to hand out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handed {
    pub(super) offset: u64,
    pub(super) head: Head,
    pub(super) certified: bool,
    /// False if it will come again.
    pub(super) is_counted: bool,
}

/// A segment being read.
///
/// At the first damage that may have hit definitions, the definitions in the rest of the
/// segment are handed out first, copies too; then reading goes on where it was. So rows whose
/// definitions lost one copy find the other in time. Copies of what was handed out before are
/// left out: a policy that was dropped and made again would be dropped with its new rows.
#[derive(Debug)]
pub(super) struct Deliver {
    extent: Extent,
    walk: Walk,
    /// Behind the last frame or gap that was dealt with.
    done: Walk,
    pass: Pass,
    /// The LSN that follows, once a successor told it.
    told_lsn: Option<u64>,
    /// Definitions handed out whose copies are to come, by checksum and length.
    uncopied: BTreeMap<(u32, u32), u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Plain,
    /// Definitions only, ahead of `done`.
    Early,
    /// As plain, definitions being known.
    Informed,
    /// Frames are over; what lies behind them is to be told.
    Tail,
    Over,
}

impl Deliver {
    pub(super) fn new(extent: Extent) -> Self {
        let walk = Walk::begin(extent.salt, extent.first_lsn, extent.limit);
        Self {
            extent,
            walk,
            done: walk,
            pass: Pass::Plain,
            told_lsn: None,
            uncopied: BTreeMap::new(),
        }
    }

    pub(super) const fn file(&self) -> FileId {
        self.extent.file
    }

    /// A read failed: what is left of the segment cannot be had.
    pub(super) fn unreadable(&mut self) -> Option<LogDamage> {
        if self.pass == Pass::Early {
            self.return_from_early();
            return None;
        }
        let (offset, first) = (self.done.pos(), self.done.expected());
        self.pass = Pass::Tail;
        let Extent {
            limit, certified, ..
        } = self.extent;
        let mut damage = self.rest(offset, limit.saturating_sub(offset), first);
        // What nothing proves durable may have been acknowledged all the same.
        let unproven = frames_max(limit.saturating_sub(certified.max(offset)));
        damage.last.0 = damage.last.0.max(self.next_lsn() + unproven - 1);
        Some(damage)
    }

    /// If it is the last segment: how many LSNs may have been used behind its proof.
    pub(super) fn unproven_lsns(&self) -> Option<u64> {
        let Extent {
            length, certified, ..
        } = self.extent;
        (certified < u64::MAX).then(|| frames_max(length.saturating_sub(certified)))
    }

    /// The next event.
    pub(super) fn next(&mut self, window: &mut Window) -> Event {
        loop {
            match self.pass {
                Pass::Tail => {
                    self.pass = Pass::Over;
                    if let Some(event) = self.tail() {
                        return event;
                    }
                }
                Pass::Over => {
                    return Event::Over {
                        next_lsn: self.next_lsn(),
                    };
                }
                Pass::Plain | Pass::Early | Pass::Informed => {
                    let found = self.walk.next(window);
                    if let Found::Read { offset, length } = found {
                        return Event::Read { offset, length };
                    }
                    if let Some(event) = self.judge(found) {
                        return event;
                    }
                }
            }
        }
    }

    fn judge(&mut self, found: Found) -> Option<Event> {
        let looks_ahead = !planted(Planted::DefinitionsLate);
        if self.pass == Pass::Plain && may_lose_definitions(found) && looks_ahead {
            self.pass = Pass::Early;
            return None;
        }
        if self.pass == Pass::Early {
            return self.judge_early(found);
        }
        self.done = self.walk;
        match found {
            Found::Read { .. } => None,
            Found::Frame {
                offset,
                head,
                is_intact: true,
            } => {
                if self.pass == Pass::Plain && head.kind == FrameKind::Definitions {
                    self.pair(&head);
                }
                let is_ours = matches!(head.kind, FrameKind::Definitions | FrameKind::Rows);
                (is_ours && !head.is_copy()).then(|| self.hand(offset, head, true))
            }
            Found::Frame {
                offset,
                head,
                is_intact: false,
            } => {
                let (length, lsn) = (head.frame_bytes(), head.lsn);
                if planted(Planted::DamageIsTorn) {
                    return Some(Event::Torn { offset, length });
                }
                let points = u64::from(head.points);
                let points = Some(points + u64::from(planted(Planted::PointsMiscounted)));
                Some(damaged(self.damage(offset, length, lsn, lsn, points)))
            }
            Found::Gap {
                offset,
                length,
                first,
                next: Some(next),
                ..
            } => Some(damaged(self.damage(offset, length, first, next - 1, None))),
            // Where the successor is missing, its loss covers this one.
            Found::Gap { next: None, .. } if self.extent.end_lsn.is_none() => None,
            Found::Gap {
                offset,
                length,
                first,
                next: None,
                ..
            } => Some(damaged(self.rest(offset, length, first))),
            Found::End => {
                self.pass = Pass::Tail;
                let (limit, expected) = (self.extent.limit, self.next_lsn());
                let is_short = self.extent.end_lsn.is_some_and(|end| end > expected);
                is_short.then(|| damaged(self.rest(limit, 0, expected)))
            }
        }
    }

    fn judge_early(&mut self, found: Found) -> Option<Event> {
        match found {
            Found::Frame {
                offset,
                head,
                is_intact: true,
            } if head.kind == FrameKind::Definitions => {
                let is_paired = self.pair(&head) && !planted(Planted::CopiesAgain);
                (!is_paired).then(|| self.hand(offset, head, false))
            }
            Found::End => {
                self.return_from_early();
                None
            }
            _ => None,
        }
    }

    /// Pairs a copy of definitions with what it copies, and says whether that was handed out.
    /// Copies come in the order of what they copy.
    fn pair(&mut self, head: &Head) -> bool {
        let key = (head.payload_crc, head.payload_bytes);
        if !head.is_copy() {
            *self.uncopied.entry(key).or_default() += 1;
            return false;
        }
        let Some(count) = self.uncopied.get_mut(&key) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.uncopied.remove(&key);
        }
        true
    }

    const fn return_from_early(&mut self) {
        self.walk = self.done;
        self.pass = Pass::Informed;
    }

    fn tail(&self) -> Option<Event> {
        let offset = self.extent.limit;
        let length = self
            .extent
            .length
            .checked_sub(offset)
            .filter(|&length| length > 0)?;
        let lsn = self.next_lsn();
        match self.extent.tail? {
            Tail::Torn if !planted(Planted::TornIsDamage) => Some(Event::Torn { offset, length }),
            Tail::Torn | Tail::Unreadable => Some(Event::Damage {
                damage: self.damage(offset, length, lsn, lsn + frames_max(length) - 1, None),
                is_readable: false,
            }),
        }
    }

    const fn hand(&self, offset: u64, head: Head, is_counted: bool) -> Event {
        let certified = offset + head.frame_bytes() <= self.extent.certified;
        Event::Frame(Handed {
            offset,
            head,
            certified,
            is_counted,
        })
    }

    /// Damage from `offset` up to what follows the segment.
    fn rest(&mut self, offset: u64, length: u64, first: u64) -> LogDamage {
        let end = self.extent.end_lsn.unwrap_or(first).max(first + 1);
        self.told_lsn = Some(end);
        self.damage(offset, length, first, end - 1, None)
    }

    fn next_lsn(&self) -> u64 {
        self.told_lsn.unwrap_or_else(|| self.done.expected())
    }

    const fn damage(
        &self,
        offset: u64,
        length: u64,
        first: u64,
        last: u64,
        points: Option<u64>,
    ) -> LogDamage {
        let (first, last) = (Lsn(first), Lsn(last));
        LogDamage {
            file: self.extent.file,
            offset,
            length,
            first,
            last,
            points,
        }
    }
}

const fn damaged(damage: LogDamage) -> Event {
    Event::Damage {
        damage,
        is_readable: true,
    }
}

const fn may_lose_definitions(found: Found) -> bool {
    match found {
        Found::Gap { .. } => true,
        Found::Frame {
            head, is_intact, ..
        } => !is_intact && matches!(head.kind, FrameKind::Definitions),
        Found::Read { .. } | Found::End => false,
    }
}
