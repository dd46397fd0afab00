//! Appending rows, and what is known of each series.

use alloc::vec::Vec;

use super::pages::{Address, Pages};
use super::rows::{Position, Rows};
use crate::ids::{LayoutId, SeriesId};
use crate::model::row::Class;

/// Bytes of a chunk in front of its rows: next address, used.
pub(super) const CHUNK_HEAD: usize = 8;
const CHUNK_BYTES_FIRST: usize = 64;
const CHUNK_BYTES_MAX: usize = 2 << 10;

/// Longest row head: varint length, head, varint layout, time.
const ROW_HEAD_MAX: usize = 5 + 1 + 5 + 8;

/// The end of a series' rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    pub(super) first: Address,
    chunk: Address,
    used: u32,
    capacity: u32,
    pub(super) rows: u32,
    layout: LayoutId,
    last_time: i64,
    in_order: bool,
}

const EMPTY: Tail = Tail {
    first: Address::NONE,
    chunk: Address::NONE,
    used: 0,
    capacity: 0,
    rows: 0,
    layout: LayoutId(u32::MAX),
    last_time: i64::MIN,
    in_order: true,
};

/// The rows of one shard.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    pages: Pages,
    tails: Vec<Tail>,
    bytes: u64,
    rows: u64,
    time_min: Option<i64>,
    time_max: Option<i64>,
}

impl Cache {
    /// Logical bytes held.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Rows held.
    pub const fn row_count(&self) -> u64 {
        self.rows
    }

    /// Earliest and latest time held.
    pub fn time_range(&self) -> Option<(i64, i64)> {
        self.time_min.zip(self.time_max)
    }

    /// Rows of a series so far; the number pins what a reader may see.
    pub fn rows_of(&self, series: SeriesId) -> u32 {
        self.tails
            .get(series.0 as usize)
            .map_or(0, |tail| tail.rows)
    }

    /// Whether the rows of a series came in order of time, without equal times.
    pub fn is_in_order(&self, series: SeriesId) -> bool {
        self.tails
            .get(series.0 as usize)
            .is_none_or(|tail| tail.in_order)
    }

    /// The first `count` rows of a series, in order of arrival.
    pub fn rows(&self, series: SeriesId, count: u32) -> Rows<'_> {
        let tail = self.tails.get(series.0 as usize).unwrap_or(&EMPTY);
        Rows::new(&self.pages, tail.first, tail.rows.min(count))
    }

    /// The first `count` rows of a series from a position on that was taken of its rows.
    pub fn rows_from(&self, series: SeriesId, count: u32, position: Position) -> Rows<'_> {
        Rows::resume(&self.pages, position, self.rows_of(series).min(count))
    }

    /// Appends a row.
    ///
    /// `values` are in the form of `model::row`, of the given class and layout.
    #[inline]
    pub fn append(
        &mut self,
        series: SeriesId,
        layout: LayoutId,
        class: Class,
        time: i64,
        values: &[u8],
    ) {
        let index = series.0 as usize;
        if index >= self.tails.len() {
            self.tails.resize(index + 1, EMPTY);
        }
        let tail = &mut self.tails[index];
        if tail.used as usize + ROW_HEAD_MAX + values.len() > tail.capacity as usize {
            grow(&mut self.pages, tail, values.len());
        }
        let mut head = [0; ROW_HEAD_MAX];
        let head_length = encode_head(&mut head, values.len(), class, layout, tail.layout, time);
        let length = head_length + values.len();
        let slot = self.pages.slice_mut(tail.chunk, tail.used as usize, length);
        if slot.len() == length {
            slot[..head_length].copy_from_slice(&head[..head_length]);
            slot[head_length..].copy_from_slice(values);
        }
        tail.used += length as u32;
        self.pages.set_word(tail.chunk, 4, tail.used);
        tail.layout = layout;
        tail.rows += 1;
        tail.in_order &= tail.rows == 1 || time > tail.last_time;
        tail.last_time = time;
        self.rows += 1;
        self.bytes += length as u64;
        self.time_min = Some(self.time_min.map_or(time, |min| min.min(time)));
        self.time_max = Some(self.time_max.map_or(time, |max| max.max(time)));
    }
}

/// Starts the next chunk of a series, twice as large as the last.
#[cold]
fn grow(pages: &mut Pages, tail: &mut Tail, values: usize) {
    let doubled = (tail.capacity as usize * 2).clamp(CHUNK_BYTES_FIRST, CHUNK_BYTES_MAX);
    let capacity = doubled.max(CHUNK_HEAD + ROW_HEAD_MAX + values);
    let chunk = pages.carve(capacity);
    pages.set_word(chunk, 0, Address::NONE.0);
    if tail.chunk == Address::NONE {
        tail.first = chunk;
    } else {
        pages.set_word(tail.chunk, 0, chunk.0);
    }
    (tail.chunk, tail.used, tail.capacity) = (chunk, CHUNK_HEAD as u32, capacity as u32);
}

#[inline]
fn encode_head(
    head: &mut [u8; ROW_HEAD_MAX],
    values: usize,
    class: Class,
    layout: LayoutId,
    previous: LayoutId,
    time: i64,
) -> usize {
    let mut at = put_varint(head, 0, values as u32);
    let changed = layout != previous;
    head[at] = class.code() | u8::from(changed) << 1;
    at += 1;
    if changed {
        at = put_varint(head, at, layout.0);
    }
    head[at..at + 8].copy_from_slice(&time.to_le_bytes());
    at + 8
}

#[inline]
fn put_varint(head: &mut [u8; ROW_HEAD_MAX], mut at: usize, mut value: u32) -> usize {
    while value >= 0x80 {
        head[at] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    head[at] = value as u8;
    at + 1
}
