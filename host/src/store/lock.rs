//! One process per data directory: servers of ours hold a lock on `DIR/lock`, servers under Node,
//! which has no such locks, a file `DIR/lock.node` that names them.
//!
//! Each takes its own first and looks for the other's then, so of two that start at once at least
//! one sees the other.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::files;
use super::lock_node::{self, NodeLock};
use crate::failure::Failure;
use crate::log::log;

const NAME: &str = "lock";

/// Held for the life of the process; the system lets go of it however the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `dir`, or says who has it.
    pub(crate) fn take(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(NAME);
        let mut file =
            files::open_or_create(&path).map_err(|error| Failure::io("open", &path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(in_use(dir, &owner(&mut file), &path));
            }
            Err(TryLockError::Error(error)) => return Err(Failure::io("lock", &path, &error)),
        }
        match lock_node::find(dir) {
            NodeLock::Free => {}
            NodeLock::Held(owner, path) => return Err(in_use(dir, &owner, &path)),
            NodeLock::Stale(path) => {
                // Whoever takes it over at this moment sees that we hold ours, and gives up.
                log!("removing {}: its owner is gone", path.display());
                files::remove_if_there(&path)
                    .map_err(|error| Failure::io("remove", &path, &error))?;
            }
        }
        // The number is only there for the message above.
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(|error| Failure::io("write", &path, &error))?;
        Ok(Self { _file: file })
    }
}

/// Who uses the data directory that `path` is or lies in, if anybody does. Changes nothing.
pub(crate) fn lock_holder(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    // A database is two levels below its data directory, its segments three.
    let mut candidates = path.ancestors().take(4);
    let dir = candidates.find(|dir| dir.join("TIDEGATE").exists() || dir.join(NAME).exists())?;
    if let NodeLock::Held(owner, _) = lock_node::find(dir) {
        return Some(owner);
    }
    let mut file = files::open_read(&dir.join(NAME)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(owner(&mut file)),
        _ => None,
    }
}

fn owner(file: &mut File) -> String {
    let mut owner = String::new();
    let _ = file.take(32).read_to_string(&mut owner);
    match owner.trim().parse::<u32>() {
        Ok(pid) => format!("process {pid}"),
        Err(_) => "another process".to_owned(),
    }
}

fn in_use(dir: &Path, owner: &str, path: &PathBuf) -> Failure {
    Failure::world(format!(
        "{} is in use by {owner}, which holds {}; stop it, or choose another directory with --data",
        dir.display(),
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    #[test]
    fn who_holds_a_directory_is_told_from_everywhere_in_it() {
        let temp = TempDir::new();
        let wal = temp.path().join("databases/000001/wal");
        std::fs::create_dir_all(&wal).expect("created");
        assert_eq!(lock_holder(temp.path()), None);
        let held = Lock::take(temp.path()).expect("free");
        let us = Some(format!("process {}", std::process::id()));
        for path in [temp.path(), &wal, wal.parent().expect("a parent")] {
            assert_eq!(lock_holder(path), us, "{}", path.display());
        }
        drop(held);
        assert_eq!(lock_holder(&wal), None);
    }
}
