//! The replay side: from segments, whatever became of them, to frames in log order.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use crate::fault::StorageFault;
use crate::ids::{FileId, Lsn, SegmentId};
use crate::planted::{Planted, planted};

use super::basis::Basis;
use super::chain::{Chain, Entry, Info, Note, State};
use super::deliver::{Deliver, Event, Handed};
use super::frame::{FRAME_HEAD_BYTES, frames_max};
use super::header::OPEN_END;
use super::headers::{Ask, Headers, Wanted};
use super::probe::Probe;
use super::report::{Frame, LogDamage, Reason, ReplayEnd, Step};
use super::scan::Window;

/// Reads a log back, push-based: call [`step`](Self::step), do what it says, until it is done.
///
/// Headers of all files come first and decide which of them count and where they end
/// (`docs/format.md`); then each is read once, in order: the newest snapshot, then the segments
/// that it does not cover. Nothing is written: a replay that is cut short is simply done again.
/// Memory is bounded by a chunk of 1 MiB and the longest frame.
#[derive(Debug)]
pub struct Replay {
    /// Ascending.
    files: Vec<FileId>,
    phase: Phase,
    window: Window,
    wanted: Option<Wanted>,
    notes: VecDeque<Note>,
    entries: VecDeque<Entry>,
    /// LSN that follows what was delivered.
    expected: u64,
    /// Whether what the log ends with could not be read.
    is_open_ended: bool,
    basis: Basis,
    /// Points of the snapshot that were neither handed out nor reported as lost.
    basis_points: u64,
    end: ReplayEnd,
}

#[derive(Debug)]
enum Phase {
    Headers(Headers),
    Chain(Chain),
    Probe(Chain, Info, Box<Probe>),
    Between,
    Deliver(Deliver),
    Refused(String),
}

impl Replay {
    /// Of the log of `node_id`, from a listing of its files and their lengths in bytes, in any
    /// order.
    pub fn new(node_id: u128, files: &[(FileId, u64)]) -> Self {
        let mut ids: Vec<_> = files.iter().map(|&(file, _)| file).collect();
        ids.sort_unstable();
        ids.dedup();
        Self {
            files: ids,
            phase: Phase::Headers(Headers::new(node_id, files)),
            window: Window::default(),
            wanted: None,
            notes: VecDeque::new(),
            entries: VecDeque::new(),
            expected: 1,
            is_open_ended: false,
            basis: Basis::default(),
            basis_points: 0,
            end: ReplayEnd::default(),
        }
    }

