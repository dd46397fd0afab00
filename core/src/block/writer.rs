//! Writing a block: series by series in, bounded parts out.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::builder::{ChunkRows, Encoding};
use super::header::{HEADER_BYTES, Header, Identity, Totals};
use super::index::Index;
use crate::hash::checksum::crc32c;
use crate::limits::KEY_BYTES_MAX;
use crate::model::{FieldType, Value};

/// A field as a writer knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldRef(pub(super) u32);

/// When a chunk is closed and how large a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterConfig {
    /// Rows of a chunk, at most 65,536.
    pub rows_max: usize,
    /// Bytes of a chunk in memory; a row of many strings may exceed it.
    pub chunk_bytes_max: usize,
    /// Bytes of a part, at most.
    pub part_bytes_max: usize,
}

impl Default for WriterConfig {
    /// A page of 8,192 numbers compresses within a percent of one of 65,536, and is encoded in
    /// less than half a millisecond.
    fn default() -> Self {
        Self {
            rows_max: 8 << 10,
            chunk_bytes_max: 2 << 20,
            part_bytes_max: 256 << 10,
        }
    }
}

/// Bytes of keys at which a chunk is closed.
const KEYS_BYTES: usize = 256 << 10;

/// What was fed to a writer and has no place in a block. Nothing of it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Keys have to ascend.
    #[error("a series out of order")]
    SeriesOrder,
    /// Times of a series have to ascend.
    #[error("a row out of order")]
    RowOrder,
    /// A row before the first series.
    #[error("a row without a series")]
    NoSeries,
    /// A field that this writer did not give out, or a value of another type.
    #[error("a value of another type than its field")]
    WrongField,
    /// A field more than once in one row.
    #[error("two values of one field in one row")]
    FieldTwice,
    /// A key longer than any series has.
    #[error("a series key too long")]
    KeyTooLong,
    /// After the end.
    #[error("the block is finished")]
    Finished,
}

/// A part of the block, to be put at `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Where in the block, in bytes. The part at offset 0 is the last.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Whether the block is whole with this.
    pub is_last: bool,
}

#[derive(Clone, Debug)]
struct Known {
    name: Vec<u8>,
    field_type: FieldType,
    /// The last row that had it.
    row: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Feeding,
    Finishing,
    /// All but the header is in parts.
    Header,
    Done,
}

/// Writes a block of series in the order of their keys, each with rows in the order of time.
///
/// Bounds: holds one chunk while it is fed, one that is encoded, what no part has taken yet, and
/// the index: two keys and 64 bytes for each chunk. The same calls give the same bytes.
#[derive(Clone, Debug)]
pub struct BlockWriter {
    identity: Identity,
    config: WriterConfig,
    known: Vec<Known>,
    by_name: BTreeMap<(Vec<u8>, u8), FieldRef>,
    rows: ChunkRows,
    encoding: Option<Encoding>,
    index: Index,
    totals: Totals,
    key: Vec<u8>,
    /// The last time of the series under way.
    time: Option<i64>,
    has_series: bool,
    stage: Stage,
    /// What no part has taken yet, and where it belongs.
    out: Vec<u8>,
    out_offset: u64,
    /// The header, once all else is in parts.
    header: Vec<u8>,
    bytes: u64,
    row_number: u64,
}

impl BlockWriter {
    /// A writer of an empty block.
    pub fn new(identity: Identity, config: WriterConfig) -> Self {
        Self {
            identity,
            config,
            known: Vec::new(),
            by_name: BTreeMap::new(),
            rows: ChunkRows::default(),
            encoding: None,
            index: Index::default(),
            totals: Totals::EMPTY,
            key: Vec::new(),
            time: None,
            has_series: false,
            stage: Stage::Feeding,
            out: Vec::new(),
            out_offset: HEADER_BYTES as u64,
            header: Vec::new(),
            bytes: 0,
            row_number: 0,
        }
    }

    /// The field of this (unescaped) name and type, to feed rows with.
    pub fn field(&mut self, name: &[u8], field_type: FieldType) -> FieldRef {
        let key = (name.to_vec(), field_type.code());
        if let Some(&field) = self.by_name.get(&key) {
            return field;
        }
        let field = FieldRef(self.known.len() as u32);
        self.known.push(Known {
            name: name.to_vec(),
            field_type,
            row: 0,
        });
        self.by_name.insert(key, field);
        field
    }

    /// Begins the series with this key, which is greater than the one before. Without rows it
    /// leaves no trace.
    pub fn series(&mut self, key: &[u8]) -> Result<(), FeedError> {
        if self.stage != Stage::Feeding {
            return Err(FeedError::Finished);
        }
        if key.len() > KEY_BYTES_MAX {
            return Err(FeedError::KeyTooLong);
        }
        if self.has_series && key <= self.key.as_slice() {
            return Err(FeedError::SeriesOrder);
        }
        self.key.clear();
        self.key.extend_from_slice(key);
        (self.has_series, self.time) = (true, None);
        Ok(())
    }

