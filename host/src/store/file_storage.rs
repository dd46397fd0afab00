//! One database in files: its log in `wal/0000000000000001.wal` and so on, its blobs in
//! `blobs/0000000000000001.blob`.

mod blobs;
mod names;
mod segments;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidegate_core::engine::FileInfo;
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{BlobId, FileId, SegmentId};
use tidegate_core::storage::Storage;

use super::faults::{Trouble, classify, fault, is_damage, trouble};
use super::files;
use super::quarantine;
use super::reserve::Reserve;
use crate::log::log;
use blobs::Blobs;
pub(crate) use names::file_of;
use names::name;
use segments::Segments;

/// What must fit for a full disk to count as no longer full.
const PROBE_BYTES: usize = 1 << 20;

/// A read that the medium refuses is tried so often, with a pause in between, before its bytes
/// count as lost: what is lost is not read again, and a path to a disk may be gone for a moment.
const READ_ATTEMPTS: (usize, Duration) = (3, Duration::from_millis(50));

/// The files of one database, during one life of its engine.
#[derive(Debug)]
pub(crate) struct FileStorage {
    database: PathBuf,
    wal: PathBuf,
    quarantine: PathBuf,
    segments: Segments,
    blobs: Blobs,
    reading: Option<(FileId, File)>,
    reserve: Arc<Reserve>,
    /// Files of which the medium refused a part: they are not deleted, for somebody may still get
    /// at what is in them.
    unreadable: BTreeSet<FileId>,
    trouble: String,
}

impl FileStorage {
    /// What is in the directory of a database. When the log finds the disk full, the reserve is
    /// given back.
    pub(crate) fn new(database: &Path, reserve: Arc<Reserve>) -> Self {
        Self {
            database: database.to_owned(),
            wal: database.join("wal"),
            quarantine: database.join("quarantine"),
            segments: Segments::new(database),
            blobs: Blobs::new(database),
            reading: None,
            reserve,
            unreadable: BTreeSet::new(),
            trouble: String::new(),
        }
    }

    /// What went wrong the last time that listing or reading failed: which file, and what to do.
    pub(crate) fn trouble(&self) -> &str {
        &self.trouble
    }

    /// Whether there is space again.
    pub(crate) fn probe_space(&self) -> Result<(), StorageFault> {
        #[cfg(test)]
        self.pretended()?;
        let path = self.wal.with_file_name("probe");
        let probed = files::remove_if_there(&path)
            .and_then(|()| files::create_new(&path))
            .and_then(|file| {
                file.write_all_at(&vec![0; PROBE_BYTES], 0)?;
                file.sync_data()
            });
        let removed = files::remove_if_there(&path);
        probed.and(removed).map_err(|error| classify(&error))
    }

    /// A test says that the disk is full by creating a file; it cannot fill a real one. While
    /// there is `held-write`, nothing is written.
    #[cfg(test)]
    fn pretended(&self) -> Result<(), StorageFault> {
        while self.wal.with_file_name("held-write").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        if self.wal.with_file_name("full").exists() {
            return Err(StorageFault::NoSpace);
        }
        Ok(())
    }

