//! Storage that blocks: the trait, the loop that serves an engine with it, and memory.
//!
//! Files, OPFS handles in a worker, Durable-Object SQL and the simulator can block; hosts that
//! cannot write the same loop with `await`.

mod drive;
mod memory;

use alloc::vec::Vec;

pub use drive::{drive, open};
pub use memory::MemoryStorage;

use crate::engine::SegmentInfo;
use crate::fault::StorageFault;
use crate::ids::SegmentId;

/// Where one engine's log lives. Every call blocks until it is done.
///
/// Retrying what may be retried (a short write, an interrupted call) is the implementation's
/// business; a fault that it returns is final. After a failed `persist` the segment must not be
/// touched again.
pub trait Storage {
    /// Lists what is there, in any order.
    fn segments(&mut self) -> Result<Vec<SegmentInfo>, StorageFault>;

    /// Puts `bytes` at `offset` of a segment and, if `sync`, returns when they and the
    /// segment's name are durable. Offset 0 creates the segment and must fail if it exists.
    fn persist(
        &mut self,
        segment: SegmentId,
        offset: u64,
        bytes: &[u8],
        sync: bool,
    ) -> Result<(), StorageFault>;

    /// Appends up to `length` bytes at `offset` to `out`; fewer only where the segment ends.
    fn read(
        &mut self,
        segment: SegmentId,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), StorageFault>;

    /// Removes a segment durably. One that is not there is removed.
    fn delete(&mut self, segment: SegmentId) -> Result<(), StorageFault>;

    /// Keeps a copy of a damaged range for a person to look at; the segment stays as it is.
    fn quarantine(
        &mut self,
        segment: SegmentId,
        offset: u64,
        length: u64,
    ) -> Result<(), StorageFault>;
}

#[cfg(test)]
mod tests;
