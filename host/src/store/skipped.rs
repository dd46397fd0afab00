//! Records that opening leaves out, since they ended the engine each time they were applied: the
//! file `skipped` in the directory of a database. A person may remove it to have them tried again.
//!
//! ```text
//! segment 0000000000000002 lsn 17
//! ```

use std::io::{self, ErrorKind};
use std::path::Path;

use tidegate_core::ids::{Lsn, SegmentId};

use super::files;

const NAME: &str = "skipped";

/// The records to leave out.
pub(crate) fn read_skipped(database: &Path) -> io::Result<Vec<(SegmentId, Lsn)>> {
    let text = match files::read_small(&database.join(NAME)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // A line that says nothing is no reason to keep the database closed.
    Ok(text.lines().filter_map(parse).collect())
}

/// Adds one, durably.
pub(crate) fn add_skipped(database: &Path, record: (SegmentId, Lsn)) -> io::Result<()> {
    let mut records = read_skipped(database)?;
    records.push(record);
    let line =
        |(segment, lsn): &(SegmentId, Lsn)| format!("segment {:016x} lsn {lsn}\n", segment.0);
    let text: String = records.iter().map(line).collect();
    files::write_whole(&database.join(NAME), &text)
}

fn parse(line: &str) -> Option<(SegmentId, Lsn)> {
    let (segment, lsn) = line.strip_prefix("segment ")?.split_once(" lsn ")?;
    let segment = u64::from_str_radix(segment, 16).ok()?;
    Some((SegmentId(segment), Lsn(lsn.trim().parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    #[test]
    fn records_add_up_and_lines_of_others_are_ignored() {
        let temp = TempDir::new();
        let (one, two) = ((SegmentId(0x1f), Lsn(7)), (SegmentId(2), Lsn(u64::MAX)));
        assert_eq!(read_skipped(temp.path()).expect("none"), []);
        add_skipped(temp.path(), one).expect("added");
        add_skipped(temp.path(), two).expect("added");
        assert_eq!(read_skipped(temp.path()).expect("read"), [one, two]);
        std::fs::write(temp.path().join(NAME), "what\nsegment 1f lsn 7\n").expect("written");
        assert_eq!(read_skipped(temp.path()).expect("read"), [one]);
    }
}
