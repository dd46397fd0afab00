//! What a write comes back with, and its form at the guest boundary.

use alloc::string::String;
use alloc::vec::Vec;

use super::explained::Explained;
use crate::ids::{CursorId, Lsn};
use crate::model::{Precision, varint};

/// One request to write a body of line protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteRequest {
    /// The request's one reading of the wall clock, in nanoseconds since the epoch.
    pub now_ns: i64,
    /// The retention policy asked for; empty means the default one.
    pub retention_policy: String,
    /// The unit of the body's timestamps.
    pub precision: Precision,
    /// Parse and judge only, change nothing: the answer to a request that is refused anyway,
    /// but whose parse errors come first.
    pub dry_run: bool,
    /// Refuse what is certainly a mistake, and take CRLF; see
    /// [`Options::strict`](crate::line::Options).
    pub strict: bool,
    /// List the rejected lines in the report.
    pub explain: bool,
}

impl WriteRequest {
    /// The form that crosses the guest boundary.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.now_ns.to_le_bytes());
        out.push(self.precision.code());
        let flags = [self.dry_run, self.strict, self.explain];
        let bits = flags.iter().rev();
        out.push(bits.fold(0, |byte, &flag| byte << 1 | u8::from(flag)));
        out.extend_from_slice(self.retention_policy.as_bytes());
    }

    /// The inverse of [`encode`](Self::encode); the request is all of `bytes`.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (now, rest) = bytes.split_first_chunk()?;
        let (&[precision, flags], name) = rest.split_first_chunk()?;
        Some(Self {
            now_ns: i64::from_le_bytes(*now),
            precision: Precision::from_code(precision)?,
            dry_run: flags & 1 != 0,
            strict: flags & 2 != 0,
            explain: flags & 4 != 0,
            retention_policy: String::from_utf8(name.into()).ok()?,
        })
    }
}

/// How a write that was not refused ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every line is stored, or there was none.
    Written,
    /// Some lines or points were left out; the message says why. The others are stored.
    Partial,
    /// Not one line could be parsed; nothing changed.
    NothingParsed,
    /// The retention policy does not exist; nothing changed.
    RetentionPolicyNotFound,
}

/// The answer to a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteReport {
    /// Durable when `durable_lsn() >= ticket`. Also set when nothing was written: it is then
    /// the last LSN there was.
    pub ticket: Lsn,
    /// How it ended.
    pub outcome: Outcome,
    /// Points stored.
    pub written: u64,
    /// Points left out by retention, schema or limits.
    pub dropped: u64,
    /// Lines that could not be parsed.
    pub unparsed: u64,
    /// Upstream's text for anything but `Written`. Quotes lines as they came, so it need not
    /// be UTF-8.
    pub message: Vec<u8>,
    /// The rejected lines, if the request asked for them.
    pub explained: Explained,
}

/// Why a write was refused as a whole. Nothing changed; the client should try again later,
/// except where noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The log waits for storage.
    #[error("busy: too many log bytes wait for storage, retry later")]
    Busy,
    /// The memory budget is used up.
    #[error("out of memory budget: the cache is full, retry later")]
    CacheFull,
    /// Storage has no space; reads go on.
    #[error("no space left on storage, retry later")]
    NoSpace,
    /// A persist failed; the host reopens the engine from its log.
    #[error("storage failed, the database is being reopened, retry later")]
    Poisoned,
    /// The log is still being read.
    #[error("the database is being opened, retry later")]
    Opening,
    /// The body exceeds the limit; retrying will not help.
    #[error("Request Entity Too Large")]
    BodyTooLarge,
    /// The body has more points than the limit; retrying will help with fewer at once.
    #[error(
        "Request Entity Too Large: more points than max-points-per-request, send fewer at once"
    )]
    TooManyPoints,
}

impl WriteError {
    const ALL: [Self; 7] = [
        Self::Busy,
        Self::CacheFull,
        Self::NoSpace,
        Self::Poisoned,
        Self::Opening,
        Self::BodyTooLarge,
        Self::TooManyPoints,
    ];
}

