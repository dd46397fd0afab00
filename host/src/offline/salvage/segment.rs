//! The files of a log, wherever they lie and whatever became of them.

use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tidegate_core::ids::FileId;

use crate::store::{file_of, open_read};

/// Read at a time; where that fails, page by page.
const CHUNK_BYTES: usize = 1 << 20;
const PAGE_BYTES: usize = 4096;

/// A file that bears the name of a segment or snapshot.
#[derive(Clone, Debug)]
pub(super) struct SegmentFile {
    pub path: PathBuf,
    pub named: FileId,
}

/// What a file holds.
pub(super) struct Contents {
    /// With zeros where it could not be read.
    pub bytes: Vec<u8>,
    /// Bytes that could not be read.
    pub unreadable: u64,
}

/// The segments or snapshots in a directory, in order of their names.
pub(super) fn list(directory: &Path) -> io::Result<Vec<SegmentFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
        if let Some(named) = file_of(&name).filter(|_| is_file) {
            files.push(SegmentFile { path, named });
        }
    }
    files.sort_by_key(|file| file.named);
    Ok(files)
}

/// Reads all that can be read of a file. An error is one of opening it.
pub(super) fn read(path: &Path) -> io::Result<Contents> {
    let file = open_read(path)?;
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut contents = Contents {
        bytes: vec![0; length],
        unreadable: 0,
    };
    for (index, chunk) in contents.bytes.chunks_mut(CHUNK_BYTES).enumerate() {
        let at = (index * CHUNK_BYTES) as u64;
        if read_full(&file, chunk, at).is_ok() {
            continue;
        }
        for (index, page) in chunk.chunks_mut(PAGE_BYTES).enumerate() {
            if read_full(&file, page, at + (index * PAGE_BYTES) as u64).is_err() {
                page.fill(0);
                contents.unreadable += page.len() as u64;
            }
        }
    }
    Ok(contents)
}

/// A file that became shorter meanwhile reads as zeros there.
fn read_full(file: &std::fs::File, mut out: &mut [u8], mut at: u64) -> io::Result<()> {
    while !out.is_empty() {
        match file.read_at(out, at) {
            Ok(0) => break,
            Ok(count) => {
                out = &mut out[count..];
                at += count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
