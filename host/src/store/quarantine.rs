//! Copies of damaged ranges, for a person to look at.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::files;

/// Copied until this many bytes lie there; a failing disk must not fill itself.
const BYTES_MAX: u64 = 256 << 20;

/// Whether a copy of `length` bytes to `to` in `directory` is still to be made.
pub(super) fn has_room(directory: &Path, to: &Path, length: u64) -> io::Result<bool> {
    let mut held = length;
    for entry in std::fs::read_dir(directory)? {
        held = held.saturating_add(entry?.metadata()?.len());
    }
    Ok(!to.exists() && held <= BYTES_MAX)
}

/// Makes one, durably.
pub(super) fn keep(to: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = files::create_new(to)?;
    file.write_all_at(bytes, 0)?;
    file.sync_all()?;
    files::sync_parent(to)
}
