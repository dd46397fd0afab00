//! The front of a chunk: what it is, which series it holds, where the page of each field lies.
//!
//! ```text
//! front      prelude, 96 bytes | head | page of times
//! chunk      front | page of a field | page of a field ... | zeros up to a multiple of 8
//! head       a text (see `text`) of:
//!   series   (shared varint | rest varint length and bytes | rows varint)*   front coded keys
//!   fields   count varint
//!            (name varint length and bytes | type u8 | values varint | page bytes varint
//!            | crc u32)*
//! ```

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use super::text;
use crate::hash::checksum::crc32c;
use crate::model::{FieldType, varint};

/// Bytes of a prelude.
pub(super) const PRELUDE_BYTES: usize = 96;

/// Where chunks begin and end, in bytes.
pub(super) const ALIGNMENT: usize = 8;

/// Most rows that a chunk of this version can hold; writers close it long before.
pub(super) const ROWS_MAX: u32 = 1 << 16;

/// Most bytes of keys that are read for a chunk: front coding alone would let a few bytes stand
/// for any number. Writers stop at a quarter of it.
const KEYS_BYTES_MAX: usize = 1 << 20;

const MAGIC: &[u8; 8] = b"TGCHUNK\0";

/// The fixed part of a chunk, which tells the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prelude {
    pub(super) salt: u32,
    /// The checksum of the names of the block: tells chunks of others where no header is left.
    pub(super) owner: u32,
    /// Where it lies, so that bytes at another place do not pass for it.
    pub(super) offset: u64,
    pub(super) head_bytes: u32,
    pub(super) head_crc: u32,
    pub(super) times_bytes: u32,
    pub(super) times_crc: u32,
    /// All of it, a multiple of [`ALIGNMENT`].
    pub(super) bytes: u32,
    pub(super) series: u32,
    pub(super) rows: u32,
    pub(super) values: u64,
    pub(super) time_min: i64,
    pub(super) time_max: i64,
}

impl Prelude {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.offset.to_le_bytes());
        for word in [
            self.salt,
            self.head_bytes,
            self.head_crc,
            self.times_bytes,
            self.times_crc,
            self.bytes,
            self.series,
            self.rows,
        ] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.values.to_le_bytes());
        out.extend_from_slice(&self.time_min.to_le_bytes());
        out.extend_from_slice(&self.time_max.to_le_bytes());
        out.extend_from_slice(&self.owner.to_le_bytes());
        out.resize(start + PRELUDE_BYTES - 4, 0);
        let crc = crc32c(self.salt, out.get(start..).unwrap_or_default());
        out.extend_from_slice(&crc.to_le_bytes());
    }

    /// The prelude at the start of `bytes`, which lie at `offset`; `None` if there is none.
    pub(super) fn decode(bytes: &[u8], offset: u64) -> Option<Self> {
        let bytes = bytes.get(..PRELUDE_BYTES)?;
        let (covered, crc) = bytes.split_at(PRELUDE_BYTES - 4);
        let prelude = Self {
            salt: u32_at(bytes, 16)?,
            offset: u64_at(bytes, 8)?,
            head_bytes: u32_at(bytes, 20)?,
            head_crc: u32_at(bytes, 24)?,
            times_bytes: u32_at(bytes, 28)?,
            times_crc: u32_at(bytes, 32)?,
            bytes: u32_at(bytes, 36)?,
            series: u32_at(bytes, 40)?,
            rows: u32_at(bytes, 44)?,
            values: u64_at(bytes, 48)?,
            time_min: u64_at(bytes, 56)? as i64,
            time_max: u64_at(bytes, 64)? as i64,
            owner: u32_at(bytes, 72)?,
        };
        let is_whole = bytes.starts_with(MAGIC)
            && u32_at(crc, 0)? == crc32c(prelude.salt, covered)
            && prelude.offset == offset
            && (prelude.bytes as usize).is_multiple_of(ALIGNMENT)
            && (1..=ROWS_MAX).contains(&prelude.rows)
            && (1..=prelude.rows).contains(&prelude.series)
            && prelude.front_bytes() <= u64::from(prelude.bytes);
        is_whole.then_some(prelude)
    }

    /// Bytes of the prelude, the head and the times.
    pub(super) const fn front_bytes(&self) -> u64 {
        PRELUDE_BYTES as u64 + self.head_bytes as u64 + self.times_bytes as u64
    }

    /// The head and the page of times of a front, if they are whole.
    pub(super) fn split<'a>(&self, front: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let behind = front.get(PRELUDE_BYTES..)?;
        let (head, rest) = behind.split_at_checked(self.head_bytes as usize)?;
        let times = rest.get(..self.times_bytes as usize)?;
        let is_whole =
            crc32c(self.salt, head) == self.head_crc && crc32c(self.salt, times) == self.times_crc;
        is_whole.then_some((head, times))
    }
}

/// A field of a chunk and where its page lies.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: Vec<u8>,
    pub(super) field_type: FieldType,
    pub(super) values: u32,
    pub(super) page_bytes: u32,
    pub(super) page_crc: u32,
    /// From the start of the chunk.
    pub(super) page_offset: u64,
}

