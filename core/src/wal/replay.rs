//! The replay side: from segments, whatever became of them, to frames in log order.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::fault::StorageFault;
use crate::ids::{Lsn, SegmentId};

use super::chain::{Chain, Entry, Info, Note, State};
use super::deliver::{Deliver, Event, Handed};
use super::frame::FRAME_HEAD_BYTES;
use super::header::{FORMAT_VERSION, HEADER_BLOCK_BYTES, Header, HeaderFound, Register};
use super::probe::Probe;
use super::report::{Frame, LogDamage, Reason, ReplayEnd, Step};
use super::scan::Window;

/// Reads a log back, push-based: call [`step`](Self::step), do what it says, until it is done.
///
/// Headers of all segments come first and decide which segments count and where they end
/// (`docs/format.md`); then each segment is read once, in order. Nothing is written: a replay
/// that is cut short is simply done again. Memory is bounded by a chunk of 1 MiB and the
/// longest frame.
#[derive(Debug)]
pub struct Replay {
    node_id: u128,
    /// Ascending; those before `headers` in [`Phase::Headers`] are read.
    infos: Vec<Info>,
    phase: Phase,
    window: Window,
    wanted: Option<Wanted>,
    notes: VecDeque<Note>,
    entries: VecDeque<Entry>,
    /// LSN that follows what was delivered.
    expected: u64,
    end: ReplayEnd,
}

#[derive(Debug)]
enum Phase {
    Headers(usize),
    Chain(Chain),
    Probe(Chain, Info, Box<Probe>),
    Between,
    Deliver(Deliver),
    Refused(String),
}

/// A read that was asked for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    segment: SegmentId,
    offset: u64,
    length: usize,
}

impl Replay {
    /// Of the log of `node_id`, from a listing of its segments and their lengths in bytes, in
    /// any order.
    pub fn new(node_id: u128, segments: &[(SegmentId, u64)]) -> Self {
        let state = State::Headless(None);
        let info = |&(id, length)| Info { id, length, state };
        let mut infos: Vec<Info> = segments.iter().map(info).collect();
        infos.sort_by_key(|info| (info.id, core::cmp::Reverse(info.length)));
        infos.dedup_by_key(|info| info.id);
        Self {
            node_id,
            infos,
            phase: Phase::Headers(0),
            window: Window::default(),
            wanted: None,
            notes: VecDeque::new(),
            entries: VecDeque::new(),
            expected: 1,
            end: ReplayEnd::default(),
        }
    }

