//! What a write request has come to so far, and its report.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Outcome, WriteReport, WriteRequest};
use crate::ids::Lsn;
use crate::line::{LineError, Options, Point};
use crate::meta::{Catalog, ShardGroup};
use crate::model::key;
use crate::route::{Bound, DroppedPoints, Window};
use crate::shard::{Rejected, Rejection};

/// Bytes of parse errors that an answer holds; the rest is counted. Ours: upstream's answer to
/// a bad body is longer than the body.
const UNPARSED_BYTES_MAX: usize = 64 << 10;

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
}

impl Request {
    pub(super) fn new(
        request: &WriteRequest,
        policy: String,
        window: Window,
        unsigned: bool,
    ) -> Self {
        let unit = request.precision.nanoseconds();
        let default_time_ns = request.now_ns - request.now_ns % unit;
        Self {
            policy,
            window,
            options: Options {
                precision: request.precision,
                default_time_ns,
                unsigned,
                strict: false,
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
        }
    }

    /// A request whose lines are only parsed.
    pub(super) fn judge_only(request: &WriteRequest, unsigned: bool) -> Self {
        Self::new(request, String::new(), Window::default(), unsigned)
    }

    /// Counts lines that the fast path took.
    pub(super) fn take(&mut self, lines: u32) {
        self.parsed += u64::from(lines);
        self.written += u64::from(lines);
    }

    /// Notes that a point was stored without its field `time`.
    pub(super) fn note_stripped(&mut self, point: &Point<'_>) {
        self.rejected
            .note_stripped(&key::unescape_measurement(point.measurement_raw()));
    }

    /// Notes a line that is none.
    ///
    /// Source: influxdb 1.12 `models.ParsePointsWithPrecision`.
    pub(super) fn add_unparsed(&mut self, line: &[u8], error: &LineError) {
        self.unparsed += 1;
        if self.unparsed_text.len() > UNPARSED_BYTES_MAX {
            self.unparsed_left_out += 1;
            return;
        }
        let text = &mut self.unparsed_text;
        if !text.is_empty() {
            text.push(b'\n');
        }
        text.extend_from_slice(b"unable to parse '");
        text.extend_from_slice(line);
        text.extend_from_slice(b"': ");
        error.kind.append_text(text);
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
