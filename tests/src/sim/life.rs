//! One engine between its opening and its end, and what its host has in hand.

use tidegate_core::engine::{Effect, Phase, encode_effect};
use tidegate_core::fault::StorageFault;

use super::adapter::Adapter;
use super::format;
use super::taped::Taped;
use super::trace::{Trace, of_bytes};

/// Effects that wait for each other; different lanes drain independently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Log,
    Blob,
    Read,
    Delete,
    Quarantine,
}

/// An effect on its way through the host.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) effect: Effect,
    pub(super) bytes: Vec<u8>,
    /// What came of it, once it was performed.
    pub(super) done: Option<Result<Vec<u8>, StorageFault>>,
    /// It found no space before.
    pub(super) was_held: bool,
    /// The process ended within it.
    pub(super) has_died: bool,
    /// A mutation reported it before it was performed.
    pub(super) is_told: bool,
}

impl Job {
    pub(super) const fn lane(&self) -> Lane {
        match self.effect {
            Effect::PersistLog { .. } => Lane::Log,
            Effect::PutBlob { .. } => Lane::Blob,
            Effect::Read { .. } => Lane::Read,
            Effect::Delete { .. } => Lane::Delete,
            Effect::Quarantine { .. } => Lane::Quarantine,
        }
    }
}

/// A client that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) ticket: u64,
    /// Requests that it must be able to rely on.
    pub(super) count: usize,
    pub(super) since_step: u32,
    pub(super) is_query: bool,
}

/// An engine and its host.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) engine: Taped,
    pub(super) adapter: Adapter,
    pub(super) jobs: Vec<Job>,
    pub(super) waits: Vec<Wait>,
    /// The lane that comes last wherever there is a choice.
    pub(super) slow: Option<Lane>,
    /// It runs, and what it recovered was checked.
    pub(super) is_open: bool,
    /// The last LSN of the repair; once durable, the life has recovered.
    pub(super) repaired_at: u64,
    roll_bytes: u64,
    last_segment: u64,
    pub(super) rolled: u64,
    /// The newest snapshot that this life wrote, and the last LSN when it was named.
    named: Option<(u64, u64)>,
}

impl Life {
    pub(super) fn begin(engine: Taped, adapter: Adapter, roll_bytes: u64) -> Self {
        Self {
            engine,
            adapter,
            jobs: Vec::new(),
            waits: Vec::new(),
            slow: None,
            is_open: false,
            repaired_at: u64::MAX,
            roll_bytes,
            last_segment: 0,
            rolled: 0,
            named: None,
        }
    }

    /// Takes over all effects there are, and checks the watermarks.
    pub(super) fn drain(&mut self, trace: &mut Trace) -> Result<(), String> {
        while let Some(effect) = self.engine.poll_effect() {
            let bytes = self.engine.effect_bytes(effect.id()).to_vec();
            trace.bytes(&encode_effect(&effect));
            trace.number(of_bytes(&bytes));
            if let Effect::PersistLog {
                segment,
                offset,
                length,
                sync,
                ..
            } = effect
            {
                if sync && offset >= self.roll_bytes {
                    return Err(format!("ENDLESS: {segment} goes on at {offset}"));
                }
                if length != bytes.len() {
                    return Err(format!("{length} bytes announced, {} there", bytes.len()));
                }
                if offset == 0 {
                    self.check_mark(&bytes)?;
                }
                self.rolled += u64::from(offset == 0 && self.last_segment > 0);
                self.last_segment = segment.0;
            }
            self.jobs.push(Job {
                effect,
                bytes,
                done: None,
                was_held: false,
                has_died: false,
                is_told: false,
            });
        }
        self.check_watermarks()
    }

    /// Somebody waits for this ticket, for so many requests.
    pub(super) fn wait(&mut self, ticket: u64, count: usize) {
        self.waits.push(Wait {
            ticket,
            count,
            since_step: 0,
            is_query: false,
        });
    }

    /// Bytes of the log that the host has in hand and did not report.
    pub(super) fn waiting_bytes(&self) -> u64 {
        let is_log = |job: &&Job| matches!(job.effect, Effect::PersistLog { sync: true, .. });
        let waiting = self.jobs.iter().filter(is_log);
        waiting.map(|job| job.bytes.len() as u64).sum()
    }

    /// A segment that begins behind the naming of a snapshot has to note what that covers.
    fn check_mark(&self, bytes: &[u8]) -> Result<(), String> {
        let Some((blob, lsn)) = self.named else {
            return Ok(());
        };
        let is_behind = format::first_lsn(bytes).is_some_and(|first| first > lsn);
        let mark = format::low_watermark(bytes);
        if is_behind && mark.is_none_or(|mark| mark < blob) {
            return Err(format!("UNMARKED: {mark:?} behind snapshot {blob}"));
        }
        Ok(())
    }

    fn check_watermarks(&self) -> Result<(), String> {
        let engine = &self.engine;
        let marks = [
            engine.durable_lsn(),
            engine.submitted_lsn(),
            engine.accepted_lsn(),
        ];
        if marks.is_sorted() {
            return Ok(());
        }
        Err(format!("WATERMARKS out of order: {marks:?}"))
    }

    /// Tells the engine what came of a job.
    pub(super) fn report(&mut self, job: &Job, trace: &mut Trace) -> Result<(), String> {
        let Some(result) = &job.done else {
            return Err("a job that was not performed".into());
        };
        trace.number(job.effect.id().0);
        trace.number(
            result
                .as_ref()
                .map_or_else(|fault| u64::from(fault.code()), |_| 0),
        );
        if let (
            Effect::PutBlob {
                blob,
                is_last: true,
                ..
            },
            Ok(_),
        ) = (&job.effect, result)
        {
            self.named = Some((blob.0, self.engine.accepted_lsn().0));
        }
        let id = job.effect.id();
        let told = if let Effect::Read { .. } = job.effect {
            let bytes = result.as_ref().map(Vec::as_slice).map_err(|fault| *fault);
            self.engine.supply(id, bytes)
        } else {
            self.engine
                .complete(id, result.as_ref().map(|_| ()).map_err(|fault| *fault))
        };
        told.map_err(|misuse| misuse.to_string())?;
        trace.number(self.engine.durable_lsn().0);
        self.drain(trace)
    }

    pub(super) fn phase(&self) -> Phase {
        self.engine.phase()
    }

    /// Whether all that an earlier life left is durable in this one.
    pub(super) fn has_recovered(&self) -> bool {
        self.is_open && self.engine.durable_lsn().0 >= self.repaired_at
    }
}
