//! The log of one database in files: `wal/0000000000000001.wal` and so on, numbers in
//! hexadecimal, so that names sort as segments do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidegate_core::engine::SegmentInfo;
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::SegmentId;
use tidegate_core::storage::Storage;

use super::files;
use crate::log::log;

/// Written segments that stay open; a closed segment may still be sealed by a late write.
const OPEN_MAX: usize = 4;
/// Damaged ranges are copied until this many bytes lie there; a failing disk must not fill itself.
const QUARANTINE_BYTES_MAX: u64 = 256 << 20;
/// What must fit for a full disk to count as no longer full.
const PROBE_BYTES: usize = 1 << 20;

/// A read that the medium refuses is tried so often, with a pause in between, before its bytes
/// count as lost: what is lost is not read again, and a path to a disk may be gone for a moment.
const READ_ATTEMPTS: (usize, Duration) = (3, Duration::from_millis(50));

/// The files of one database's log, during one life of its engine.
#[derive(Debug)]
pub(crate) struct FileStorage {
    wal: PathBuf,
    quarantine: PathBuf,
    /// Segments created in this life; no other is ever written to.
    written: BTreeMap<SegmentId, Segment>,
    reading: Option<(SegmentId, File)>,
    /// Segments of which the medium refused a part: they are not deleted, for somebody may still
    /// get at what is in them.
    unreadable: BTreeSet<SegmentId>,
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
    /// The log in the directory of a database.
    pub(crate) fn new(database: &Path) -> Self {
        Self {
            wal: database.join("wal"),
            quarantine: database.join("quarantine"),
            written: BTreeMap::new(),
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

    /// A test says that the disk is full by creating a file; it cannot fill a real one.
    #[cfg(test)]
    fn pretended(&self) -> Result<(), StorageFault> {
        if self.wal.with_file_name("full").exists() {
            return Err(StorageFault::NoSpace);
        }
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<SegmentInfo>> {
        let mut segments = Vec::new();
        for entry in std::fs::read_dir(&self.wal)? {
            let entry = entry?;
            let name = entry.file_name();
            let metadata = entry.path().symlink_metadata()?;
            match segment_of(&name.to_string_lossy()).filter(|_| metadata.is_file()) {
                Some(id) => segments.push(SegmentInfo {
                    id,
                    length: metadata.len(),
                }),
                None => log!("ignoring {}: not a segment", entry.path().display()),
            }
        }
        segments.sort_by_key(|segment| segment.id);
        Ok(segments)
    }

    fn create(&mut self, id: SegmentId, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(id);
        let file = files::create_new(&path)?;
        let made = file.write_all_at(bytes, 0).and_then(|()| file.sync_data());
        if let Err(error) = made {
            // Nothing in it was ever acknowledged, and it takes space that may be what is missing.
            let _ = files::remove_if_there(&path);
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

    fn write(&mut self, id: SegmentId, offset: u64, bytes: &[u8], sync: bool) -> io::Result<()> {
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
        if sync {
            segment
                .file
                .sync_data()
                .inspect_err(|_| segment.failed = true)?;
        }
        Ok(())
    }

    fn read_into(
        &mut self,
        id: SegmentId,
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

    fn copy_range(&mut self, id: SegmentId, offset: u64, length: u64, to: &Path) -> io::Result<()> {
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

    /// Moves a segment out of the log, whole.
    fn set_aside(&self, id: SegmentId) -> io::Result<()> {
        let path = self.path(id);
        let kept = self.quarantine.join(format!("{:016x}.wal", id.0));
        log!("keeping {}, which could not be read", kept.display());
        std::fs::rename(&path, &kept)?;
        files::sync_dir(&self.quarantine)
    }

    fn path(&self, id: SegmentId) -> PathBuf {
        self.wal.join(format!("{:016x}.wal", id.0))
    }
}

impl Storage for FileStorage {
    fn segments(&mut self) -> Result<Vec<SegmentInfo>, StorageFault> {
        self.list().map_err(|error| {
            self.trouble = trouble("list", &self.wal, &error);
            classify(&error)
        })
    }

    fn persist(
        &mut self,
        id: SegmentId,
        offset: u64,
        bytes: &[u8],
        sync: bool,
    ) -> Result<(), StorageFault> {
        #[cfg(test)]
        self.pretended()?;
        let result = if offset == 0 {
            self.create(id, bytes)
        } else {
            self.write(id, offset, bytes, sync)
        };
        result.map_err(|error| fault("write", &self.path(id), &error))
    }

    fn read(
        &mut self,
        id: SegmentId,
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

    fn delete(&mut self, id: SegmentId) -> Result<(), StorageFault> {
        self.written.remove(&id);
        self.reading.take_if(|(open, _)| *open == id);
        let gone = if self.unreadable.remove(&id) {
            self.set_aside(id)
        } else {
            files::remove_if_there(&self.path(id))
        };
        gone.and_then(|()| files::sync_dir(&self.wal))
            .map_err(|error| fault("delete", &self.path(id), &error))
    }

    fn quarantine(&mut self, id: SegmentId, offset: u64, length: u64) -> Result<(), StorageFault> {
        let name = format!("{:016x}-{offset:x}.bin", id.0);
        let path = self.quarantine.join(name);
        self.copy_range(id, offset, length, &path)
            .map_err(|error| fault("write", &path, &error))
    }
}

/// The number in the name of a segment.
pub(crate) fn segment_of(name: &str) -> Option<SegmentId> {
    let id = u64::from_str_radix(name.strip_suffix(".wal")?, 16).ok()?;
    (format!("{id:016x}.wal") == name).then_some(SegmentId(id))
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
