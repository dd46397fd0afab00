//! A chunk before and while it is encoded.

use alloc::vec::Vec;

use super::chunk::{ALIGNMENT, Field, Head, PRELUDE_BYTES, Prelude, SeriesList};
use super::column::{self, Values};
use super::header::Identity;
use super::numbers;
use super::writer::FieldRef;
use crate::hash::checksum::crc32c;
use crate::model::{FieldType, Value};

/// The rows of a chunk, as they are fed.
#[derive(Clone, Debug, Default)]
pub(super) struct ChunkRows {
    pub(super) series: SeriesList,
    pub(super) times: Vec<i64>,
    columns: Vec<Growing>,
    /// Which column a field has, by number; none if it is not below the count.
    columns_of: Vec<u32>,
    pub(super) bytes: usize,
}

#[derive(Clone, Debug)]
struct Growing {
    field: FieldRef,
    rows: Vec<u32>,
    values: Values,
}

impl ChunkRows {
    /// Appends a row to the last series.
    pub(super) fn push(&mut self, time: i64, values: &[(FieldRef, Value<'_>)]) {
        let row = self.times.len() as u32;
        self.times.push(time);
        self.series.add_rows(1);
        self.bytes += 8;
        for &(field, value) in values {
            self.bytes += match value {
                Value::String(string) => 16 + string.len(),
                _ => 12,
            };
            let at = self.column(field, value.field_type());
            if let Some(column) = self.columns.get_mut(at) {
                column.rows.push(row);
                column.values.push(value);
            }
        }
    }

    #[inline]
    fn column(&mut self, field: FieldRef, field_type: FieldType) -> usize {
        let number = field.0 as usize;
        if number >= self.columns_of.len() {
            self.columns_of.resize(number + 1, u32::MAX);
        }
        let at = self.columns_of[number] as usize;
        if at < self.columns.len() {
            return at;
        }
        let at = self.columns.len();
        self.columns_of[number] = at as u32;
        self.columns.push(Growing {
            field,
            rows: Vec::new(),
            values: Values::new(field_type),
        });
        at
    }
}

/// A chunk of which one page after the other is encoded.
#[derive(Clone, Debug)]
pub(super) struct Encoding {
    rows: ChunkRows,
    fields: Vec<Field>,
    pages: Vec<u8>,
}

impl Encoding {
    /// The columns come in order of the names of their fields, which `name` tells, and types.
    pub(super) fn new<'a>(mut rows: ChunkRows, name: impl Fn(FieldRef) -> &'a [u8]) -> Self {
        rows.columns.sort_by(|a, b| {
            let key = |column: &Growing| (name(column.field), column.values.field_type());
            key(b).cmp(&key(a))
        });
        Self {
            rows,
            fields: Vec::new(),
            pages: Vec::new(),
        }
    }

    /// Encodes the page of one field; false if all are.
    pub(super) fn step(&mut self, salt: u32, name: impl FnOnce(FieldRef) -> Vec<u8>) -> bool {
        let Some(growing) = self.rows.columns.pop() else {
            return false;
        };
        let start = self.pages.len();
        let count = self.rows.times.len();
        column::encode_page(&growing.rows, &growing.values, count, &mut self.pages);
        let page = self.pages.get(start..).unwrap_or_default();
        self.fields.push(Field {
            name: name(growing.field),
            field_type: growing.values.field_type(),
            values: growing.rows.len() as u32,
            page_bytes: page.len() as u32,
            page_crc: crc32c(salt, page),
            page_offset: 0,
        });
        true
    }

    /// Appends the whole chunk, which begins at `offset` of the block.
    pub(super) fn finish(
        self,
        identity: &Identity,
        offset: u64,
        out: &mut Vec<u8>,
    ) -> (Prelude, SeriesList) {
        let salt = identity.salt;
        let mut times_page = Vec::new();
        let times = &self.rows.times;
        let mut times_numbers: Vec<u64> = times
            .iter()
            .map(|&time| numbers::from_signed(time))
            .collect();
        numbers::encode(&mut times_numbers, &mut times_page);
        let head = Head {
            series: self.rows.series,
            fields: self.fields,
        };
        let mut head_bytes = Vec::new();
        head.encode(&mut head_bytes);
        let bytes = PRELUDE_BYTES + head_bytes.len() + times_page.len() + self.pages.len();
        let prelude = Prelude {
            salt,
            owner: identity.owner(),
            offset,
            head_bytes: head_bytes.len() as u32,
            head_crc: crc32c(salt, &head_bytes),
            times_bytes: times_page.len() as u32,
            times_crc: crc32c(salt, &times_page),
            bytes: bytes.next_multiple_of(ALIGNMENT) as u32,
            series: head.series.len() as u32,
            rows: times.len() as u32,
            values: head
                .fields
                .iter()
                .map(|field| u64::from(field.values))
                .sum(),
            time_min: times.iter().copied().min().unwrap_or_default(),
            time_max: times.iter().copied().max().unwrap_or_default(),
        };
        let end = out.len() + prelude.bytes as usize;
        prelude.encode(out);
        for part in [&head_bytes, &times_page, &self.pages] {
            out.extend_from_slice(part);
        }
        out.resize(end, 0);
        (prelude, head.series)
    }
}
