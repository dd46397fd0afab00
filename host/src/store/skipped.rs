//! Records that opening leaves out, since they ended the engine each time they were applied: the
//! file `skipped` in the directory of a database. A person may remove it to have them tried again.
//!
//! ```text
//! segment 0000000000000002 lsn 17
//! snapshot 0000000000000001 lsn 3
//! ```

use std::io::{self, ErrorKind};
use std::path::Path;

use tidegate_core::ids::{BlobId, FileId, Lsn, SegmentId};

use super::files;
use super::report::file_text;

const NAME: &str = "skipped";

/// The records to leave out.
pub(crate) fn read_skipped(database: &Path) -> io::Result<Vec<(FileId, Lsn)>> {
    let text = match files::read_small(&database.join(NAME)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // A line that says nothing is no reason to keep the database closed.
    Ok(text.lines().filter_map(parse).collect())
}

/// Adds one, durably.
pub(crate) fn add_skipped(database: &Path, record: (FileId, Lsn)) -> io::Result<()> {
    let mut records = read_skipped(database)?;
    records.push(record);
    let line = |(file, lsn): &(FileId, Lsn)| format!("{} lsn {lsn}\n", file_text(*file));
    let text: String = records.iter().map(line).collect();
    files::write_whole(&database.join(NAME), &text)
}

fn parse(line: &str) -> Option<(FileId, Lsn)> {
    let (file, lsn) = line.split_once(" lsn ")?;
    let (kind, number) = file.split_once(' ')?;
    let number = u64::from_str_radix(number, 16).ok()?;
    let file = match kind {
        "segment" => FileId::Segment(SegmentId(number)),
        "snapshot" => FileId::Blob(BlobId(number)),
        _ => return None,
    };
    Some((file, Lsn(lsn.trim().parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    #[test]
    fn records_add_up_and_lines_of_others_are_ignored() {
        let temp = TempDir::new();
        let one = (FileId::Segment(SegmentId(0x1f)), Lsn(7));
        let two = (FileId::Blob(BlobId(2)), Lsn(u64::MAX));
        assert_eq!(read_skipped(temp.path()).expect("none"), []);
        add_skipped(temp.path(), one).expect("added");
        add_skipped(temp.path(), two).expect("added");
        assert_eq!(read_skipped(temp.path()).expect("read"), [one, two]);
        std::fs::write(temp.path().join(NAME), "what\nsegment 1f lsn 7\n").expect("written");
        assert_eq!(read_skipped(temp.path()).expect("read"), [one]);
    }
}
