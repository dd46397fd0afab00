//! The values that the rows of a chunk have of one field, and the page that holds them.
//!
//! ```text
//! page       presence | values
//! floats     see `floats`
//! integers   sequence of numbers; signed ones with the sign bit turned over
//! booleans   text of bits, lowest first
//! strings    see `strings`
//! ```

use alloc::vec::Vec;
use core::ops::Range;

use super::strings::Strings;
use super::{floats, numbers, presence, text};
use crate::model::{FieldType, Value};

/// Values of one type, in order of their rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Doubles.
    Float(Vec<f64>),
    /// Signed integers.
    Integer(Vec<i64>),
    /// Unsigned integers.
    Unsigned(Vec<u64>),
    /// Booleans.
    Boolean(Vec<bool>),
    /// Strings.
    String(Strings),
}

impl Values {
    /// None yet, of this type.
    pub(super) fn new(field_type: FieldType) -> Self {
        match field_type {
            FieldType::Float => Self::Float(Vec::new()),
            FieldType::Integer => Self::Integer(Vec::new()),
            FieldType::Unsigned => Self::Unsigned(Vec::new()),
            FieldType::Boolean => Self::Boolean(Vec::new()),
            FieldType::String => Self::String(Strings::default()),
        }
    }

    /// Their type.
    pub const fn field_type(&self) -> FieldType {
        match self {
            Self::Float(_) => FieldType::Float,
            Self::Integer(_) => FieldType::Integer,
            Self::Unsigned(_) => FieldType::Unsigned,
            Self::Boolean(_) => FieldType::Boolean,
            Self::String(_) => FieldType::String,
        }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Unsigned(values) => values.len(),
            Self::Boolean(values) => values.len(),
            Self::String(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at a place.
    #[inline]
    pub fn get(&self, at: usize) -> Option<Value<'_>> {
        Some(match self {
            Self::Float(values) => Value::Float(*values.get(at)?),
            Self::Integer(values) => Value::Integer(*values.get(at)?),
            Self::Unsigned(values) => Value::Unsigned(*values.get(at)?),
            Self::Boolean(values) => Value::Boolean(*values.get(at)?),
            Self::String(values) => Value::String(values.get(at)?),
        })
    }

    /// Appends a value; false if it is of another type.
    #[inline]
    pub(super) fn push(&mut self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Float(values), Value::Float(value)) => values.push(value),
            (Self::Integer(values), Value::Integer(value)) => values.push(value),
            (Self::Unsigned(values), Value::Unsigned(value)) => values.push(value),
            (Self::Boolean(values), Value::Boolean(value)) => values.push(value),
            (Self::String(values), Value::String(value)) => values.push(value),
            _ => return false,
        }
        true
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Float(values) => floats::encode(values, out),
            Self::Integer(values) => {
                let values = values.iter().map(|&value| numbers::from_signed(value));
                numbers::encode(&mut values.collect::<Vec<_>>(), out);
            }
            Self::Unsigned(values) => numbers::encode(&mut values.clone(), out),
            Self::Boolean(values) => {
                let byte = |bits: &[bool]| {
                    let bits = bits.iter().enumerate();
                    bits.fold(0, |byte, (at, &bit)| byte | u8::from(bit) << at)
                };
                text::encode(&values.chunks(8).map(byte).collect::<Vec<_>>(), out);
            }
            Self::String(values) => values.encode(out),
        }
    }

    fn decode(bytes: &[u8], field_type: FieldType, count: usize) -> Option<Self> {
        Some(match field_type {
            FieldType::Float => Self::Float(floats::decode(bytes, count)?),
            FieldType::Integer => {
                let values = numbers::decode(bytes, count)?;
                Self::Integer(values.into_iter().map(numbers::to_signed).collect())
            }
            FieldType::Unsigned => Self::Unsigned(numbers::decode(bytes, count)?),
            FieldType::Boolean => {
                let mut at = 0;
                let bits = text::decode(bytes, &mut at)?;
                if at != bytes.len() || bits.len() != count.div_ceil(8) {
                    return None;
                }
                let bits = bits
                    .iter()
                    .flat_map(|byte| (0..8).map(move |at| byte >> at & 1 == 1));
                Self::Boolean(bits.take(count).collect())
            }
            FieldType::String => Self::String(Strings::decode(bytes, count)?),
        })
    }
}

/// The values that some rows have of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The field's name, unescaped.
    pub name: Vec<u8>,
    /// Its type.
    pub field_type: FieldType,
    /// The rows of the chunk that have a value, in order; `None` if all do.
    pub rows: Option<Vec<u32>>,
    /// Their values.
    pub values: Values,
}

impl Column {
    /// The places of the values of these rows of the chunk.
    pub fn places(&self, rows: &Range<usize>) -> Range<usize> {
        match &self.rows {
            None => rows.start.min(self.values.len())..rows.end.min(self.values.len()),
            Some(present) => {
                let place = |row| present.partition_point(|&at| (at as usize) < row);
                place(rows.start)..place(rows.end)
            }
        }
    }

    /// The row of the value at a place.
    pub fn row(&self, place: usize) -> Option<usize> {
        match &self.rows {
            None => (place < self.values.len()).then_some(place),
            Some(present) => present.get(place).map(|&row| row as usize),
        }
    }
}

/// Appends the page of a column: values of `rows`, of a chunk with `count` rows.
pub(super) fn encode_page(rows: &[u32], values: &Values, count: usize, out: &mut Vec<u8>) {
    presence::encode(rows, count, out);
    values.encode(out);
}

/// What a page holds: rows that have values (all, if `None`), and those.
///
/// Bounds: some twelve bytes for each value, and 255 times the page for strings.
pub(super) fn decode_page(
    bytes: &[u8],
    field_type: FieldType,
    values: usize,
    count: usize,
) -> Option<(Option<Vec<u32>>, Values)> {
    let mut at = 0;
    let rows = presence::decode(bytes, &mut at, count, values)?;
    let values = Values::decode(bytes.get(at..)?, field_type, values)?;
    Some((rows, values))
}
