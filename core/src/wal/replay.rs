//! The replay side: from segments, whatever became of them, to frames in log order.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::fault::StorageFault;
use crate::ids::{Lsn, SegmentId};

use super::chain::{Chain, Entry, Info, Note, State};
use super::deliver::{Deliver, Event, Handed};
use super::frame::{FRAME_HEAD_BYTES, frames_max};
use super::header::{
    FORMAT_VERSION, HEADER_BLOCK_BYTES, Header, HeaderFound, OPEN_END, PAGE_BYTES, Register,
};
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
    /// Whether what the log ends with could not be read.
    is_open_ended: bool,
    end: ReplayEnd,
}

#[derive(Debug)]
enum Phase {
    Headers(usize, Option<Pages>),
    Chain(Chain),
    Probe(Chain, Info, Box<Probe>),
    Between,
    Deliver(Deliver),
    Refused(String),
}

/// A header block that could not be read at once, page by page.
#[derive(Debug)]
struct Pages {
    block: Vec<u8>,
    /// How far it was tried.
    tried: usize,
    is_any_readable: bool,
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
        let state = State::Headless {
            register: None,
            is_blank: true,
        };
        let info = |&(id, length)| Info { id, length, state };
        let mut infos: Vec<Info> = segments.iter().map(info).collect();
        infos.sort_by_key(|info| (info.id, core::cmp::Reverse(info.length)));
        infos.dedup_by_key(|info| info.id);
        Self {
            node_id,
            infos,
            phase: Phase::Headers(0, None),
            window: Window::default(),
            wanted: None,
            notes: VecDeque::new(),
            entries: VecDeque::new(),
            expected: 1,
            is_open_ended: false,
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
                Phase::Headers(at, pages) => self.next_header(at, pages),
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
            (Phase::Headers(at, pages), bytes) => {
                let (at, pages) = (*at, pages.take());
                match pages {
                    None => self.take_header(at, bytes, wanted.length),
                    Some(pages) => self.take_page(at, pages, bytes),
                }
            }
            (_, Ok(bytes)) => window.supply(bytes, wanted.length),
            (Phase::Probe(_, _, probe), Err(_)) => probe.unreadable(window),
            (Phase::Deliver(deliver), Err(_)) => {
                let damage = deliver.unreadable();
                if let (Some(_), Some(lsns)) = (damage, deliver.unproven_lsns()) {
                    self.is_open_ended = true;
                    self.end.predecessor = Some((wanted.segment, OPEN_END));
                    let low = self.end.low_watermark;
                    self.end.obsolete.retain(|&segment| segment < low);
                    self.end.next_lsn.0 = self.end.next_lsn.0.saturating_add(lsns);
                }
                self.end.damage.extend(damage);
            }
            (_, Err(_)) => {}
        }
    }

    fn next_header(&mut self, at: usize, pages: Option<Pages>) {
        let Some(info) = self.infos.get(at) else {
            self.phase = Phase::Chain(Chain::new(core::mem::take(&mut self.infos)));
            return;
        };
        if info.length == 0 {
            self.phase = Phase::Headers(at + 1, None);
            return;
        }
        let block = HEADER_BLOCK_BYTES.min(info.length);
        let (offset, length) = match &pages {
            None => (0, block),
            Some(pages) => (
                pages.tried as u64,
                PAGE_BYTES.min(block - pages.tried as u64),
            ),
        };
        self.wanted = Some(Wanted {
            segment: info.id,
            offset,
            length: length as usize,
        });
        self.phase = Phase::Headers(at, pages);
    }

    fn take_header(&mut self, at: usize, bytes: Result<&[u8], StorageFault>, requested: usize) {
        let Ok(block) = bytes else {
            // One bad page shall not hide the copies in the others.
            let pages = Pages {
                block: vec![0; requested],
                tried: 0,
                is_any_readable: false,
            };
            self.phase = Phase::Headers(at, Some(pages));
            return;
        };
        if let Some(info) = self.infos.get_mut(at)
            && block.len() < requested
        {
            info.length = block.len() as u64;
        }
        self.judge_header(at, block);
    }

    fn take_page(&mut self, at: usize, mut pages: Pages, bytes: Result<&[u8], StorageFault>) {
        let length = (PAGE_BYTES as usize).min(pages.block.len() - pages.tried);
        let page = &mut pages.block[pages.tried..][..length];
        if let Ok(bytes) = bytes {
            let length = length.min(bytes.len());
            page[..length].copy_from_slice(&bytes[..length]);
            pages.is_any_readable = true;
        }
        pages.tried += length;
        if pages.tried < pages.block.len() {
            self.phase = Phase::Headers(at, Some(pages));
            return;
        }
        if pages.is_any_readable {
            self.judge_header(at, &pages.block);
        } else {
            self.phase = Phase::Headers(at + 1, None);
        }
        // What is not in some pages may be in those that cannot be read.
        if let Some(info) = self.infos.get_mut(at)
            && matches!(info.state, State::Headless { .. })
        {
            info.state = State::Unreadable;
        }
    }

    fn judge_header(&mut self, at: usize, block: &[u8]) {
        self.phase = Phase::Headers(at + 1, None);
        let Some(info) = self.infos.get_mut(at) else {
            return;
        };
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
            HeaderFound::None => State::Headless {
                register,
                is_blank: info.length <= HEADER_BLOCK_BYTES || block.iter().all(|&byte| byte == 0),
            },
        };
    }

    fn next_link(&mut self, mut chain: Chain) {
        let Some(info) = chain.advance() else {
            self.entries = chain.entries();
            self.is_open_ended = chain.is_open_ended();
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
                // Behind a segment that will be read again, nothing may be repeated.
                self.end.repair &= !self.is_open_ended;
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
                let behind = self.expected.saturating_add(frames_max(length));
                let end = end_lsn.unwrap_or(behind);
                let last = end.saturating_sub(1);
                let first = Lsn(self.expected.min(first_lsn_max).min(last));
                self.end.damage.push(LogDamage {
                    segment,
                    offset: 0,
                    length,
                    first,
                    last: Lsn(last),
                    points: None,
                });
                self.expected = self.expected.max(end);
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
