//! Storage that lives as long as its process: the reference for all others.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Storage;
use crate::engine::SegmentInfo;
use crate::fault::StorageFault;
use crate::ids::SegmentId;

/// Segments in memory. What was persisted, synced or not, is there at the next open.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    segments: BTreeMap<SegmentId, Vec<u8>>,
    quarantined: Vec<(SegmentId, u64, u64)>,
}

impl MemoryStorage {
    /// The bytes of a segment.
    pub fn segment(&self, id: SegmentId) -> Option<&[u8]> {
        self.segments.get(&id).map(Vec::as_slice)
    }

    /// The bytes of a segment, to damage them.
    pub fn segment_mut(&mut self, id: SegmentId) -> Option<&mut Vec<u8>> {
        self.segments.get_mut(&id)
    }

    /// Ranges set aside: segment, offset, length.
    pub fn quarantined(&self) -> &[(SegmentId, u64, u64)] {
        &self.quarantined
    }
}

impl Storage for MemoryStorage {
    fn segments(&mut self) -> Result<Vec<SegmentInfo>, StorageFault> {
        let info = |(&id, bytes): (&SegmentId, &Vec<u8>)| SegmentInfo {
            id,
            length: bytes.len() as u64,
        };
        Ok(self.segments.iter().map(info).collect())
    }

    fn persist(
        &mut self,
        segment: SegmentId,
        offset: u64,
        bytes: &[u8],
        _sync: bool,
    ) -> Result<(), StorageFault> {
        if offset == 0 && self.segments.contains_key(&segment) {
            return Err(StorageFault::Fenced);
        }
        let held = self.segments.entry(segment).or_default();
        let start = usize::try_from(offset).map_err(|_| StorageFault::NoSpace)?;
        let end = start
            .checked_add(bytes.len())
            .ok_or(StorageFault::NoSpace)?;
        if held.len() < end {
            held.resize(end, 0);
        }
        held[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn read(
        &mut self,
        segment: SegmentId,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), StorageFault> {
        let held = self
            .segments
            .get(&segment)
            .ok_or(StorageFault::Unreadable)?;
        let start = usize::try_from(offset).map_or(held.len(), |at| at.min(held.len()));
        let end = start.saturating_add(length).min(held.len());
        out.extend_from_slice(&held[start..end]);
        Ok(())
    }

    fn delete(&mut self, segment: SegmentId) -> Result<(), StorageFault> {
        self.segments.remove(&segment);
        Ok(())
    }

    fn quarantine(
        &mut self,
        segment: SegmentId,
        offset: u64,
        length: u64,
    ) -> Result<(), StorageFault> {
        self.quarantined.push((segment, offset, length));
        Ok(())
    }
}
