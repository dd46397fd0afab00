//! Numbers against the standard library.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::super::{Options, Scanner, TimeCursor, number};
use super::units::Random;
use crate::model::{Precision, Value};

fn quick_float(text: &str) -> Option<f64> {
    number::float(text.as_bytes(), 0)
        .filter(|&(_, end)| end == text.len())
        .map(|(v, _)| v)
}

fn scanned(text: &str) -> Option<f64> {
    let line = format!("m v={text}");
    let mut scanner = Scanner::new();
    let point = scanner.scan(line.as_bytes(), &Options::default()).ok()?;
    match point.fields().next()?.value {
        Value::Float(value) => Some(value),
        _ => None,
    }
}

fn check(text: &str) {
    let expected: f64 = text.parse().unwrap();
    let quick = quick_float(text).unwrap();
    assert_eq!(quick.to_bits(), expected.to_bits(), "{text}");
}

/// A decimal of `digits` digits with the point before the last `fraction` of them.
fn decimal(random: &mut Random, text: &mut String, digits: usize, fraction: usize) {
    text.clear();
    if random.below(4) == 0 {
        text.push('-');
    }
    for digit in 0..digits {
        if digit == digits - fraction {
            text.push('.');
        }
        text.push(char::from(b'0' + random.below(10) as u8));
    }
}

#[test]
fn random_decimals_are_rounded_as_by_the_standard_library() {
    let mut random = Random::new(1);
    let mut text = String::new();
    for _ in 0..1_000_000 {
        let digits = 1 + random.below(19) as usize;
        let fraction = random.below(digits as u64 + 1) as usize;
        decimal(&mut random, &mut text, digits, fraction);
        check(&text);
    }
}

#[test]
fn leading_zeros_do_not_count_as_digits() {
    let mut random = Random::new(8);
    for _ in 0..300_000 {
        let digits = random.next() % 10u64.pow(1 + random.below(19) as u32);
        let zeros = random.below(6) as usize;
        let text = format!("0.{}{digits}", "0".repeat(zeros));
        check(&text);
        check(&format!("00{}", &text[1..]));
    }
    assert_eq!(quick_float("0.00000000000000000000000000000"), None);
    assert_eq!(quick_float("0.0000000000000000000000000001"), None);
}

#[test]
fn decimals_near_half_way_between_doubles_are_rounded_to_even() {
    let mut random = Random::new(2);
    for _ in 0..200_000 {
        // 54 significant bits, the last one set: half way; and its neighbours.
        let odd = (1 << 53) | (random.next() >> 11) | 1;
        let fraction = random.below(5) as u32;
        let scaled = u128::from(odd) * 10u128.pow(fraction) / (1 << fraction);
        for value in [scaled.wrapping_sub(1), scaled, scaled + 1] {
            let text = format!("{value:06}");
            if text.len() <= 19 {
                let (whole, part) = text.split_at(text.len() - fraction as usize);
                check(&format!("{whole}.{part}"));
            }
        }
    }
}

#[test]
fn printed_doubles_are_read_back() {
    let mut random = Random::new(3);
    for _ in 0..200_000 {
        let value = (random.next() >> 11) as f64 / (1u64 << 53) as f64 * 1000.0;
        assert_eq!(scanned(&format!("{value}")), Some(value));
        let any = f64::from_bits(random.next());
        if any.is_finite() {
            assert_eq!(scanned(&format!("{any:e}")), Some(any));
        }
    }
}

#[test]
fn long_floats_are_rounded_as_by_the_standard_library() {
    let mut random = Random::new(4);
    let mut text = String::new();
    for _ in 0..50_000 {
        let digits = 20 + random.below(60) as usize;
        let fraction = random.below(digits as u64) as usize;
        decimal(&mut random, &mut text, digits, fraction);
        assert_eq!(scanned(&text), text.parse().ok(), "{text}");
    }
    let nines = "9".repeat(400);
    assert_eq!(scanned(&nines), None);
    assert_eq!(scanned(&format!("0.{}", "0".repeat(400))), Some(0.0));
}

#[test]
fn floats_at_the_edges_keep_their_bits() {
    for text in [
        "0",
        "-0",
        "-0.0",
        "00",
        "1.",
        ".1",
        "-.1",
        "0.1",
        "9007199254740993",
        "0.3",
    ] {
        check(text);
    }
    for text in ["", "-", ".", "-.", "x", "12345678901234567890"] {
        assert_eq!(quick_float(text), None, "{text}");
    }
}

