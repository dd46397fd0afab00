//! What opening found in the log.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::ids::{FileId, Lsn};
use crate::model::varint;
use crate::wal::LogDamage;

/// What opening found; all zero for a log that was closed cleanly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Segments read.
    pub segments: u64,
    /// Records applied.
    pub records: u64,
    /// Points applied.
    pub points: u64,
    /// Points written again into a new segment, since nothing proved them durable.
    pub points_relogged: u64,
    /// Bytes behind the last acknowledged record that were set aside. Never acknowledged.
    pub torn_bytes: u64,
    /// Damage to what had been acknowledged, in log order.
    pub damage: Vec<LogDamage>,
}

impl RecoveryReport {
    /// Whether there is more to tell than that the log was read.
    pub const fn is_notable(&self) -> bool {
        self.torn_bytes > 0 || !self.damage.is_empty()
    }

    /// What hosts leave beside the log as `recovery.json`. A count that nothing tells is `null`.
    pub fn to_json(&self, at_ns: i64) -> String {
        // Numbers only, so no string needs escaping.
        let mut json = format!(
            "{{\n  \"time_ns\": {at_ns},\n  \"segments\": {},\n  \"records\": {},\n  \
             \"points\": {},\n  \"points_relogged\": {},\n  \"torn_bytes\": {},\n  \
             \"damage\": [",
            self.segments, self.records, self.points, self.points_relogged, self.torn_bytes
        );
        for (index, damage) in self.damage.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let points = damage.points.map(|points| points.to_string());
            let points = points.as_deref().unwrap_or("null");
            let (kind, number) = match damage.file {
                FileId::Segment(id) => ("segment", id.0),
                FileId::Blob(id) => ("snapshot", id.0),
            };
            // Writing to memory does not fail.
            let _ = write!(
                json,
                "{comma}\n    {{\"{kind}\": {number}, \"offset\": {}, \"length\": {}, \
                 \"first_lsn\": {}, \"last_lsn\": {}, \"points\": {points}}}",
                damage.offset, damage.length, damage.first, damage.last
            );
        }
        json.push_str(if self.damage.is_empty() {
            "]\n}\n"
        } else {
            "\n  ]\n}\n"
        });
        json
    }

    /// The form that crosses the guest boundary.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let head = [
            self.segments,
            self.records,
            self.points,
            self.points_relogged,
        ];
        for number in head
            .into_iter()
            .chain([self.torn_bytes, self.damage.len() as u64])
        {
            varint::put(out, number);
        }
        for damage in &self.damage {
            let points = damage.points.map_or(0, |points| points + 1);
            let (kind, file) = damage.file.to_pair();
            out.push(kind);
            let range = [file, damage.offset, damage.length];
            for number in range
                .into_iter()
                .chain([damage.first.0, damage.last.0, points])
            {
                varint::put(out, number);
            }
        }
    }

    /// The inverse of [`encode`](Self::encode).
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut at = 0;
        let at = &mut at;
        let mut report = Self {
            segments: varint::get(bytes, at)?,
            records: varint::get(bytes, at)?,
            points: varint::get(bytes, at)?,
            points_relogged: varint::get(bytes, at)?,
            torn_bytes: varint::get(bytes, at)?,
            damage: Vec::new(),
        };
        for _ in 0..varint::get(bytes, at)? {
            let kind = *bytes.get(*at)?;
            *at += 1;
            report.damage.push(LogDamage {
                file: FileId::from_pair(kind, varint::get(bytes, at)?)?,
                offset: varint::get(bytes, at)?,
                length: varint::get(bytes, at)?,
                first: Lsn(varint::get(bytes, at)?),
                last: Lsn(varint::get(bytes, at)?),
                points: varint::get(bytes, at)?.checked_sub(1),
            });
        }
        Some(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SegmentId;
    use alloc::vec;

    #[test]
    fn every_damage_is_listed_and_an_unknown_count_is_null() {
        let damage = |points| LogDamage {
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
        let json = report.to_json(7);
        assert!(json.contains("\"points\": 5},\n"), "{json}");
        assert!(json.contains("\"points\": null}\n  ]"), "{json}");
        let clean = RecoveryReport::default();
        assert!(clean.to_json(0).ends_with("\"damage\": []\n}\n"));
        assert_eq!((report.is_notable(), clean.is_notable()), (true, false));
    }
}
