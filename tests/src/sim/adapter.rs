//! What a host with files does with an effect, on the simulated disk; and what a bad one does.

use std::collections::BTreeMap;

use tidegate_core::engine::{Effect, FileInfo};
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{BlobId, FileId, SegmentId};
use tidegate_core::storage::Storage;

use super::disk::{Disk, DiskError};
use super::file::{File, SECTOR, file_of, number_of, number_of_part};
use super::mutation::Mutation;

/// Why an effect was not performed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// Storage says no.
    Fault(StorageFault),
    /// The process ended within it.
    Died,
    /// What is to be set aside was deleted before.
    Gone,
}

/// The files of one life. Same rules as those of the native host.
#[derive(Debug, Default)]
pub(super) struct Adapter {
    /// Created in this life; whether a write or a sync of it failed.
    created: BTreeMap<u64, bool>,
    /// Bytes at creation; the listing of a mutation.
    pub(super) first_lengths: BTreeMap<u64, u64>,
    late: Vec<(u64, usize, Vec<u8>)>,
    /// The blob that is being written.
    pub(super) under_way: Option<BlobId>,
    bug: Option<Mutation>,
}

impl Adapter {
    pub(super) fn new(bug: Option<Mutation>) -> Self {
        Self {
            bug,
            ..Self::default()
        }
    }

    fn has(&self, bug: Mutation) -> bool {
        self.bug == Some(bug)
    }

