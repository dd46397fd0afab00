//! What a write request has come to so far, and its report.

use alloc::string::String;
use alloc::vec::Vec;

use super::explained::{Explained, LineFate, RejectedLine};
use super::{Config, Outcome, WriteReport, WriteRequest};
use crate::ids::Lsn;
use crate::limits;
use crate::line::{LineError, LineLimits, LineText, Lines, Options, Point};
use crate::meta::{Catalog, ShardGroup};
use crate::model::key;
use crate::route::{Bound, DroppedPoints, Window, describe_violation};
use crate::shard::{Rejected, Rejection, StrippedTime};

/// Bytes of parse errors that an answer holds; the rest is counted. Ours: upstream's answer to
/// a bad body is longer than the body.
const UNPARSED_BYTES_MAX: usize = 64 << 10;

/// Bytes of a bad line, and of what is wrong with it, that an answer holds. Ours, as above; enough
/// for any line whose key is not too long by far.
const QUOTED_BYTES_MAX: usize = 128 << 10;

/// What becomes of a point.
pub(super) enum Verdict {
    Stored(ShardGroup),
    Outside(Bound),
    Rejected(Rejection),
}

/// A request under way.
pub(super) struct Request {
    pub(super) policy: String,
    pub(super) window: Window,
    pub(super) options: Options,
    pub(super) parsed: u64,
    pub(super) written: u64,
    pub(super) outside: DroppedPoints,
    pub(super) rejected: Rejected,
    policy_was_named: bool,
    asked_for: String,
    unparsed: u64,
    unparsed_text: Vec<u8>,
    unparsed_left_out: u64,
    explained: Option<Explained>,
}

impl Request {
    pub(super) fn new(
        request: &WriteRequest,
        policy: String,
        window: Window,
        config: &Config,
    ) -> Self {
        let unit = request.precision.nanoseconds();
        let default_time_ns = request.now_ns - request.now_ns % unit;
        Self {
            policy,
            window,
            options: Options {
                precision: request.precision,
                default_time_ns,
                unsigned: config.unsigned_support,
                strict: request.strict,
                limits: line_limits(config),
            },
            parsed: 0,
            written: 0,
            outside: DroppedPoints::default(),
            rejected: Rejected::default(),
            policy_was_named: !request.retention_policy.is_empty(),
            asked_for: request.retention_policy.clone(),
            unparsed: 0,
            unparsed_text: Vec::new(),
            unparsed_left_out: 0,
            explained: request.explain.then(Explained::default),
        }
    }

    /// A request whose lines are only parsed.
    pub(super) fn judge_only(request: &WriteRequest, config: &Config) -> Self {
        Self::new(request, String::new(), Window::default(), config)
    }

    /// Counts lines that the fast path took.
    pub(super) fn take(&mut self, lines: u32) {
        self.parsed += u64::from(lines);
        self.written += u64::from(lines);
    }

