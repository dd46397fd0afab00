//! What opening a database found, told to people and to machines.

use std::time::Duration;

use tidegate_core::engine::RecoveryReport;

use super::instance::Database;
use super::now_ns;
use crate::log::log;
use crate::store::{damage_text, lost_text, write_report};

/// Says what opening found, and leaves `recovery.json` if that is anything but the log. Writes
/// and syncs a file.
pub(super) fn tell(database: &Database, report: &RecoveryReport, took: Duration) {
    let name = database.name();
    log!(
        "database {name:?} is open: {} segments, {} records, {} points in {} ms",
        report.segments,
        report.records,
        report.points,
        took.as_millis()
    );
    if !report.is_notable() {
        return;
    }
    log!(
        "database {name:?}: {}; see recovery.json and quarantine/ in {}",
        summary(report),
        database.dir.path().display()
    );
    if let Err(error) = write_report(&database.dir.path(), report, now_ns()) {
        log!("cannot write recovery.json: {error}");
    }
}

/// `2 damaged ranges with 5 points, 17 torn bytes (never acknowledged as durable)`
pub(super) fn summary(report: &RecoveryReport) -> String {
    let ranges = report.damage.len();
    let lost = lost_text(&report.damage);
    let torn = report.torn_bytes;
    format!(
        "{ranges} damaged ranges with {lost}, {torn} torn bytes (never acknowledged as durable)"
    )
}

/// A line for each damaged range.
pub(super) fn ranges(report: &RecoveryReport) -> impl Iterator<Item = String> {
    report.damage.iter().map(damage_text)
}