#[test]
fn integers_of_every_length_are_read() {
    let mut random = Random::new(5);
    for _ in 0..300_000 {
        let value = random.next() as i64 >> random.below(64);
        let line = format!("m v={value}i,w=00{value}i");
        let mut scanner = Scanner::new();
        let point = scanner.scan(line.as_bytes(), &Options::default());
        let values: Vec<_> = match &point {
            Ok(point) => point.fields().map(|field| field.value).collect(),
            Err(_) => Vec::new(),
        };
        match value {
            0.. => assert_eq!(values, [Value::Integer(value), Value::Integer(value)]),
            // The zeros stand before the sign.
            _ => assert!(values.is_empty()),
        }
    }
    for value in [i64::MIN, i64::MAX] {
        let line = format!("m v={value}i");
        let mut scanner = Scanner::new();
        let point = scanner.scan(line.as_bytes(), &Options::default()).unwrap();
        assert_eq!(point.fields().next().unwrap().value, Value::Integer(value));
    }
}

#[test]
fn the_cursor_reads_timestamps_as_the_scanner_does() {
    let mut random = Random::new(6);
    for precision in [
        Precision::Nanosecond,
        Precision::Millisecond,
        Precision::Hour,
    ] {
        let options = Options {
            precision,
            ..Options::default()
        };
        let mut cursor = TimeCursor::new(precision);
        let mut scanner = Scanner::new();
        let mut text = format!(" {}\n", u64::MAX / 3);
        for _ in 0..200_000 {
            if random.below(3) > 0 {
                let count = random.next() >> random.below(64);
                text = format!(" {count}\n");
                let at = random.below(text.len() as u64) as usize;
                match random.below(12) {
                    0 => text.replace_range(at..=at, "x"),
                    1 => text.replace_range(at..=at, " "),
                    2 => text.insert(at, '-'),
                    3 => text.truncate(at),
                    4 => text.insert(1, '0'),
                    5 => text.push_str("cpu v=1 1700000000000000000\n"),
                    _ => {}
                }
            }
            if let Some((time_ns, next)) = cursor.parse(text.as_bytes(), 0) {
                let line = format!("m v=1{}", text[..next].trim_end_matches('\n'));
                let point = scanner.scan(line.as_bytes(), &options).unwrap();
                assert!(point.has_time() && point.time_ns() == time_ns, "{text:?}");
                assert!(next == text.len() || text.as_bytes()[next - 1] == b'\n');
            }
        }
    }
}

#[test]
fn the_cursor_remembers_but_does_not_confuse() {
    let mut cursor = TimeCursor::new(Precision::Nanosecond);
    assert_eq!(cursor.parse(&[0; 32], 0), None);
    let body = b" 1700000000000000001\n 1700000000000000001\n 1700000000000000002\n";
    assert_eq!(cursor.parse(body, 0), Some((1_700_000_000_000_000_001, 21)));
    assert_eq!(
        cursor.parse(body, 21),
        Some((1_700_000_000_000_000_001, 42))
    );
    assert_eq!(
        cursor.parse(body, 42),
        Some((1_700_000_000_000_000_002, 63))
    );
    assert_eq!(
        cursor.parse(b" 1700000000000000002", 0),
        Some((1_700_000_000_000_000_002, 20))
    );
    assert_eq!(cursor.parse(b" 9223372036854775807\n", 0), None);
    assert_eq!(
        cursor.parse(b" 9223372036854775806\n", 0),
        Some((i64::MAX - 1, 21))
    );
    assert_eq!(cursor.parse(b" 1\r\n", 0), None);
    assert_eq!(cursor.parse(b" \n", 0), None);
    assert_eq!(cursor.parse(b"", 0), None);
}

/// A NaN would be the one value whose bits depend on who computed it.
#[test]
fn no_text_is_read_as_a_float_that_is_not_finite() {
    const LETTERS: &[u8] = b"09.eE+-niaNf";
    let mut seen = 0;
    for length in 1..=5 {
        for number in 0..LETTERS.len().pow(length) {
            let mut text = String::new();
            let mut rest = number;
            for _ in 0..length {
                text.push(char::from(LETTERS[rest % LETTERS.len()]));
                rest /= LETTERS.len();
            }
            let value = scanned(&text);
            assert!(value.is_none_or(f64::is_finite), "{text}");
            seen += u32::from(value.is_some());
        }
    }
    assert!(seen > 300, "{seen}");
    for text in [
        "nan", "NaN", "-nan", "inf", "+Inf", "infinity", "1e309", "-9e999",
    ] {
        assert_eq!(scanned(text), None, "{text}");
    }
}
