//! The values of one point as bytes: the same bytes in the log, in the cache and in queries.
//!
//! A row has no names and no types; its *layout* (an ordered list of typed fields, see
//! `index`) gives both. Values follow each other in layout order:
//!
//! | type | bytes |
//! | --- | --- |
//! | float | 8, little-endian IEEE bits |
//! | integer, unsigned in a *narrow* row | 1, the value itself, 0 to 255 |
//! | integer, unsigned in a *wide* row | 1, 2, 4 or 8, little-endian; integers zigzag first |
//! | boolean | 1, 0 or 1 |
//! | string | varint length, then the bytes |
//!
//! A wide row starts with its width codes, two bits per integer, four to a byte, lowest bits
//! first: the width is `1 << code`.
//!
//! Source: ours; the byte rows and width codes are those that paid in our measurements.

use alloc::vec::Vec;

use super::{FieldType, Value, varint};

/// How the integers of a row are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// All fit one byte.
    Narrow,
    /// With width codes in front.
    Wide,
}

impl Class {
    /// The bit in a row head.
    pub const fn code(self) -> u8 {
        match self {
            Self::Narrow => 0,
            Self::Wide => 1,
        }
    }

    /// The inverse of [`code`](Self::code), of the lowest bit.
    pub const fn from_code(code: u8) -> Self {
        if code & 1 == 0 {
            Self::Narrow
        } else {
            Self::Wide
        }
    }
}

/// The integer as it is written in a wide row, if `value` is one.
#[inline]
const fn wide_bits(value: &Value<'_>) -> Option<u64> {
    match value {
        Value::Integer(v) => Some(varint::zigzag(*v)),
        Value::Unsigned(v) => Some(*v),
        _ => None,
    }
}

#[inline]
const fn width_code(bits: u64) -> u8 {
    match bits {
        0..=0xff => 0,
        0x100..=0xffff => 1,
        0x1_0000..=0xffff_ffff => 2,
        _ => 3,
    }
}

#[inline]
fn fits_narrow(value: &Value<'_>) -> bool {
    match value {
        Value::Integer(v) => (0..256).contains(v),
        Value::Unsigned(v) => *v < 256,
        _ => true,
    }
}

/// Appends a row of `values` and tells its class.
pub fn encode(values: &[Value<'_>], out: &mut Vec<u8>) -> Class {
    let class = if values.iter().all(fits_narrow) {
        Class::Narrow
    } else {
        Class::Wide
    };
    if class == Class::Wide {
        push_width_codes(values.iter().filter_map(wide_bits), out);
    }
    for value in values {
        match *value {
            Value::Float(v) => out.extend_from_slice(&v.to_bits().to_le_bytes()),
            Value::Boolean(v) => out.push(u8::from(v)),
            Value::String(v) => varint::put_bytes(out, v),
            Value::Integer(v) if class == Class::Narrow => out.push(v as u8),
            Value::Unsigned(v) if class == Class::Narrow => out.push(v as u8),
            Value::Integer(v) => push_wide(varint::zigzag(v), out),
            Value::Unsigned(v) => push_wide(v, out),
        }
    }
    class
}

/// Appends a row of numbers given as bits (of the `i64` or of the `f64`), as [`encode`] would.
///
/// `class` must be [`class_of`] their integers.
#[inline]
pub fn encode_bits(
    types: &[FieldType],
    integers: usize,
    bits: &[u64],
    class: Class,
    out: &mut Vec<u8>,
) {
    if integers == bits.len() && class == Class::Narrow {
        out.extend(bits.iter().map(|&bits| bits as u8));
        return;
    }
    let is_integer = |t: &FieldType| matches!(t, FieldType::Integer);
    let typed = types.iter().zip(bits);
    if class == Class::Wide {
        let integers = typed.clone().filter(|(t, _)| is_integer(t));
        push_width_codes(integers.map(|(_, &bits)| varint::zigzag(bits as i64)), out);
    }
    for (field_type, &bits) in typed {
        match (is_integer(field_type), class) {
            (false, _) => out.extend_from_slice(&bits.to_le_bytes()),
            (true, Class::Narrow) => out.push(bits as u8),
            (true, Class::Wide) => push_wide(varint::zigzag(bits as i64), out),
        }
    }
}

/// The class of a row from all its integers, ORed as 64 bits.
#[inline]
pub const fn class_of(integers_or: u64) -> Class {
    if integers_or < 256 {
        Class::Narrow
    } else {
        Class::Wide
    }
}

fn push_width_codes(integers: impl Iterator<Item = u64>, out: &mut Vec<u8>) {
    let (mut codes, mut filled) = (0u8, 0);
    for bits in integers {
        codes |= width_code(bits) << filled;
        filled += 2;
        if filled == 8 {
            out.push(codes);
            (codes, filled) = (0, 0);
        }
    }
    if filled > 0 {
        out.push(codes);
    }
}

#[inline]
fn push_wide(bits: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&bits.to_le_bytes()[..1 << width_code(bits)]);
}

/// Walks the values of the row at the start of `bytes`.
///
/// Bounds: never reads past `bytes`; a row that is cut off ends the walk early, with
/// [`Reader::is_cut`] telling so.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    codes_at: usize,
    integers_read: usize,
    class: Class,
    cut: bool,
}

impl<'a> Reader<'a> {
    /// A reader over a row with `integers` integer fields.
    #[inline]
    pub fn new(bytes: &'a [u8], class: Class, integers: usize) -> Self {
        let at = if class == Class::Wide {
            integers.div_ceil(4)
        } else {
            0
        };
        Self {
            bytes,
            at,
            codes_at: 0,
            integers_read: 0,
            class,
            cut: at > bytes.len(),
        }
    }

