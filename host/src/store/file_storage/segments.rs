//! The segments that this life writes: each is created, appended to, and never touched again once
//! a write or a sync of it failed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{FileId, SegmentId};

use super::super::faults::{Trouble, classify};
use super::super::files;
use super::names::name;

/// Written segments that stay open; a closed segment may still be sealed by a late write.
const OPEN_MAX: usize = 4;
/// Zeros are written so far ahead of small writes: a sync after which the file is no longer than
/// before has only the data to write.
const AHEAD_BYTES: usize = 64 << 10;
/// Writes from this size on need no such help.
const SMALL_BYTES: usize = 16 << 10;

/// Writes `wal/0000000000000001.wal` and so on.
#[derive(Debug)]
pub(super) struct Segments {
    wal: PathBuf,
    /// Where the blobs are that the first segment of this life relies on, until their names are
    /// durable: an earlier life may have failed to sync them.
    blobs: Option<PathBuf>,
    /// Segments created in this life; no other is ever written to.
    written: BTreeMap<SegmentId, Segment>,
    /// Segments of this life that must not be touched again, and their durable ends.
    broken: BTreeMap<SegmentId, u64>,
}

#[derive(Debug)]
struct Segment {
    file: File,
    /// Of the file, zeros ahead included.
    length: u64,
    /// A write or sync of it failed: what the system holds of it is unknown, and a later sync
    /// would succeed without having written it.
    failed: bool,
    /// Up to here it is durable.
    durable_end: u64,
}

impl Segment {
    /// Makes room for the next small writes, after one of `size` bytes up to `end`.
    fn go_ahead(&mut self, end: u64, size: usize) {
        if end <= self.length {
            return;
        }
        self.length = end;
        // Without room ahead the next writes are only slower.
        if size < SMALL_BYTES && self.file.write_all_at(&[0; AHEAD_BYTES], end).is_ok() {
            self.length = end + AHEAD_BYTES as u64;
        }
    }
}

impl Segments {
    pub(super) fn new(database: &Path) -> Self {
        Self {
            wal: database.join("wal"),
            blobs: Some(database.join("blobs")),
            written: BTreeMap::new(),
            broken: BTreeMap::new(),
        }
    }

    /// Where those segments end, as far as is known to be durable, that this life failed to write
    /// to.
    pub(super) const fn broken(&self) -> &BTreeMap<SegmentId, u64> {
        &self.broken
    }

    /// Puts bytes at an offset of a segment, which is created by a write at 0; calls `written`
    /// between write and sync.
    pub(super) fn put(
        &mut self,
        id: SegmentId,
        offset: u64,
        bytes: &[u8],
        sync: bool,
        written: &mut impl FnMut(),
    ) -> Result<(), Trouble> {
        if offset == 0 {
            self.create(id, bytes, written)
        } else {
            self.write(id, offset, bytes, sync, written)
        }
    }

    pub(super) fn delete(&mut self, id: SegmentId) -> io::Result<()> {
        self.written.remove(&id);
        files::remove_if_there(&self.path(id))?;
        files::sync_dir(&self.wal)
    }

    fn create(
        &mut self,
        id: SegmentId,
        bytes: &[u8],
        written: &mut impl FnMut(),
    ) -> Result<(), Trouble> {
        self.sync_blobs().map_err(Trouble::Sync)?;
        let path = self.path(id);
        let file = files::create_new(&path).map_err(Trouble::Write)?;
        if let Err(error) = file.write_all_at(bytes, 0) {
            // Nothing in it was ever acknowledged, and it takes space that may be what is missing.
            let _ = files::remove_if_there(&path);
            return Err(Trouble::Write(error));
        }
        written();
        if let Err(error) = sync_data(&file, &self.wal) {
            // It may hold what was acknowledged as written, and the system may still have that;
            // what found no space is in memory, and is written again under the same name.
            let is_gone =
                classify(&error) == StorageFault::NoSpace && files::remove_if_there(&path).is_ok();
            if is_gone {
                return Err(Trouble::Write(error));
            }
            self.broken.insert(id, 0);
            return Err(Trouble::Sync(error));
        }
        if let Err(error) = files::sync_dir(&self.wal) {
            self.broken.insert(id, 0);
            return Err(Trouble::Sync(error));
        }
        let segment = Segment {
            file,
            length: bytes.len() as u64,
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
        written: &mut impl FnMut(),
    ) -> Result<(), Trouble> {
        let refuse = |text: &str| Err(Trouble::Sync(io::Error::other(text)));
        let Some(segment) = self.written.get_mut(&id) else {
            return refuse("the segment was not created in this life");
        };
        if segment.failed {
            return refuse("a sync of it failed before, it is not touched again");
        }
        // Short and interrupted writes are repeated in there.
        let put = segment.file.write_all_at(bytes, offset);
        let mut done = put.map_err(Trouble::Write);
        if done.is_ok() {
            written();
            segment.go_ahead(offset + bytes.len() as u64, bytes.len());
            if sync {
                done = sync_data(&segment.file, &self.wal).map_err(Trouble::Sync);
            }
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

    fn sync_blobs(&mut self) -> io::Result<()> {
        if let Some(blobs) = self.blobs.as_ref().filter(|blobs| blobs.is_dir()) {
            files::sync_dir(blobs)?;
            files::sync_parent(blobs)?;
        }
        self.blobs = None;
        Ok(())
    }

    fn path(&self, id: SegmentId) -> PathBuf {
        self.wal.join(name(FileId::Segment(id)))
    }
}

/// Syncs. While there is `held-sync` beside the log, tests have it take its time, and while there
/// is `broken-sync`, fail.
fn sync_data(file: &File, _wal: &Path) -> io::Result<()> {
    #[cfg(test)]
    {
        while _wal.with_file_name("held-sync").exists() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        if _wal.with_file_name("broken-sync").exists() {
            return Err(rustix::io::Errno::IO.into());
        }
    }
    file.sync_data()
}
