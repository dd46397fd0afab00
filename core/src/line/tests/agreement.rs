//! The fast path reads alike whatever it accepts, and accepts what it was made for.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::super::{FIELDS_MAX, Lines, Options, Scanner, Template, TimeCursor};
use super::units::Random;
use crate::model::{FieldType, Precision, Value};

const PREFIX: &str = "cpu,host=a";

fn compile(text: &str) -> Option<Template> {
    let line = format!("{PREFIX} {text}");
    let mut scanner = Scanner::new();
    let point = scanner.scan(line.as_bytes(), &Options::default()).ok()?;
    let types: Vec<FieldType> = point
        .fields()
        .map(|field| field.value.field_type())
        .collect();
    Template::compile(point.fields_text(), &types)
}

fn bits(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Float(v) => Some(v.to_bits()),
        Value::Integer(v) => Some(v as u64),
        _ => None,
    }
}

/// Parses the first line of `body` on the fast path and compares with the general one.
fn agrees(template: &Template, cursor: &mut TimeCursor, body: &[u8]) -> bool {
    let mut values = Vec::new();
    let Some(parsed) = template.parse(body, PREFIX.len(), &mut values) else {
        return false;
    };
    let Some((time_ns, next)) = cursor.parse(body, parsed.end) else {
        return false;
    };
    let shown = String::from_utf8_lossy(body);
    let mut lines = Lines::new(body);
    let line = lines.next().unwrap();
    assert_eq!((line.offset, lines.position()), (0, next), "{shown}");
    let mut scanner = Scanner::new();
    let point = scanner.scan(line.bytes, &Options::default());
    let point = point.unwrap_or_else(|error| panic!("{shown}: {error}"));
    assert_eq!(point.time_ns(), time_ns, "{shown}");
    assert_eq!(point.key(), PREFIX.as_bytes(), "{shown}");
    let expected: Vec<u64> = point.fields().map(|f| bits(f.value).unwrap()).collect();
    assert_eq!(values, expected, "{shown}");
    let integers = point
        .fields()
        .filter(|f| matches!(f.value, Value::Integer(_)));
    let all = integers.fold(0, |all, field| all | bits(field.value).unwrap());
    assert_eq!(parsed.integers_or, all, "{shown}");
    true
}

const NAMES: [&str; 12] = [
    "v",
    "ab",
    "usage_user",
    "usage_system",
    "a1234567",
    "b23456",
    "c234567",
    "d2345678",
    "e23456789012345",
    "f2345678901234567890123",
    "g23456789012345678901234567890123456789",
    "=",
];

fn value(random: &mut Random, integer: bool) -> String {
    let shift = random.below(64);
    match (integer, random.below(4)) {
        (true, 0) => format!("{}i", random.next() as i64 >> shift),
        (true, _) => format!("{}i", random.below(1000)),
        (false, 0) => format!("{}", random.below(100)),
        (false, 1) => format!("{}", (random.next() as i64 >> shift) as f64 / 1e6),
        (false, _) => format!("{}", (random.next() >> 11) as f64 / (1u64 << 53) as f64),
    }
}

fn random_line(random: &mut Random, shape: &[(&str, bool)]) -> String {
    let fields: Vec<String> = shape
        .iter()
        .map(|(name, integer)| format!("{name}={}", value(random, *integer)))
        .collect();
    format!(
        "{PREFIX} {} {}",
        fields.join(","),
        1_700_000_000_000_000_000 + random.below(3)
    )
}

