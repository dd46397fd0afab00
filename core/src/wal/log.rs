//! The append side: frames into groups, groups into persists, completions into watermarks.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::fault::StorageFault;
use crate::ids::{Lsn, SegmentId};
use crate::planted::{Planted, planted};

use super::frame::{FrameKind, PAYLOAD_BYTES_MAX};
use super::group::{Group, Stamp};
use super::header::{self, Header, Register};
use super::record::FrameSink;

/// Buffers kept for the next groups: one fills while one is in flight.
const SPARE_BUFFERS_MAX: usize = 2;
/// A buffer that grew beyond this in a burst is given back, in bytes.
const SPARE_BYTES_MAX: usize = 8 << 20;

/// Fixed for the life of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Tells the segments of this log from those of others.
    pub node_id: u128,
    /// Drawn at every open; salts derive from it.
    pub seed: u64,
    /// A segment that reached this size, in bytes, is followed by the next one.
    pub segment_bytes_roll: u64,
    /// Bytes that may be pending; beyond, [`Log::is_full`] says so.
    pub pending_bytes_max: u64,
}

/// Bytes for storage. Read them with [`Log::bytes`]; report with [`Log::complete`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persist {
    /// To report with.
    pub ticket: u64,
    /// Which segment; offset 0 creates it.
    pub segment: SegmentId,
    /// Where in it, in bytes.
    pub offset: u64,
    /// How many bytes.
    pub length: usize,
    /// What is durable once this is complete.
    pub up_to: Lsn,
    /// Whether completion means durable. A register write is not synced: it rides along.
    pub sync: bool,
}

/// A completion for a ticket that is not in flight, or was reported before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no persist with this ticket is in flight")]
pub struct UnknownTicket;

/// The log of one run. Never appends to a segment of an earlier one.
///
/// Invariant, asserted at every step: `durable <= submitted <= accepted`.
#[derive(Debug)]
pub struct Log {
    config: LogConfig,
    low_watermark: SegmentId,
    current: Current,
    /// The segment before it, of this run.
    rolled: Option<Rolled>,
    filling: Group,
    /// Groups that ended with their segments, oldest first.
    sealed: VecDeque<Group>,
    in_flight: Option<(u64, Group)>,
    register_due: Option<Register>,
    register_in_flight: Option<(u64, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
    accepted: Lsn,
    submitted: Lsn,
    durable: Lsn,
    tickets: u64,
    /// Bytes of the segments of this run before the current one.
    rolled_bytes: u64,
    is_record_open: bool,
    fault: Option<StorageFault>,
}

/// The segment that is being filled.
#[derive(Debug)]
struct Current {
    header: Header,
    /// Chain value for the next frame.
    chain: u32,
    has_frames: bool,
    /// How far completed persists reach; 0 before the first.
    durable_end: u64,
    /// Register writes so far.
    registers: u64,
    /// Whether what a repair repeats is all appended.
    settled: bool,
}

/// The segment that was filled before the current one.
#[derive(Debug)]
struct Rolled {
    segment: SegmentId,
    salt: u32,
    registers: u64,
}

impl Log {
    /// Starts a new segment after replay: `segment`, `predecessor`, `first_lsn` and `repair` as
    /// [`ReplayEnd`](super::ReplayEnd) gives them.
    ///
    /// With `repair`, what was delivered as not certified is to be appended first, then a
    /// [`FrameKind::RepairComplete`], then anything else: until that mark is durable, the
    /// segments before stay in force.
    pub fn begin(
        config: LogConfig,
        segment: SegmentId,
        predecessor: Option<(SegmentId, u64)>,
        first_lsn: Lsn,
        repair: bool,
    ) -> Self {
        let back = u64::from(planted(Planted::LsnBackAtOpen));
        let before = Lsn(first_lsn.0.saturating_sub(1 + back));
        let current = Current::new(config, segment, predecessor, before.next(), repair);
        Self {
            config,
            low_watermark: SegmentId(0),
            current,
            rolled: None,
            filling: Group::new(segment, 0, Vec::new()),
            sealed: VecDeque::new(),
            in_flight: None,
            register_due: None,
            register_in_flight: None,
            spare: Vec::new(),
            accepted: before,
            submitted: before,
            durable: before,
            tickets: 0,
            rolled_bytes: 0,
            is_record_open: false,
            fault: None,
        }
    }

    /// Segments below this one are garbage from now on; headers of later segments say so.
    /// It only ever rises.
    pub fn raise_low_watermark(&mut self, segment: SegmentId) {
        self.low_watermark = self.low_watermark.max(segment);
    }

    /// Ends the current segment between two records, so that what is appended from now on goes to
    /// another: that one, and its first LSN. What was logged before is all in segments below it.
    pub fn cut(&mut self) -> (SegmentId, Lsn) {
        if self.current.has_frames && self.current.settled && !self.is_record_open {
            self.roll();
        }
        (self.segment(), self.accepted.next())
    }

