//! Texts as Go prints them: quoted, and as JSON strings; numbers and times.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

/// Whether Go's `strconv.IsPrint` holds: letters, marks, numbers, punctuation, symbols and the
/// ASCII space.
///
/// The same classes decide what `str::escape_debug` leaves alone, once the character is not the
/// first one (where it also escapes combining marks).
pub fn is_printable(c: char) -> bool {
    let mut buffer = [b'a'; 5];
    let length = c.encode_utf8(&mut buffer[1..]).len();
    let text = core::str::from_utf8(&buffer[..=length]).unwrap_or_default();
    match c {
        ' '..='~' => true,
        _ => text.escape_debug().nth(1) == Some(c),
    }
}

/// Go's `%q`: double quotes, escapes for what does not print, `\x` for invalid UTF-8.
pub fn quote(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\x07' => out.push_str("\\a"),
                '\x08' => out.push_str("\\b"),
                '\x0c' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\x0b' => out.push_str("\\v"),
                _ if is_printable(c) => out.push(c),
                _ => {
                    let code = u32::from(c);
                    // Writing to a String does not fail.
                    let _ = match code {
                        0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
                        0x20..0x1_0000 => write!(out, "\\u{code:04x}"),
                        _ => write!(out, "\\U{code:08x}"),
                    };
                }
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
    out
}

/// Appends a JSON string with its quotes, escaped as by Go's `encoding/json`: also `<`, `>`,
/// `&` and the two line separators; one `\ufffd` for each byte that is not UTF-8.
pub fn json_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut plain_from = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let (length, escape): (usize, Option<&[u8]>) = match byte {
            b'"' => (1, Some(b"\\\"")),
            b'\\' => (1, Some(b"\\\\")),
            b'\n' => (1, Some(b"\\n")),
            b'\r' => (1, Some(b"\\r")),
            b'\t' => (1, Some(b"\\t")),
            0x08 => (1, Some(b"\\b")),
            0x0c => (1, Some(b"\\f")),
            0..0x20 | b'<' | b'>' | b'&' => (1, Some(&[])),
            0x20..0x80 => (1, None),
            _ => match char_length(&text[at..]) {
                None => (1, Some(b"\\ufffd")),
                Some(3) if text[at..].starts_with(b"\xe2\x80\xa8") => (3, Some(b"\\u2028")),
                Some(3) if text[at..].starts_with(b"\xe2\x80\xa9") => (3, Some(b"\\u2029")),
                Some(length) => (length, None),
            },
        };
        if let Some(escape) = escape {
            out.extend_from_slice(&text[plain_from..at]);
            out.extend_from_slice(escape);
            if escape.is_empty() {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
            plain_from = at + length;
        }
        at += length;
    }
    out.extend_from_slice(&text[plain_from..]);
    out.push(b'"');
}

/// Length of the character `bytes` begin with; `None` if they are not UTF-8 there.
fn char_length(bytes: &[u8]) -> Option<usize> {
    let length = match bytes.first()? {
        0..0x80 => 1,
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => return None,
    };
    core::str::from_utf8(bytes.get(..length)?)
        .ok()
        .map(|_| length)
}

/// Appends a number as Go's `encoding/json` does: the shortest digits that read back equal, with
/// an exponent below 1e-6 and from 1e21 on. What JSON has no number for becomes `null`.
pub fn json_float(out: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    if !value.is_finite() {
        out.extend_from_slice(b"null");
    } else if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = alloc::format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        out.extend_from_slice(digits.as_bytes());
        out.push(b'e');
        if !exponent.starts_with('-') {
            out.push(b'+');
        }
        out.extend_from_slice(exponent.as_bytes());
    } else {
        display(out, value);
    }
}

/// Appends what `Display` prints.
pub(super) fn display(out: &mut Vec<u8>, value: impl core::fmt::Display) {
    struct Bytes<'a>(&'a mut Vec<u8>);
    impl core::fmt::Write for Bytes<'_> {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    let _ = write!(Bytes(out), "{value}");
}

/// Appends a time in UTC as Go's `time.RFC3339Nano`: no trailing zeros in the fraction.
pub fn rfc3339(out: &mut Vec<u8>, time_ns: i64) {
    let (seconds, fraction) = (
        time_ns.div_euclid(1_000_000_000),
        time_ns.rem_euclid(1_000_000_000),
    );
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    display(
        out,
        format_args!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
    );
    if fraction != 0 {
        display(out, format_args!(".{fraction:09}"));
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
    out.push(b'Z');
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Years are taken to begin in March, so that the leap day is the last one; 400 years, an era,
/// have 146,097 days. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + (month <= 2) as i64, month, day)
}
