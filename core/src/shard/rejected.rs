//! Why a shard leaves a point out, in upstream's words.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::model::{self, FieldType, Quoted};

/// A reason to leave a point out.
///
/// Source: influxdb 1.12 `tsdb.Shard.validateSeriesAndFields`, `tsdb.ValidateFields`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The database has as many series as it may. Influxdb 1.12 `tsdb/index/inmem`.
    SeriesLimit {
        /// The database.
        database: String,
        /// How many it may have.
        limit: u64,
        /// How many it has.
        series: u64,
        /// How many points were left out for that.
        keys: u64,
    },
    /// A tag has as many values as it may. Influxdb 1.12 `tsdb/index/inmem`.
    TagValueLimit {
        /// How many it may have.
        limit: u64,
        /// How many it has.
        count: u64,
        /// The measurement.
        measurement: Vec<u8>,
        /// The tag.
        tag: Vec<u8>,
        /// The value that would be one more.
        value: Vec<u8>,
    },
    /// A tag is named `time`.
    TagNamedTime {
        /// The measurement.
        measurement: Vec<u8>,
    },
    /// With `validate-keys`: the key is not printable UTF-8.
    UnprintableKey {
        /// The key.
        key: Vec<u8>,
    },
    /// The only fields are named `time`.
    FieldNamedTime {
        /// The measurement.
        measurement: Vec<u8>,
    },
    /// A string beyond `limits::STRING_BYTES_MAX`.
    StringTooLong {
        /// The field.
        field: Vec<u8>,
        /// Its measurement.
        measurement: Vec<u8>,
        /// Bytes after unescaping.
        length: usize,
    },
    /// The field has another type.
    TypeConflict {
        /// The field.
        field: Vec<u8>,
        /// Its measurement.
        measurement: Vec<u8>,
        /// The type in the line.
        is: FieldType,
        /// The type it has.
        was: FieldType,
    },
}

impl Rejection {
    /// Upstream judges all keys of a batch before the first field, and what limits refuse hides
    /// the rest; the earliest stage wins.
    const fn stage(&self) -> u8 {
        match self {
            Self::SeriesLimit { .. } | Self::TagValueLimit { .. } => 0,
            Self::TagNamedTime { .. } | Self::UnprintableKey { .. } => 1,
            _ => 2,
        }
    }

    /// Whether it is about the key of a point, which is judged before limits and fields.
    pub const fn is_about_key(&self) -> bool {
        self.stage() < 2
    }

    /// Appends the reason. Names stand as they came, so it need not be UTF-8.
    pub fn describe(&self, out: &mut Vec<u8>) {
        match self {
            Self::SeriesLimit {
                database,
                limit,
                series,
                keys,
            } => push(
                out,
                format_args!(
                    "max-series-per-database exceeded database={database} limit={limit} \
                     series={series} keys={keys}"
                ),
            ),
            Self::TagValueLimit {
                limit,
                count,
                measurement,
                tag,
                value,
            } => push(
                out,
                format_args!(
                    "max-values-per-tag limit exceeded ({count}/{limit}): measurement={} tag={} \
                     value={}",
                    Quoted(measurement),
                    Quoted(tag),
                    Quoted(value)
                ),
            ),
            Self::TagNamedTime { measurement } => {
                named_time("tag key", "tag", measurement, out);
            }
            Self::FieldNamedTime { measurement } => {
                named_time("field name", "field", measurement, out);
            }
            Self::UnprintableKey { key } => {
                push(
                    out,
                    format_args!("key contains invalid unicode: {}", MaskedKey(key)),
                );
            }
            Self::StringTooLong { .. } | Self::TypeConflict { .. } => self.describe_value(out),
        }
    }

