//! Moments: `'2026-01-01T00:30:00Z'` and its shorter forms to nanoseconds since the epoch, and
//! back. Wide enough for every year from 0 to 9999, which `i64` nanoseconds are not.

use alloc::format;
use alloc::string::String;

use crate::model::civil;

const SECOND: i128 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// Whether a string is meant as a time: it starts with digits as in `2026-01-01`.
///
/// Source: influxql 1.4 `StringLiteral.IsTimeLiteral`.
pub fn is_time_literal(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(date) = bytes.get(..10) else {
        return false;
    };
    let shaped = date.iter().enumerate().all(|(i, byte)| match i {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    shaped && bytes.get(10) != Some(&b'\n')
}

/// Parses a time in UTC: a date, a date and time with a space, or RFC 3339; the last two with
/// up to nine decimals. `None` if it is none of them.
///
/// Source: influxql 1.4 `StringLiteral.ToTimeLiteral`, Go `time.Parse`.
pub fn parse_time(text: &str) -> Option<i128> {
    if !is_time_literal(text) {
        return None;
    }
    let year: i64 = text.get(..4)?.parse().ok()?;
    let month: u32 = text.get(5..7)?.parse().ok()?;
    let day: u32 = text.get(8..10)?.parse().ok()?;
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let days = days_from_civil(year, month, day);
    let midnight = i128::from(days) * i128::from(DAY_SECONDS) * SECOND;
    let rest = text.get(10..)?;
    if rest.is_empty() {
        return Some(midnight);
    }
    let (clock, offset_s) = match rest.strip_prefix('T') {
        Some(rest) => split_zone(rest)?,
        // Go takes any number of spaces where its layout has one.
        None => (rest.strip_prefix(' ')?.trim_start_matches(' '), 0),
    };
    Some(midnight + parse_clock(clock)? - i128::from(offset_s) * SECOND)
}

/// Prints a time in UTC with as many decimals as it has: `2026-01-01T00:00:00.5Z`.
///
/// Source: Go `time.RFC3339Nano`.
pub fn format_rfc3339_nano(ns: i128) -> String {
    let fraction = ns.rem_euclid(SECOND);
    let text = format_rfc3339(ns);
    if fraction == 0 {
        return text;
    }
    let digits = format!("{fraction:09}");
    format!(
        "{}.{}Z",
        text.trim_end_matches('Z'),
        digits.trim_end_matches('0')
    )
}

/// Prints a time in UTC, cut to seconds: `2026-01-01T00:00:00Z`.
///
/// Source: Go `time.RFC3339`.
pub fn format_rfc3339(ns: i128) -> String {
    // Anything folding can make is within some centuries of year 0 to 9999.
    let seconds = i64::try_from(ns.div_euclid(SECOND)).unwrap_or(0);
    let (days, second) = (
        seconds.div_euclid(DAY_SECONDS),
        seconds.rem_euclid(DAY_SECONDS),
    );
    let (year, month, day) = civil(days);
    let sign = if year < 0 { "-" } else { "" };
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{sign}{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z",
        year.unsigned_abs(),
        second % 60
    )
}

/// Splits `Z` or `+hh:mm` off the end: the text before it, and the offset in seconds.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let at = text.len().checked_sub(6)?;
    let (clock, zone) = (text.get(..at)?, text.get(at..)?);
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = two_digits(zone.get(1..3)?).filter(|hours| *hours <= 24)?;
    let minutes = two_digits(zone.get(3..)?.strip_prefix(':')?).filter(|min| *min <= 60)?;
    Some((clock, sign * (hours * 3600 + minutes * 60)))
}

/// Parses `hh:mm:ss` with decimals; the hour may have one digit. Nanoseconds of the day.
fn parse_clock(text: &str) -> Option<i128> {
    let (hour, rest) = text.split_once(':')?;
    let hour = if hour.len() == 1 {
        digits(hour)?
    } else {
        two_digits(hour)?
    };
    let minute = two_digits(rest.get(..2)?)?;
    let rest = rest.get(2..)?.strip_prefix(':')?;
    let second = two_digits(rest.get(..2)?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let whole = i128::from(hour * 3600 + minute * 60 + second) * SECOND;
    let rest = rest.get(2..)?;
    if rest.is_empty() {
        return Some(whole);
    }
    let fraction = rest.strip_prefix(['.', ','])?;
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let scale = 10_i128.pow(9 - u32::try_from(fraction.len()).ok()?);
    Some(whole + i128::from(digits(fraction)?) * scale)
}

fn two_digits(text: &str) -> Option<i64> {
    if text.len() == 2 { digits(text) } else { None }
}

fn digits(text: &str) -> Option<i64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

const fn days_in(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years start in March here, so
/// that the leap day is their last.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day - 1);
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{format_rfc3339, format_rfc3339_nano, is_time_literal, parse_time};

    #[test]
    fn the_forms_of_a_time_are_read() {
        for (text, ns) in [
            ("2026-01-01", 1_767_225_600_000_000_000),
            ("2026-01-01T00:30:00Z", 1_767_227_400_000_000_000),
            ("2026-01-01 00:00:00", 1_767_225_600_000_000_000),
            ("2026-01-01   5:00:01.5", 1_767_243_601_500_000_000),
            ("2026-01-01T00:00:00.123456789Z", 1_767_225_600_123_456_789),
            ("2026-01-01T02:00:00+02:00", 1_767_225_600_000_000_000),
            ("2026-01-01T00:00:00-00:30", 1_767_227_400_000_000_000),
            ("1970-01-01", 0),
            ("1969-12-31 23:59:59", -1_000_000_000),
            ("2024-02-29", 1_709_164_800_000_000_000),
        ] {
            assert_eq!(parse_time(text), Some(ns), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "2026-13-01",
            "2026-00-01",
            "2026-02-29",
            "2026-01-32",
            "2026-01-01T00:00:00",
            "2026-01-01T24:00:00Z",
            "2026-01-01 00:60:00",
            "2026-01-01 00:00",
            "2026-01-01 00:00:00.",
            "2026-01-01 00:00:00.1234567890",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00+0200",
            "2026-01-01T00:00:00+25:00",
            "2026-01-01T+1:00:00Z",
            "2026-01-01x",
        ] {
            assert!(is_time_literal(text), "{text}");
            assert_eq!(parse_time(text), None, "{text}");
        }
        for text in ["", "abc", "2026-1-1", "2026-01-0", "2026-01-01\n"] {
            assert!(!is_time_literal(text), "{text}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_prints_as_it_reads() {
        let first = parse_time("1600-01-01").unwrap();
        let mut last = std::string::String::new();
        for day in 0..(2 * 146_097) {
            let text = format_rfc3339(first + day * 86_400_000_000_000);
            assert!(text > last, "{last} {text}");
            assert_eq!(parse_time(&text), Some(first + day * 86_400_000_000_000));
            last = text;
        }
        assert_eq!(last, "2399-12-31T00:00:00Z");
    }

    #[test]
    fn decimals_are_printed_without_trailing_zeros() {
        assert_eq!(format_rfc3339_nano(1_500_000_000), "1970-01-01T00:00:01.5Z");
        assert_eq!(format_rfc3339_nano(-1), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(format_rfc3339_nano(0), "1970-01-01T00:00:00Z");
    }
}
