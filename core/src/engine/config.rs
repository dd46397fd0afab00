//! What a host decides about an engine before it opens it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::ids::{FileId, Lsn};
use crate::limits;
use crate::model::varint;

/// Fixed for the life of an engine. Budgets count logical bytes, never `size_of`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name of the database; only texts use it.
    pub database: String,
    /// Random, drawn once when the database is created; tells its segments from others'.
    pub node_id: u128,
    /// Random, drawn at every open: salts of segments and the hash of tables derive from it.
    pub seed: u64,
    /// A segment that reached this size is closed and the next one begun.
    pub segment_bytes_roll: u64,
    /// Log bytes since the last snapshot, or its own bytes if they are more, after which the
    /// next one is written and the log behind it retired; what opening has to read is bounded so.
    pub snapshot_log_bytes: u64,
    /// Bytes of a snapshot that are built at a stretch, and handed to the host as one part.
    pub snapshot_part_bytes: u64,
    /// Log bytes that may wait for the host; beyond, writes are refused as busy.
    pub pending_bytes_max: u64,
    /// Bytes of cache and index; beyond, writes are refused.
    pub cache_bytes_max: u64,
    /// Largest body a write may bring.
    pub body_bytes_max: u64,
    /// Most points a write may bring, counted as lines that are neither blank nor comments; 0 for
    /// no limit. Ours: upstream has none.
    pub points_max: u64,
    /// Whether the `u` suffix is accepted. influxdb 1.12: a build tag, off in releases.
    pub unsigned_support: bool,
    /// Whether keys must be printable UTF-8. influxdb 1.12 `data.validate-keys`, off.
    pub validate_keys: bool,
    /// Series that the database may have; 0 for no limit. influxdb 1.12
    /// `data.max-series-per-database`.
    pub series_max: u64,
    /// Values that a tag of a measurement may have; 0 for no limit. influxdb 1.12
    /// `data.max-values-per-tag`.
    pub tag_values_max: u64,
    /// Longest line, in bytes; 0 for no limit. Not less than 128 KiB.
    pub line_bytes_max: u64,
    /// Most tags of a line; 0 for no limit.
    pub tags_max: u64,
    /// Most fields of a line; 0 for no limit. Not less than 64.
    pub fields_max: u64,
    /// Frames that opening leaves out, as if they were damaged: those that ended the engine when
    /// they were applied. With the file, since an LSN may be given out again in a later segment.
    pub skip: Vec<(FileId, Lsn)>,
}

impl Config {
    /// The defaults for a database.
    pub fn new(database: &str, node_id: u128, seed: u64) -> Self {
        Self {
            database: database.into(),
            node_id,
            seed,
            segment_bytes_roll: 64 << 20,
            snapshot_log_bytes: 128 << 20,
            snapshot_part_bytes: 256 << 10,
            pending_bytes_max: 64 << 20,
            cache_bytes_max: 1 << 30,
            body_bytes_max: limits::BODY_BYTES_MAX as u64,
            points_max: 0,
            unsigned_support: false,
            validate_keys: false,
            series_max: limits::SERIES_MAX,
            tag_values_max: limits::TAG_VALUES_MAX,
            line_bytes_max: 0,
            tags_max: 0,
            fields_max: limits::FIELDS_MAX,
            skip: Vec::new(),
        }
    }

    /// The form that crosses the guest boundary.
    pub fn encode(&self, out: &mut Vec<u8>) {
        varint::put_bytes(out, self.database.as_bytes());
        out.extend_from_slice(&self.node_id.to_le_bytes());
        out.extend_from_slice(&self.seed.to_le_bytes());
        for number in [
            self.segment_bytes_roll,
            self.snapshot_log_bytes,
            self.snapshot_part_bytes,
            self.pending_bytes_max,
            self.cache_bytes_max,
            self.body_bytes_max,
            self.points_max,
            u64::from(self.unsigned_support),
            u64::from(self.validate_keys),
            self.series_max,
            self.tag_values_max,
            self.line_bytes_max,
            self.tags_max,
            self.fields_max,
            self.skip.len() as u64,
        ] {
            varint::put(out, number);
        }
        for (file, lsn) in &self.skip {
            let (kind, file) = file.to_pair();
            varint::put(out, u64::from(kind));
            varint::put(out, file);
            varint::put(out, lsn.0);
        }
    }

    /// The inverse of [`encode`](Self::encode), reading at `*at`.
    pub fn decode(bytes: &[u8], at: &mut usize) -> Option<Self> {
        let database = String::from_utf8(varint::get_bytes(bytes, at)?.into()).ok()?;
        let node_id = u128::from_le_bytes(bytes.get(*at..*at + 16)?.try_into().ok()?);
        let seed = u64::from_le_bytes(bytes.get(*at + 16..*at + 24)?.try_into().ok()?);
        *at += 24;
        let mut number = || varint::get(bytes, at);
        let mut config = Self {
            database,
            node_id,
            seed,
            segment_bytes_roll: number()?,
            snapshot_log_bytes: number()?,
            snapshot_part_bytes: number()?,
            pending_bytes_max: number()?,
            cache_bytes_max: number()?,
            body_bytes_max: number()?,
            points_max: number()?,
            unsigned_support: number()? != 0,
            validate_keys: number()? != 0,
            series_max: number()?,
            tag_values_max: number()?,
            line_bytes_max: number()?,
            tags_max: number()?,
            fields_max: number()?,
            skip: Vec::new(),
        };
        for _ in 0..number()? {
            let kind = u8::try_from(number()?).ok()?;
            let file = FileId::from_pair(kind, number()?)?;
            config.skip.push((file, Lsn(number()?)));
        }
        Some(config)
    }
}

/// A file that storage holds, as listed by the host at open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// From its name.
    pub file: FileId,
    /// Its length in bytes.
    pub length: u64,
}

/// Appends a listing in the form that crosses the guest boundary.
pub fn encode_listing(files: &[FileInfo], out: &mut Vec<u8>) {
    varint::put(out, files.len() as u64);
    for info in files {
        let (kind, number) = info.file.to_pair();
        out.push(kind);
        varint::put(out, number);
        varint::put(out, info.length);
    }
}

/// The inverse of [`encode_listing`].
pub fn decode_listing(bytes: &[u8], at: &mut usize) -> Option<Vec<FileInfo>> {
    let count = varint::get(bytes, at)?;
    let mut files = Vec::new();
    for _ in 0..count {
        let kind = *bytes.get(*at)?;
        *at += 1;
        let file = FileId::from_pair(kind, varint::get(bytes, at)?)?;
        let length = varint::get(bytes, at)?;
        files.push(FileInfo { file, length });
    }
    Some(files)
}