    /// The reasons that lie in a value.
    fn describe_value(&self, out: &mut Vec<u8>) {
        match self {
            Self::StringTooLong {
                field,
                measurement,
                length,
            } => push(
                out,
                format_args!(
                    "input field {} on measurement {} is too long, {length} > {}",
                    Quoted(field),
                    Quoted(measurement),
                    crate::limits::STRING_BYTES_MAX
                ),
            ),
            Self::TypeConflict {
                field,
                measurement,
                is,
                was,
            } => push(
                out,
                format_args!(
                    "field type conflict: input field {} on measurement {} is type {is}, \
                     already exists as type {was}",
                    Quoted(field),
                    Quoted(measurement)
                ),
            ),
            _ => {}
        }
    }
}

fn named_time(what: &str, kind: &str, measurement: &[u8], out: &mut Vec<u8>) {
    push(
        out,
        format_args!("invalid {what}: input {kind} \"time\" on measurement \""),
    );
    out.extend_from_slice(measurement);
    out.extend_from_slice(b"\" is invalid");
}

fn push(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    out.extend_from_slice(alloc::format!("{text}").as_bytes());
}

/// A key whose runs of unprintable runes show as at most three question marks.
struct MaskedKey<'a>(&'a [u8]);

impl fmt::Display for MaskedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut masked, mut run) = (Vec::new(), 0);
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if is_printable(character) {
                    run = 0;
                    masked.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                } else {
                    mask(&mut masked, &mut run);
                }
            }
            for _ in chunk.invalid() {
                mask(&mut masked, &mut run);
            }
        }
        write!(f, "{}", Quoted(&masked))
    }
}

fn mask(masked: &mut Vec<u8>, run: &mut u32) {
    *run += 1;
    if *run <= 3 {
        masked.push(b'?');
    }
}

/// Whether a key consists of printable characters only.
pub(super) fn is_printable_key(key: &[u8]) -> bool {
    key.utf8_chunks()
        .all(|chunk| chunk.invalid().is_empty() && chunk.valid().chars().all(is_printable))
}

/// Upstream also takes the replacement character for a sign of damage.
fn is_printable(character: char) -> bool {
    character != char::REPLACEMENT_CHARACTER && model::is_printable(character)
}

/// A field named `time` beside others: the point is stored without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrippedTime {
    /// The measurement.
    pub measurement: Vec<u8>,
}

impl StrippedTime {
    /// Appends the notice. Source: influxdb 1.12.3 `tsdb.ValidateFields`.
    pub fn describe(&self, out: &mut Vec<u8>) {
        named_time("field name", "field", &self.measurement, out);
        out.extend_from_slice(b". Field \"time\" has been stripped from point.");
    }
}

/// The points of a request that a shard left out.
#[derive(Clone, Debug, Default)]
pub struct Rejected {
    count: u64,
    reason: Option<Rejection>,
    stripped: Option<StrippedTime>,
}

impl Rejected {
    /// Counts a point; the first reason of the earliest stage is kept.
    pub fn add(&mut self, rejection: Rejection) {
        self.count += 1;
        if let (Some(Rejection::SeriesLimit { keys, .. }), Rejection::SeriesLimit { .. }) =
            (&mut self.reason, &rejection)
        {
            *keys += 1;
        }
        if self
            .reason
            .as_ref()
            .is_none_or(|reason| rejection.stage() < reason.stage())
        {
            self.reason = Some(rejection);
        }
    }

    /// Notes a point stored without its field `time`.
    pub fn note_stripped(&mut self, measurement: &[u8]) {
        if self.stripped.is_none() {
            self.stripped = Some(StrippedTime {
                measurement: measurement.to_vec(),
            });
        }
    }

    /// How many points were left out.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether there is nothing to tell.
    pub const fn is_empty(&self) -> bool {
        self.count == 0 && self.stripped.is_none()
    }

    /// Appends what there is to tell: the reason, or else the notice.
    pub fn describe(&self, out: &mut Vec<u8>) {
        match (&self.reason, &self.stripped) {
            (Some(reason), _) => reason.describe(out),
            (None, Some(stripped)) => stripped.describe(out),
            (None, None) => {}
        }
    }
}
