//! One database in files: its log in `wal/0000000000000001.wal` and so on, its blobs in
//! `blobs/0000000000000001.blob`.

mod blobs;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidegate_core::engine::FileInfo;
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{BlobId, FileId, SegmentId};
use tidegate_core::storage::Storage;

use super::files;
use crate::log::log;
use blobs::Blobs;
pub(crate) use names::file_of;
use names::name;

/// Written segments that stay open; a closed segment may still be sealed by a late write.
const OPEN_MAX: usize = 4;
/// Damaged ranges are copied until this many bytes lie there; a failing disk must not fill itself.
const QUARANTINE_BYTES_MAX: u64 = 256 << 20;
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
    /// Segments created in this life; no other is ever written to.
    written: BTreeMap<SegmentId, Segment>,
    blobs: Blobs,
    reading: Option<(FileId, File)>,
    /// Files of which the medium refused a part: they are not deleted, for somebody may still get
    /// at what is in them.
    unreadable: BTreeSet<FileId>,
    trouble: String,
}

#[derive(Debug)]
struct Segment {
    file: File,
    /// A write or sync of it failed: what the system holds of it is unknown, and a later sync
    /// would succeed without having written it.
    failed: bool,
}

impl FileStorage {
    /// What is in the directory of a database.
    pub(crate) fn new(database: &Path) -> Self {
        Self {
            database: database.to_owned(),
            wal: database.join("wal"),
            quarantine: database.join("quarantine"),
            written: BTreeMap::new(),
            blobs: Blobs::new(database),
            reading: None,
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
        let result = if offset == 0 {
            self.create(id, bytes, written)
        } else {
            self.write(id, offset, bytes, sync, written)
        };
        result.map_err(|error| fault("write", &self.path(FileId::Segment(id)), &error))
    }

    fn create(&mut self, id: SegmentId, bytes: &[u8], written: impl FnOnce()) -> io::Result<()> {
        let path = self.path(FileId::Segment(id));
        let file = files::create_new(&path)?;
        if let Err(error) = file.write_all_at(bytes, 0) {
            // Nothing in it was ever acknowledged, and it takes space that may be what is missing.
            let _ = files::remove_if_there(&path);
            return Err(error);
        }
        written();
        if let Err(error) = sync_data(&file, &self.wal) {
            // It may hold what was acknowledged as written, and the system may still have that;
            // what found no space is in memory, and is written again under the same name.
            if classify(&error) == StorageFault::NoSpace {
                let _ = files::remove_if_there(&path);
            }
            return Err(error);
        }
        files::sync_dir(&self.wal)?;
        self.written.insert(
            id,
            Segment {
                file,
                failed: false,
            },
        );
        while self.written.len() > OPEN_MAX {
            self.written.pop_first();
        }
        Ok(())
    }

    fn write(
        &mut self,
        id: SegmentId,
        offset: u64,
        bytes: &[u8],
        sync: bool,
        written: impl FnOnce(),
    ) -> io::Result<()> {
        let Some(segment) = self.written.get_mut(&id) else {
            return Err(io::Error::other("the segment was not created in this life"));
        };
        if segment.failed {
            return Err(io::Error::other(
                "a sync of it failed before, it is not touched again",
            ));
        }
        // Short and interrupted writes are repeated in there.
        if let Err(error) = segment.file.write_all_at(bytes, offset) {
            // A write that found no space may be repeated: the same bytes at the same place.
            segment.failed = classify(&error) != StorageFault::NoSpace;
            return Err(error);
        }
        written();
        if sync {
            sync_data(&segment.file, &self.wal).inspect_err(|_| segment.failed = true)?;
        }
        Ok(())
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
        let mut held = 0;
        for entry in std::fs::read_dir(&self.quarantine)? {
            held += entry?.metadata()?.len();
        }
        if to.exists() || held.saturating_add(length) > QUARANTINE_BYTES_MAX {
            log!("not copying {length} bytes to {}", to.display());
            return Ok(());
        }
        let mut bytes = Vec::new();
        self.read_into(id, offset, usize::try_from(length).unwrap_or(0), &mut bytes)?;
        let file = files::create_new(to)?;
        file.write_all_at(&bytes, 0)?;
        file.sync_all()?;
        files::sync_dir(&self.quarantine)
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
            FileId::Segment(id) => {
                self.written.remove(&id);
                files::remove_if_there(&self.path(file)).and_then(|()| files::sync_dir(&self.wal))
            }
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

/// Syncs. While there is `held-sync` beside the log, tests have it take its time, and while there
/// is `broken-sync`, fail.
fn sync_data(file: &File, _wal: &Path) -> io::Result<()> {
    #[cfg(test)]
    {
        while _wal.with_file_name("held-sync").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        if _wal.with_file_name("broken-sync").exists() {
            return Err(rustix::io::Errno::IO.into());
        }
    }
    file.sync_data()
}

fn fault(verb: &str, path: &Path, error: &io::Error) -> StorageFault {
    log!("cannot {verb} {}: {error}", path.display());
    classify(error)
}

/// Whether the medium lost the bytes. Anything else that stops a read (descriptors, permissions,
/// a file that went away) says nothing about the log, and must not be taken for damage of it.
fn is_damage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    // The last two are what file systems with checksums answer.
    let lost = [Errno::IO, Errno::BADMSG, Errno::UCLEAN].map(Errno::raw_os_error);
    error
        .raw_os_error()
        .is_some_and(|code| lost.contains(&code))
}

fn trouble(verb: &str, path: &Path, error: &io::Error) -> String {
    use rustix::io::Errno;
    let too_many_files = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    let remedy = match error.kind() {
        ErrorKind::PermissionDenied => "give the user of the server access to it",
        ErrorKind::NotFound => "put it back; nothing else may change files of a running server",
        _ if is_damage(error) => "check the disk",
        _ if error
            .raw_os_error()
            .is_some_and(|code| too_many_files.contains(&code)) =>
        {
            "raise the limit of open files (ulimit -n)"
        }
        _ => "nothing was changed; it is tried again",
    };
    format!("cannot {verb} {}: {error}; {remedy}", path.display())
}

/// What clears by itself when space or descriptors come back is `NoSpace`.
fn classify(error: &io::Error) -> StorageFault {
    use rustix::io::Errno;
    let too_many_files = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            StorageFault::NoSpace
        }
        ErrorKind::AlreadyExists => StorageFault::Fenced,
        _ if error
            .raw_os_error()
            .is_some_and(|code| too_many_files.contains(&code)) =>
        {
            StorageFault::NoSpace
        }
        _ => StorageFault::Io,
    }
}

#[cfg(test)]
mod tests;