    /// To be called before each record. True if it begins a segment: the caller then logs its
    /// catalog and the definitions it uses again.
    ///
    /// A segment rolls when it has reached its size, except while a repair is being written:
    /// one segment holds all of it, so that one mark completes it.
    pub fn begin_record(&mut self) -> bool {
        let is_long = self.filling.end() >= self.config.segment_bytes_roll;
        if is_long && self.current.has_frames && self.current.settled {
            self.roll();
        }
        !self.current.has_frames
    }

    /// Appends a frame. `more` says that the record goes on with the next one; nothing of a
    /// record is persisted before its last frame is there.
    ///
    /// Invariant: no payload is longer than [`PAYLOAD_BYTES_MAX`]; the caller splits long
    /// before. One that is could not be read back, so it ends this log with a fault, and its
    /// LSN never becomes durable.
    pub fn append(&mut self, kind: FrameKind, payload: &[u8], points: u32, more: bool) -> Lsn {
        self.accepted = self.accepted.next();
        if payload.len() > PAYLOAD_BYTES_MAX {
            self.fault.get_or_insert(StorageFault::Io);
            return self.accepted;
        }
        let mut stamp = self.current.stamp(self.accepted, self.current.chain);
        if planted(Planted::PromiseEarly) {
            stamp.synced_up_to = self.filling.end();
        }
        self.current.chain = self.filling.push(stamp, kind, payload, points, more);
        self.current.has_frames = true;
        self.current.settled |=
            kind == FrameKind::RepairComplete && !planted(Planted::MarkUnsettled);
        self.is_record_open = more;
        self.check();
        self.accepted
    }

    /// Bytes appended by this run, headers of segments included.
    pub const fn appended_bytes(&self) -> u64 {
        self.rolled_bytes + self.filling.end()
    }

    /// Bytes that are not durable: filling, sealed and in flight.
    pub fn pending_bytes(&self) -> u64 {
        let in_flight = self.in_flight.iter().map(|(_, group)| group);
        let groups = in_flight.chain(&self.sealed).chain([&self.filling]);
        groups
            .filter(|group| !group.is_empty())
            .map(|group| group.bytes.len() as u64)
            .sum()
    }

    /// Whether so much is pending that nothing more should be appended.
    pub fn is_full(&self) -> bool {
        self.pending_bytes() >= self.config.pending_bytes_max
    }

    /// The segment that the next frame goes to, unless it rolls.
    pub const fn segment(&self) -> SegmentId {
        self.current.header.segment
    }

    /// The last LSN given out.
    pub const fn accepted(&self) -> Lsn {
        self.accepted
    }

    /// The last LSN that storage was asked to keep.
    pub const fn submitted(&self) -> Lsn {
        self.submitted
    }

    /// The last LSN that is durable, with all before it.
    pub const fn durable(&self) -> Lsn {
        self.durable
    }

    /// What went wrong, if something did. Nothing is offered and nothing becomes durable after.
    pub const fn fault(&self) -> Option<StorageFault> {
        self.fault
    }

    /// The next thing to persist. At most one synced persist is in flight, and it takes all
    /// that is pending for its segment.
    pub fn poll(&mut self) -> Option<Persist> {
        if self.fault.is_some() {
            return None;
        }
        if self.register_in_flight.is_none()
            && let Some(register) = self.register_due.take()
        {
            return Some(self.submit_register(register));
        }
        if self.in_flight.is_some() {
            return None;
        }
        if self.sealed.is_empty() && !self.filling.is_empty() && !self.is_record_open {
            self.seal();
        }
        let group = self.sealed.pop_front()?;
        self.tickets += 1;
        self.submitted = group.last;
        if planted(Planted::AckBeforeSync) {
            self.durable = group.last;
        }
        if planted(Planted::RegisterEarly) {
            let durable = self.durable;
            self.advance(&group);
            self.durable = durable;
        }
        let persist = Persist {
            ticket: self.tickets,
            segment: group.segment,
            offset: group.offset,
            length: group.bytes.len(),
            up_to: group.last,
            sync: true,
        };
        self.in_flight = Some((self.tickets, group));
        self.check();
        Some(persist)
    }

    /// The bytes of a persist in flight, in place until it is complete; empty for others.
    pub fn bytes(&self, ticket: u64) -> &[u8] {
        match (&self.in_flight, &self.register_in_flight) {
            (Some((id, group)), _) if *id == ticket => &group.bytes,
            (_, Some((id, bytes))) if *id == ticket => bytes,
            _ => &[],
        }
    }