/// Appends the result of a write in the form that crosses the guest boundary.
pub fn encode_written(result: &Result<WriteReport, WriteError>, out: &mut Vec<u8>) {
    match result {
        Ok(report) => {
            out.push(match report.outcome {
                Outcome::Written => 0,
                Outcome::Partial => 1,
                Outcome::NothingParsed => 2,
                Outcome::RetentionPolicyNotFound => 3,
            });
            for number in [
                report.ticket.0,
                report.written,
                report.dropped,
                report.unparsed,
            ] {
                varint::put(out, number);
            }
            varint::put_bytes(out, &report.message);
            report.explained.encode(out);
        }
        Err(error) => out.push(0x80 | *error as u8),
    }
}

/// The inverse of [`encode_written`]; the result is all of `bytes`.
pub fn decode_written(bytes: &[u8]) -> Option<Result<WriteReport, WriteError>> {
    let (&tag, rest) = bytes.split_first()?;
    if tag & 0x80 != 0 {
        return WriteError::ALL
            .get(usize::from(tag & 0x7f))
            .map(|&error| Err(error));
    }
    let outcome = match tag {
        0 => Outcome::Written,
        1 => Outcome::Partial,
        2 => Outcome::NothingParsed,
        3 => Outcome::RetentionPolicyNotFound,
        _ => return None,
    };
    let mut at = 0;
    let mut number = || varint::get(rest, &mut at);
    let (ticket, written) = (Lsn(number()?), number()?);
    let (dropped, unparsed) = (number()?, number()?);
    let message = varint::get_bytes(rest, &mut at)?.to_vec();
    let explained = Explained::decode(rest, at)?;
    Some(Ok(WriteReport {
        ticket,
        outcome,
        written,
        dropped,
        unparsed,
        message,
        explained,
    }))
}

/// The answer to a statement that was carried out, or begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Where the rows are fetched; `None` if there are none.
    pub cursor: Option<CursorId>,
    /// The answer may be sent once this is durable: all that it has seen or changed.
    pub ticket: Lsn,
}

/// Appends the result of a statement in the form that crosses the guest boundary.
pub fn encode_executed(result: &Result<Executed, String>, out: &mut Vec<u8>) {
    match result {
        Ok(executed) => {
            out.push(0);
            varint::put(out, executed.ticket.0);
            varint::put(
                out,
                executed.cursor.map_or(0, |cursor| u64::from(cursor.0) + 1),
            );
        }
        Err(text) => {
            out.push(1);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// The inverse of [`encode_executed`]; the result is all of `bytes`.
pub fn decode_executed(bytes: &[u8]) -> Option<Result<Executed, String>> {
    let (&tag, rest) = bytes.split_first()?;
    if tag != 0 {
        return Some(Err(String::from_utf8_lossy(rest).into_owned()));
    }
    let mut at = 0;
    let ticket = Lsn(varint::get(rest, &mut at)?);
    let cursor = varint::get(rest, &mut at)?.checked_sub(1);
    let cursor = cursor.and_then(|id| u32::try_from(id).ok()).map(CursorId);
    Some(Ok(Executed { cursor, ticket }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_crosses_the_boundary_comes_back_equal() {
        let report = WriteReport {
            ticket: Lsn(9),
            outcome: Outcome::Partial,
            written: 1,
            dropped: 2,
            unparsed: 300,
            message: b"partial write: \xff".to_vec(),
            explained: Explained::default(),
        };
        for result in WriteError::ALL.iter().map(|&e| Err(e)).chain([Ok(report)]) {
            let mut out = Vec::new();
            encode_written(&result, &mut out);
            assert_eq!(decode_written(&out), Some(result));
        }
        let done = Executed {
            cursor: Some(CursorId(0)),
            ticket: Lsn(7),
        };
        for result in [
            Ok(done),
            Ok(Executed {
                cursor: None,
                ..done
            }),
            Err("no".into()),
        ] {
            let mut out = Vec::new();
            encode_executed(&result, &mut out);
            assert_eq!(decode_executed(&out), Some(result));
        }
    }
}