    /// Appends a row to the series under way, later than the one before. Without values it leaves
    /// no trace.
    ///
    /// Work: if a chunk is full and [`step`](Self::step) was not called until it had no more to
    /// do, this encodes it first.
    pub fn row(&mut self, time: i64, values: &[(FieldRef, Value<'_>)]) -> Result<(), FeedError> {
        self.check(time, values)?;
        if values.is_empty() {
            return Ok(());
        }
        if self.is_full() {
            self.seal();
        }
        let is_continued = self.time.is_some();
        let listed = self.rows.series.len();
        if !is_continued || listed == 0 {
            self.rows.series.push(&self.key);
            self.rows.bytes += self.key.len();
            self.totals.series += u64::from(!is_continued);
        }
        self.time = Some(time);
        self.rows.push(time, values);
        self.totals.points += 1;
        self.totals.values += values.len() as u64;
        self.totals.time_min = self.totals.time_min.min(time);
        self.totals.time_max = self.totals.time_max.max(time);
        Ok(())
    }

    fn check(&mut self, time: i64, values: &[(FieldRef, Value<'_>)]) -> Result<(), FeedError> {
        if self.stage != Stage::Feeding {
            return Err(FeedError::Finished);
        }
        if !self.has_series {
            return Err(FeedError::NoSeries);
        }
        if self.time.is_some_and(|last| time <= last) {
            return Err(FeedError::RowOrder);
        }
        // A refused row uses up a number too, so it leaves nothing behind either.
        self.row_number += 1;
        for (field, value) in values {
            let known = self.known.get_mut(field.0 as usize);
            let known = known.ok_or(FeedError::WrongField)?;
            if known.field_type != value.field_type() {
                return Err(FeedError::WrongField);
            }
            if core::mem::replace(&mut known.row, self.row_number) == self.row_number {
                return Err(FeedError::FieldTwice);
            }
        }
        Ok(())
    }

    /// Whether a chunk is full, so that now is the time for [`step`](Self::step).
    pub fn is_full(&self) -> bool {
        self.rows.times.len()
            >= self
                .config
                .rows_max
                .clamp(1, super::chunk::ROWS_MAX as usize)
            || self.rows.bytes >= self.config.chunk_bytes_max
            || self.rows.series.key_bytes() >= KEYS_BYTES
    }

    /// Whether [`step`](Self::step) has something to do.
    pub fn has_work(&self) -> bool {
        self.encoding.is_some() || self.is_full() || self.stage == Stage::Finishing
    }

    /// Ends the block. What is left is done in steps.
    pub fn finish(&mut self) {
        if self.stage == Stage::Feeding {
            self.stage = Stage::Finishing;
        }
    }

    /// Does a piece of the work that waits: the page of a field, the front of a chunk, the index.
    /// False if there is none.
    pub fn step(&mut self) -> bool {
        let (known, salt) = (&self.known, self.identity.salt);
        let name = |field: FieldRef| {
            let known = known.get(field.0 as usize);
            known.map(|known| known.name.clone()).unwrap_or_default()
        };
        if let Some(encoding) = &mut self.encoding {
            if encoding.step(salt, name) {
                return true;
            }
            self.close_chunk();
            return true;
        }
        if self.rows.times.is_empty() || !self.is_full() && self.stage == Stage::Feeding {
            return self.stage == Stage::Finishing && self.close();
        }
        let rows = core::mem::take(&mut self.rows);
        let name = |field: FieldRef| {
            let known = self.known.get(field.0 as usize);
            known.map_or(&[][..], |known| known.name.as_slice())
        };
        self.encoding = Some(Encoding::new(rows, name));
        true
    }

    /// Encodes the chunk that is full.
    fn seal(&mut self) {
        while self.is_full() || self.encoding.is_some() {
            if !self.step() {
                return;
            }
        }
    }

    fn close_chunk(&mut self) {
        let Some(encoding) = self.encoding.take() else {
            return;
        };
        let offset = self.end();
        let (prelude, series) = encoding.finish(&self.identity, offset, &mut self.out);
        let last = series.len().saturating_sub(1);
        self.index.push(&prelude, series.key(0), series.key(last));
    }

    /// Appends the index and the copy of the header.
    fn close(&mut self) -> bool {
        let (index_offset, start) = (self.end(), self.out.len());
        self.index.encode(&mut self.out);
        let index = self.out.get(start..).unwrap_or_default();
        let header = Header {
            identity: self.identity,
            totals: self.totals,
            chunks: self.index.entries().len() as u32,
            index_offset,
            index_bytes: index.len() as u32,
            index_crc: crc32c(self.identity.salt, index),
            bytes: index_offset + (index.len() + HEADER_BYTES) as u64,
        };
        header.encode(&mut self.header);
        self.out.extend_from_slice(&self.header);
        self.bytes = header.bytes;
        self.stage = Stage::Header;
        true
    }

    fn end(&self) -> u64 {
        self.out_offset + self.out.len() as u64
    }

    /// The next part, if there is one: as large as configured, until the block ends.
    pub fn part(&self) -> Option<Part<'_>> {
        let part_bytes = self.config.part_bytes_max.max(HEADER_BYTES);
        let is_due = match self.stage {
            Stage::Feeding | Stage::Finishing => self.out.len() >= part_bytes,
            Stage::Header => true,
            Stage::Done => false,
        };
        if !is_due {
            return None;
        }
        let is_last = self.stage == Stage::Header && self.out_offset == 0;
        let length = self.out.len().min(part_bytes);
        Some(Part {
            offset: self.out_offset,
            bytes: self.out.get(..length).unwrap_or_default(),
            is_last,
        })
    }

    /// Goes on behind the part that was taken.
    pub fn advance(&mut self) {
        let Some(Part { bytes, is_last, .. }) = self.part() else {
            return;
        };
        let length = bytes.len();
        if is_last {
            self.stage = Stage::Done;
            self.out = Vec::new();
            return;
        }
        self.out.drain(..length);
        self.out_offset += length as u64;
        if self.out.is_empty() && self.stage == Stage::Header {
            (self.out, self.out_offset) = (core::mem::take(&mut self.header), 0);
        }
    }

    /// What was fed so far.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// Bytes of the block, once it is finished and no step is left.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the last part was taken.
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }
}
