//! The log of one database in files: `wal/0000000000000001.wal` and so on, numbers in
//! hexadecimal, so that names sort as segments do.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_core::engine::SegmentInfo;
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::SegmentId;
use tidegate_core::storage::Storage;

use super::faults::{Trouble, classify, fault, is_damage, trouble};
use super::files;
use super::quarantine;
use super::reserve::Reserve;
use crate::log::log;

/// Written segments that stay open; a closed segment may still be sealed by a late write.
const OPEN_MAX: usize = 4;
/// What must fit for a full disk to count as no longer full.
const PROBE_BYTES: usize = 1 << 20;

/// The files of one database's log, during one life of its engine.
#[derive(Debug)]
pub(crate) struct FileStorage {
    wal: PathBuf,
    quarantine: PathBuf,
    /// Segments created in this life; no other is ever written to.
    written: BTreeMap<SegmentId, Segment>,
    /// Segments of this life that must not be touched again, and their durable ends.
    broken: BTreeMap<SegmentId, u64>,
    reading: Option<(SegmentId, File)>,
    reserve: Arc<Reserve>,
    trouble: String,
}

#[derive(Debug)]
struct Segment {
    file: File,
    /// A write or sync of it failed: what the system holds of it is unknown, and a later sync
    /// would succeed without having written it.
    failed: bool,
    /// Up to here it is durable.
    durable_end: u64,
}

impl FileStorage {
    /// The log in the directory of a database. On a full disk the reserve is given back.
    pub(crate) fn new(database: &Path, reserve: Arc<Reserve>) -> Self {
        Self {
            wal: database.join("wal"),
            quarantine: database.join("quarantine"),
            written: BTreeMap::new(),
            broken: BTreeMap::new(),
            reading: None,
            reserve,
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

    /// Where those segments end, as far as is known to be durable, that this life failed to write
    /// to: what is behind may be what the system has in memory and not on disk.
    pub(crate) fn broken(&self) -> &BTreeMap<SegmentId, u64> {
        &self.broken
    }

    fn put(&mut self, id: SegmentId, offset: u64, bytes: &[u8], sync: bool) -> Result<(), Trouble> {
        if offset == 0 {
            self.create(id, bytes)
        } else {
            self.write(id, offset, bytes, sync)
        }
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

    fn create(&mut self, id: SegmentId, bytes: &[u8]) -> Result<(), Trouble> {
        let path = self.path(id);
        let file = files::create_new(&path).map_err(Trouble::Write)?;
        let made = file.write_all_at(bytes, 0).and_then(|()| file.sync_data());
        if let Err(error) = made {
            // Nothing in it was ever acknowledged, and it takes space that may be what is
            // missing. Without the file, a sync that failed leaves nothing behind.
            let removed = files::remove_if_there(&path);
            return Err(removed.map_or_else(Trouble::Sync, |()| Trouble::Write(error)));
        }
        files::sync_dir(&self.wal).map_err(Trouble::Sync)?;
        let segment = Segment {
            file,
            failed: false,
            durable_end: bytes.len() as u64,
        };
        self.written.insert(id, segment);
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
    ) -> Result<(), Trouble> {
        let refuse = |text: &str| Err(Trouble::Sync(io::Error::other(text)));
        let Some(segment) = self.written.get_mut(&id) else {
            return refuse("the segment was not created in this life");
        };
        if segment.failed {
            return refuse("a sync of it failed before, it is not touched again");
        }
        // Short and interrupted writes are repeated in there.
        let mut done = segment
            .file
            .write_all_at(bytes, offset)
            .map_err(Trouble::Write);
        if done.is_ok() && sync {
            done = segment.file.sync_data().map_err(Trouble::Sync);
        }
        match &done {
            Ok(()) if sync => segment.durable_end = offset + bytes.len() as u64,
            // A write that found no space may be repeated: the same bytes at the same place.
            Ok(()) => {}
            Err(Trouble::Write(error)) if classify(error) == StorageFault::NoSpace => {}
            Err(_) => {
                segment.failed = true;
                self.broken.insert(id, segment.durable_end);
            }
        }
        done
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
        if !quarantine::has_room(&self.quarantine, to, length)? {
            log!("not copying {length} bytes to {}", to.display());
            return Ok(());
        }
        let mut bytes = Vec::new();
        self.read_into(id, offset, usize::try_from(length).unwrap_or(0), &mut bytes)?;
        quarantine::keep(to, &bytes)
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
        let mut result = self.put(id, offset, bytes, sync);
        if let Err(trouble) = &result
            && trouble.is_full_disk()
        {
            self.reserve.release();
            if matches!(trouble, Trouble::Write(_)) {
                result = self.put(id, offset, bytes, sync);
            }
        }
        result.map_err(|trouble| trouble.tell(&self.path(id)))
    }

    fn read(
        &mut self,
        id: SegmentId,
        offset: u64,
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), StorageFault> {
        self.read_into(id, offset, length, out).map_err(|error| {
            self.trouble = trouble("read", &self.path(id), &error);
            if is_damage(&error) {
                log!("{}", self.trouble);
                StorageFault::Unreadable
            } else {
                classify(&error)
            }
        })
    }

    fn delete(&mut self, id: SegmentId) -> Result<(), StorageFault> {
        self.written.remove(&id);
        self.reading.take_if(|(open, _)| *open == id);
        files::remove_if_there(&self.path(id))
            .and_then(|()| files::sync_dir(&self.wal))
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

#[cfg(test)]
mod tests;