    /// The lines of a body, as this request has them read.
    pub(super) const fn lines<'a>(&self, body: &'a [u8]) -> Lines<'a> {
        if self.options.strict {
            Lines::strict(body)
        } else {
            Lines::new(body)
        }
    }

    /// Notes that a point was stored without its field `time`.
    pub(super) fn note_stripped(&mut self, line: &LineText<'_>, point: &Point<'_>) {
        let measurement = key::unescape_measurement(point.measurement_raw());
        self.rejected.note_stripped(&measurement);
        let is_time = |field: crate::line::Field<'_>| field.key == b"time";
        let at = point.fields().position(is_time).unwrap_or(0);
        self.explain(line, point.field_offset(at), LineFate::Stripped, |out| {
            let measurement = measurement.to_vec();
            StrippedTime { measurement }.describe(out);
        });
    }

    /// Notes a point whose time the policy does not take.
    pub(super) fn add_outside(&mut self, line: &LineText<'_>, point: &Point<'_>, bound: Bound) {
        let (time, window) = (point.time_ns(), self.window);
        self.outside.add(point.key(), time, bound);
        self.explain(line, point.time_offset(), LineFate::Outside, |out| {
            describe_violation(time, bound, &window, out);
        });
    }

    /// Notes a point that conflicts with the schema or a limit, for the field that starts at `at`.
    pub(super) fn add_rejected(&mut self, line: &LineText<'_>, at: usize, rejection: Rejection) {
        self.explain(line, at, LineFate::Rejected, |out| rejection.describe(out));
        self.rejected.add(rejection);
    }

    /// Lists a line, if the client asked for that; the fault is at the offset `at` of its text.
    fn explain(
        &mut self,
        line: &LineText<'_>,
        at: usize,
        fate: LineFate,
        text: impl FnOnce(&mut Vec<u8>),
    ) {
        let Some(explained) = &mut self.explained else {
            return;
        };
        let column = u32::try_from(line.indent + at).unwrap_or(u32::MAX);
        let mut reason = Vec::new();
        text(&mut reason);
        explained.add(RejectedLine {
            line: line.line,
            column: column.saturating_add(1),
            fate,
            reason,
        });
    }

    /// Notes a line that is none.
    ///
    /// Source: influxdb 1.12 `models.ParsePointsWithPrecision`.
    pub(super) fn add_unparsed(&mut self, line: &LineText<'_>, error: &LineError) {
        self.unparsed += 1;
        let at = error.column.saturating_sub(1) as usize;
        self.explain(line, at, LineFate::Unparsed, |out| {
            error.kind.append_text(out);
        });
        if self.unparsed_text.len() > UNPARSED_BYTES_MAX {
            self.unparsed_left_out += 1;
            return;
        }
        let text = &mut self.unparsed_text;
        if !text.is_empty() {
            text.push(b'\n');
        }
        text.extend_from_slice(b"unable to parse '");
        quote(line.bytes, text);
        text.extend_from_slice(b"': ");
        let mut reason = Vec::new();
        error.kind.append_text(&mut reason);
        quote(&reason, text);
    }

    fn unparsed_text(&self) -> Vec<u8> {
        let mut text = self.unparsed_text.clone();
        if self.unparsed_left_out > 0 {
            let more = alloc::format!("\nand {} more lines", self.unparsed_left_out);
            text.extend_from_slice(more.as_bytes());
        }
        text
    }

    /// The text for a policy that does not exist.
    pub(super) fn policy_not_found(&self, catalog: &Catalog) -> Vec<u8> {
        let name = match self.asked_for.as_str() {
            "" => catalog.default_policy(),
            name => name,
        };
        alloc::format!("retention policy not found: {name}").into_bytes()
    }

    /// The report. Exactly one cause is told: what the shard rejected, else what fell outside
    /// the policy, else what could not be parsed.
    ///
    /// Source: influxdb 1.12 `coordinator.PointsWriter`, `httpd.Handler.serveWrite`.
    pub(super) fn report(&self, ticket: Lsn, database: &str, catalog: &Catalog) -> WriteReport {
        let dropped = self.rejected.count() + self.outside.count();
        let mut message = b"partial write: ".to_vec();
        let outcome = if !self.rejected.is_empty() {
            self.rejected.describe(&mut message);
            self.suffix(self.rejected.count(), database, true, &mut message);
            Outcome::Partial
        } else if self.outside.count() > 0 {
            if let Some(policy) = catalog.policy(&self.policy) {
                self.outside.describe(policy, &self.window, &mut message);
            }
            self.suffix(self.outside.count(), database, true, &mut message);
            Outcome::Partial
        } else if self.unparsed > 0 && self.parsed == 0 {
            message = self.unparsed_text();
            Outcome::NothingParsed
        } else if self.unparsed > 0 {
            message.extend_from_slice(&self.unparsed_text());
            self.suffix(0, database, self.policy_was_named, &mut message);
            Outcome::Partial
        } else {
            message.clear();
            Outcome::Written
        };
        let (written, unparsed) = (self.written, self.unparsed);
        WriteReport {
            ticket,
            outcome,
            written,
            dropped,
            unparsed,
            message,
            explained: self.explained.clone().unwrap_or_default(),
        }
    }

    fn suffix(&self, dropped: u64, database: &str, name_policy: bool, message: &mut Vec<u8>) {
        let mut text = alloc::format!(" dropped={dropped} for database: {database}");
        if name_policy {
            text.push_str(" for retention policy: ");
            text.push_str(&self.policy);
        }
        message.extend_from_slice(text.as_bytes());
    }
}

/// Appends the text, or its beginning if it is very long.
fn quote(text: &[u8], out: &mut Vec<u8>) {
    match text.split_at_checked(QUOTED_BYTES_MAX) {
        Some((start, rest)) if !rest.is_empty() => {
            out.extend_from_slice(start);
            let more = alloc::format!("... and {} more bytes", rest.len());
            out.extend_from_slice(more.as_bytes());
        }
        _ => out.extend_from_slice(text),
    }
}

fn line_limits(config: &Config) -> LineLimits {
    let limit = |max: u64, least: u64| match max {
        0 => 0,
        max => usize::try_from(max.max(least)).unwrap_or(usize::MAX),
    };
    LineLimits {
        bytes: limit(config.line_bytes_max, limits::LINE_BYTES_MAX_LEAST),
        tags: limit(config.tags_max, 1),
        fields: limit(config.fields_max, limits::FIELDS_MAX_LEAST),
    }
}
