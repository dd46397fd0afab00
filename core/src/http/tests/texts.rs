//! Texts against plain twins, and edges.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::http::text::display;
use crate::http::{json_float, json_string};
use crate::model::{Quoted, Rfc3339};

/// Xorshift; enough for tests.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() >> 11) as usize % end.max(1)
    }
}

fn text(print: impl Fn(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    print(&mut out);
    String::from_utf8(out).unwrap()
}

/// One character at a time, with the standard library's idea of UTF-8.
fn naive_json(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    out.push_str(&alloc::format!("\\u{:04x}", u32::from(c)));
                }
                c => out.push(c),
            }
        }
        for _ in chunk.invalid() {
            out.push_str("\\ufffd");
        }
    }
    out.push('"');
    out
}

#[test]
fn json_strings_equal_those_of_the_naive_twin() {
    let mut random = Random(5);
    let seeds = [
        "\u{2028}\u{2029}\u{202a}",
        "<a>&\"\\",
        "\u{e9}\u{10ffff}",
        "\u{0}\u{1f}\u{7f}",
    ];
    for round in 0..50_000 {
        let mut bytes = seeds[round % seeds.len()].as_bytes().to_vec();
        for _ in 0..random.below(6) {
            let at = random.below(bytes.len());
            bytes[at] = random.next() as u8;
        }
        assert_eq!(
            text(|out| json_string(out, &bytes)),
            naive_json(&bytes),
            "{bytes:?}"
        );
    }
}

#[test]
#[expect(
    clippy::excessive_precision,
    reason = "half way between two shortest ones"
)]
fn json_floats_print_as_in_go() {
    for (value, printed) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (100_000.0, "100000"),
        (69.183, "69.183"),
        (1e-6, "0.000001"),
        (9.99e-7, "9.99e-7"),
        (1e-7, "1e-7"),
        (-1.5e-10, "-1.5e-10"),
        (123_456_789_012_345_680_000.0, "123456789012345680000"),
        (999_999_999_999_999_900_000.0, "999999999999999900000"),
        (1e21, "1e+21"),
        (1.234_567_8e29, "1.2345678e+29"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (5e-324, "5e-324"),
        (0.1 + 0.2, "0.30000000000000004"),
        // Half way between two shortest ones: the even one.
        (627_250_100_868_513.25, "627250100868513.2"),
        (627_250_100_868_513.75, "627250100868513.8"),
        (-70_368_744_177_665.062_5, "-70368744177665.06"),
        (70_368_744_177_665.187_5, "70368744177665.19"),
        (f64::NAN, "null"),
        (f64::INFINITY, "null"),
    ] {
        assert_eq!(text(|out| json_float(out, value)), printed);
    }
}

#[test]
fn json_floats_read_back_equal() {
    let mut random = Random(7);
    for _ in 0..50_000 {
        let value = f64::from_bits(random.next());
        if value.is_finite() {
            let printed = text(|out| json_float(out, value));
            assert_eq!(
                printed.parse::<f64>().map(f64::to_bits),
                Ok(value.to_bits()),
                "{printed}"
            );
        }
    }
}

#[test]
fn quoting_is_gos() {
    for (bytes, quoted) in [
        (&b"db"[..], r#""db""#),
        (
            b"a\"\\\n\r\t\x07\x08\x0b\x0c\0\x7f",
            r#""a\"\\\n\r\t\a\b\v\f\x00\x7f""#,
        ),
        (b"\xff\xc3", r#""\xff\xc3""#),
        (
            "\u{e9}e\u{301}\u{a0}\u{200b}\u{1f600}".as_bytes(),
            "\"\u{e9}e\u{301}\\u00a0\\u200b\u{1f600}\"",
        ),
        ("\u{e000}\u{10ffff}".as_bytes(), "\"\\ue000\\U0010ffff\""),
    ] {
        assert_eq!(Quoted(bytes).to_string(), quoted);
    }
}

#[test]
fn times_print_without_trailing_zeros() {
    for (time, printed) in [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1_767_225_600_000_000_000, "2026-01-01T00:00:00Z"),
        (1_709_208_000_120_000_000, "2024-02-29T12:00:00.12Z"),
        (951_868_799_000_000_001, "2000-02-29T23:59:59.000000001Z"),
        (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
        (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
    ] {
        assert_eq!(text(|out| display(out, Rfc3339(time))), printed);
    }
}

#[test]
fn days_follow_each_other() {
    let day = |number: i64| text(|out| display(out, Rfc3339(number * 86_400_000_000_000)));
    let mut last = day(-106_000);
    for number in -105_999..106_000 {
        let next = day(number);
        let (year, month, date) = (&next[..4], &next[5..7], &next[8..10]);
        if date == "01" {
            let leap = last[..4]
                .parse::<u32>()
                .is_ok_and(|y| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
            let length = match &last[5..7] {
                "02" if leap => "29",
                "02" => "28",
                "04" | "06" | "09" | "11" => "30",
                _ => "31",
            };
            assert_eq!(&last[8..10], length, "{last}");
            assert_ne!((year, month), (&last[..4], &last[5..7]));
        } else {
            assert_eq!(&next[..8], &last[..8]);
            assert_eq!(
                date.parse::<u32>().unwrap(),
                last[8..10].parse::<u32>().unwrap() + 1
            );
        }
        last = next;
    }
}
