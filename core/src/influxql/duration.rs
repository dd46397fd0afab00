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

/// Prints a duration as Go does: `168h0m0s`, `1.5s`, `0s`, `250ms`.
///
/// Source: Go `time.Duration.String`.
pub fn format_go_duration(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    let second = SECOND.unsigned_abs();
    if ns == 0 {
        return String::from("0s");
    }
    if ns < second {
        let (unit_ns, unit) = match ns {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "\u{b5}s"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{unit}", with_fraction(ns, unit_ns));
    }
    let (minutes, rest) = (ns / (60 * second), ns % (60 * second));
    let seconds = with_fraction(rest, second);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// `amount / unit` in decimals without trailing zeros. `unit` is a power of ten.
fn with_fraction(amount: u64, unit: u64) -> String {
    let (whole, part) = (amount / unit, amount % unit);
    if part == 0 {
        return format!("{whole}");
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{part:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
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
    use super::{format_duration, format_go_duration, parse_duration};

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

    #[test]
    fn go_prints_hours_minutes_and_fractions() {
        for (ns, text) in [
            (0, "0s"),
            (604_800_000_000_000, "168h0m0s"),
            (3_600_000_000_000, "1h0m0s"),
            (61_500_000_000, "1m1.5s"),
            (1_500_000, "1.5ms"),
            (1_050, "1.05\u{b5}s"),
            (7, "7ns"),
            (-1_000_000_000, "-1s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(format_go_duration(ns), text, "{ns}");
        }
    }
}
