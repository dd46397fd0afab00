//! What opening found in the log.

use alloc::vec::Vec;

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
