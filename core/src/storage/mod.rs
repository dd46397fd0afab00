//! Storage that blocks: the trait, the loop that serves an engine with it, and memory.
//!
//! Files, OPFS handles in a worker, Durable-Object SQL and the simulator can block; hosts that
//! cannot write the same loop with `await`.

mod drive;
mod memory;

use alloc::vec::Vec;

pub use drive::{drive, open};
pub use memory::MemoryStorage;

use crate::engine::FileInfo;
use crate::fault::StorageFault;
use crate::ids::{BlobId, FileId, SegmentId};

/// Where one engine's log lives. Every call blocks until it is done.
///
/// Retrying what may be retried (a short write, an interrupted call) is the implementation's
/// business; a fault that it returns is final. After a failed `persist` the segment must not be
/// touched again.
pub trait Storage {
    /// Lists what is there, in any order; no blob that is not whole. Before the first segment is
    /// created, the names of the blobs listed are made durable: it will rely on them.
    fn files(&mut self) -> Result<Vec<FileInfo>, StorageFault>;

    /// Puts `bytes` at `offset` of a segment and, if `sync`, returns when they and the
    /// segment's name are durable. Offset 0 creates the segment and must fail if it exists.
    fn persist(
        &mut self,
        segment: SegmentId,
        offset: u64,
        bytes: &[u8],
        sync: bool,
    ) -> Result<(), StorageFault>;

    /// Puts a part of a blob, which is there only with its last part: then all of it is durable,
    /// and its name. An older blob of that name is replaced, as one step.
    fn put(
        &mut self,
        blob: BlobId,
        offset: u64,
        bytes: &[u8],
        is_last: bool,
    ) -> Result<(), StorageFault>;

    /// Appends up to `length` bytes at `offset` to `out`; fewer only where the file ends.
    fn read(
        &mut self,
        file: FileId,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), StorageFault>;

    /// Removes a file durably, a blob also if it is not whole. One that is not there is removed.
    fn delete(&mut self, file: FileId) -> Result<(), StorageFault>;

    /// Keeps a copy of a damaged range for a person to look at; the file stays as it is.
    fn quarantine(&mut self, file: FileId, offset: u64, length: u64) -> Result<(), StorageFault>;
}

#[cfg(test)]
mod tests;
