//! A write that may go on: its parameters, and the answers it can end in.

use alloc::string::String;

use super::ack::{self, AckLevel};
use super::answer::{Answer, Responder};
use super::body::BodyError;
use super::wishes::Wishes;
use crate::engine::{Outcome, WriteError, WriteReport, WriteRequest};
use crate::model::Precision;

/// A write whose head was accepted.
///
/// The host reads the body (through [`Inflate`](super::Inflate) if [`gzip`](Self::gzip)), hands
/// it to the engine of [`database`](Self::database) with [`request`](Self::request), waits
/// until the ticket of the report is as safe as [`ack`](Self::ack) says, and sends
/// [`answer`](Self::answer). What goes wrong with the body before is answered by
/// [`body_error`](Self::body_error).
#[derive(Clone, Debug)]
pub struct WritePlan {
    /// An existing database.
    pub database: String,
    /// As the request named it; empty means the default one.
    pub retention_policy: String,
    /// The unit of timestamps.
    pub precision: Precision,
    /// Whether the consistency level is one upstream knows. If not, the request is refused,
    /// but a body without one good line is reported first.
    pub consistency_known: bool,
    /// Whether the body is compressed.
    pub gzip: bool,
    /// Largest body in bytes, inflated or not; 0 for no limit.
    pub body_bytes_max: u64,
    /// The length of the body, if the head states it.
    pub declared_bytes: Option<u64>,
    pub(super) wishes: Wishes,
    /// What the host waits for before it answers, and the answer names.
    pub ack: AckLevel,
    pub(super) responder: Responder,
}

impl WritePlan {
    /// What to ask of the engine. `now_ns` is the request's one reading of the clock.
    pub fn request(&self, now_ns: i64) -> WriteRequest {
        WriteRequest {
            now_ns,
            retention_policy: self.retention_policy.clone(),
            precision: self.precision,
            dry_run: !self.consistency_known,
            strict: self.wishes.strict,
            explain: self.wishes.explain,
        }
    }

    /// 413 if the head states a length beyond the limit. For a compressed body the host asks
    /// once [`Inflate::past_header`](super::Inflate::past_header) holds; for a plain one it was
    /// asked before the plan came to be.
    pub fn too_large_as_declared(&self) -> Option<Answer> {
        let limit = self.body_bytes_max;
        let too_large = limit > 0 && self.declared_bytes.is_some_and(|bytes| bytes > limit);
        too_large.then(|| self.body_error(&BodyError::TooLarge))
    }

    /// The answer to a body that could not be received.
    pub fn body_error(&self, error: &BodyError) -> Answer {
        let status = if *error == BodyError::TooLarge {
            413
        } else {
            400
        };
        self.responder
            .error(status, alloc::format!("{error}").as_bytes())
    }

    /// The answer once the engine has judged, and the report's ticket is safe enough.
    ///
    /// Source: influxdb 1.12 `services/httpd.serveWrite`.
    pub fn answer(&self, result: &Result<WriteReport, WriteError>) -> Answer {
        let report = match result {
            Ok(report) => report,
            Err(error) => return self.refusal(*error),
        };
        match report.outcome {
            Outcome::NothingParsed => self.error(400, report),
            _ if !self.consistency_known => self.responder.error(400, b"invalid consistency level"),
            Outcome::RetentionPolicyNotFound => self.error(500, report),
            Outcome::Partial => {
                let mut answer = self.error(400, report);
                answer.set(ack::HEADER, self.ack.word().as_bytes());
                answer
            }
            Outcome::Written => {
                let mut answer = self.responder.empty(204);
                answer.set(ack::HEADER, self.ack.word().as_bytes());
                answer
            }
        }
    }

    fn error(&self, status: u16, report: &WriteReport) -> Answer {
        if self.wishes.explain {
            return self.responder.rejected(status, &report.message, report);
        }
        self.responder.error(status, &report.message)
    }

    /// 503 and when to come back; never 429 or another 4xx, on which agents drop their batch.
    fn refusal(&self, error: WriteError) -> Answer {
        let seconds: &[u8] = match error {
            WriteError::BodyTooLarge => return self.body_error(&BodyError::TooLarge),
            WriteError::TooManyPoints => {
                return self
                    .responder
                    .error(413, alloc::format!("{error}").as_bytes());
            }
            WriteError::Busy | WriteError::Poisoned | WriteError::Opening => b"1",
            WriteError::CacheFull => b"5",
            WriteError::NoSpace => b"30",
        };
        let mut answer = self
            .responder
            .error(503, alloc::format!("{error}").as_bytes());
        answer.set("Retry-After", seconds);
        answer
    }

    /// 503 for a reason that lies with the host: no such engine now, no memory left.
    pub fn unavailable(&self, reason: &str) -> Answer {
        let mut answer = self.responder.error(503, reason.as_bytes());
        answer.set("Retry-After", b"1");
        answer
    }
}
