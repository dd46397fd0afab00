//! The text between the values of a layout, compared whole instead of scanned.

use alloc::vec::Vec;

use super::number;
use super::swar::load;
use crate::model::{FieldType, equal};

/// Most fields of a template.
pub const FIELDS_MAX: usize = 64;

/// Longest fields text of a template. With the bound on plain arrival keys it keeps every
/// accepted line below the limit on keys in storage, which is not checked here.
const TEXT_BYTES_MAX: usize = 1 << 14;

/// Compiled from the fields of a line the general path has accepted: `usage_user=1i,x=2.5`
/// becomes the texts ` usage_user=`, `i,x=` and nothing, with an integer and a float between.
///
/// Whatever it accepts, the general path reads alike; on anything else it gives up.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part>,
    /// Whether the last value is an integer, so that an `i` ends the text.
    ends_in_suffix: bool,
}

/// A text and the value behind it.
#[derive(Clone, Debug)]
struct Part {
    literal: Literal,
    is_integer: bool,
}

/// What [`Template::parse`] has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The body offset behind the fields: of a space, a newline or the end of the body.
    pub end: usize,
    /// All integers, ORed as 64 bits: below 256 if the row is narrow.
    pub integers_or: u64,
}

impl Template {
    /// The template of `fields_text`, as [`Point::fields_text`](super::Point::fields_text)
    /// gives it, with the types of its fields.
    ///
    /// `None` if the text does not qualify: strings, booleans, unsigned integers, backslashes,
    /// quotes, spaces or newlines anywhere, a field named twice or without a name, more than
    /// [`FIELDS_MAX`] fields or 16 KiB.
    pub fn compile(fields_text: &[u8], types: &[FieldType]) -> Option<Self> {
        let is_foreign = |byte: &u8| matches!(byte, b'\\' | b'"' | b'\n' | b' ');
        if types.len() > FIELDS_MAX
            || fields_text.len() > TEXT_BYTES_MAX
            || fields_text.iter().any(is_foreign)
        {
            return None;
        }
        let mut parts = Vec::with_capacity(types.len());
        let mut names: Vec<&[u8]> = Vec::with_capacity(types.len());
        let mut fields = fields_text.split(|&byte| byte == b',');
        let mut prefix: &[u8] = b" ";
        for &field_type in types {
            let field = fields.next()?;
            let (name, value) = field.split_at(memchr::memchr(b'=', field)?);
            if name.is_empty() || names.contains(&name) {
                return None;
            }
            names.push(name);
            let is_integer = is_integer(value.get(1..)?, field_type)?;
            let literal = Literal::new(&[prefix, name, b"="].concat());
            parts.push(Part {
                literal,
                is_integer,
            });
            prefix = if is_integer { b"i," } else { b"," };
        }
        let ends_in_suffix = parts.last()?.is_integer;
        fields.next().is_none().then_some(Self {
            parts,
            ends_in_suffix,
        })
    }

    /// How many fields a line of this template has.
    pub fn field_count(&self) -> usize {
        self.parts.len()
    }

    /// Parses the fields at `body[at..]`, where the space behind a series key stands, and
    /// appends the bits of their values to `out`: of the `i64` or of the `f64`.
    ///
    /// `None` on any deviation; `out` may then have got some values.
    #[inline]
    pub fn parse(&self, body: &[u8], at: usize, out: &mut Vec<u64>) -> Option<Parsed> {
        let mut at = at;
        let mut integers_or = 0;
        for part in &self.parts {
            at = part.literal.match_at(body, at)?;
            if part.is_integer {
                let (value, end) = number::integer(body, at)?;
                integers_or |= value as u64;
                out.push(value as u64);
                at = end;
            } else {
                let (value, end) = number::float(body, at)?;
                out.push(value.to_bits());
                at = end;
            }
        }
        // `integer` has seen the `i`.
        let end = at + usize::from(self.ends_in_suffix);
        matches!(body.get(end), None | Some(b' ' | b'\n')).then_some(Parsed { end, integers_or })
    }
}

/// Whether the value is an integer rather than a float; `None` if it is neither or of another
/// type than it should be.
fn is_integer(value: &[u8], field_type: FieldType) -> Option<bool> {
    let (number, end) = number::scan(value, 0, false).ok()?;
    match (number, field_type) {
        (number::Number::Integer(_), FieldType::Integer) if end == value.len() => Some(true),
        (number::Number::Float(_), FieldType::Float) if end == value.len() => Some(false),
        _ => None,
    }
}

/// A constant text, compared by words that overlap rather than byte by byte.
#[derive(Clone, Debug)]
struct Literal {
    /// The words at 0, 8, `length - 16` and `length - 8`, as far as the length has them.
    words: [u64; 4],
    length: usize,
    bytes: Vec<u8>,
}

/// The longest text that four words cover.
const WORDS_BYTES_MAX: usize = 32;

impl Literal {
    fn new(bytes: &[u8]) -> Self {
        let word = |at: Option<usize>| at.and_then(|at| load(bytes, at)).unwrap_or(0);
        let length = bytes.len();
        let words = [
            word(Some(0)),
            word(Some(8)),
            word(length.checked_sub(16)),
            word(length.checked_sub(8)),
        ];
        Self {
            words,
            length,
            bytes: Vec::from(bytes),
        }
    }

    /// The offset behind the text, if it stands at `at`.
    #[inline(always)]
    fn match_at(&self, body: &[u8], at: usize) -> Option<usize> {
        let length = self.length;
        let end = at + length;
        let text = body.get(at..end)?;
        let matches = match length {
            8..=16 => {
                let (first, last) = (load(text, 0)?, load(text, length - 8)?);
                (first ^ self.words[0]) | (last ^ self.words[3]) == 0
            }
            17..=WORDS_BYTES_MAX => {
                let (a, b) = (load(text, 0)?, load(text, 8)?);
                let (c, d) = (load(text, length - 16)?, load(text, length - 8)?);
                (a ^ self.words[0])
                    | (b ^ self.words[1])
                    | (c ^ self.words[2])
                    | (d ^ self.words[3])
                    == 0
            }
            _ => equal(text, &self.bytes),
        };
        matches.then_some(end)
    }
}
