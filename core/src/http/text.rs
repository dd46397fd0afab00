//! Texts as Go prints them: JSON strings and numbers.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

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
        plain_float(out, value);
    }
}

/// Appends a number as Go's `strconv` does in the format `f`: without an exponent.
pub(super) fn plain_float(out: &mut Vec<u8>, value: f64) {
    if (TIES_FROM..TIES_TO).contains(&value.abs()) {
        out.extend_from_slice(even_shortest(value).as_bytes());
    } else {
        display(out, value);
    }
}

/// Only between 2^44 and 2^53 can a double lie exactly half way between two numbers of the
/// shortest length that reads back equal: below, it has more digits than that behind the point;
/// above, it is even, and no power of ten is halved by 5.
const TIES_FROM: f64 = 17_592_186_044_416.0;
const TIES_TO: f64 = 9_007_199_254_740_992.0;

/// The shortest digits; half way, Go takes the even one, `Display` the upper one.
fn even_shortest(value: f64) -> String {
    let shortest = alloc::format!("{value}");
    let decimals = shortest
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let even = alloc::format!("{value:.decimals$}");
    if even.parse() == Ok(value) {
        even
    } else {
        shortest
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
