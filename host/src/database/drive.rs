//! Carrying out effects on files.

use tidegate_core::engine::{Config, Effect, Phase};
use tidegate_core::fault::StorageFault;
use tidegate_core::storage::Storage;

use crate::engine::{Died, EngineFace};

/// An effect, and the bytes that belong to it: those to persist, or, once performed, those read.
#[derive(Debug)]
pub(super) struct Job {
    pub effect: Effect,
    pub bytes: Vec<u8>,
    /// Somebody waits for its bytes to be handed over.
    pub is_awaited: bool,
}

/// Buffers of jobs that are done, for the next ones: fresh memory costs a page fault per page.
#[derive(Debug, Default)]
pub(super) struct Spare(Vec<Vec<u8>>);

impl Spare {
    /// A log group and a register are in flight at most.
    const BUFFERS_MAX: usize = 2;

    fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_default()
    }

    /// Keeps the buffer of a job that is done.
    pub(super) fn put(&mut self, mut buffer: Vec<u8>) {
        if self.0.len() < Self::BUFFERS_MAX && buffer.capacity() > 0 {
            buffer.clear();
            self.0.push(buffer);
            // The roomiest is taken first.
            self.0.sort_by_key(Vec::capacity);
        }
    }

    /// Gives the memory back.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Takes all effects there are.
pub(super) fn drain(
    engine: &mut dyn EngineFace,
    spare: &mut Spare,
    jobs: &mut Vec<Job>,
) -> Result<(), Died> {
    while let Some(effect) = engine.poll()? {
        let mut bytes = Vec::new();
        if let Effect::Read { .. } = effect {
            bytes = spare.take();
        }
        if let Effect::PersistLog { id, length, .. } | Effect::PutBlob { id, length, .. } = effect {
            // Copied so that the engine is free while the disk is busy: ten bytes a point.
            bytes = spare.take();
            bytes.reserve_exact(length);
            engine.effect_bytes(id, length, &mut bytes)?;
        }
        jobs.push(Job {
            effect,
            bytes,
            is_awaited: false,
        });
    }
    Ok(())
}

/// Does what the effect describes.
pub(super) fn perform(storage: &mut impl Storage, job: &mut Job) -> Result<(), StorageFault> {
    match job.effect {
        Effect::PersistLog {
            segment,
            offset,
            sync,
            ..
        } => storage.persist(segment, offset, &job.bytes, sync),
        Effect::PutBlob {
            blob,
            offset,
            is_last,
            ..
        } => storage.put(blob, offset, &job.bytes, is_last),
        Effect::Read {
            file,
            offset,
            length,
            ..
        } => storage.read(file, offset, length, &mut job.bytes),
        Effect::Delete { file, .. } => storage.delete(file),
        Effect::Quarantine {
            file,
            offset,
            length,
            ..
        } => storage.quarantine(file, offset, length),
    }
}

/// Tells the engine how it went.
pub(super) fn report(
    engine: &mut dyn EngineFace,
    job: &Job,
    result: Result<(), StorageFault>,
) -> Result<(), Died> {
    let id = job.effect.id();
    if !matches!(job.effect, Effect::Read { .. }) {
        return engine.complete(id, result);
    }
    if let Err(fault) = result {
        return engine.supply(id, Err(fault));
    }
    engine.input(job.bytes.len())?.copy_from_slice(&job.bytes);
    engine.supply(id, Ok(job.bytes.len()))
}

/// Opens an engine on an empty log and has it run until it wants nothing any more; for what
/// happens with nobody waiting: a database being created.
pub(super) fn settle(
    engine: &mut dyn EngineFace,
    config: &Config,
    storage: &mut impl Storage,
) -> Result<(), String> {
    let died = |Died(why)| why;
    engine.open(config, &[]).map_err(died)?;
    settle_effects(engine, storage)?;
    match engine.phase().map_err(died)? {
        Phase::Running => Ok(()),
        phase => Err(format!("the engine is {phase:?} instead of running")),
    }
}

/// Performs effects until there are none; the first fault ends it.
pub(super) fn settle_effects(
    engine: &mut dyn EngineFace,
    storage: &mut impl Storage,
) -> Result<(), String> {
    let died = |Died(why)| why;
    let (mut jobs, mut spare) = (Vec::new(), Spare::default());
    loop {
        drain(engine, &mut spare, &mut jobs).map_err(died)?;
        if jobs.is_empty() {
            return Ok(());
        }
        for mut job in jobs.drain(..) {
            let result = perform(storage, &mut job);
            report(engine, &job, result).map_err(died)?;
            result.map_err(|fault| fault.to_string())?;
            spare.put(job.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_of_a_job_serves_the_next_one() {
        let mut spare = Spare::default();
        spare.put(Vec::with_capacity(10));
        spare.put(vec![7; 1000]);
        spare.put(Vec::with_capacity(10));
        let buffer = spare.take();
        assert!(buffer.is_empty() && buffer.capacity() >= 1000);
        assert_eq!(spare.0.len(), 1, "no more than two are kept");
        spare.clear();
        assert_eq!(spare.take().capacity(), 0);
    }
}