    /// Performs an effect; a read gives its bytes.
    pub(super) fn perform(
        &mut self,
        disk: &mut Disk,
        effect: &Effect,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Halt> {
        match *effect {
            Effect::PersistLog {
                segment,
                offset,
                sync,
                ..
            } => self
                .persist(disk, segment.0, offset as usize, bytes, sync)
                .map(|()| Vec::new()),
            Effect::PutBlob {
                blob,
                offset,
                is_last,
                ..
            } => self
                .put(disk, blob, offset as usize, bytes, is_last)
                .map(|()| Vec::new()),
            Effect::Read {
                file,
                offset,
                length,
                ..
            } => self.read(disk, number_of(file), offset as usize, length),
            Effect::Delete { file, .. } => {
                self.delete(disk, file)?;
                Ok(Vec::new())
            }
            Effect::Quarantine {
                file,
                offset,
                length,
                ..
            } => {
                let id = number_of(file);
                if self.has(Mutation::CutTail)
                    && let Some(file) = disk.files.get_mut(&id)
                {
                    file.cached.truncate(offset as usize);
                    file.durable.truncate(offset as usize);
                }
                if self.has(Mutation::DropDamaged) {
                    disk.files.remove(&id);
                    return Ok(Vec::new());
                }
                if !disk.files.contains_key(&id) {
                    return Err(Halt::Gone);
                }
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                disk.read(id, offset as usize, length)?;
                Ok(Vec::new())
            }
        }
    }

    fn delete(&mut self, disk: &mut Disk, file: FileId) -> Result<(), Halt> {
        let id = number_of(file) + u64::from(self.has(Mutation::DeleteNext));
        self.created.remove(&id);
        if let FileId::Blob(blob) = file {
            self.under_way.take_if(|open| *open == blob);
            disk.remove(number_of_part(blob))?;
        }
        disk.remove(id)?;
        Ok(disk.sync_names()?)
    }

    /// A part of a blob, under a name that no listing shows; with the last one it gets its own.
    fn put(
        &mut self,
        disk: &mut Disk,
        blob: BlobId,
        at: usize,
        bytes: &[u8],
        is_last: bool,
    ) -> Result<(), Halt> {
        let mut name = number_of_part(blob);
        if self.has(Mutation::BlobInPlace) {
            name = number_of(FileId::Blob(blob));
        }
        if self.under_way.take() != Some(blob) {
            for left in disk.parts() {
                disk.remove(left)?;
            }
            disk.create(name)?;
        }
        self.write_all(disk, name, at, bytes)?;
        if !self.has(Mutation::BlobUnsynced) {
            disk.sync(name)?;
        }
        if !is_last {
            self.under_way = Some(blob);
            return Ok(());
        }
        if name != number_of(FileId::Blob(blob)) {
            disk.rename(name, number_of(FileId::Blob(blob)))?;
        }
        if !self.has(Mutation::BlobUnnamed) {
            disk.sync_names()?;
        }
        Ok(())
    }

    fn persist(
        &mut self,
        disk: &mut Disk,
        id: u64,
        at: usize,
        bytes: &[u8],
        sync: bool,
    ) -> Result<(), Halt> {
        let mut bytes = bytes.to_vec();
        if self.has(Mutation::SwapBytes) && at > 0 && bytes.len() > 200 {
            let middle = bytes.len() / 2;
            bytes.swap(middle, middle + 1);
        }
        if at == 0 {
            return self.create(disk, id, &bytes);
        }
        match self.created.get(&id) {
            Some(false) => {}
            _ => return Err(Halt::Fault(StorageFault::Io)),
        }
        let done = self.append(disk, id, at, &bytes, sync);
        // A write that found no space may be repeated: the same bytes at the same place.
        let is_final = done.is_err_and(|halt| halt != Halt::Fault(StorageFault::NoSpace));
        if is_final {
            self.created.insert(id, true);
        }
        done
    }

    fn append(
        &mut self,
        disk: &mut Disk,
        id: u64,
        at: usize,
        bytes: &[u8],
        sync: bool,
    ) -> Result<(), Halt> {
        let mut at = at;
        let mut bytes = bytes;
        if sync && self.has(Mutation::SyncBeforeWrite) {
            disk.sync(id)?;
            return self.write_all(disk, id, at, bytes);
        }
        if sync && self.has(Mutation::WrongOffset) {
            at += 8;
        }
        if sync && self.has(Mutation::RoundDown) {
            bytes = &bytes[..bytes.len() / SECTOR * SECTOR];
        }
        if sync && self.has(Mutation::ZeroFirst) {
            let start = at.saturating_sub(1) / SECTOR * SECTOR;
            disk.write(id, start, &vec![0; at - start])?;
        }
        if sync && self.has(Mutation::ReorderGroups) && self.late.is_empty() {
            self.late.push((id, at, bytes.to_vec()));
            return Ok(());
        }
        self.write_all(disk, id, at, bytes)?;
        for (id, at, bytes) in std::mem::take(&mut self.late) {
            self.write_all(disk, id, at, &bytes)?;
            disk.sync(id)?;
        }
        if sync { self.sync(disk, id) } else { Ok(()) }
    }

    fn create(&mut self, disk: &mut Disk, id: u64, bytes: &[u8]) -> Result<(), Halt> {
        let has_blobs = disk
            .files
            .keys()
            .any(|&id| matches!(file_of(id), Some(FileId::Blob(_))));
        if has_blobs && self.created.is_empty() && !self.has(Mutation::BlobUnnamed) {
            // What this segment is the first to rely on may have a name only in memory.
            disk.sync_names()?;
        }
        let overwrites = self.has(Mutation::StaleListing);
        match disk.create(id) {
            Err(DiskError::Exists) if overwrites => {
                if let Some(file) = disk.files.get_mut(&id) {
                    file.cached.clear();
                    file.durable.clear();
                }
            }
            done => done?,
        }
        let mut made = self.write_all(disk, id, 0, bytes);
        if made.is_ok() && !self.has(Mutation::NoSyncOfCreate) {
            made = self.sync(disk, id);
        }
        if let Err(Halt::Fault(fault)) = made {
            // Nothing in it was ever acknowledged, and it takes space that may be missing.
            disk.remove(id)?;
            return Err(Halt::Fault(fault));
        }
        made?;
        if !self.has(Mutation::NoSyncOfNames) {
            disk.sync_names()?;
        }
        self.created.insert(id, false);
        self.first_lengths.insert(id, bytes.len() as u64);
        if self.has(Mutation::DeleteEarly) {
            disk.files.remove(&(id - 1));
        }
        if self.has(Mutation::DeleteOldest) && disk.segments().count() > 4 {
            disk.files.pop_first();
        }
        Ok(())
    }

    fn write_all(&self, disk: &mut Disk, id: u64, at: usize, bytes: &[u8]) -> Result<(), Halt> {
        let (mut from, mut to) = (0, at);
        while from < bytes.len() {
            match disk.write(id, to, &bytes[from..]) {
                Ok(part) if self.has(Mutation::RepeatShortWrite) && part < bytes.len() => {
                    to += part;
                }
                Ok(_) if self.has(Mutation::IgnoreShortWrite) => return Ok(()),
                Ok(part) => (from, to) = (from + part, to + part),
                Err(DiskError::Io) if self.has(Mutation::IgnoreWriteError) => return Ok(()),
                Err(DiskError::NoSpace) if self.has(Mutation::IgnoreNoSpace) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn sync(&self, disk: &mut Disk, id: u64) -> Result<(), Halt> {
        match self.bug {
            Some(Mutation::NoSync) => return Ok(()),
            Some(Mutation::SyncOtherFile) => {
                return match disk.sync(id.saturating_sub(1)) {
                    Err(DiskError::Missing) => Ok(()),
                    done => Ok(done?),
                };
            }
            _ => {}
        }
        let length = disk.files.get(&id).map(|file| file.durable.len());
        let done = disk.sync(id);
        if self.has(Mutation::NoSyncOfLength)
            && let (Some(length), Some(file)) = (length, disk.files.get_mut(&id))
            && length > 0
        {
            file.durable.truncate(length);
        }
        match done {
            Err(DiskError::Io | DiskError::NoSpace) if self.has(Mutation::RetrySync) => {
                Ok(disk.sync(id)?)
            }
            Err(DiskError::Io | DiskError::NoSpace) if self.has(Mutation::IgnoreSyncError) => {
                Ok(())
            }
            done => Ok(done?),
        }
    }

    fn read(&self, disk: &mut Disk, id: u64, at: usize, length: usize) -> Result<Vec<u8>, Halt> {
        let swaps = self.has(Mutation::SwapReads) && at > 0 && disk.files.contains_key(&(id - 1));
        let id = id - u64::from(swaps);
        let read = disk.read(id, at, length).map(<[u8]>::to_vec);
        let mut bytes = read.map_err(|_| Halt::Fault(StorageFault::Unreadable))?;
        match self.bug {
            Some(Mutation::ShortRead) if at > 0 => bytes.truncate(bytes.len() / 2),
            Some(Mutation::EmptyRead) if at > 0 => bytes.clear(),
            _ => {}
        }
        Ok(bytes)
    }
}

impl From<DiskError> for Halt {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::Died => Self::Died,
            DiskError::NoSpace => Self::Fault(StorageFault::NoSpace),
            DiskError::Exists => Self::Fault(StorageFault::Fenced),
            DiskError::Missing | DiskError::Io => Self::Fault(StorageFault::Io),
        }
    }
}

/// The disk of a world as the core's own storage, once nothing goes wrong any more.
pub(super) struct CalmStorage<'a> {
    pub(super) disk: &'a mut Disk,
    pub(super) adapter: Adapter,
}

impl CalmStorage<'_> {
    fn persist_effect(
        &mut self,
        segment: SegmentId,
        offset: u64,
        bytes: &[u8],
        sync: bool,
    ) -> Result<(), Halt> {
        let at = offset as usize;
        self.adapter.persist(self.disk, segment.0, at, bytes, sync)
    }
}