#[test]
fn what_the_template_accepts_the_scanner_reads_alike() {
    const OTHERS: &[u8] = b" ,=\\\"\n\t\r#i.-+e0159uxT\0";
    let mut random = Random::new(21);
    let (mut accepted, mut mutated) = (0, 0);
    for _ in 0..3_000 {
        let count = 1 + random.below(8) as usize;
        let shape: Vec<(&str, bool)> = NAMES[..11]
            .iter()
            .skip(random.below(4) as usize)
            .take(count)
            .map(|name| (*name, random.below(2) == 0))
            .collect();
        let first = random_line(&mut random, &shape);
        let fields = first[PREFIX.len() + 1..].rsplit_once(' ').unwrap().0;
        let template = compile(fields).unwrap();
        assert_eq!(template.field_count(), shape.len());
        let mut cursor = TimeCursor::new(Precision::Nanosecond);
        for _ in 0..60 {
            let mut body = random_line(&mut random, &shape).into_bytes();
            if random.below(2) == 0 {
                body.extend_from_slice(b"\ncpu,host=a v=1 1\n");
            }
            accepted += u32::from(agrees(&template, &mut cursor, &body));
            for _ in 0..=random.below(3) {
                let at = PREFIX.len() + random.below((body.len() - PREFIX.len()) as u64) as usize;
                let other = OTHERS[random.below(OTHERS.len() as u64) as usize];
                match random.below(4) {
                    0 => body.insert(at, other),
                    1 if body.len() > PREFIX.len() + 1 => drop(body.remove(at)),
                    2 => body.truncate(at + 1),
                    _ => body[at] = other,
                }
            }
            mutated += u32::from(agrees(&template, &mut cursor, &body));
        }
    }
    // Integers of 19 digits and floats in other notations are left to the general path.
    assert!(accepted > 100_000, "{accepted}");
    assert!(mutated > 1_000, "{mutated}");
}

#[test]
fn every_line_of_small_integers_is_accepted() {
    let template = compile("a=1i,b=22i,c=3i").unwrap();
    let mut cursor = TimeCursor::new(Precision::Nanosecond);
    for a in [
        0i64,
        9,
        10,
        99,
        100,
        12_345_678,
        999_999_999_999_999_999,
        -1,
    ] {
        for end in ["", "\n", "\nx"] {
            let body = format!("{PREFIX} a={a}i,b={a}i,c={a}i 1700000000000000000{end}");
            assert!(agrees(&template, &mut cursor, body.as_bytes()), "{body:?}");
        }
    }
}

#[test]
fn every_short_change_behind_the_key_is_read_alike() {
    let alphabet = b"a=1i, .\n\"\\-";
    let templates: Vec<Template> = ["a=1i", "a=1", "a=1i,i=2", "a=.5,a1=1i"]
        .iter()
        .map(|text| compile(text).unwrap())
        .collect();
    let mut accepted = 0;
    for number in 0..alphabet.len().pow(6) {
        let mut body = format!("{PREFIX} a").into_bytes();
        let mut rest = number;
        for _ in 0..6 {
            body.push(alphabet[rest % alphabet.len()]);
            rest /= alphabet.len();
        }
        for template in &templates {
            let mut cursor = TimeCursor::new(Precision::Nanosecond);
            accepted += u32::from(agrees(template, &mut cursor, &body));
        }
    }
    assert!(accepted > 30, "{accepted}");
}

#[test]
fn lines_that_do_not_qualify_have_no_template() {
    let many = |count: usize| {
        (0..count)
            .map(|i| format!("f{i}=1i"))
            .collect::<Vec<_>>()
            .join(",")
    };
    assert!(compile(&many(FIELDS_MAX)).is_some());
    assert!(compile(&many(FIELDS_MAX + 1)).is_none());
    for text in [
        "a=\"x\"",
        "a=t",
        "a=1,b=\"x\"",
        "a\\ b=1",
        "a\"=1",
        "a=1,a=2",
        "\t=1",
        "a\\=1=1",
    ] {
        assert!(compile(text).is_none(), "{text}");
    }
    assert!(Template::compile(b"a=1", &[FieldType::Integer]).is_none());
    assert!(Template::compile(b"a=1u", &[FieldType::Unsigned]).is_none());
    assert!(Template::compile(b"a=1,b=2", &[FieldType::Float]).is_none());
    assert!(Template::compile(b"", &[]).is_none());
}
