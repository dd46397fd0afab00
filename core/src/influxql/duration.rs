//! Lengths of time: `1h30m` to nanoseconds and back, in InfluxQL's and in Go's spelling.

use alloc::format;
use alloc::string::String;

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// Parses a duration such as `90s` or `1h30m` to nanoseconds. A leading minus is allowed.
///
/// # Errors
///
/// `invalid duration`, or upstream's overflow text. Upstream lets most overflows wrap to
/// another length; we refuse them all, since a retention policy may hang on it.
///
/// Source: influxql 1.4 `ParseDuration`.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || String::from("invalid duration");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if text.chars().nth(1).is_none() {
        return Err(invalid());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let number: i64 = number.parse().map_err(|_| invalid())?;
        let (unit, unit_ns) = unit_of(after).ok_or_else(invalid)?;
        total = number
            .checked_mul(unit_ns)
            .and_then(|ns| total.checked_add(ns))
            .ok_or_else(|| {
                format!("overflowed duration {number}{unit}: choose a smaller duration or INF")
            })?;
        rest = after.get(unit.len()..).unwrap_or("");
    }
    Ok(if negative { -total } else { total })
}

/// Prints a duration in its largest whole unit: `2w`, `36h`, `1u`; `0s` for none.
///
/// Source: influxql 1.4 `FormatDuration`.
pub fn format_duration(ns: i64) -> String {
    if ns == 0 {
        return String::from("0s");
    }
    let units = [
        (WEEK, "w"),
        (DAY, "d"),
        (HOUR, "h"),
        (MINUTE, "m"),
        (SECOND, "s"),
        (MILLISECOND, "ms"),
        (MICROSECOND, "u"),
    ];
    match units.iter().find(|(unit_ns, _)| ns % unit_ns == 0) {
        Some((unit_ns, unit)) => format!("{}{unit}", ns / unit_ns),
        None => format!("{ns}ns"),
    }
}

/// The unit at the start of `text`, as written, and its length in nanoseconds.
fn unit_of(text: &str) -> Option<(&str, i64)> {
    let units = [
        ("ns", 1),
        ("ms", MILLISECOND),
        ("u", MICROSECOND),
        ("\u{b5}", MICROSECOND),
        ("m", MINUTE),
        ("s", SECOND),
        ("h", HOUR),
        ("d", DAY),
        ("w", WEEK),
    ];
    let (unit, ns) = units.into_iter().find(|(unit, _)| text.starts_with(unit))?;
    Some((text.get(..unit.len())?, ns))
}

#[cfg(test)]
mod tests {
    use super::{format_duration, parse_duration};

    #[test]
    fn units_add_up() {
        for (text, ns) in [
            ("1ns", 1),
            ("1u", 1_000),
            ("1\u{b5}", 1_000),
            ("1ms", 1_000_000),
            ("1s", 1_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("2d", 172_800_000_000_000),
            ("1w", 604_800_000_000_000),
            ("-5m", -300_000_000_000),
            ("1m1ms", 60_001_000_000),
        ] {
            assert_eq!(parse_duration(text), Ok(ns), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_so() {
        for text in [
            "",
            "1",
            "h",
            "-",
            "1x",
            "1h5",
            "h1",
            "1n",
            "9223372036854775808s",
            "-1",
            "1us",
        ] {
            assert_eq!(
                parse_duration(text).unwrap_err(),
                "invalid duration",
                "{text}"
            );
        }
    }

    #[test]
    fn an_overflow_names_the_part_that_did_it() {
        let text = "overflowed duration 99999w: choose a smaller duration or INF";
        assert_eq!(parse_duration("99999w").unwrap_err(), text);
        assert!(parse_duration("15250w").is_ok());
        assert!(parse_duration("15250w99d").is_err());
    }

    #[test]
    fn printing_takes_the_largest_whole_unit_and_reads_back() {
        for (ns, text) in [
            (0, "0s"),
            (5_400_000_000_000, "90m"),
            (604_800_000_000_000, "1w"),
            (90_000_000_000, "90s"),
            (1_001, "1001ns"),
            (-1_000, "-1u"),
        ] {
            assert_eq!(format_duration(ns), text);
            assert_eq!(parse_duration(text), Ok(ns));
        }
    }
}
