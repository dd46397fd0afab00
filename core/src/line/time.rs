//! The timestamp at the end of a line.

use alloc::boxed::Box;

use super::error::{LineError, LineErrorKind};
use super::lines::whitespace_count;
use super::number::parse_integer;
use super::swar::{load, read_digits};
use crate::model::{Precision, TIME_MAX_NS, TIME_MIN_NS};

/// Reads what stands behind the fields; `None` if there is no timestamp.
///
/// Source: influxdb 1.12 `models.scanTime`, `models.SafeCalcTime`.
pub(super) fn scan(line: &[u8], at: usize, precision: Precision) -> Result<Option<i64>, LineError> {
    let start = at + whitespace_count(line.get(at..).unwrap_or_default());
    let mut end = start;
    while let Some(&byte) = line.get(end) {
        match byte {
            b' ' | b'\n' => break,
            b'0'..=b'9' => {}
            b'-' if end == start => {}
            _ => return Err(LineError::new(end, LineErrorKind::BadTimestamp)),
        }
        end += 1;
    }
    let text = line.get(start..end).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    if text == b"-" {
        return Err(LineError::new(start, LineErrorKind::TimestampSyntax));
    }
    let count = parse_integer(text).ok_or_else(|| {
        LineError::new(start, LineErrorKind::TimestampOutOfRange(Box::from(text)))
    })?;
    let time_ns = to_nanoseconds(count, precision)
        .ok_or_else(|| LineError::new(start, LineErrorKind::TimeOutsideRange))?;
    match line.iter().skip(end).position(|&byte| byte != b' ') {
        Some(found) => Err(LineError::new(end + found, LineErrorKind::PointInvalid)),
        None => Ok(Some(time_ns)),
    }
}

#[inline]
fn to_nanoseconds(count: i64, precision: Precision) -> Option<i64> {
    let time_ns = count.checked_mul(precision.nanoseconds())?;
    (TIME_MIN_NS..=TIME_MAX_NS)
        .contains(&time_ns)
        .then_some(time_ns)
}

/// The timestamps of the fast path: digits between one space and a newline.
///
/// It remembers the text before: agents send many points of one moment, and then a timestamp
/// of 19 digits is one compare.
#[derive(Clone, Debug)]
pub struct TimeCursor {
    /// The 8 bytes at 0, 8 and 13 of the last `" <19 digits>\n"`.
    last: Option<[u64; 3]>,
    last_ns: i64,
    precision: Precision,
}

/// A space, 19 digits and a newline.
const LONG_BYTES: usize = 21;

impl TimeCursor {
    /// A cursor for a body whose timestamps count in `precision`.
    pub const fn new(precision: Precision) -> Self {
        Self {
            last: None,
            last_ns: 0,
            precision,
        }
    }

    /// The time at `body[at]`, in nanoseconds, and the offset behind its newline or the end of
    /// the body. `None` for anything but a space, 1 to 19 digits and a newline or the end.
    #[inline]
    pub fn parse(&mut self, body: &[u8], at: usize) -> Option<(i64, usize)> {
        let text = long_text(body, at);
        if text.is_some() && text == self.last {
            return Some((self.last_ns, at + LONG_BYTES));
        }
        if *body.get(at)? != b' ' {
            return None;
        }
        let mut count = 0;
        let end = read_digits(body, at + 1, &mut count);
        if !(2..LONG_BYTES).contains(&(end - at)) {
            return None;
        }
        let next = match body.get(end) {
            None => end,
            Some(b'\n') => end + 1,
            Some(_) => return None,
        };
        let time_ns = to_nanoseconds(i64::try_from(count).ok()?, self.precision)?;
        if next - at == LONG_BYTES {
            (self.last, self.last_ns) = (text, time_ns);
        }
        Some((time_ns, next))
    }
}

#[inline(always)]
fn long_text(body: &[u8], at: usize) -> Option<[u64; 3]> {
    Some([load(body, at)?, load(body, at + 8)?, load(body, at + 13)?])
}
