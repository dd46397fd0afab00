//! One process per data directory.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::files;
use crate::failure::Failure;

/// Held for the life of the process; the system lets go of it however the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `dir`, or says who has it.
    pub(crate) fn take(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("lock");
        let mut file =
            files::open_or_create(&path).map_err(|error| Failure::io("open", &path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(dir, &path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(Failure::io("lock", &path, &error)),
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

fn in_use(dir: &Path, path: &Path, file: &mut File) -> Failure {
    let mut owner = String::new();
    let _ = file.take(32).read_to_string(&mut owner);
    let owner = match owner.trim().parse::<u32>() {
        Ok(pid) => format!("process {pid}"),
        Err(_) => "another process".to_owned(),
    };
    Failure::world(format!(
        "{} is in use by {owner}, which holds {}; stop it, or choose another directory with --data",
        dir.display(),
        path.display()
    ))
}