    /// Reports a persist. A fault is sticky: what storage holds is then unknown, and only a
    /// replay can tell.
    pub fn complete(
        &mut self,
        ticket: u64,
        result: Result<(), StorageFault>,
    ) -> Result<(), UnknownTicket> {
        let register = self.register_in_flight.take_if(|(id, _)| *id == ticket);
        let group = self.in_flight.take_if(|(id, _)| *id == ticket);
        if register.is_none() && group.is_none() {
            return Err(UnknownTicket);
        }
        if planted(Planted::FaultRetried) && result.is_err() {
            self.sealed.extend(group.map(|(_, group)| group));
            return Ok(());
        }
        if let Err(fault) = result
            && !planted(Planted::FaultIsSuccess)
        {
            self.fault.get_or_insert(fault);
        }
        if let Some((_, bytes)) = register {
            self.recycle(bytes);
        }
        if let Some((_, group)) = group {
            if self.fault.is_none() {
                self.advance(&group);
            }
            self.recycle(group.bytes);
        }
        self.check();
        Ok(())
    }

    fn advance(&mut self, group: &Group) {
        self.durable = self.durable.max(group.last);
        let current = &mut self.current;
        let (salt, registers) = if group.segment == current.header.segment {
            current.durable_end = group.end();
            (current.header.salt, &mut current.registers)
        } else {
            // Its successor will tell where it ends, but after a cut there may be none for long.
            match &mut self.rolled {
                Some(rolled) if rolled.segment == group.segment => {
                    (rolled.salt, &mut rolled.registers)
                }
                _ => return,
            }
        };
        *registers += 1;
        self.register_due = Some(Register {
            segment: group.segment,
            salt,
            durable_end: group.end(),
            durable_lsn: group.last,
            counter: *registers,
            settled: group.settled,
        });
    }

    fn submit_register(&mut self, register: Register) -> Persist {
        let mut bytes = Vec::new();
        register.encode(&mut bytes);
        self.tickets += 1;
        let persist = Persist {
            ticket: self.tickets,
            segment: register.segment,
            offset: register.offset(),
            length: bytes.len(),
            up_to: register.durable_lsn,
            sync: false,
        };
        self.register_in_flight = Some((self.tickets, bytes));
        persist
    }

    /// Ends the current segment and starts the next one.
    fn roll(&mut self) {
        let last_group = self.filling.offset;
        if !self.filling.is_empty() {
            self.seal();
        }
        let (segment, mut end) = (self.filling.segment, self.filling.offset);
        if planted(Planted::RollEndEarly) {
            end = last_group;
        }
        self.rolled_bytes += end;
        let buffer = core::mem::take(&mut self.filling.bytes);
        self.filling = Group::new(segment.next(), 0, buffer);
        self.rolled = Some(Rolled {
            segment,
            salt: self.current.header.salt,
            registers: self.current.registers,
        });
        let (named, first) = (Some((segment, end)), self.accepted.next());
        self.current = Current::new(self.config, segment.next(), named, first, false);
    }

    /// Closes the filling group and puts an empty one behind it.
    fn seal(&mut self) {
        let (current, accepted) = (&mut self.current, &mut self.accepted);
        current.chain = self.filling.push_copies(current.chain, |chain| {
            if !planted(Planted::LsnReused) {
                *accepted = accepted.next();
            }
            current.stamp(*accepted, chain)
        });
        self.filling.settled = current.settled;
        if self.filling.offset == 0 {
            current.header.low_watermark = self.low_watermark;
            current.header.write(&mut self.filling.bytes);
        }
        let buffer = self.spare.pop().unwrap_or_default();
        let empty = Group::new(self.filling.segment, self.filling.end(), buffer);
        self.sealed
            .push_back(core::mem::replace(&mut self.filling, empty));
    }

    fn recycle(&mut self, bytes: Vec<u8>) {
        if self.spare.len() < SPARE_BUFFERS_MAX && bytes.capacity() <= SPARE_BYTES_MAX {
            self.spare.push(bytes);
        }
    }

    fn check(&self) {
        assert!(self.durable <= self.submitted, "durable beyond submitted");
        assert!(self.submitted <= self.accepted, "submitted beyond accepted");
    }
}

impl FrameSink for Log {
    fn append(&mut self, kind: FrameKind, payload: &[u8], points: u32, more: bool) -> Lsn {
        Self::append(self, kind, payload, points, more)
    }

    fn accepted(&self) -> Lsn {
        Self::accepted(self)
    }
}

impl Current {
    fn new(
        config: LogConfig,
        segment: SegmentId,
        predecessor: Option<(SegmentId, u64)>,
        first_lsn: Lsn,
        repair: bool,
    ) -> Self {
        Self {
            header: Header {
                repair,
                salt: if planted(Planted::SaltDropped) {
                    0
                } else {
                    header::salt(config.seed, segment)
                },
                segment,
                node_id: config.node_id,
                predecessor,
                first_lsn,
                low_watermark: SegmentId(0),
                snapshot: None,
            },
            chain: 0,
            has_frames: false,
            durable_end: 0,
            registers: 0,
            settled: !repair,
        }
    }

    const fn stamp(&self, lsn: Lsn, chain: u32) -> Stamp {
        Stamp {
            salt: self.header.salt,
            lsn,
            synced_up_to: self.durable_end,
            chain,
        }
    }
}
