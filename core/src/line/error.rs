//! Why a line was refused, and where.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::limits::KEY_BYTES_MAX;

/// The fault of one line. The other lines of the body are not touched by it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct LineError {
    /// The byte column within the line where the fault is, counted from 1.
    pub column: u32,
    /// What is wrong there.
    pub kind: LineErrorKind,
}

impl LineError {
    /// A fault at the byte offset `at` of the line.
    #[cold]
    pub(super) fn new(at: usize, kind: LineErrorKind) -> Self {
        Self {
            column: u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1),
            kind,
        }
    }
}

/// What is wrong with a line; `Display` gives upstream's text.
///
/// Source: influxdb 1.12 `models/points.go`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineErrorKind {
    /// The line starts with a comma.
    MissingMeasurement,
    /// The line ends before its fields.
    MissingFields,
    /// Nothing before the `=` of a tag.
    MissingTagKey,
    /// No `=`, or nothing behind it.
    MissingTagValue,
    /// A second `=` in a tag.
    InvalidTagFormat,
    /// Two tags with the same raw key.
    DuplicateTags,
    /// The series key, or the key of one of its fields in storage, is too long: bytes.
    KeyTooLong(usize),
    /// Nothing before the `=` of a field.
    MissingFieldKey,
    /// Nothing behind the `=` of a field.
    MissingFieldValue,
    /// A string without its closing quote.
    UnbalancedQuotes,
    /// As many commas as there are fields, or more, or no field at all.
    InvalidFieldFormat,
    /// The raw text of a field that has no value.
    InvalidFieldKey(Box<[u8]>),
    /// Not an integer, unsigned integer or float.
    InvalidNumber,
    /// A float that has no value, or none that is finite.
    InvalidFloat,
    /// Neither a number nor a string nor one of the ten spellings of true and false.
    InvalidBoolean,
    /// The text of an integer beyond 64 bits, without its `i`.
    IntegerOutOfRange(Box<[u8]>),
    /// The text of an unsigned integer beyond 64 bits, without its `u`.
    UnsignedOutOfRange(Box<[u8]>),
    /// Something other than digits where the timestamp should be.
    BadTimestamp,
    /// A timestamp that is a sign only.
    TimestampSyntax,
    /// The text of a timestamp beyond 64 bits.
    TimestampOutOfRange(Box<[u8]>),
    /// A timestamp that is no nanosecond between 1677 and 2262.
    TimeOutsideRange,
    /// Something behind the timestamp.
    PointInvalid,
    /// A comment with a quote that makes the lines behind it part of the comment. Strict
    /// mode only; upstream drops those lines and answers 204.
    CommentSwallowsLines,
    /// Longer than this server takes: bytes. Ours.
    LineTooLong(usize),
    /// More tags than this server takes. Ours.
    TooManyTags(usize),
    /// More fields than this server takes. Ours.
    TooManyFields(usize),
}

impl LineErrorKind {
    /// Appends the text as bytes: what it quotes from the line need not be UTF-8.
    pub fn append_text(&self, out: &mut Vec<u8>) {
        let mut quoting = |parts: &[&[u8]]| parts.iter().for_each(|p| out.extend_from_slice(p));
        const RANGE: &[u8] = b"\": value out of range";
        match self {
            Self::InvalidFieldKey(raw) => quoting(&[b"invalid value: field-key=", raw]),
            Self::IntegerOutOfRange(x) => quoting(&[
                b"unable to parse integer ",
                x,
                b": strconv.ParseInt: parsing \"",
                x,
                RANGE,
            ]),
            Self::UnsignedOutOfRange(x) => quoting(&[
                b"unable to parse unsigned ",
                x,
                b": strconv.ParseUint: parsing \"",
                x,
                RANGE,
            ]),
            Self::TimestampOutOfRange(x) => {
                quoting(&[b"strconv.ParseInt: parsing \"", x, RANGE]);
            }
            Self::KeyTooLong(length) => {
                let text = alloc::format!("max key length exceeded: {length} > {KEY_BYTES_MAX}");
                quoting(&[text.as_bytes()]);
            }
            Self::LineTooLong(max) => {
                quoting(&[alloc::format!("line too long: the limit is {max} bytes").as_bytes()]);
            }
            Self::TooManyTags(max) => {
                quoting(&[alloc::format!("too many tags: the limit is {max}").as_bytes()]);
            }
            Self::TooManyFields(max) => {
                quoting(&[alloc::format!("too many fields: the limit is {max}").as_bytes()]);
            }
            _ => quoting(&[self.fixed_text().as_bytes()]),
        }
    }

    const fn fixed_text(&self) -> &'static str {
        match self {
            Self::MissingMeasurement => "missing measurement",
            Self::MissingFields => "missing fields",
            Self::MissingTagKey => "missing tag key",
            Self::MissingTagValue => "missing tag value",
            Self::InvalidTagFormat => "invalid tag format",
            Self::DuplicateTags => "duplicate tags",
            Self::MissingFieldKey => "missing field key",
            Self::MissingFieldValue => "missing field value",
            Self::UnbalancedQuotes => "unbalanced quotes",
            Self::InvalidFieldFormat => "invalid field format",
            Self::InvalidNumber => "invalid number",
            Self::InvalidFloat => "invalid float",
            Self::InvalidBoolean => "invalid boolean",
            Self::BadTimestamp => "bad timestamp",
            Self::TimestampSyntax => "strconv.ParseInt: parsing \"-\": invalid syntax",
            Self::TimeOutsideRange => {
                "time outside range -9223372036854775806 - 9223372036854775806"
            }
            Self::PointInvalid => "point is invalid",
            Self::CommentSwallowsLines => "comment with a quote swallows the lines behind it",
            Self::LineTooLong(_)
            | Self::TooManyTags(_)
            | Self::TooManyFields(_)
            | Self::KeyTooLong(_)
            | Self::InvalidFieldKey(_)
            | Self::IntegerOutOfRange(_)
            | Self::UnsignedOutOfRange(_)
            | Self::TimestampOutOfRange(_) => "",
        }
    }
}

impl fmt::Display for LineErrorKind {
    /// Upstream's text; bytes that are not UTF-8 become U+FFFD (see
    /// [`append_text`](Self::append_text) for the bytes).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.append_text(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// What upstream puts between a series key and a field key in storage: `#!~#`.
pub(super) const FIELD_SEPARATOR_BYTES: usize = 4;