fn calm<T>(done: Result<T, Halt>) -> Result<T, StorageFault> {
    done.map_err(|halt| match halt {
        Halt::Fault(fault) => fault,
        Halt::Died | Halt::Gone => StorageFault::Io,
    })
}

impl Storage for CalmStorage<'_> {
    fn files(&mut self) -> Result<Vec<FileInfo>, StorageFault> {
        Ok(listing(self.disk))
    }

    fn persist(
        &mut self,
        segment: SegmentId,
        offset: u64,
        bytes: &[u8],
        sync: bool,
    ) -> Result<(), StorageFault> {
        calm(self.persist_effect(segment, offset, bytes, sync))
    }

    fn put(
        &mut self,
        blob: BlobId,
        offset: u64,
        bytes: &[u8],
        is_last: bool,
    ) -> Result<(), StorageFault> {
        let at = offset as usize;
        calm(self.adapter.put(self.disk, blob, at, bytes, is_last))
    }

    fn read(
        &mut self,
        file: FileId,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), StorageFault> {
        let bytes = calm(
            self.adapter
                .read(self.disk, number_of(file), offset as usize, length),
        )?;
        out.extend_from_slice(&bytes);
        Ok(())
    }

    fn delete(&mut self, file: FileId) -> Result<(), StorageFault> {
        calm(self.adapter.delete(self.disk, file))
    }

    fn quarantine(&mut self, _: FileId, _: u64, _: u64) -> Result<(), StorageFault> {
        Ok(())
    }
}

/// The files as they are; no parts of blobs.
pub(super) fn listing(disk: &Disk) -> Vec<FileInfo> {
    let info = |(&number, file): (&u64, &File)| {
        Some(FileInfo {
            file: file_of(number)?,
            length: file.cached.len() as u64,
        })
    };
    disk.files.iter().filter_map(info).collect()
}
