//! The payload of a rows frame: points of one record, by shard.
//!
//! ```text
//! payload  section ...
//! section  varint shard | u32 bytes of rows | u32 rows | row ...
//! row      control u8 | varint series? | varint zigzag time delta? | varint layout? | values
//! control  bit 0 class (model::row)
//!          bit 1 the series follows; else it is the one after the previous row's
//!          bit 2 the time follows, as a difference to the previous row's; else it is the same
//!          bit 3 the layout follows; else it is the previous row's
//! ```
//!
//! A section starts from series -1, time 0 and no layout, so that it can be read alone. Series
//! and layout numbers are those that the segment's definitions give.
//!
//! Source: ours.

use alloc::vec::Vec;

use crate::ids::{LayoutId, SeriesId, ShardId};
use crate::model::row::{self, Class};
use crate::model::{FieldType, varint};

const SERIES: u8 = 2;
const TIME: u8 = 4;
const LAYOUT: u8 = 8;

#[derive(Clone, Copy, Debug)]
struct Previous {
    series: u32,
    time: i64,
    layout: Option<LayoutId>,
}

const START: Previous = Previous {
    series: u32::MAX,
    time: 0,
    layout: None,
};

/// Builds the payload of a rows frame.
#[derive(Clone, Debug)]
pub(super) struct RowsWriter {
    out: Vec<u8>,
    shard: Option<ShardId>,
    section_at: usize,
    section_rows: u32,
    points: u32,
    previous: Previous,
}

impl RowsWriter {
    /// An empty payload.
    pub(super) const fn new() -> Self {
        Self {
            out: Vec::new(),
            shard: None,
            section_at: 0,
            section_rows: 0,
            points: 0,
            previous: START,
        }
    }

    /// Bytes so far.
    pub(super) const fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether no row was written.
    pub(super) const fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Points so far. A point whose values fill several rows counts once.
    pub(super) const fn points(&self) -> u32 {
        self.points
    }

    /// Writes the head of a row; the caller appends its values to what this returns.
    #[inline]
    pub(super) fn begin(
        &mut self,
        shard: ShardId,
        series: SeriesId,
        layout: LayoutId,
        class: Class,
        time: i64,
    ) -> &mut Vec<u8> {
        if self.shard != Some(shard) {
            self.begin_section(shard);
        }
        let control_at = self.out.len();
        self.out.push(0);
        let mut control = class.code();
        if series.0 != self.previous.series.wrapping_add(1) {
            control |= SERIES;
            varint::put(&mut self.out, u64::from(series.0));
        }
        if time != self.previous.time {
            control |= TIME;
            let delta = time.wrapping_sub(self.previous.time);
            varint::put(&mut self.out, varint::zigzag(delta));
        }
        if self.previous.layout != Some(layout) {
            control |= LAYOUT;
            varint::put(&mut self.out, u64::from(layout.0));
        }
        self.out[control_at] = control;
        self.previous = Previous {
            series: series.0,
            time,
            layout: Some(layout),
        };
        self.section_rows += 1;
        &mut self.out
    }

    /// Counts a point; its rows were begun and filled.
    #[inline]
    pub(super) const fn count_point(&mut self) {
        self.points += 1;
    }

    /// The finished payload; call [`clear`](Self::clear) before the next.
    pub(super) fn finish(&mut self) -> &[u8] {
        self.end_section();
        self.shard = None;
        &self.out
    }

    /// Starts over, keeping the memory.
    pub(super) fn clear(&mut self) {
        self.out.clear();
        self.shard = None;
        self.points = 0;
    }

    /// The bytes from `at` on: the values just appended.
    #[inline]
    pub(super) fn since(&self, at: usize) -> &[u8] {
        self.out.get(at..).unwrap_or_default()
    }

    #[cold]
    fn begin_section(&mut self, shard: ShardId) {
        self.end_section();
        varint::put(&mut self.out, shard.0);
        self.section_at = self.out.len();
        self.out.extend_from_slice(&[0; 8]);
        (self.shard, self.section_rows, self.previous) = (Some(shard), 0, START);
    }

    fn end_section(&mut self) {
        if self.shard.is_none() {
            return;
        }
        let rows_at = self.section_at + 8;
        let bytes = (self.out.len() - rows_at) as u32;
        self.out[self.section_at..self.section_at + 4].copy_from_slice(&bytes.to_le_bytes());
        self.out[self.section_at + 4..rows_at].copy_from_slice(&self.section_rows.to_le_bytes());
    }
}

impl Default for RowsWriter {
    fn default() -> Self {
        Self::new()
    }
}

/// Rows of one shard in a payload.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    /// The shard, as numbered by the catalog.
    pub shard: ShardId,
    /// How many rows it says it has.
    pub rows: u32,
    bytes: &'a [u8],
    at: usize,
    left: u32,
    previous: Previous,
}

/// A row as the log holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedRow<'a> {
    /// The series, as numbered by the segment.
    pub series: SeriesId,
    /// The layout, as numbered by the segment.
    pub layout: LayoutId,
    /// How integers are written.
    pub class: Class,
    /// The point's time.
    pub time: i64,
    /// The values, in the form of `model::row`.
    pub values: &'a [u8],
}

