//! Blobs: written under a temporary name, there with their last part.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tidegate_core::ids::{BlobId, FileId};

use super::super::files;
use super::names;

/// The directory of blobs, and the one that is being written.
#[derive(Debug)]
pub(super) struct Blobs {
    dir: PathBuf,
    under_way: Option<(BlobId, File)>,
}

impl Blobs {
    /// Of a database. The directory is made with the first blob.
    pub(super) fn new(database: &Path) -> Self {
        Self {
            dir: database.join("blobs"),
            under_way: None,
        }
    }

    pub(super) fn put(
        &mut self,
        blob: BlobId,
        offset: u64,
        bytes: &[u8],
        is_last: bool,
    ) -> io::Result<()> {
        let file = match self.under_way.take_if(|(open, _)| *open == blob) {
            Some((_, file)) => file,
            None => self.begin(blob)?,
        };
        file.write_all_at(bytes, offset)?;
        // Part by part, so that no sync is long: the log waits for it.
        file.sync_data()?;
        if !is_last {
            self.under_way = Some((blob, file));
            return Ok(());
        }
        file.sync_all()?;
        let name = names::name(FileId::Blob(blob));
        std::fs::rename(self.part(blob), self.dir.join(name))?;
        files::sync_dir(&self.dir)
    }

    /// Creates the file of a blob, and clears away what an earlier run left unfinished.
    fn begin(&mut self, blob: BlobId) -> io::Result<File> {
        if !self.dir.is_dir() {
            files::create_dir(&self.dir)?;
            files::sync_parent(&self.dir)?;
        }
        for entry in std::fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|kind| kind == "part") {
                files::remove_if_there(&path)?;
            }
        }
        files::create_new(&self.part(blob))
    }

    /// Removes a blob, whole or not.
    pub(super) fn delete(&mut self, blob: BlobId) -> io::Result<()> {
        self.under_way.take_if(|(open, _)| *open == blob);
        if !self.dir.is_dir() {
            return Ok(());
        }
        files::remove_if_there(&self.part(blob))?;
        files::remove_if_there(&self.dir.join(names::name(FileId::Blob(blob))))?;
        files::sync_dir(&self.dir)
    }

    fn part(&self, blob: BlobId) -> PathBuf {
        self.dir.join(names::part_name(blob))
    }
}
