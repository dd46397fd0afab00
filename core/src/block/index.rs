//! The sparse index of a block: one entry for each chunk.
//!
//! ```text
//! index      a text (see `text`) of entries
//! entry      bytes varint | front bytes varint | first key, front coded by the last of the entry
//!            before | last key, front coded by the first | series varint | rows varint
//!            | values varint | earliest time i64 | latest time i64
//! ```
//!
//! Chunks follow each other without a gap, so their lengths tell where they are.

use alloc::vec::Vec;

use super::chunk::{self, Prelude};
use super::header::HEADER_BYTES;
use super::text;
use crate::model::varint;

/// Most bytes of keys that are read for an index, as in a chunk.
const KEYS_BYTES_MAX: usize = 64 << 20;

/// What is known of a chunk without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) offset: u64,
    pub(super) bytes: u32,
    pub(super) front_bytes: u32,
    pub(super) series: u32,
    pub(super) rows: u32,
    pub(super) values: u64,
    pub(super) time_min: i64,
    pub(super) time_max: i64,
    /// Where its keys end among all; the first one begins where those of the entry before end.
    first_end: u32,
    last_end: u32,
}

/// The index of a block in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
    pub(super) keys: Vec<u8>,
}

impl Index {
    pub(super) const fn entries(&self) -> &[Entry] {
        self.entries.as_slice()
    }

    /// Logical bytes held.
    pub(super) const fn bytes(&self) -> u64 {
        (self.keys.len() + self.entries.len() * 64) as u64
    }

    pub(super) fn push(&mut self, prelude: &Prelude, first: &[u8], last: &[u8]) {
        self.keys.extend_from_slice(first);
        let first_end = self.keys.len() as u32;
        self.keys.extend_from_slice(last);
        self.entries.push(Entry {
            offset: prelude.offset,
            bytes: prelude.bytes,
            front_bytes: prelude.front_bytes() as u32,
            series: prelude.series,
            rows: prelude.rows,
            values: prelude.values,
            time_min: prelude.time_min,
            time_max: prelude.time_max,
            first_end,
            last_end: self.keys.len() as u32,
        });
    }

    /// The first and the last key of a chunk.
    pub(super) fn keys(&self, at: usize) -> (&[u8], &[u8]) {
        let Some(entry) = self.entries.get(at) else {
            return (&[], &[]);
        };
        let before = at.checked_sub(1).and_then(|at| self.entries.get(at));
        let start = before.map_or(0, |entry| entry.last_end) as usize;
        let (first, last) = (entry.first_end as usize, entry.last_end as usize);
        let keys = |from: usize, to: usize| self.keys.get(from..to).unwrap_or_default();
        (keys(start, first), keys(first, last))
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut raw = Vec::new();
        let mut previous: &[u8] = &[];
        for (at, entry) in self.entries.iter().enumerate() {
            let (first, last) = self.keys(at);
            varint::put(&mut raw, u64::from(entry.bytes));
            varint::put(&mut raw, u64::from(entry.front_bytes));
            chunk::put_front_coded(&mut raw, previous, first);
            chunk::put_front_coded(&mut raw, first, last);
            varint::put(&mut raw, u64::from(entry.series));
            varint::put(&mut raw, u64::from(entry.rows));
            varint::put(&mut raw, entry.values);
            raw.extend_from_slice(&entry.time_min.to_le_bytes());
            raw.extend_from_slice(&entry.time_max.to_le_bytes());
            previous = last;
        }
        text::encode(&raw, out);
    }

    /// The index of `chunks` chunks, whose checksum the header has.
    pub(super) fn decode(bytes: &[u8], chunks: u32) -> Option<Self> {
        let mut at = 0;
        let raw = text::decode(bytes, &mut at)?;
        if at != bytes.len() || chunks as usize > raw.len() {
            return None;
        }
        let (raw, mut at, mut index) = (raw.as_slice(), 0, Self::default());
        let (mut offset, mut key) = (HEADER_BYTES as u64, Vec::new());
        for _ in 0..chunks {
            let small = |at: &mut usize| u32::try_from(varint::get(raw, at)?).ok();
            let (bytes, front_bytes) = (small(&mut at)?, small(&mut at)?);
            chunk::get_front_coded(raw, &mut at, &mut key)?;
            index.keys.extend_from_slice(&key);
            let first_end = index.keys.len() as u32;
            chunk::get_front_coded(raw, &mut at, &mut key)?;
            index.keys.extend_from_slice(&key);
            let last_end = index.keys.len() as u32;
            if index.keys.len() > KEYS_BYTES_MAX {
                return None;
            }
            index.entries.push(Entry {
                offset,
                bytes,
                front_bytes,
                series: small(&mut at)?,
                rows: small(&mut at)?,
                values: varint::get(raw, &mut at)?,
                time_min: chunk::u64_at(raw, at)? as i64,
                time_max: chunk::u64_at(raw, at + 8)? as i64,
                first_end,
                last_end,
            });
            at += 16;
            offset += u64::from(bytes);
        }
        (at == raw.len()).then_some(index)
    }
}