    /// The next value, which has type `field_type`; `None` where the row is cut off.
    #[inline]
    pub fn next(&mut self, field_type: FieldType) -> Option<Value<'a>> {
        let value = self.read(field_type);
        self.cut |= value.is_none();
        value
    }

    /// Where the next value, or the next row, starts.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Whether a value was missing.
    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    fn read(&mut self, field_type: FieldType) -> Option<Value<'a>> {
        if self.cut {
            return None;
        }
        Some(match field_type {
            FieldType::Float => Value::Float(f64::from_bits(self.little_endian(8)?)),
            FieldType::Boolean => Value::Boolean(self.little_endian(1)? != 0),
            FieldType::String => Value::String(varint::get_bytes(self.bytes, &mut self.at)?),
            FieldType::Integer => {
                let bits = self.integer()?;
                Value::Integer(match self.class {
                    Class::Narrow => bits as i64,
                    Class::Wide => varint::unzigzag(bits),
                })
            }
            FieldType::Unsigned => Value::Unsigned(self.integer()?),
        })
    }

    fn integer(&mut self) -> Option<u64> {
        let width = match self.class {
            Class::Narrow => 1,
            Class::Wide => {
                let codes = *self.bytes.get(self.codes_at + self.integers_read / 4)?;
                1 << (codes >> (self.integers_read % 4 * 2) & 3)
            }
        };
        self.integers_read += 1;
        self.little_endian(width)
    }

    fn little_endian(&mut self, width: usize) -> Option<u64> {
        let slice = self.bytes.get(self.at..self.at + width)?;
        self.at += width;
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(slice);
        Some(u64::from_le_bytes(bytes))
    }
}

/// How many of `types` are integers of either kind: what a [`Reader`] must know beforehand.
pub fn integer_count(types: impl IntoIterator<Item = FieldType>) -> usize {
    let is_integer = |t: &FieldType| matches!(t, FieldType::Integer | FieldType::Unsigned);
    types.into_iter().filter(is_integer).count()
}

/// The length in bytes of the row at the start of `bytes`, or `None` if it is cut off.
pub fn length(bytes: &[u8], class: Class, types: &[FieldType]) -> Option<usize> {
    let integers = integer_count(types.iter().copied());
    if class == Class::Narrow && integers == types.len() {
        return (integers <= bytes.len()).then_some(integers);
    }
    let mut reader = Reader::new(bytes, class, integers);
    for &field_type in types {
        reader.next(field_type)?;
    }
    (!reader.is_cut()).then_some(reader.position())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(values: &[Value<'_>]) -> (Class, usize) {
        let mut out = Vec::new();
        let class = encode(values, &mut out);
        let types: Vec<_> = values.iter().map(Value::field_type).collect();
        assert_eq!(length(&out, class, &types), Some(out.len()));
        let mut reader = Reader::new(&out, class, integer_count(types.iter().copied()));
        for value in values {
            assert_eq!(reader.next(value.field_type()), Some(*value));
        }
        assert_eq!(reader.position(), out.len());
        for cut in 0..out.len() {
            assert_eq!(length(&out[..cut], class, &types), None, "cut at {cut}");
        }
        (class, out.len())
    }

    #[test]
    fn small_integers_take_a_byte_each() {
        let values: Vec<_> = (0..10).map(|i| Value::Integer(i * 28)).collect();
        assert_eq!(round_trip(&values), (Class::Narrow, 10));
    }

    #[test]
    fn one_wide_integer_makes_the_row_wide() {
        let values = [
            Value::Integer(255),
            Value::Integer(-1),
            Value::Integer(i64::MIN),
            Value::Unsigned(u64::MAX),
            Value::Integer(70_000),
        ];
        assert_eq!(round_trip(&values), (Class::Wide, 2 + 2 + 1 + 8 + 8 + 4));
    }

    #[test]
    fn bits_are_encoded_like_values() {
        let rows: [&[Value<'_>]; 5] = [
            &[Value::Integer(1), Value::Integer(255)],
            &[Value::Integer(1), Value::Integer(256)],
            &[Value::Float(1.5), Value::Integer(3)],
            &[Value::Float(-0.0), Value::Integer(-3), Value::Float(1e300)],
            &[Value::Float(2.0)],
        ];
        for values in rows {
            let types: Vec<_> = values.iter().map(Value::field_type).collect();
            let (mut bits, mut integers_or) = (Vec::new(), 0);
            for value in values {
                match value {
                    Value::Float(v) => bits.push(v.to_bits()),
                    Value::Integer(v) => {
                        bits.push(*v as u64);
                        integers_or |= *v as u64;
                    }
                    other => panic!("{other:?} is no number of the fast path"),
                }
            }
            let (mut expected, mut found) = (Vec::new(), Vec::new());
            let class = encode(values, &mut expected);
            assert_eq!(class_of(integers_or), class);
            let integers = integer_count(types.iter().copied());
            encode_bits(&types, integers, &bits, class, &mut found);
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn all_types_round_trip() {
        round_trip(&[
            Value::Float(-0.0),
            Value::Boolean(true),
            Value::String(b"a\xff\0"),
            Value::String(b""),
            Value::Integer(300),
            Value::Float(f64::MAX),
        ]);
        round_trip(&[Value::String(&[b'x'; 300])]);
        round_trip(&[]);
    }
}
