//! What opening found in the log.

use alloc::vec::Vec;

use crate::ids::{Lsn, SegmentId};
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
            let range = [damage.segment.0, damage.offset, damage.length];
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
        let mut number = || varint::get(bytes, &mut at);
        let mut report = Self {
            segments: number()?,
            records: number()?,
            points: number()?,
            points_relogged: number()?,
            torn_bytes: number()?,
            damage: Vec::new(),
        };
        for _ in 0..number()? {
            report.damage.push(LogDamage {
                segment: SegmentId(number()?),
                offset: number()?,
                length: number()?,
                first: Lsn(number()?),
                last: Lsn(number()?),
                points: number()?.checked_sub(1),
            });
        }
        Some(report)
    }
}
