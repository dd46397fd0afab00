//! `recovery.json`: what opening a database found, for machines to read.

use std::fmt::Write;
use std::io;
use std::path::Path;

use tidegate_core::engine::{Damage, RecoveryReport};
use tidegate_core::ids::FileId;

use super::files;

/// Writes the report beside the log, replacing an older one.
pub(crate) fn write_report(database: &Path, report: &RecoveryReport, at_ns: i64) -> io::Result<()> {
    files::write_whole(&database.join("recovery.json"), &to_json(report, at_ns))
}

/// Numbers only, so no string needs escaping.
fn to_json(report: &RecoveryReport, at_ns: i64) -> String {
    let mut json = format!(
        "{{\n  \"time_ns\": {at_ns},\n  \"segments\": {},\n  \"records\": {},\n  \"points\": {},\n  \
         \"points_relogged\": {},\n  \"torn_bytes\": {},\n  \"damage\": [",
        report.segments, report.records, report.points, report.points_relogged, report.torn_bytes
    );
    for (index, damage) in report.damage.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let points = damage
            .points
            .map_or_else(|| "null".to_owned(), |points| points.to_string());
        let (kind, number) = match damage.file {
            FileId::Segment(id) => ("segment", id.0),
            FileId::Blob(id) => ("snapshot", id.0),
        };
        let _ = write!(
            json,
            "{comma}\n    {{\"{kind}\": {number}, \"offset\": {}, \"length\": {}, \"first_lsn\": {}, \
             \"last_lsn\": {}, \"points\": {points}}}",
            damage.offset, damage.length, damage.first, damage.last
        );
    }
    json.push_str(if report.damage.is_empty() {
        "]\n}\n"
    } else {
        "\n  ]\n}\n"
    });
    json
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

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_core::ids::{Lsn, SegmentId};

    #[test]
    fn every_damage_is_listed_and_an_unknown_count_is_null() {
        let damage = |points| Damage {
            file: FileId::Segment(SegmentId(1)),
            offset: 4096,
            length: 40,
            first: Lsn(2),
            last: Lsn(3),
            points,
        };
        let report = RecoveryReport {
            damage: vec![damage(Some(5)), damage(None)],
            ..RecoveryReport::default()
        };
        let json = to_json(&report, 7);
        assert!(json.contains("\"points\": 5},\n"), "{json}");
        assert!(json.contains("\"points\": null}\n  ]"), "{json}");
        assert!(to_json(&RecoveryReport::default(), 0).ends_with("\"damage\": []\n}\n"));
    }
}
