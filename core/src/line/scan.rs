//! One line to one point.

use alloc::vec::Vec;

use super::error::{LineError, LineErrorKind};
use super::fields::{Field, FieldSpans, FieldsExtent};
use super::lines::whitespace_count;
use super::swar::find;
use super::time;
use crate::limits::KEY_BYTES_MAX;
use crate::model::Precision;

/// Longest arrival key that the fast path may recognise.
const PLAIN_KEY_BYTES_MAX: usize = 1 << 15;

/// How the lines of a body are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The unit of the timestamps.
    pub precision: Precision,
    /// The time of points without a timestamp, in nanoseconds, already truncated to the
    /// precision.
    pub default_time_ns: i64,
    /// Whether integers with a `u` are taken; upstream refuses them.
    pub unsigned: bool,
    /// Whether to take CRLF and to refuse what is certainly a mistake: an empty field key, a
    /// comment that swallows lines. Goes with [`Lines::strict`](super::Lines::strict).
    pub strict: bool,
    /// What is more than upstream refuses.
    pub limits: LineLimits,
}

/// The most a line may have; 0 for no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineLimits {
    /// Bytes.
    pub bytes: usize,
    /// Tags.
    pub tags: usize,
    /// Fields.
    pub fields: usize,
}

/// Scans lines one by one and owns the buffers for it, so that no line allocates once they
/// have grown.
#[derive(Debug)]
pub struct Scanner {
    tags: Vec<TagSpan>,
    /// The canonical key, if the tags had to be sorted.
    sorted_key: Vec<u8>,
    fields: FieldSpans,
}

/// A tag as offsets in the line.
#[derive(Clone, Copy, Debug)]
struct TagSpan {
    start: usize,
    equals: usize,
    end: usize,
}

impl Scanner {
    /// A scanner with empty buffers.
    pub const fn new() -> Self {
        Self {
            tags: Vec::new(),
            sorted_key: Vec::new(),
            fields: FieldSpans::new(),
        }
    }

    /// The point of `line`, which is as [`Lines`](super::Lines) gives it.
    ///
    /// Errors: the first fault, in upstream's order: measurement, tags, duplicate tags, key
    /// length, fields, timestamp.
    ///
    /// Source: influxdb 1.12 `models.parsePoint`.
    pub fn scan<'s>(
        &'s mut self,
        line: &'s [u8],
        options: &Options,
    ) -> Result<Point<'s>, LineError> {
        let line = if options.strict {
            strict_text(line)?
        } else {
            line
        };
        let limits = &options.limits;
        let over = |count: usize, max: usize| max > 0 && count > max;
        if over(line.len(), limits.bytes) {
            return Err(LineError::new(
                limits.bytes,
                LineErrorKind::LineTooLong(limits.bytes),
            ));
        }
        let (measurement_end, key_end) = self.scan_key(line)?;
        if over(self.tags.len(), limits.tags) {
            return Err(LineError::new(0, LineErrorKind::TooManyTags(limits.tags)));
        }
        let key = line.get(..key_end).unwrap_or(line);
        self.sort_tags(key, measurement_end)?;
        if key_end > KEY_BYTES_MAX {
            return Err(LineError::new(0, LineErrorKind::KeyTooLong(key_end)));
        }
        let (extent, late) = self.fields.scan(line, key_end, key_end, options.unsigned)?;
        if over(self.fields.len(), limits.fields) {
            return Err(LineError::new(
                extent.start,
                LineErrorKind::TooManyFields(limits.fields),
            ));
        }
        let time_ns = time::scan(line, extent.end, options.precision)?;
        if let Some(error) = late {
            return Err(error);
        }
        if options.strict
            && let Some(at) = self.fields.empty_key()
        {
            return Err(LineError::new(at, LineErrorKind::MissingFieldKey));
        }
        Ok(Point {
            line,
            scanner: self,
            measurement_end,
            key_end,
            extent,
            has_time: time_ns.is_some(),
            time_ns: time_ns.unwrap_or(options.default_time_ns),
        })
    }

    /// Gives the ends of the measurement and of the key; the key ends at a space.
    ///
    /// Source: influxdb 1.12 `models.scanMeasurement`, `models.scanTags`.
    fn scan_key(&mut self, line: &[u8]) -> Result<(usize, usize), LineError> {
        self.tags.clear();
        if matches!(line.first(), None | Some(b',')) {
            return Err(LineError::new(0, LineErrorKind::MissingMeasurement));
        }
        let (measurement_end, mut byte) = delimiter(line, 1, [b',', b' ']);
        let mut at = measurement_end;
        while byte == Some(b',') {
            let start = at + 1;
            let equals = tag_key_end(line, start)?;
            (at, byte) = tag_value_end(line, equals + 1)?;
            self.tags.push(TagSpan {
                start,
                equals,
                end: at,
            });
        }
        match byte {
            Some(_) => Ok((measurement_end, at)),
            None => Err(LineError::new(line.len(), LineErrorKind::MissingFields)),
        }
    }

    /// Checks the order of the tags and builds the canonical key if it is not theirs.
    ///
    /// Source: influxdb 1.12 `models.scanKey`.
    fn sort_tags(&mut self, key: &[u8], measurement_end: usize) -> Result<(), LineError> {
        self.sorted_key.clear();
        let text = |tag: &TagSpan| key.get(tag.start..tag.equals).unwrap_or_default();
        if self.tags.windows(2).all(|pair| match pair {
            [left, right] => is_before(text(left), text(right)),
            _ => true,
        }) {
            return Ok(());
        }
        self.tags
            .sort_unstable_by(|a, b| text(a).cmp(text(b)).then(a.start.cmp(&b.start)));
        for pair in self.tags.windows(2) {
            if let [left, right] = pair
                && text(left) == text(right)
            {
                return Err(LineError::new(right.start, LineErrorKind::DuplicateTags));
            }
        }
        self.sorted_key
            .extend_from_slice(key.get(..measurement_end).unwrap_or(key));
        for tag in &self.tags {
            self.sorted_key.push(b',');
            self.sorted_key
                .extend_from_slice(key.get(tag.start..tag.end).unwrap_or_default());
        }
        Ok(())
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

/// Order of tag keys; most differ in their first byte.
#[inline]
fn is_before(left: &[u8], right: &[u8]) -> bool {
    match (left.first(), right.first()) {
        (Some(a), Some(b)) if a != b => a < b,
        _ => left < right,
    }
}

/// Drops a CR at the end; refuses a comment that swallows lines.
fn strict_text(line: &[u8]) -> Result<&[u8], LineError> {
    if line.first() == Some(&b'#') {
        return Err(LineError::new(0, LineErrorKind::CommentSwallowsLines));
    }
    Ok(line.strip_suffix(b"\r").unwrap_or(line))
}

/// The first of `needles` at or after `from` that is not behind a backslash; `from` is at
/// least 1. Without one, the end and `None`.
#[inline(always)]
fn delimiter<const N: usize>(line: &[u8], from: usize, needles: [u8; N]) -> (usize, Option<u8>) {
    let mut at = find(line, from, needles);
    while line.get(at - 1) == Some(&b'\\') && at < line.len() {
        at = find(line, at + 1, needles);
    }
    (at, line.get(at).copied())
}

/// The `=` of the tag that starts at `start`.
#[inline]
fn tag_key_end(line: &[u8], start: usize) -> Result<usize, LineError> {
    if matches!(line.get(start), None | Some(b' ' | b',' | b'=')) {
        return Err(LineError::new(start, LineErrorKind::MissingTagKey));
    }
    match delimiter(line, start + 1, [b'=', b',', b' ']) {
        (at, Some(b'=')) => Ok(at),
        (at, _) => Err(LineError::new(at, LineErrorKind::MissingTagValue)),
    }
}

/// The end of the tag value at `start` and the byte there, a comma or a space.
#[inline]
fn tag_value_end(line: &[u8], start: usize) -> Result<(usize, Option<u8>), LineError> {
    if matches!(line.get(start), None | Some(b' ' | b',')) {
        return Err(LineError::new(start, LineErrorKind::MissingTagValue));
    }
    // The first byte is part of the value even if it is an `=`.
    match delimiter(line, start + 1, [b'=', b',', b' ']) {
        (at, Some(b'=')) => Err(LineError::new(at, LineErrorKind::InvalidTagFormat)),
        (at, None) => Err(LineError::new(at, LineErrorKind::MissingFields)),
        found => Ok(found),
    }
}

/// A point, borrowed from its line and from the scanner's buffers.
#[derive(Debug)]
pub struct Point<'s> {
    line: &'s [u8],
    scanner: &'s Scanner,
    measurement_end: usize,
    key_end: usize,
    extent: FieldsExtent,
    has_time: bool,
    time_ns: i64,
}

