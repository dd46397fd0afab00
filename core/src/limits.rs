//! Every bound in one place, with its unit and where it comes from.

/// Longest measurement plus tag set, in escaped bytes. influxdb 1.12 `models.MaxKeyLength`.
pub const KEY_BYTES_MAX: usize = 65_535;

/// Longest string field value, in bytes after unescaping. influxdb 1.12 `tsdb.MaxFieldValueLength`.
pub const STRING_BYTES_MAX: usize = 1_048_576;

/// Largest request body, in bytes after inflating, by default. influxdb 1.12 `max-body-size`.
pub const BODY_BYTES_MAX: usize = 25_000_000;

/// Size at which a log frame is closed, in bytes of payload. Ours: every store we know can hold
/// it as one value. A field value and a definition entry are never split, so one that is alone
/// in its frame may exceed it by what `wal::PAYLOAD_BYTES_MAX` leaves room for, 128 KiB.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Most a cache may be told to hold, in logical bytes. Ours: rows are addressed with 32 bits, and
/// in memory they take up to twice their bytes.
pub const CACHE_BYTES_MAX: u64 = 2 << 30;

/// Longest name of a database or retention policy, in bytes. influxdb 1.12 `services/meta`.
pub const NAME_BYTES_MAX: usize = 255;

/// Different spellings of one series key that are remembered for the fast path. Ours.
pub const ALIASES_PER_SERIES_MAX: u8 = 4;

/// Series of a database, unless configured. influxdb 1.12 `max-series-per-database`.
pub const SERIES_MAX: u64 = 1_000_000;

/// Values of a tag of a measurement, unless configured. influxdb 1.12 `max-values-per-tag`.
pub const TAG_VALUES_MAX: u64 = 100_000;

/// Fields of a line, unless configured. Ours: upstream has no limit, and a body of 25 MB holds six
/// million, each of which stays in the schema.
pub const FIELDS_MAX: u64 = 65_536;

/// A limit on the length of lines is not less than this, in bytes: no line of the fast path is
/// longer. Ours.
pub const LINE_BYTES_MAX_LEAST: u64 = 128 << 10;

/// A limit on fields is not less than this: no line of the fast path has more. Ours.
pub const FIELDS_MAX_LEAST: u64 = 64;
