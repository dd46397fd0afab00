//! Space kept for the moment when a disk is full: a file that holds nothing, given back to the
//! disk so that what was accepted can still be made durable. While it is missing, new writes are
//! refused; once there is space for it again, it is made anew.
//!
//! One for a data directory. Its size bounds what may be accepted and not yet written.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, fallocate, fstatvfs};

use super::files;
use crate::log::log;

const NAME: &str = "reserve";
/// Of a small file system, no more than this part is kept.
const PART_MAX: u64 = 8;
/// Left free beside a reserve that is made anew, so that the next write does not take it back.
const SLACK_BYTES: u64 = 1 << 20;
/// Between two attempts to make it anew.
const EVERY: Duration = Duration::from_secs(1);
/// For so long what is given back is for the log alone.
const FIRST_COME: Duration = Duration::from_secs(2);
const CHUNK_BYTES: usize = 1 << 20;

/// The reserve of a data directory.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    /// 0: there is none, and nobody misses it.
    bytes: u64,
    is_held: AtomicBool,
    /// When it was last tried to make it anew; held while files are touched.
    tried: Mutex<Option<Instant>>,
    released: Mutex<Option<Instant>>,
}

impl Reserve {
    /// No reserve.
    pub(crate) fn off() -> Self {
        Self {
            path: PathBuf::new(),
            bytes: 0,
            is_held: AtomicBool::new(false),
            tried: Mutex::new(None),
            released: Mutex::new(None),
        }
    }

    /// The reserve of `directory`, of `wanted` bytes, which is made if it is not there. That
    /// there is no space for it is no error: writes are refused then.
    pub(crate) fn open(directory: &Path, wanted: u64) -> io::Result<Self> {
        let path = directory.join(NAME);
        if wanted == 0 {
            files::remove_if_there(&path)?;
            return Ok(Self::off());
        }
        let disk = fstatvfs(File::open(directory)?)?;
        let bytes = wanted.min(disk.f_blocks * disk.f_frsize / PART_MAX);
        let (reserved, whole) = (mib(bytes), mib(wanted));
        if bytes < wanted {
            log!(
                "keeping {reserved} MiB in reserve instead of {whole} MiB: the disk is small; \
                 [data] space-reserve-size sets it"
            );
        }
        let this = Self {
            path,
            bytes,
            is_held: AtomicBool::new(false),
            tried: Mutex::new(None),
            released: Mutex::new(None),
        };
        if !this.restore() {
            log!(
                "no space to keep {reserved} MiB in reserve: writes are refused until there is; \
                 [data] space-reserve-size sets it, 0 switches it off"
            );
        }
        Ok(this)
    }

    /// Its size; 0 if there is none.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it was given back and could not be made anew: nothing more may be accepted.
    pub(crate) fn is_missing(&self) -> bool {
        self.bytes > 0 && !self.is_held.load(Ordering::Acquire)
    }

    /// Whether it was given back a moment ago, and what is accepted may not be written yet.
    pub(crate) fn is_just_released(&self) -> bool {
        let released = *self.released.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_missing() && released.is_some_and(|released| released.elapsed() < FIRST_COME)
    }

    /// Gives it back to the disk, for what is accepted already.
    pub(crate) fn release(&self) {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if self.bytes == 0 || !self.is_held.swap(false, Ordering::AcqRel) {
            return;
        }
        let now = Some(Instant::now());
        *tried = now;
        *self.released.lock().unwrap_or_else(PoisonError::into_inner) = now;
        match self.give_back() {
            Ok(()) => log!(
                "the disk is full: {} MiB kept in reserve are given back, writes are refused \
                 until there is space for it again",
                mib(self.bytes)
            ),
            Err(error) => log!("cannot give back {}: {error}", self.path.display()),
        }
    }

    /// Makes it anew if it is missing and there is space; whether there is one now.
    pub(crate) fn restore(&self) -> bool {
        if !self.is_missing() {
            return true;
        }
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_missing() {
            return true;
        }
        if tried.is_some_and(|tried| tried.elapsed() < EVERY) {
            return false;
        }
        let is_again = tried.replace(Instant::now()).is_some();
        if let Err(error) = self.make() {
            let is_usual = error.kind() == io::ErrorKind::StorageFull;
            if !is_usual {
                log!("cannot make {}: {error}", self.path.display());
            }
            // What there is of it is of no use, and takes space.
            let _ = files::remove_if_there(&self.path);
            return false;
        }
        self.is_held.store(true, Ordering::Release);
        if is_again {
            log!("there is space again: writes are taken");
        }
        true
    }

