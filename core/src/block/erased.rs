//! Deletes, as blocks meet them: applied when rows are read, and gone once they are merged.

use alloc::vec::Vec;
use core::ops::Range;

use crate::model::key;

/// Whose rows a delete concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Victims {
    /// Everybody's.
    All,
    /// The series of the measurement with this name, escaped as in a series key.
    Measurement(Vec<u8>),
    /// The series with this key.
    Series(Vec<u8>),
}

/// Rows that are deleted. It concerns what was stored before it, so it is given with the blocks
/// that are older.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Whose.
    pub victims: Victims,
    /// The earliest time.
    pub time_min: i64,
    /// The latest time, included.
    pub time_max: i64,
}

impl Erased {
    fn concerns(&self, series_key: &[u8]) -> bool {
        match &self.victims {
            Victims::All => true,
            Victims::Measurement(name) => key::parse(series_key).measurement_raw == name.as_slice(),
            Victims::Series(other) => other == series_key,
        }
    }
}

/// Appends the ranges of `rows` that no delete concerns. `times` are those of all rows; the ones
/// of `rows` ascend.
pub(super) fn remaining(
    erased: &[Erased],
    series_key: &[u8],
    times: &[i64],
    rows: Range<usize>,
    out: &mut Vec<Range<usize>>,
) {
    let first = out.len();
    out.push(rows);
    for delete in erased.iter().filter(|delete| delete.concerns(series_key)) {
        let mut at = first;
        while let Some(range) = out.get(at).cloned() {
            let part = times.get(range.clone()).unwrap_or_default();
            let from = range.start + part.partition_point(|&time| time < delete.time_min);
            let to = range.start + part.partition_point(|&time| time <= delete.time_max);
            if from >= to {
                at += 1;
                continue;
            }
            out.splice(at..=at, [range.start..from, to..range.end]);
            at += 2;
        }
    }
    let mut at = first;
    while let Some(range) = out.get(at) {
        if range.is_empty() {
            out.remove(at);
        } else {
            at += 1;
        }
    }
}
