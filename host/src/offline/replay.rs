//! Driving the core's replay with files.

use std::path::Path;

use tidegate_core::fault::StorageFault;
use tidegate_core::storage::Storage;
use tidegate_core::wal::{Replay, ReplayEnd, Step};

use crate::store::FileStorage;

/// What reading a log to its end gave.
pub(super) struct End {
    pub found: ReplayEnd,
    /// Points in the records that could be read.
    pub points: u64,
}

/// Reads a log, showing every step but reads to `show`. An error is a refusal of the log, or
/// what `show` returned.
pub(super) fn read(
    database: &Path,
    node_id: u128,
    mut show: impl FnMut(&Step<'_>) -> Result<(), String>,
) -> Result<End, String> {
    let mut storage = FileStorage::new(database);
    let files = storage.files().map_err(|_| storage.trouble().to_owned())?;
    let files: Vec<_> = files.iter().map(|info| (info.file, info.length)).collect();
    let mut replay = Replay::new(node_id, &files);
    let mut points = 0;
    let mut bytes = Vec::new();
    loop {
        let step = replay.step();
        show(&step)?;
        match step {
            Step::Read {
                file,
                offset,
                length,
            } => {
                bytes.clear();
                let read = storage.read(file, offset, length, &mut bytes);
                if read.is_err_and(|fault| fault != StorageFault::Unreadable) {
                    return Err(storage.trouble().to_owned());
                }
                replay.supply(read.map(|()| bytes.as_slice()));
            }
            Step::Frame(frame) => points += u64::from(frame.points),
            Step::Refuse(why) => return Err(why),
            Step::Done(found) => return Ok(End { found, points }),
            Step::FileStart { .. } | Step::Quarantine { .. } => {}
        }
    }
}