    /// Truncated first: that gives the space back whoever has the file open. Synced, since some
    /// file systems give it back only then.
    fn give_back(&self) -> io::Result<()> {
        let file = files::open_or_create(&self.path)?;
        file.set_len(0)?;
        file.sync_all()?;
        files::remove_if_there(&self.path)
    }

    fn make(&self) -> io::Result<()> {
        let file = files::open_or_create(&self.path)?;
        if is_backed(&file, self.bytes)? {
            return Ok(());
        }
        file.set_len(0)?;
        let disk = fstatvfs(&file)?;
        if disk.f_bavail * disk.f_frsize < self.bytes + SLACK_BYTES {
            return Err(io::ErrorKind::StorageFull.into());
        }
        // Blocks that are set aside so are as good as written ones. Not every file system can.
        if fallocate(&file, FallocateFlags::empty(), 0, self.bytes).is_err() {
            fill(&file, self.bytes)?;
        }
        file.sync_all()?;
        if !is_backed(&file, self.bytes)? {
            log!(
                "{} takes no space on this file system: a full disk will cost what is accepted \
                 and not yet durable",
                self.path.display()
            );
        }
        files::sync_parent(&self.path)
    }
}

/// Whether the file has its length and blocks for all of it.
fn is_backed(file: &File, bytes: u64) -> io::Result<bool> {
    let metadata = file.metadata()?;
    Ok(metadata.len() == bytes && metadata.blocks() * 512 >= bytes)
}

fn fill(file: &File, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; CHUNK_BYTES];
    let mut at = 0;
    while at < bytes {
        let length = zeros
            .len()
            .min(usize::try_from(bytes - at).unwrap_or(usize::MAX));
        file.write_all_at(&zeros[..length], at)?;
        at += length as u64;
    }
    Ok(())
}

fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    fn blocks(path: &Path) -> u64 {
        path.metadata().expect("there").blocks() * 512
    }

    #[test]
    fn it_takes_real_space_until_it_is_given_back_and_comes_again() {
        let temp = TempDir::new();
        let path = temp.path().join("reserve");
        let reserve = Reserve::open(temp.path(), 3 << 20).expect("opened");
        assert!(!reserve.is_missing());
        assert!(blocks(&path) >= 3 << 20);
        reserve.release();
        assert!(reserve.is_missing() && !path.exists());
        assert!(
            !reserve.restore(),
            "not at once: what is accepted comes first"
        );
        std::thread::sleep(EVERY);
        assert!(reserve.restore() && !reserve.is_missing());
        assert!(blocks(&path) >= 3 << 20);
    }

    #[test]
    fn one_that_is_there_is_kept_and_another_size_is_made_anew() {
        let temp = TempDir::new();
        let path = temp.path().join("reserve");
        drop(Reserve::open(temp.path(), 1 << 20).expect("opened"));
        let first = path.metadata().expect("there").mtime_nsec();
        drop(Reserve::open(temp.path(), 1 << 20).expect("opened"));
        assert_eq!(path.metadata().expect("there").mtime_nsec(), first);
        drop(Reserve::open(temp.path(), 2 << 20).expect("opened"));
        assert_eq!(path.metadata().expect("there").len(), 2 << 20);
        // One that only looks like one.
        File::create(&path)
            .and_then(|file| file.set_len(2 << 20))
            .expect("sparse");
        drop(Reserve::open(temp.path(), 2 << 20).expect("opened"));
        assert!(blocks(&path) >= 2 << 20);
        let off = Reserve::open(temp.path(), 0).expect("opened");
        assert!(!path.exists() && !off.is_missing());
        off.release();
        assert!(!off.is_missing());
    }

    #[test]
    fn zeros_stand_in_where_blocks_cannot_be_set_aside() {
        let temp = TempDir::new();
        let path = temp.path().join("zeros");
        let file = files::create_new(&path).expect("created");
        fill(&file, (1 << 20) + 5).expect("filled");
        assert!(is_backed(&file, (1 << 20) + 5).expect("known"));
    }
}
