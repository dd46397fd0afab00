//! What a salvage found, for a person and for a machine.

use std::fmt::Write as _;
use std::path::PathBuf;

use tidegate_core::http::json_string;
use tidegate_core::ids::FileId;

use crate::store::{file_text, points_text};

/// What became of one log.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub database: String,
    pub segments: u64,
    pub snapshots: u64,
    pub records: u64,
    /// Points written.
    pub points: u64,
    /// Points of policies that were dropped, which nobody wants back.
    pub dropped: u64,
    /// Rows written to the default policy, since nothing tells which one they are of.
    pub homeless: u64,
    /// Bytes that were never acknowledged.
    pub torn_bytes: u64,
    pub lost: Vec<Loss>,
    /// Files that could not be read at all, and why.
    pub illegible: Vec<(PathBuf, String)>,
    pub notes: Vec<String>,
}

/// A range that was durable once and could not be written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub file: FileId,
    pub offset: u64,
    pub length: u64,
    /// The first, if anything tells it, and the last LSN.
    pub lsns: (Option<u64>, u64),
    /// `None` if nothing tells how many.
    pub points: Option<u64>,
}

impl Account {
    pub(super) fn new(database: &str) -> Self {
        Self {
            database: database.to_owned(),
            ..Self::default()
        }
    }

    /// Whether all that was ever acknowledged is written.
    pub(super) fn is_complete(&self) -> bool {
        self.lost.is_empty() && self.illegible.is_empty() && self.homeless == 0
    }

    /// For a person.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "database {:?}: {} snapshots, {} segments, {} records, {} points written\n",
            self.database, self.snapshots, self.segments, self.records, self.points
        );
        for loss in &self.lost {
            let Loss {
                file,
                offset,
                length,
                lsns: (first, last),
                points,
            } = loss;
            let first = first.map_or_else(|| "?".to_owned(), |lsn| lsn.to_string());
            let what = if (*offset, *length) == (0, 0) {
                "all of it is missing".to_owned()
            } else {
                format!("at {offset}, {length} bytes")
            };
            let points = points_text(*points);
            let _ = writeln!(
                text,
                "  lost: {} {what}, LSN {first} to {last}, {points}",
                file_text(*file)
            );
        }
        for (path, why) in &self.illegible {
            let points = points_text(None);
            let _ = writeln!(text, "  lost: {}, {points}: {why}", path.display());
        }
        if self.homeless > 0 {
            let _ = writeln!(
                text,
                "  {} rows went to the default retention policy: what told theirs is lost",
                self.homeless
            );
        }
        if self.dropped > 0 {
            let _ = writeln!(
                text,
                "  left out: {} points of retention policies that were dropped",
                self.dropped
            );
        }
        if self.torn_bytes > 0 {
            let bytes = self.torn_bytes;
            let _ = writeln!(text, "  left out: {bytes} torn bytes, never acknowledged");
        }
        for note in &self.notes {
            let _ = writeln!(text, "  note: {note}");
        }
        text
    }

    /// For a machine: one object.
    pub(super) fn json(&self) -> String {
        let mut out = format!(
            "{{\"database\": {}, \"snapshots\": {}, \"segments\": {}, \"records\": {}, \"points\": {}, \
             \"points_dropped\": {}, \"rows_of_unknown_policy\": {}, \"torn_bytes\": {}, \
             \"complete\": {}",
            quoted(&self.database),
            self.snapshots,
            self.segments,
            self.records,
            self.points,
            self.dropped,
            self.homeless,
            self.torn_bytes,
            self.is_complete()
        );
        let number = |number: Option<u64>| number.map_or_else(|| "null".into(), |n| n.to_string());
        let losses = self.lost.iter().map(|loss| {
            let (kind, id) = match loss.file {
                FileId::Segment(id) => ("segment", id.0),
                FileId::Blob(id) => ("snapshot", id.0),
            };
            format!(
                "{{\"{kind}\": {id}, \"offset\": {}, \"length\": {}, \"first_lsn\": {}, \
                 \"last_lsn\": {}, \"points\": {}}}",
                loss.offset,
                loss.length,
                number(loss.lsns.0),
                loss.lsns.1,
                number(loss.points)
            )
        });
        list(&mut out, "lost", losses);
        let illegible = self.illegible.iter().map(|(path, why)| {
            let path = quoted(&path.display().to_string());
            format!("{{\"path\": {path}, \"why\": {}}}", quoted(why))
        });
        list(&mut out, "illegible", illegible);
        list(
            &mut out,
            "notes",
            self.notes.iter().map(|note| quoted(note)),
        );
        out.push('}');
        out
    }
}

fn list(out: &mut String, name: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    let _ = write!(out, ", \"{name}\": [{}]", items.join(", "));
}

/// A JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    json_string(&mut out, text.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}
