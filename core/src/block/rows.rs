//! Rows of one series within a chunk.

use core::ops::Range;

use super::column::Column;
use crate::model::Value;

/// Rows of one series, in order of time. They lie in columns, beside those of other series.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    pub(super) key: &'a [u8],
    pub(super) times: &'a [i64],
    pub(super) columns: &'a [Column],
    pub(super) rows: Range<usize>,
}

impl<'a> Rows<'a> {
    /// The series' key.
    pub const fn key(&self) -> &'a [u8] {
        self.key
    }

    /// The times of these rows.
    pub fn times(&self) -> &'a [i64] {
        self.times.get(self.rows.clone()).unwrap_or_default()
    }

    /// Which rows of the chunk these are.
    pub fn range(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// The columns of the chunk that were read, in order of the names of their fields. Rows of
    /// another series may be the only ones that have values.
    pub const fn columns(&self) -> &'a [Column] {
        self.columns
    }

    /// The values that these rows have of a column, with their times.
    pub fn values(&self, column: &'a Column) -> impl Iterator<Item = (i64, Value<'a>)> + use<'a> {
        let times = self.times;
        column.places(&self.rows).filter_map(move |place| {
            let time = times.get(column.row(place)?)?;
            Some((*time, column.values.get(place)?))
        })
    }
}
