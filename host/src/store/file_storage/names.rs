//! Names of the files of a database: numbers in hexadecimal, so that names sort as numbers do.

use tidegate_core::ids::{BlobId, FileId, SegmentId};

/// The directory of a kind of file, within that of the database.
pub(super) const fn directory(file: FileId) -> &'static str {
    match file {
        FileId::Segment(_) => "wal",
        FileId::Blob(_) => "blobs",
    }
}

/// The name of a file in its directory.
pub(super) fn name(file: FileId) -> String {
    match file {
        FileId::Segment(id) => format!("{:016x}.wal", id.0),
        FileId::Blob(id) => format!("{:016x}.blob", id.0),
    }
}

/// The name of a blob while it is being written.
pub(super) fn part_name(blob: BlobId) -> String {
    format!("{:016x}.part", blob.0)
}

/// The name of a copy of a damaged range.
pub(super) fn copy_name(file: FileId, offset: u64) -> String {
    match file {
        FileId::Segment(id) => format!("{:016x}-{offset:x}.bin", id.0),
        FileId::Blob(id) => format!("blob-{:016x}-{offset:x}.bin", id.0),
    }
}

/// The file that a name stands for.
pub(crate) fn file_of(named: &str) -> Option<FileId> {
    let (number, kind) = named.split_once('.')?;
    let number = u64::from_str_radix(number, 16).ok()?;
    let file = match kind {
        "wal" => FileId::Segment(SegmentId(number)),
        "blob" => FileId::Blob(BlobId(number)),
        _ => return None,
    };
    (name(file) == named).then_some(file)
}
