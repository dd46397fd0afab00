//! Field types and values.

use core::fmt;

/// The type of a field; the first write into a shard fixes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldType {
    /// An IEEE double, never NaN nor infinite.
    Float,
    /// A signed 64-bit integer, `i` suffix.
    Integer,
    /// An unsigned 64-bit integer, `u` suffix, where enabled.
    Unsigned,
    /// `true` or `false` in one of ten spellings.
    Boolean,
    /// Bytes in double quotes; not necessarily UTF-8.
    String,
}

impl FieldType {
    /// The byte in the log. Never renumber.
    pub const fn code(self) -> u8 {
        match self {
            Self::Float => 1,
            Self::Integer => 2,
            Self::Unsigned => 3,
            Self::Boolean => 4,
            Self::String => 5,
        }
    }

    /// The inverse of [`code`](Self::code).
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Float,
            2 => Self::Integer,
            3 => Self::Unsigned,
            4 => Self::Boolean,
            5 => Self::String,
            _ => return None,
        })
    }
}

impl fmt::Display for FieldType {
    /// As in upstream's conflict text and in SHOW FIELD KEYS.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned",
            Self::Boolean => "boolean",
            Self::String => "string",
        })
    }
}

/// A field value read back from a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A double.
    Float(f64),
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A boolean.
    Boolean(bool),
    /// A string's bytes, unescaped.
    String(&'a [u8]),
}

impl Value<'_> {
    /// The type of this value.
    pub const fn field_type(&self) -> FieldType {
        match self {
            Self::Float(_) => FieldType::Float,
            Self::Integer(_) => FieldType::Integer,
            Self::Unsigned(_) => FieldType::Unsigned,
            Self::Boolean(_) => FieldType::Boolean,
            Self::String(_) => FieldType::String,
        }
    }
}