    /// Lists one directory; the one of blobs need not be there.
    fn list(&self, dir: &Path, files: &mut Vec<FileInfo>) -> io::Result<()> {
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let metadata = entry.path().symlink_metadata()?;
            let file = file_of(&name.to_string_lossy());
            match file.filter(|&file| metadata.is_file() && dir == self.directory(file)) {
                Some(file) => files.push(FileInfo {
                    file,
                    length: metadata.len(),
                }),
                None if entry.path().extension().is_some_and(|kind| kind == "part") => {}
                None => log!("ignoring {}: not a file of ours", entry.path().display()),
            }
        }
        Ok(())
    }

    /// As [`Storage::persist`]; calls `written` once the operating system has the bytes, which
    /// then survive the end of this process, and before they are synced.
    pub(crate) fn persist_telling(
        &mut self,
        id: SegmentId,
        offset: u64,
        bytes: &[u8],
        sync: bool,
        written: impl FnOnce(),
    ) -> Result<(), StorageFault> {
        #[cfg(test)]
        self.pretended()?;
        let mut written = Some(written);
        let mut tell = || {
            if let Some(written) = written.take() {
                written();
            }
        };
        let mut result = self.segments.put(id, offset, bytes, sync, &mut tell);
        if let Err(trouble) = &result
            && trouble.is_full_disk()
        {
            self.reserve.release();
            if matches!(trouble, Trouble::Write(_)) {
                result = self.segments.put(id, offset, bytes, sync, &mut tell);
            }
        }
        result.map_err(|trouble| trouble.tell(&self.path(FileId::Segment(id))))
    }

    /// Where those segments end, as far as is known to be durable, that this life failed to write
    /// to: what is behind may be what the system has in memory and not on disk.
    pub(crate) fn broken(&self) -> &BTreeMap<SegmentId, u64> {
        self.segments.broken()
    }

    fn read_into(
        &mut self,
        id: FileId,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let file = match self.reading.take_if(|(open, _)| *open == id) {
            Some((_, file)) => file,
            None => files::open_read(&self.path(id))?,
        };
        let start = out.len();
        out.resize(start + length, 0);
        let mut filled = 0;
        while filled < length {
            match file.read_at(&mut out[start + filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    out.truncate(start);
                    return Err(error);
                }
            }
        }
        out.truncate(start + filled);
        self.reading = Some((id, file));
        Ok(())
    }

    fn copy_range(&mut self, id: FileId, offset: u64, length: u64, to: &Path) -> io::Result<()> {
        if !quarantine::has_room(&self.quarantine, to, length)? {
            log!("not copying {length} bytes to {}", to.display());
            return Ok(());
        }
        let mut bytes = Vec::new();
        self.read_into(id, offset, usize::try_from(length).unwrap_or(0), &mut bytes)?;
        quarantine::keep(to, &bytes)
    }

    /// Moves a file out of the way, whole.
    fn set_aside(&self, file: FileId) -> io::Result<()> {
        let kept = self.quarantine.join(name(file));
        log!("keeping {}, which could not be read", kept.display());
        std::fs::rename(self.path(file), &kept)?;
        files::sync_dir(&self.quarantine)?;
        files::sync_dir(&self.directory(file))
    }

    fn directory(&self, file: FileId) -> PathBuf {
        self.database.join(names::directory(file))
    }

    fn path(&self, file: FileId) -> PathBuf {
        self.directory(file).join(name(file))
    }
}

impl Storage for FileStorage {
    fn files(&mut self) -> Result<Vec<FileInfo>, StorageFault> {
        let mut files = Vec::new();
        for dir in [self.wal.clone(), self.directory(FileId::Blob(BlobId(0)))] {
            if let Err(error) = self.list(&dir, &mut files)
                && (dir == self.wal || error.kind() != ErrorKind::NotFound)
            {
                self.trouble = trouble("list", &dir, &error);
                return Err(classify(&error));
            }
        }
        files.sort_by_key(|info| info.file);
        Ok(files)
    }

    fn persist(
        &mut self,
        id: SegmentId,
        offset: u64,
        bytes: &[u8],
        sync: bool,
    ) -> Result<(), StorageFault> {
        self.persist_telling(id, offset, bytes, sync, || ())
    }

    fn put(
        &mut self,
        blob: BlobId,
        offset: u64,
        bytes: &[u8],
        is_last: bool,
    ) -> Result<(), StorageFault> {
        #[cfg(test)]
        self.pretended()?;
        if self.reserve.is_just_released() {
            // What was given back is for the log.
            return Err(StorageFault::NoSpace);
        }
        self.blobs
            .put(blob, offset, bytes, is_last)
            .map_err(|error| fault("write", &self.path(FileId::Blob(blob)), &error))
    }

    fn read(
        &mut self,
        id: FileId,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), StorageFault> {
        let mut result = self.read_into(id, offset, length, out);
        for _ in 1..READ_ATTEMPTS.0 {
            if !result.as_ref().is_err_and(is_damage) {
                break;
            }
            std::thread::sleep(READ_ATTEMPTS.1);
            result = self.read_into(id, offset, length, out);
        }
        result.map_err(|error| {
            self.trouble = trouble("read", &self.path(id), &error);
            if is_damage(&error) {
                log!("{}", self.trouble);
                self.unreadable.insert(id);
                StorageFault::Unreadable
            } else {
                classify(&error)
            }
        })
    }

    fn delete(&mut self, file: FileId) -> Result<(), StorageFault> {
        self.reading.take_if(|(open, _)| *open == file);
        let deleted = match file {
            _ if self.unreadable.remove(&file) => self.set_aside(file),
            FileId::Segment(id) => self.segments.delete(id),
            FileId::Blob(id) => self.blobs.delete(id),
        };
        deleted.map_err(|error| fault("delete", &self.path(file), &error))
    }

    fn quarantine(&mut self, file: FileId, offset: u64, length: u64) -> Result<(), StorageFault> {
        let path = self.quarantine.join(names::copy_name(file, offset));
        self.copy_range(file, offset, length, &path)
            .map_err(|error| fault("write", &path, &error))
    }
}

#[cfg(test)]
mod tests;
