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
}

/// Takes all effects there are.
pub(super) fn drain(engine: &mut dyn EngineFace, jobs: &mut Vec<Job>) -> Result<(), Died> {
    while let Some(effect) = engine.poll()? {
        let mut bytes = Vec::new();
        if let Effect::PersistLog { id, length, .. } = effect {
            // Copied so that the engine is free while the disk is busy: ten bytes a point.
            bytes.reserve_exact(length);
            engine.effect_bytes(id, length, &mut bytes)?;
        }
        jobs.push(Job { effect, bytes });
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
        Effect::ReadLog {
            segment,
            offset,
            length,
            ..
        } => storage.read(segment, offset, length, &mut job.bytes),
        Effect::DeleteLog { segment, .. } => storage.delete(segment),
        Effect::Quarantine {
            segment,
            offset,
            length,
            ..
        } => storage.quarantine(segment, offset, length),
    }
}

/// Tells the engine how it went.
pub(super) fn report(
    engine: &mut dyn EngineFace,
    job: &Job,
    result: Result<(), StorageFault>,
) -> Result<(), Died> {
    let id = job.effect.id();
    if !matches!(job.effect, Effect::ReadLog { .. }) {
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
    let mut jobs = Vec::new();
    loop {
        drain(engine, &mut jobs).map_err(died)?;
        if jobs.is_empty() {
            return Ok(());
        }
        for mut job in jobs.drain(..) {
            let result = perform(storage, &mut job);
            report(engine, &job, result).map_err(died)?;
            result.map_err(|fault| fault.to_string())?;
        }
    }
}
