//! One engine between its opening and its end, and what its host has in hand.

use tidegate_core::engine::{Effect, Phase, encode_effect};
use tidegate_core::fault::StorageFault;

use super::adapter::Adapter;
use super::taped::Taped;
use super::trace::{Trace, of_bytes};

/// An effect on its way through the host.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) effect: Effect,
    pub(super) bytes: Vec<u8>,
    /// What came of it, once it was performed.
    pub(super) done: Option<Result<Vec<u8>, StorageFault>>,
    /// It found no space before.
    pub(super) was_held: bool,
    /// A mutation reported it before it was performed.
    pub(super) is_told: bool,
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
    /// It runs, and what it recovered was checked.
    pub(super) is_open: bool,
    /// The last LSN of the repair; once durable, the life has recovered.
    pub(super) repaired_at: u64,
    last_segment: u64,
    pub(super) rolled: u64,
}

impl Life {
    pub(super) fn begin(engine: Taped, adapter: Adapter) -> Self {
        Self {
            engine,
            adapter,
            jobs: Vec::new(),
            waits: Vec::new(),
            is_open: false,
            repaired_at: u64::MAX,
            last_segment: 0,
            rolled: 0,
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
                ..
            } = effect
            {
                if length != bytes.len() {
                    return Err(format!("{length} bytes announced, {} there", bytes.len()));
                }
                self.rolled += u64::from(offset == 0 && self.last_segment > 0);
                self.last_segment = segment.0;
            }
            self.jobs.push(Job {
                effect,
                bytes,
                done: None,
                was_held: false,
                is_told: false,
            });
        }
        self.check_watermarks()
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
