//! What errors of the system mean to a log.

use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::io::Errno;
use tidegate_core::fault::StorageFault;

use crate::log::log;

/// Why something could not be persisted.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nothing is known to be wrong with what was written before: it may be tried again.
    Write(io::Error),
    /// A sync failed: what the system holds of the segment is unknown.
    Sync(io::Error),
}

impl Trouble {
    /// Says so, and gives it its name.
    pub(super) fn tell(&self, path: &Path) -> StorageFault {
        match self {
            Self::Write(error) => fault("write", path, error),
            Self::Sync(error) => {
                fault("sync", path, error);
                // Whatever it was: trying again could succeed without having written anything.
                StorageFault::Io
            }
        }
    }

    /// Whether the disk has no space left, or the user may take no more of it.
    pub(super) fn is_full_disk(&self) -> bool {
        let (Self::Write(error) | Self::Sync(error)) = self;
        matches!(
            error.kind(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded
        )
    }
}

/// Logs an error and gives it its name.
pub(super) fn fault(verb: &str, path: &Path, error: &io::Error) -> StorageFault {
    log!("cannot {verb} {}: {error}", path.display());
    classify(error)
}

/// Whether the medium lost the bytes. Anything else that stops a read (descriptors, permissions,
/// a file that went away) says nothing about the log, and must not be taken for damage of it.
pub(super) fn is_damage(error: &io::Error) -> bool {
    // The last two are what file systems with checksums answer.
    is_any(error, &[Errno::IO, Errno::BADMSG, Errno::UCLEAN])
}

/// What could not be read, and what to do.
pub(super) fn trouble(verb: &str, path: &Path, error: &io::Error) -> String {
    let remedy = match error.kind() {
        ErrorKind::PermissionDenied => "give the user of the server access to it",
        ErrorKind::NotFound => "put it back; nothing else may change files of a running server",
        _ if is_damage(error) => "check the disk",
        _ if is_any(error, &TOO_MANY_FILES) => "raise the limit of open files (ulimit -n)",
        _ => "nothing was changed; it is tried again",
    };
    format!("cannot {verb} {}: {error}; {remedy}", path.display())
}

/// What clears by itself when space or descriptors come back is `NoSpace`.
pub(super) fn classify(error: &io::Error) -> StorageFault {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            StorageFault::NoSpace
        }
        ErrorKind::AlreadyExists => StorageFault::Fenced,
        _ if is_any(error, &TOO_MANY_FILES) => StorageFault::NoSpace,
        _ => StorageFault::Io,
    }
}

const TOO_MANY_FILES: [Errno; 2] = [Errno::MFILE, Errno::NFILE];

fn is_any(error: &io::Error, codes: &[Errno]) -> bool {
    let raw = error.raw_os_error();
    raw.is_some_and(|raw| codes.iter().any(|code| code.raw_os_error() == raw))
}
