//! Poll, perform, report: until the engine asks for nothing more.

use alloc::vec::Vec;

use super::Storage;
use crate::engine::{Config, Effect, Engine, Misuse};
use crate::fault::StorageFault;

/// Performs every effect the engine has.
///
/// Afterwards all that was accepted is durable, or the engine is poisoned; and a snapshot that
/// was due is written.
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
            Effect::PutBlob {
                id,
                blob,
                offset,
                is_last,
                ..
            } => {
                let done = storage.put(blob, offset, engine.effect_bytes(id), is_last);
                engine.complete(id, done)?;
            }
            Effect::Read {
                id,
                file,
                offset,
                length,
            } => {
                read.clear();
                let done = storage.read(file, offset, length, &mut read);
                engine.supply(id, done.map(|()| read.as_slice()))?;
            }
            Effect::Delete { id, file } => engine.complete(id, storage.delete(file))?,
            Effect::Quarantine {
                id,
                file,
                offset,
                length,
            } => {
                engine.complete(id, storage.quarantine(file, offset, length))?;
            }
        }
    }
    Ok(())
}

/// Opens the engine whose log `storage` holds; an empty one makes a new database.
///
/// # Errors
///
/// A fault if the files cannot be listed. What else is wrong with the log is told by
/// [`Engine::phase`], [`Engine::refusal`] and [`Engine::recovery`].
pub fn open(config: Config, storage: &mut impl Storage) -> Result<Engine, StorageFault> {
    let files = storage.files()?;
    let mut engine = Engine::open(config, &files);
    drive(&mut engine, storage).map_err(|_| StorageFault::Io)?;
    Ok(engine)
}
