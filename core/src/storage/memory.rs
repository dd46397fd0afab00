//! Storage that lives as long as its process: the reference for all others.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Storage;
use crate::engine::FileInfo;
use crate::fault::StorageFault;
use crate::ids::{BlobId, FileId, SegmentId};

/// Files in memory. What was persisted, synced or not, is there at the next open; blobs only if
/// they are whole.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    files: BTreeMap<FileId, Vec<u8>>,
    parts: BTreeMap<BlobId, Vec<u8>>,
    quarantined: Vec<(FileId, u64, u64)>,
}

impl MemoryStorage {
    /// The bytes of a segment.
    pub fn segment(&self, id: SegmentId) -> Option<&[u8]> {
        self.file(FileId::Segment(id))
    }

    /// The bytes of a segment, to damage them.
    pub fn segment_mut(&mut self, id: SegmentId) -> Option<&mut Vec<u8>> {
        self.file_mut(FileId::Segment(id))
    }

    /// The bytes of a file.
    pub fn file(&self, file: FileId) -> Option<&[u8]> {
        self.files.get(&file).map(Vec::as_slice)
    }

    /// The bytes of a file, to damage them.
    pub fn file_mut(&mut self, file: FileId) -> Option<&mut Vec<u8>> {
        self.files.get_mut(&file)
    }

    /// Ranges set aside: file, offset, length.
    pub fn quarantined(&self) -> &[(FileId, u64, u64)] {
        &self.quarantined
    }
}

impl Storage for MemoryStorage {
    fn files(&mut self) -> Result<Vec<FileInfo>, StorageFault> {
        self.parts.clear();
        let info = |(&file, bytes): (&FileId, &Vec<u8>)| FileInfo {
            file,
            length: bytes.len() as u64,
        };
        Ok(self.files.iter().map(info).collect())
    }

    fn persist(
        &mut self,
        segment: SegmentId,
        offset: u64,
        bytes: &[u8],
        _sync: bool,
    ) -> Result<(), StorageFault> {
        let file = FileId::Segment(segment);
        if offset == 0 && self.files.contains_key(&file) {
            return Err(StorageFault::Fenced);
        }
        write(self.files.entry(file).or_default(), offset, bytes)
    }

    fn put(
        &mut self,
        blob: BlobId,
        offset: u64,
        bytes: &[u8],
        is_last: bool,
    ) -> Result<(), StorageFault> {
        write(self.parts.entry(blob).or_default(), offset, bytes)?;
        if is_last {
            let whole = self.parts.remove(&blob).unwrap_or_default();
            self.files.insert(FileId::Blob(blob), whole);
        }
        Ok(())
    }

    fn read(
        &mut self,
        file: FileId,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), StorageFault> {
        let held = self.files.get(&file).ok_or(StorageFault::Unreadable)?;
        let start = usize::try_from(offset).map_or(held.len(), |at| at.min(held.len()));
        let end = start.saturating_add(length).min(held.len());
        out.extend_from_slice(&held[start..end]);
        Ok(())
    }

    fn delete(&mut self, file: FileId) -> Result<(), StorageFault> {
        self.files.remove(&file);
        if let FileId::Blob(blob) = file {
            self.parts.remove(&blob);
        }
        Ok(())
    }

    fn quarantine(&mut self, file: FileId, offset: u64, length: u64) -> Result<(), StorageFault> {
        self.quarantined.push((file, offset, length));
        Ok(())
    }
}

/// Puts `bytes` at `offset`, with zeros in between if there is a gap.
fn write(held: &mut Vec<u8>, offset: u64, bytes: &[u8]) -> Result<(), StorageFault> {
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
