//! `recovery.json`: what opening a database found, for machines to read.

use std::io;
use std::path::Path;

use tidegate_core::engine::{Damage, RecoveryReport};
use tidegate_core::ids::FileId;

use super::files;

/// Writes the report beside the log, replacing an older one.
pub(crate) fn write_report(database: &Path, report: &RecoveryReport, at_ns: i64) -> io::Result<()> {
    files::write_whole(&database.join("recovery.json"), report.to_json(at_ns))
}

/// A damaged range for a person: `segment 0000000000000002 at 12288, 64 bytes, LSN 5 to 5, 1
/// points`.
pub(crate) fn damage_text(damage: &Damage) -> String {
    let Damage {
        file,
        offset,
        length,
        first,
        last,
        points,
    } = damage;
    let points = points_text(*points);
    let (file, numbers) = (file_text(*file), numbers_text(*file));
    format!("{file} at {offset}, {length} bytes, {numbers} {first} to {last}, {points}")
}

/// How a person finds a file: by what it is and by its name.
pub(crate) fn file_text(file: FileId) -> String {
    match file {
        FileId::Segment(id) => format!("segment {:016x}", id.0),
        FileId::Blob(id) => format!("snapshot {:016x}", id.0),
    }
}

/// What numbers its frames.
const fn numbers_text(file: FileId) -> &'static str {
    match file {
        FileId::Segment(_) => "LSN",
        FileId::Blob(_) => "frames",
    }
}

/// How many points; the same words wherever nothing tells it.
pub(crate) fn points_text(points: Option<u64>) -> String {
    match points {
        Some(points) => format!("{points} points"),
        None => "an unknown number of points".to_owned(),
    }
}

/// The points of all ranges together.
pub(crate) fn lost_text(damage: &[Damage]) -> String {
    let known: u64 = damage.iter().filter_map(|damage| damage.points).sum();
    let is_known = damage.iter().all(|damage| damage.points.is_some());
    match (is_known, known) {
        (true, known) => points_text(Some(known)),
        (false, 0) => points_text(None),
        (false, known) => format!("{known} points and an unknown number more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_core::ids::{Lsn, SegmentId};

    #[test]
    fn an_unknown_count_is_never_shown_as_a_number() {
        let damage = |points| Damage {
            file: FileId::Segment(SegmentId(10)),
            offset: 8,
            length: 64,
            first: Lsn(5),
            last: Lsn(6),
            points,
        };
        let text = |counts: &[Option<u64>]| {
            lost_text(
                &counts
                    .iter()
                    .map(|&points| damage(points))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(text(&[]), "0 points");
        assert_eq!(text(&[Some(2), Some(3)]), "5 points");
        assert_eq!(text(&[None, Some(0)]), "an unknown number of points");
        assert_eq!(
            text(&[Some(2), None]),
            "2 points and an unknown number more"
        );
        assert_eq!(
            damage_text(&damage(None)),
            "segment 000000000000000a at 8, 64 bytes, LSN 5 to 6, an unknown number of points"
        );
    }
}