impl Point<'_> {
    /// Measurement and tags exactly as they stood in the line.
    pub fn arrival_key(&self) -> &[u8] {
        self.line.get(..self.key_end).unwrap_or_default()
    }

    /// The series key: measurement and tags, still escaped, sorted by raw tag key. The same
    /// slice as the arrival key if it came sorted.
    pub fn key(&self) -> &[u8] {
        if self.scanner.sorted_key.is_empty() {
            return self.arrival_key();
        }
        &self.scanner.sorted_key
    }

    /// The measurement, still escaped.
    pub fn measurement_raw(&self) -> &[u8] {
        self.line.get(..self.measurement_end).unwrap_or_default()
    }

    /// The fields in the order of the line; a key may come twice, and then the last one counts.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.scanner.fields.iter(self.line)
    }

    /// How many fields there are, duplicates included; at least 1.
    pub fn field_count(&self) -> usize {
        self.scanner.fields.len()
    }

    /// The raw text between the key and the timestamp, without the whitespace around it.
    pub fn fields_text(&self) -> &[u8] {
        self.line
            .get(self.extent.start..self.extent.end)
            .unwrap_or_default()
    }

    /// Where [`fields_text`](Self::fields_text) starts in the line.
    pub const fn fields_offset(&self) -> usize {
        self.extent.start
    }

    /// Where the field at `position` starts in the line.
    pub fn field_offset(&self, position: usize) -> usize {
        self.scanner
            .fields
            .offset(position)
            .unwrap_or(self.extent.start)
    }

    /// Where the timestamp starts in the line; where it would, if there is none.
    pub fn time_offset(&self) -> usize {
        let rest = self.line.get(self.extent.end..).unwrap_or_default();
        self.extent.end + whitespace_count(rest)
    }

    /// Whether the line had a timestamp.
    pub const fn has_time(&self) -> bool {
        self.has_time
    }

    /// The time in nanoseconds; the default one if the line had none.
    pub const fn time_ns(&self) -> i64 {
        self.time_ns
    }

    /// Whether lines may be recognised by this arrival key alone, as the fast path does.
    ///
    /// Not if it is longer than 32 KiB (see [`Template`](super::Template)) or holds a newline
    /// (lines could not be counted), nor if it holds both a quote and a backslash:
    /// [`Lines`](super::Lines) may then see a quoted string begin within the key and look for
    /// the end of the line behind the first newline.
    pub fn is_arrival_key_plain(&self) -> bool {
        let key = self.arrival_key();
        key.len() <= PLAIN_KEY_BYTES_MAX
            && !key.contains(&b'\n')
            && !(key.contains(&b'"') && key.contains(&b'\\'))
    }
}