    /// The next thing to do. A read is asked for again until it is answered; the end, and a
    /// refusal, are final.
    pub fn step(&mut self) -> Step<'_> {
        loop {
            if let Some(Note {
                file,
                offset,
                length,
                reason,
            }) = self.notes.pop_front()
            {
                return Step::Quarantine {
                    file,
                    offset,
                    length,
                    reason,
                };
            }
            if let Some(Wanted {
                file,
                offset,
                length,
            }) = self.wanted
            {
                return Step::Read {
                    file,
                    offset,
                    length,
                };
            }
            // The phase is taken out and put back, so that it may be moved on from within.
            match core::mem::replace(&mut self.phase, Phase::Between) {
                Phase::Headers(headers) => self.next_header(headers),
                Phase::Chain(chain) => self.next_link(chain),
                Phase::Probe(chain, info, probe) => self.probe(chain, info, probe),
                Phase::Between => match self.next_entry() {
                    Next::Again => {}
                    Next::Start(file) => return Step::FileStart { file },
                    Next::Done => return Step::Done(self.end.clone()),
                },
                Phase::Deliver(deliver) => {
                    if let Some((file, handed)) = self.deliver(deliver) {
                        return Step::Frame(self.frame(file, handed));
                    }
                }
                Phase::Refused(text) => {
                    self.phase = Phase::Refused(text.clone());
                    return Step::Refuse(text);
                }
            }
        }
    }

    /// Answers the read that was asked for: the bytes, or why there are none. Without one,
    /// nothing happens.
    pub fn supply(&mut self, bytes: Result<&[u8], StorageFault>) {
        let Some(wanted) = self.wanted.take() else {
            return;
        };
        let window = &mut self.window;
        match (&mut self.phase, bytes) {
            (Phase::Headers(headers), bytes) => {
                if let Err(text) = headers.supply(bytes, wanted.length) {
                    self.phase = Phase::Refused(text);
                }
            }
            (_, Ok(bytes)) => window.supply(bytes, wanted.length),
            (Phase::Probe(_, _, probe), Err(_)) => probe.unreadable(window),
            (Phase::Deliver(deliver), Err(_)) => {
                let damage = deliver.unreadable();
                let unproven = deliver.unproven_lsns();
                self.end.may_retire &= damage.is_none();
                if let (Some(damage), Some(lsns)) = (damage, unproven)
                    && !planted(Planted::OpenEndClosed)
                {
                    self.open_end(damage.file, lsns);
                }
                self.end.damage.extend(damage);
            }
            (_, Err(_)) => {}
        }
    }

    /// The tail of the last segment cannot be read: the log goes on behind it without it, and
    /// nothing that may stand in for it is given up.
    fn open_end(&mut self, file: FileId, lsns: u64) {
        let FileId::Segment(segment) = file else {
            return;
        };
        self.is_open_ended = true;
        self.end.predecessor = Some((segment, OPEN_END));
        let low = self.end.low_watermark;
        self.end
            .obsolete
            .retain(|&file| !matches!(file, FileId::Segment(segment) if segment >= low));
        self.end.next_lsn.0 = self.end.next_lsn.0.saturating_add(lsns);
    }

    fn next_header(&mut self, mut headers: Headers) {
        match headers.next() {
            Ask::Read(wanted) => {
                self.wanted = Some(wanted);
                self.phase = Phase::Headers(headers);
            }
            Ask::Done => {
                let Headers {
                    segments, blobs, ..
                } = headers;
                self.basis = Basis::find(&segments, blobs);
                self.basis_points = self.basis.points;
                let low = if planted(Planted::RetiredRead) {
                    SegmentId(0)
                } else {
                    self.basis.low
                };
                self.phase = Phase::Chain(Chain::new(segments, low));
            }
        }
    }

    fn next_link(&mut self, mut chain: Chain) {
        let Some(info) = chain.advance() else {
            self.entries = chain.entries();
            for entry in self.basis.entries.iter().rev() {
                self.entries.push_front(*entry);
            }
            self.is_open_ended = chain.is_open_ended();
            chain.conclude(self.basis.first_lsn, &mut self.end, &mut self.notes);
            self.basis.conclude(&mut self.end, &mut self.notes);
            return;
        };
        self.phase = match info.state {
            State::Headed(header, register) => {
                self.window.reset(info.length);
                let mut probe = Probe::new(&header, register.as_ref(), info.length);
                if info.is_slot_unread && !planted(Planted::SlotForgotten) {
                    probe.doubt();
                }
                Phase::Probe(chain, info, Box::new(probe))
            }
            _ => Phase::Chain(chain),
        };
    }

    fn probe(&mut self, mut chain: Chain, info: Info, mut probe: Box<Probe>) {
        match probe.run(&mut self.window) {
            Ok(proof) => {
                chain.judge(info, proof);
                self.phase = Phase::Chain(chain);
            }
            Err((offset, length)) => {
                self.wanted = Some(Wanted {
                    file: FileId::Segment(info.id),
                    offset,
                    length,
                });
                self.phase = Phase::Probe(chain, info, probe);
            }
        }
    }

    fn next_entry(&mut self) -> Next {
        match self.entries.pop_front() {
            None => {
                // Behind a segment that will be read again, nothing may be repeated.
                self.end.repair &= !self.is_open_ended;
                self.end
                    .damage
                    .sort_by_key(|damage| (damage.file, damage.offset));
                let obsolete = &self.end.obsolete;
                let kept = self.files.iter().filter(|file| !obsolete.contains(file));
                self.end.kept = kept.copied().collect();
                Next::Done
            }
            Some(Entry::Missing {
                file,
                length,
                first_lsn_max,
                end_lsn,
            }) => {
                let behind = self.expected.saturating_add(frames_max(length));
                let end = end_lsn.unwrap_or(behind);
                let last = end.saturating_sub(1);
                let first = Lsn(self.expected.min(first_lsn_max).min(last));
                self.end.damage.push(LogDamage {
                    file,
                    offset: 0,
                    length,
                    first,
                    last: Lsn(last),
                    points: None,
                });
                self.expected = self.expected.max(end);
                Next::Again
            }
            Some(Entry::Usable(extent)) => {
                self.window.reset(extent.length);
                match extent.file {
                    FileId::Segment(_) => {
                        self.end.segments += 1;
                        self.end.log_bytes += extent.length;
                    }
                    FileId::Blob(_) => self.end.snapshot_bytes = extent.length,
                }
                self.phase = Phase::Deliver(Deliver::new(extent));
                Next::Start(extent.file)
            }
        }
    }

    /// Goes on to the next frame to hand out, if that comes without a read.
    fn deliver(&mut self, mut deliver: Deliver) -> Option<(FileId, Handed)> {
        let file = deliver.file();
        let mut handed = None;
        match deliver.next(&mut self.window) {
            Event::Read { offset, length } => {
                self.wanted = Some(Wanted {
                    file,
                    offset,
                    length,
                });
            }
            Event::Frame(frame) => {
                self.end.records += u64::from(frame.is_counted && !frame.head.has_more());
                self.end.repair |= !frame.certified;
                self.count_basis(file, u64::from(frame.head.points));
                handed = Some((file, frame));
            }
            Event::Damage {
                damage,
                is_readable,
            } => {
                if !planted(Planted::DamageSilent) {
                    self.end.damage.push(damage);
                }
                self.count_basis(file, damage.points.unwrap_or(0));
                if is_readable {
                    self.set_aside(file, damage.offset, damage.length, Reason::Damaged);
                }
            }
            Event::Torn { offset, length } => {
                self.end.torn_bytes += length;
                self.set_aside(file, offset, length, Reason::TornTail);
            }
            Event::Over { next_lsn } => {
                self.expected = match file {
                    FileId::Segment(_) => next_lsn,
                    FileId::Blob(_) => self.end_basis(file),
                };
                return None;
            }
        }
        self.phase = Phase::Deliver(deliver);
        handed
    }

    fn count_basis(&mut self, file: FileId, points: u64) {
        if let FileId::Blob(_) = file {
            self.basis_points = self.basis_points.saturating_sub(points);
        }
    }

    /// The snapshot is read. If just one damage to it could not tell its points, the rest of
    /// its total is what that one cost. Returns the LSN that follows.
    fn end_basis(&mut self, file: FileId) -> u64 {
        let damage = self.end.damage.iter_mut();
        let mut untold = damage.filter(|damage| damage.file == file && damage.points.is_none());
        if let (Some(damage), None) = (untold.next(), untold.next()) {
            damage.points = Some(self.basis_points);
        }
        self.basis.first_lsn
    }

    fn set_aside(&mut self, file: FileId, offset: u64, length: u64, reason: Reason) {
        if length > 0 {
            self.notes.push_back(Note {
                file,
                offset,
                length,
                reason,
            });
        }
    }

    fn frame(&self, file: FileId, handed: Handed) -> Frame<'_> {
        let Handed {
            offset,
            head,
            certified,
            ..
        } = handed;
        let payload = offset + FRAME_HEAD_BYTES as u64;
        Frame {
            file,
            offset,
            lsn: Lsn(head.lsn),
            kind: head.kind,
            points: head.points,
            more: head.has_more(),
            payload: self.window.slice(payload, head.payload_bytes as usize),
            certified,
        }
    }
}

enum Next {
    Again,
    Start(FileId),
    Done,
}