/// The series and fields of a chunk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Head {
    pub(super) series: SeriesList,
    pub(super) fields: Vec<Field>,
}

impl Head {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut raw = Vec::new();
        let mut previous: &[u8] = &[];
        for at in 0..self.series.len() {
            let key = self.series.key(at);
            put_front_coded(&mut raw, previous, key);
            varint::put(&mut raw, self.series.rows(at).len() as u64);
            previous = key;
        }
        varint::put(&mut raw, self.fields.len() as u64);
        for field in &self.fields {
            varint::put_bytes(&mut raw, &field.name);
            raw.push(field.field_type.code());
            varint::put(&mut raw, u64::from(field.values));
            varint::put(&mut raw, u64::from(field.page_bytes));
            raw.extend_from_slice(&field.page_crc.to_le_bytes());
        }
        text::encode(&raw, out);
    }

    /// The head whose checksum the prelude has.
    pub(super) fn decode(bytes: &[u8], prelude: &Prelude) -> Option<Self> {
        let mut at = 0;
        let raw = text::decode(bytes, &mut at)?;
        if at != bytes.len() {
            return None;
        }
        let raw = raw.as_slice();
        let (mut at, mut series) = (0, SeriesList::default());
        let mut key = Vec::new();
        for _ in 0..prelude.series {
            get_front_coded(raw, &mut at, &mut key)?;
            let rows = u32::try_from(varint::get(raw, &mut at)?).ok()?;
            series.push(&key);
            series.add_rows(rows);
            if series.row_count() > u64::from(prelude.rows) || series.keys.len() > KEYS_BYTES_MAX {
                return None;
            }
        }
        let count = usize::try_from(varint::get(raw, &mut at)?).ok()?;
        if count > raw.len() || series.row_count() != u64::from(prelude.rows) {
            return None;
        }
        let (mut fields, mut page_offset) = (Vec::with_capacity(count), prelude.front_bytes());
        for _ in 0..count {
            let name = varint::get_bytes(raw, &mut at)?.to_vec();
            let field_type = FieldType::from_code(*raw.get(at)?)?;
            at += 1;
            let values = u32::try_from(varint::get(raw, &mut at)?).ok()?;
            let page_bytes = u32::try_from(varint::get(raw, &mut at)?).ok()?;
            let page_crc = u32_at(raw, at)?;
            at += 4;
            fields.push(Field {
                name,
                field_type,
                values,
                page_bytes,
                page_crc,
                page_offset,
            });
            page_offset += u64::from(page_bytes);
            if page_offset > u64::from(prelude.bytes) || values > prelude.rows {
                return None;
            }
        }
        (at == raw.len()).then_some(Self { series, fields })
    }
}

/// Series in order of their keys, and how many rows each has.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SeriesList {
    keys: Vec<u8>,
    /// Where each key and its rows end.
    ends: Vec<(u32, u32)>,
}

impl SeriesList {
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all keys.
    pub(super) const fn key_bytes(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn push(&mut self, key: &[u8]) {
        let rows = self.row_count() as u32;
        self.keys.extend_from_slice(key);
        self.ends.push((self.keys.len() as u32, rows));
    }

    /// Gives rows to the last series.
    pub(super) fn add_rows(&mut self, rows: u32) {
        if let Some((_, end)) = self.ends.last_mut() {
            *end = end.saturating_add(rows);
        }
    }

    pub(super) fn row_count(&self) -> u64 {
        self.ends.last().map_or(0, |&(_, rows)| u64::from(rows))
    }

    fn start(&self, at: usize) -> (u32, u32) {
        let before = at.checked_sub(1).and_then(|at| self.ends.get(at));
        before.copied().unwrap_or_default()
    }

    pub(super) fn key(&self, at: usize) -> &[u8] {
        let (start, end) = (self.start(at).0, self.ends.get(at).map_or(0, |end| end.0));
        self.keys
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// The rows of the series at a place.
    pub(super) fn rows(&self, at: usize) -> Range<usize> {
        let (start, end) = (self.start(at).1, self.ends.get(at).map_or(0, |end| end.1));
        start as usize..end as usize
    }

    /// Where a key is, or would be.
    pub(super) fn find(&self, key: &[u8]) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(middle).cmp(key) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }
}

/// Appends a key by what differs from the one before.
pub(super) fn put_front_coded(out: &mut Vec<u8>, previous: &[u8], key: &[u8]) {
    let shared = previous.iter().zip(key).take_while(|(a, b)| a == b).count();
    varint::put(out, shared as u64);
    varint::put_bytes(out, key.get(shared..).unwrap_or_default());
}

/// Makes `key`, which holds the one before, the next.
pub(super) fn get_front_coded(bytes: &[u8], at: &mut usize, key: &mut Vec<u8>) -> Option<()> {
    let shared = usize::try_from(varint::get(bytes, at)?).ok()?;
    if shared > key.len() {
        return None;
    }
    key.truncate(shared);
    key.extend_from_slice(varint::get_bytes(bytes, at)?);
    Some(())
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}
