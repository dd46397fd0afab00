//! Poll, perform, report: until the engine asks for nothing more.

use alloc::vec::Vec;

use super::Storage;
use crate::engine::{Config, Effect, Engine, Misuse};
use crate::fault::StorageFault;

/// Performs every effect the engine has.
///
/// Afterwards all that was accepted is durable, or the engine is poisoned.
///
/// # Errors
///
/// [`Misuse`] never happens as long as nobody else reports effects of this engine.
pub fn drive(engine: &mut Engine, storage: &mut impl Storage) -> Result<(), Misuse> {
    let mut read = Vec::new();
    while let Some(effect) = engine.poll_effect() {
        match effect {
            Effect::PersistLog {
                id,
                segment,
                offset,
                sync,
                ..
            } => {
                let done = storage.persist(segment, offset, engine.effect_bytes(id), sync);
                engine.complete(id, done)?;
            }
            Effect::ReadLog {
                id,
                segment,
                offset,
                length,
            } => {
                read.clear();
                let done = storage.read(segment, offset, length, &mut read);
                engine.supply(id, done.map(|()| read.as_slice()))?;
            }
            Effect::DeleteLog { id, segment } => engine.complete(id, storage.delete(segment))?,
            Effect::Quarantine {
                id,
                segment,
                offset,
                length,
            } => {
                engine.complete(id, storage.quarantine(segment, offset, length))?;
            }
        }
    }
    Ok(())
}

/// Opens the engine whose log `storage` holds; an empty one makes a new database.
///
/// # Errors
///
/// A fault if the segments cannot be listed. What else is wrong with the log is told by
/// [`Engine::phase`], [`Engine::refusal`] and [`Engine::recovery`].
pub fn open(config: Config, storage: &mut impl Storage) -> Result<Engine, StorageFault> {
    let segments = storage.segments()?;
    let mut engine = Engine::open(config, &segments);
    drive(&mut engine, storage).map_err(|_| StorageFault::Io)?;
    Ok(engine)
}