/// Splits a payload into its sections; `None` after the last, or where it is malformed.
pub fn sections(payload: &[u8]) -> impl Iterator<Item = Section<'_>> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let shard = ShardId(varint::get(payload, &mut at)?);
        let word = |at: usize| {
            Some(u32::from_le_bytes(
                payload.get(at..at + 4)?.try_into().ok()?,
            ))
        };
        let (length, rows) = (word(at)? as usize, word(at + 4)?);
        let bytes = payload.get(at + 8..(at + 8).checked_add(length)?)?;
        at += 8 + length;
        Some(Section {
            shard,
            rows,
            bytes,
            at: 0,
            left: rows,
            previous: START,
        })
    })
}

impl<'a> Section<'a> {
    /// The next row. `types_of` gives the types of a layout; a layout it does not know makes
    /// the rest of the section unreadable.
    ///
    /// Shape: `Ok(None)` at the end; `Err(n)` if the last `n` rows cannot be read.
    #[inline]
    pub fn next_row<'t>(
        &mut self,
        types_of: impl Fn(LayoutId) -> Option<&'t [FieldType]>,
    ) -> Result<Option<LoggedRow<'a>>, u32> {
        if self.left == 0 {
            return Ok(None);
        }
        match self.read(types_of) {
            Some(row) => {
                self.left -= 1;
                Ok(Some(row))
            }
            None => Err(core::mem::take(&mut self.left)),
        }
    }

    fn read<'t>(
        &mut self,
        types_of: impl Fn(LayoutId) -> Option<&'t [FieldType]>,
    ) -> Option<LoggedRow<'a>> {
        let control = *self.bytes.get(self.at)?;
        self.at += 1;
        let Previous {
            series,
            time,
            layout,
        } = self.previous;
        let (mut series, mut time, mut layout) = (series.wrapping_add(1), time, layout);
        if control & SERIES != 0 {
            series = u32::try_from(varint::get(self.bytes, &mut self.at)?).ok()?;
        }
        if control & TIME != 0 {
            let delta = varint::unzigzag(varint::get(self.bytes, &mut self.at)?);
            time = time.wrapping_add(delta);
        }
        if control & LAYOUT != 0 {
            let id = u32::try_from(varint::get(self.bytes, &mut self.at)?).ok()?;
            layout = Some(LayoutId(id));
        }
        let (class, layout) = (Class::from_code(control), layout?);
        let rest = self.bytes.get(self.at..)?;
        let length = row::length(rest, class, types_of(layout)?)?;
        let values = rest.get(..length)?;
        self.at += length;
        self.previous = Previous {
            series,
            time,
            layout: Some(layout),
        };
        Some(LoggedRow {
            series: SeriesId(series),
            layout,
            class,
            time,
            values,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [&[FieldType]; 2] = [
        &[FieldType::Integer, FieldType::Integer],
        &[FieldType::String],
    ];

    fn types_of(layout: LayoutId) -> Option<&'static [FieldType]> {
        TYPES.get(layout.0 as usize).copied()
    }

    fn read_all(payload: &[u8]) -> Vec<(u64, u32, i64, Vec<u8>)> {
        let mut rows = Vec::new();
        for mut section in sections(payload) {
            while let Ok(Some(row)) = section.next_row(types_of) {
                rows.push((section.shard.0, row.series.0, row.time, row.values.to_vec()));
            }
        }
        rows
    }

    #[test]
    fn rows_come_back_and_the_usual_one_costs_a_byte_more_than_its_values() {
        let mut writer = RowsWriter::new();
        let mut expected = Vec::new();
        let far = [
            (2, 0, i64::MIN),
            (2, 9, i64::MAX),
            (1, 0, 5),
            (1, 1, 5),
            (1, 2, 5),
        ];
        for (shard, series, time) in far {
            let id = (ShardId(shard), SeriesId(series), LayoutId(0));
            writer
                .begin(id.0, id.1, id.2, Class::Narrow, time)
                .extend([series as u8, 7]);
            writer.count_point();
            expected.push((shard, series, time, Vec::from([series as u8, 7])));
        }
        let before = writer.len();
        writer
            .begin(ShardId(1), SeriesId(3), LayoutId(0), Class::Narrow, 5)
            .extend([1, 2]);
        assert_eq!(writer.len() - before, 3);
        expected.push((1, 3, 5, Vec::from([1, 2])));
        writer
            .begin(ShardId(1), SeriesId(4), LayoutId(1), Class::Narrow, 6)
            .extend(b"\x02hi");
        expected.push((1, 4, 6, b"\x02hi".to_vec()));
        assert_eq!(writer.points(), 5);
        let payload = writer.finish().to_vec();
        assert_eq!(read_all(&payload), expected);
        for cut in 0..payload.len() {
            assert!(expected.starts_with(&read_all(&payload[..cut])));
        }
        writer.clear();
        assert!(read_all(writer.finish()).is_empty());
    }

    #[test]
    fn an_unknown_layout_costs_the_rest_of_its_section_only() {
        let mut writer = RowsWriter::new();
        writer
            .begin(ShardId(1), SeriesId(0), LayoutId(9), Class::Narrow, 1)
            .push(1);
        writer
            .begin(ShardId(1), SeriesId(1), LayoutId(0), Class::Narrow, 1)
            .extend([1, 2]);
        writer
            .begin(ShardId(2), SeriesId(0), LayoutId(0), Class::Narrow, 1)
            .extend([1, 2]);
        let payload = writer.finish();
        let mut all = sections(payload);
        let mut first = all.next().expect("two sections");
        assert_eq!(first.next_row(types_of), Err(2));
        assert_eq!(first.next_row(types_of), Ok(None));
        let mut second = all.next().expect("two sections");
        assert!(second.next_row(types_of).is_ok_and(|row| row.is_some()));
    }
}