    /// The next thing to do. A read is asked for again until it is answered; the end, and a
    /// refusal, are final.
    pub fn step(&mut self) -> Step<'_> {
        loop {
            if let Some(Note {
                segment,
                offset,
                length,
                reason,
            }) = self.notes.pop_front()
            {
                return Step::Quarantine {
                    segment,
                    offset,
                    length,
                    reason,
                };
            }
            if let Some(Wanted {
                segment,
                offset,
                length,
            }) = self.wanted
            {
                return Step::Read {
                    segment,
                    offset,
                    length,
                };
            }
            // The phase is taken out and put back, so that it may be moved on from within.
            match core::mem::replace(&mut self.phase, Phase::Between) {
                Phase::Headers(at) => self.next_header(at),
                Phase::Chain(chain) => self.next_link(chain),
                Phase::Probe(chain, info, probe) => self.probe(chain, info, probe),
                Phase::Between => match self.next_entry() {
                    Next::Again => {}
                    Next::Start(segment) => return Step::SegmentStart { segment },
                    Next::Done => return Step::Done(self.end.clone()),
                },
                Phase::Deliver(deliver) => {
                    if let Some((segment, handed)) = self.deliver(deliver) {
                        return Step::Frame(self.frame(segment, handed));
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
            (Phase::Headers(at), bytes) => {
                let at = *at;
                self.take_header(at, bytes, wanted.length);
            }
            (_, Ok(bytes)) => window.supply(bytes, wanted.length),
            (Phase::Probe(_, _, probe), Err(_)) => probe.unreadable(window),
            (Phase::Deliver(deliver), Err(_)) => self.end.damage.extend(deliver.unreadable()),
            (_, Err(_)) => {}
        }
    }

    fn next_header(&mut self, at: usize) {
        match self.infos.get(at) {
            None => self.phase = Phase::Chain(Chain::new(core::mem::take(&mut self.infos))),
            Some(info) if info.length == 0 => self.phase = Phase::Headers(at + 1),
            Some(info) => {
                let length = HEADER_BLOCK_BYTES.min(info.length) as usize;
                self.wanted = Some(Wanted {
                    segment: info.id,
                    offset: 0,
                    length,
                });
                self.phase = Phase::Headers(at);
            }
        }
    }

    fn take_header(&mut self, at: usize, bytes: Result<&[u8], StorageFault>, requested: usize) {
        self.phase = Phase::Headers(at + 1);
        let Some(info) = self.infos.get_mut(at) else {
            return;
        };
        let Ok(block) = bytes else {
            info.state = State::Unreadable;
            return;
        };
        if block.len() < requested {
            info.length = block.len() as u64;
        }
        let register = Register::find(block, info.id);
        info.state = match Header::find(block, info.id) {
            HeaderFound::Newer(version) => {
                self.phase = Phase::Refused(newer(info.id, version));
                return;
            }
            HeaderFound::Valid(header) if header.node_id != self.node_id => {
                self.phase = Phase::Refused(foreign(info.id, header.node_id, self.node_id));
                return;
            }
            HeaderFound::Valid(header) if header.segment != info.id => State::Misplaced,
            HeaderFound::Valid(header) => {
                State::Headed(header, register.filter(|found| found.salt == header.salt))
            }
            HeaderFound::None => State::Headless(register),
        };
    }

    fn next_link(&mut self, mut chain: Chain) {
        let Some(info) = chain.advance() else {
            self.entries = chain.entries();
            chain.conclude(&mut self.end, &mut self.notes);
            return;
        };
        self.phase = match info.state {
            State::Headed(header, register) => {
                self.window.reset(info.length);
                let probe = Probe::new(&header, register.as_ref(), info.length);
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
                    segment: info.id,
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
                self.end
                    .damage
                    .sort_by_key(|damage| (damage.segment, damage.offset));
                Next::Done
            }
            Some(Entry::Missing {
                segment,
                length,
                first_lsn_max,
                end_lsn,
            }) => {
                let last = end_lsn.saturating_sub(1);
                let first = Lsn(self.expected.min(first_lsn_max).min(last));
                self.end.damage.push(LogDamage {
                    segment,
                    offset: 0,
                    length,
                    first,
                    last: Lsn(last),
                    points: None,
                });
                self.expected = end_lsn;
                Next::Again
            }
            Some(Entry::Segment(extent)) => {
                self.window.reset(extent.length);
                self.end.segments += 1;
                self.phase = Phase::Deliver(Deliver::new(extent));
                Next::Start(extent.segment)
            }
        }
    }

    /// Goes on to the next frame to hand out, if that comes without a read.
    fn deliver(&mut self, mut deliver: Deliver) -> Option<(SegmentId, Handed)> {
        let segment = deliver.segment();
        let mut handed = None;
        match deliver.next(&mut self.window) {
            Event::Read { offset, length } => {
                self.wanted = Some(Wanted {
                    segment,
                    offset,
                    length,
                });
            }
            Event::Frame(frame) => {
                self.end.records += u64::from(frame.is_counted && !frame.head.has_more());
                self.end.repair |= !frame.certified;
                handed = Some((segment, frame));
            }
            Event::Damage {
                damage,
                is_readable,
            } => {
                self.end.damage.push(damage);
                if is_readable {
                    self.set_aside(segment, damage.offset, damage.length, Reason::Damaged);
                }
            }
            Event::Torn { offset, length } => {
                self.end.torn_bytes += length;
                self.set_aside(segment, offset, length, Reason::TornTail);
            }
            Event::Over { next_lsn } => {
                self.expected = next_lsn;
                return None;
            }
        }
        self.phase = Phase::Deliver(deliver);
        handed
    }

    fn set_aside(&mut self, segment: SegmentId, offset: u64, length: u64, reason: Reason) {
        if length > 0 {
            self.notes.push_back(Note {
                segment,
                offset,
                length,
                reason,
            });
        }
    }

    fn frame(&self, segment: SegmentId, handed: Handed) -> Frame<'_> {
        let Handed {
            offset,
            head,
            certified,
            ..
        } = handed;
        let payload = offset + FRAME_HEAD_BYTES as u64;
        Frame {
            segment,
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
    Start(SegmentId),
    Done,
}

fn newer(segment: SegmentId, version: u16) -> String {
    format!(
        "segment {segment} has format version {version}, which this program does not read \
         (it reads {FORMAT_VERSION}): start the program that wrote it, or move the segment away"
    )
}

fn foreign(segment: SegmentId, found: u128, own: u128) -> String {
    format!(
        "segment {segment} belongs to another log (node {found:032x}, not {own:032x}): \
         move it back to the directory it came from"
    )
}
