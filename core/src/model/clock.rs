//! Durations and instants as Go prints them.

use core::fmt;

/// Displays nanoseconds as Go prints a `time.Duration`: `168h0m0s`, `1.5s`, `0s`.
///
/// Source: Go `time.Duration.String`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(pub i64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match nanoseconds {
            0 => return f.write_str("0s"),
            1..1_000 => return write!(f, "{nanoseconds}ns"),
            1_000..1_000_000 => return decimal(nanoseconds, 1_000, "\u{b5}s", f),
            1_000_000..1_000_000_000 => return decimal(nanoseconds, 1_000_000, "ms", f),
            _ => {}
        }
        let minutes = nanoseconds / 60_000_000_000;
        if minutes >= 60 {
            write!(f, "{}h", minutes / 60)?;
        }
        if minutes > 0 {
            write!(f, "{}m", minutes % 60)?;
        }
        decimal(nanoseconds % 60_000_000_000, 1_000_000_000, "s", f)
    }
}

/// A number of units without trailing zeros.
fn decimal(value: u64, unit: u64, suffix: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}", value / unit)?;
    let (mut fraction, mut digits) = (value % unit, unit.ilog10() as usize);
    if fraction > 0 {
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            digits -= 1;
        }
        write!(f, ".{fraction:0digits$}")?;
    }
    f.write_str(suffix)
}

/// Displays a timestamp in UTC as Go's `time.RFC3339Nano`: no trailing zeros in the fraction.
///
/// Source: Go `time.RFC3339Nano`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfc3339(pub i64);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(1_000_000_000);
        let (mut fraction, mut digits) = (self.0.rem_euclid(1_000_000_000), 9);
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if fraction > 0 {
            while fraction % 10 == 0 {
                fraction /= 10;
                digits -= 1;
            }
            write!(f, ".{fraction:0digits$}")?;
        }
        f.write_str("Z")
    }
}

/// Year, month and day of a number of days since the Unix epoch, in the proleptic Gregorian
/// calendar.
///
/// Source: H. Hinnant, "chrono-compatible low-level date algorithms".
pub const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::{Duration, Rfc3339};
    use std::string::ToString;

    #[test]
    fn durations_print_as_in_go() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5\u{b5}s"),
            (2_000_000, "2ms"),
            (1_500_000_000, "1.5s"),
            (60_000_000_000, "1m0s"),
            (168 * 3_600_000_000_000, "168h0m0s"),
            (-5_400_000_000_000, "-1h30m0s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(Duration(nanoseconds).to_string(), text);
        }
    }

    #[test]
    fn instants_print_as_in_go() {
        for (nanoseconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_767_225_600_000_000_000, "2026-01-01T00:00:00Z"),
            (1_709_164_800_100_000_000, "2024-02-29T00:00:00.1Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
            (i64::MIN + 2, "1677-09-21T00:12:43.145224194Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(Rfc3339(nanoseconds).to_string(), text);
        }
    }
}
