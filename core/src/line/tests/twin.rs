//! A second parser, byte by byte after the grammar; the two agree on every short body.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::super::{Lines, Options, Scanner};
use super::units::Random;
use crate::model::{Value, key};

const DEFAULT_TIME_NS: i64 = 42;

#[derive(Clone, Debug, PartialEq)]
struct Line {
    text: Vec<u8>,
    number: u32,
    outcome: Result<Outcome, String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    key: Vec<u8>,
    fields: Vec<(Vec<u8>, Owned)>,
    time_ns: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
enum Owned {
    Float(u64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    String(Vec<u8>),
}

type Fallible<T> = Result<T, String>;

fn fail<T>(text: &str) -> Fallible<T> {
    Err(text.to_string())
}

fn skip_whitespace(b: &[u8], mut i: usize) -> usize {
    while i < b.len() && (b[i] == b' ' || b[i] == b'\t' || b[i] == 0) {
        i += 1;
    }
    i
}

fn naive_lines(body: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut i = 0;
    while i < body.len() {
        let start = i;
        let (mut quoted, mut in_fields, mut equals, mut commas) = (false, false, 0, 0);
        while i < body.len() {
            if body[i] == b'\\' && body.len() - i > 2 {
                i += 2;
                continue;
            }
            in_fields |= body[i] == b' ';
            if in_fields && !quoted && body[i] == b'=' {
                equals += 1;
            } else if in_fields && !quoted && body[i] == b',' {
                commas += 1;
            } else if in_fields && body[i] == b'"' && equals > commas {
                quoted = !quoted;
            } else if body[i] == b'\n' && !quoted {
                break;
            }
            i += 1;
        }
        let mut block = &body[start..i];
        i += 1;
        let skipped = skip_whitespace(block, 0);
        if skipped == block.len() || block[skipped] == b'#' {
            continue;
        }
        if block[block.len() - 1] == b'\n' {
            block = &block[..block.len() - 1];
        }
        let number = 1 + body[..start].iter().filter(|&&b| b == b'\n').count() as u32;
        let text = block[skipped..].to_vec();
        let outcome = naive_point(&text);
        lines.push(Line {
            text,
            number,
            outcome,
        });
    }
    lines
}

fn naive_point(line: &[u8]) -> Fallible<Outcome> {
    let (key, end) = naive_key(line)?;
    if key.len() > 65_535 {
        return Err(format!("max key length exceeded: {} > 65535", key.len()));
    }
    let (start, end) = naive_fields_extent(line, end)?;
    let (fields, late) = naive_fields(&line[start..end], key.len())?;
    let time_ns = naive_time(line, end)?;
    match late {
        Some(text) => Err(text),
        None => Ok(Outcome {
            key,
            fields,
            time_ns,
        }),
    }
}

fn naive_key(line: &[u8]) -> Fallible<(Vec<u8>, usize)> {
    if line.is_empty() || line[0] == b',' {
        return fail("missing measurement");
    }
    let escaped = |i: usize| line[i - 1] == b'\\';
    let mut i = 1;
    while i < line.len() && (escaped(i) || (line[i] != b',' && line[i] != b' ')) {
        i += 1;
    }
    let mut key = line[..i.min(line.len())].to_vec();
    let mut tags: Vec<(&[u8], &[u8])> = Vec::new();
    while i < line.len() && line[i] == b',' {
        let start = i + 1;
        if start >= line.len() || b" ,=".contains(&line[start]) {
            return fail("missing tag key");
        }
        i = start + 1;
        while i < line.len() && (escaped(i) || !b" ,=".contains(&line[i])) {
            i += 1;
        }
        if i >= line.len() || line[i] != b'=' {
            return fail("missing tag value");
        }
        let name = &line[start..i];
        i += 1;
        if i >= line.len() || line[i] == b',' || line[i] == b' ' {
            return fail("missing tag value");
        }
        i += 1;
        while i < line.len() && (escaped(i) || !b" ,=".contains(&line[i])) {
            i += 1;
        }
        if i < line.len() && line[i] == b'=' {
            return fail("invalid tag format");
        }
        tags.push((name, &line[start..i]));
    }
    if i >= line.len() {
        return fail("missing fields");
    }
    for left in 0..tags.len() {
        for right in 0..left {
            if tags[left].0 == tags[right].0 {
                return fail("duplicate tags");
            }
        }
    }
    tags.sort();
    for (_, text) in tags {
        key.push(b',');
        key.extend_from_slice(text);
    }
    Ok((key, i))
}

/// The first scanner: checks, and finds the end.
fn naive_fields_extent(line: &[u8], from: usize) -> Fallible<(usize, usize)> {
    let start = skip_whitespace(line, from);
    let (mut quoted, mut equals, mut commas) = (false, 0i32, 0i32);
    let mut i = start;
    while i < line.len() {
        if line[i] == b'\\' && i + 1 < line.len() {
            i += 2;
            continue;
        }
        if line[i] == b'"' && equals > commas {
            quoted = !quoted;
            i += 1;
            continue;
        }
        if line[i] == b'=' && !quoted {
            equals += 1;
            if b" ,".contains(&line[i - 1]) && line[i - 2] != b'\\' {
                return fail("missing field key");
            }
            if i + 1 >= line.len() || b" ,".contains(&line[i + 1]) {
                return fail("missing field value");
            }
            if line[i + 1] != b'"' {
                let end = i
                    + 1
                    + line[i + 1..]
                        .iter()
                        .position(|b| b" ,".contains(b))
                        .unwrap_or(line.len() - i - 1);
                naive_value(&line[i + 1..end], b"0123456789.-nN")?;
                i = end;
                continue;
            }
        }
        if line[i] == b',' && !quoted {
            commas += 1;
        }
        if line[i] == b' ' && !quoted {
            break;
        }
        i += 1;
    }
    if quoted {
        return fail("unbalanced quotes");
    }
    if equals == 0 || commas != equals - 1 {
        return fail("invalid field format");
    }
    Ok((start, i))
}

type NaiveFields = (Vec<(Vec<u8>, Owned)>, Option<String>);

/// The second scanner: cuts.
fn naive_fields(text: &[u8], key_bytes: usize) -> Fallible<NaiveFields> {
    let (mut fields, mut late) = (Vec::new(), None);
    let mut rest = text;
    while !rest.is_empty() {
        let mut equals = 0;
        while equals < rest.len()
            && (rest[equals] != b'=' || equals > 0 && rest[equals - 1] == b'\\')
        {
            equals += 1;
        }
        let name = &rest[..equals];
        if equals as i64 > rest.len() as i64 - 2 {
            return Err(format!(
                "invalid value: field-key={}",
                String::from_utf8_lossy(name)
            ));
        }
        rest = &rest[equals + 1..];
        let (mut end, mut quoted) = (0, false);
        while end < rest.len() && (quoted || rest[end] != b',') {
            let pair = rest.get(end..end + 2);
            if pair == Some(br#"\""#) || pair == Some(br"\\") {
                end += 2;
                continue;
            }
            quoted ^= rest[end] == b'"';
            end += 1;
        }
        if key_bytes + 4 + name.len() > 65_535 {
            return Err(format!(
                "max key length exceeded: {} > 65535",
                key_bytes + 4 + name.len()
            ));
        }
        match naive_value(&rest[..end], b"0123456789.-nNiIu") {
            Ok(value) => fields.push((key::unescape_field_key(name).into_owned(), value)),
            Err(text) => late = late.or(Some(text)),
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    Ok((fields, late))
}

/// The scanners differ in what the first byte of a number may be.
fn naive_value(raw: &[u8], number_starts: &[u8]) -> Fallible<Owned> {
    match raw.first() {
        None => return fail("missing field value"),
        Some(b'"') if raw.len() == 1 => return fail("unbalanced quotes"),
        Some(b'"') => {
            let text = key::unescape_string(&raw[1..raw.len() - 1]);
            return Ok(Owned::String(text.into_owned()));
        }
        Some(first) if number_starts.contains(first) => {}
        _ => {
            return match raw {
                b"t" | b"T" | b"true" | b"True" | b"TRUE" => Ok(Owned::Boolean(true)),
                b"f" | b"F" | b"false" | b"False" | b"FALSE" => Ok(Owned::Boolean(false)),
                _ => fail("invalid boolean"),
            };
        }
    }
    naive_number(raw)
}

fn naive_number(raw: &[u8]) -> Fallible<Owned> {
    let Ok(text) = str::from_utf8(raw) else {
        return fail("invalid number");
    };
    let unsigned_text = text.strip_prefix('-').unwrap_or(text);
    if let Some(digits) = unsigned_text.strip_suffix('i')
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
    {
        let number = &text[..text.len() - 1];
        return number.parse().map(Owned::Integer).map_err(|_| {
            format!(
                "unable to parse integer {number}: strconv.ParseInt: parsing \"{number}\": value \
                 out of range"
            )
        });
    }
    let (mut before, mut points, mut exponents, mut count) = (0, 0, 0, 0);
    for (i, byte) in unsigned_text.bytes().enumerate() {
        let allowed = match byte {
            b'0'..=b'9' | b'.' => true,
            b'e' | b'E' => i > 0 || text.len() > unsigned_text.len(),
            b'+' | b'-' => before == b'e' || before == b'E',
            _ => false,
        };
        if !allowed {
            return fail("invalid number");
        }
        points += i32::from(byte == b'.');
        exponents += i32::from(matches!(byte, b'e' | b'E'));
        count += i32::from(byte != b'.');
        before = byte;
    }
    if points > 1 || count == 0 {
        return fail("invalid number");
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && exponents <= 1 => Ok(Owned::Float(value.to_bits())),
        _ => fail("invalid float"),
    }
}

fn naive_time(line: &[u8], from: usize) -> Fallible<Option<i64>> {
    let start = skip_whitespace(line, from);
    let mut i = start;
    while i < line.len() && line[i] != b' ' && line[i] != b'\n' {
        if !(line[i].is_ascii_digit() || i == start && line[i] == b'-') {
            return fail("bad timestamp");
        }
        i += 1;
    }
    let text = str::from_utf8(&line[start..i]).unwrap();
    if text.is_empty() {
        return Ok(None);
    }
    if text == "-" {
        return fail("strconv.ParseInt: parsing \"-\": invalid syntax");
    }
    let Ok(count) = text.parse::<i64>() else {
        return Err(format!(
            "strconv.ParseInt: parsing \"{text}\": value out of range"
        ));
    };
    if count.unsigned_abs() > 9_223_372_036_854_775_806 {
        return fail("time outside range -9223372036854775806 - 9223372036854775806");
    }
    if line[i..].iter().any(|&b| b != b' ') {
        return fail("point is invalid");
    }
    Ok(Some(count))
}

fn ours(body: &[u8], scanner: &mut Scanner) -> Vec<Line> {
    let options = Options {
        default_time_ns: DEFAULT_TIME_NS,
        ..Options::default()
    };
    let mut lines = Vec::new();
    for line in Lines::new(body) {
        assert_eq!(
            &body[line.offset..line.offset + line.bytes.len()],
            line.bytes
        );
        let outcome = scanner.scan(line.bytes, &options).map_err(|error| {
            assert!(
                (1..=line.bytes.len() as u32 + 1).contains(&error.column),
                "{error:?}"
            );
            error.to_string()
        });
        let outcome = outcome.map(|point| {
            assert_eq!(point.field_count(), point.fields().count());
            assert!(point.has_time() || point.time_ns() == DEFAULT_TIME_NS);
            let owned = |value| match value {
                Value::Float(v) => Owned::Float(v.to_bits()),
                Value::Integer(v) => Owned::Integer(v),
                Value::Unsigned(v) => Owned::Unsigned(v),
                Value::Boolean(v) => Owned::Boolean(v),
                Value::String(v) => Owned::String(v.to_vec()),
            };
            Outcome {
                key: point.key().to_vec(),
                fields: point
                    .fields()
                    .map(|f| (f.key.to_vec(), owned(f.value)))
                    .collect(),
                time_ns: point.has_time().then_some(point.time_ns()),
            }
        });
        lines.push(Line {
            text: line.bytes.to_vec(),
            number: line.line,
            outcome,
        });
    }
    lines
}

fn compare(body: &[u8], scanner: &mut Scanner) {
    let (naive, ours) = (naive_lines(body), ours(body, scanner));
    assert!(
        naive == ours,
        "{:?}\nnaive {naive:?}\nours  {ours:?}",
        String::from_utf8_lossy(body)
    );
}

/// Compares on every body of up to `length` symbols behind `prefix`.
fn exhaust(prefix: &[u8], alphabet: &[u8], length: u32) {
    let mut scanner = Scanner::new();
    let mut body = prefix.to_vec();
    for length in 0..=length {
        for number in 0..alphabet.len().pow(length) {
            body.truncate(prefix.len());
            let mut rest = number;
            for _ in 0..length {
                body.push(alphabet[rest % alphabet.len()]);
                rest /= alphabet.len();
            }
            compare(&body, &mut scanner);
        }
    }
}

const SPECIAL: &[u8] = b"a,= \\\"\n1#i\t";

#[test]
fn every_short_body_is_read_alike() {
    exhaust(b"", SPECIAL, 5);
}

#[test]
fn every_short_tag_set_is_read_alike() {
    exhaust(b"a,", b"a,= \\\"b", 6);
}

#[test]
fn every_short_field_set_is_read_alike() {
    exhaust(b"a a", b"a,= \\\"\n1", 6);
    exhaust(b"a a=\"a\"", b"a,= \\\"\n1", 5);
}

#[test]
fn every_short_number_and_timestamp_is_read_alike() {
    exhaust(b"a a=", b"1.-+eiu ", 6);
    exhaust(b"a a=1 ", b"0-9 \n\tx", 6);
    exhaust(b" a\\\\ a=\" a=1", b"1 \n\"\\=,", 5);
}

#[test]
fn random_bodies_are_read_alike() {
    const PIECES: [&[u8]; 24] = [
        b"cpu",
        b",host=a",
        b",b=1",
        b",a=2",
        b" ",
        b"v=1",
        b"w=2i",
        b"s=\"x\"",
        b",",
        b"=",
        b"\\",
        b"\"",
        b"\n",
        b"t=true",
        b"1700000000000000000",
        b"#",
        b"\t",
        b"\0",
        b"1e5",
        b".5",
        b"-3",
        b"18446744073709551616",
        b"\xff",
        b"i",
    ];
    let (mut random, mut scanner) = (Random::new(7), Scanner::new());
    let mut body = Vec::new();
    for _ in 0..200_000 {
        body.clear();
        for _ in 0..random.below(16) {
            body.extend_from_slice(PIECES[random.below(PIECES.len() as u64) as usize]);
        }
        compare(&body, &mut scanner);
    }
}

#[test]
fn random_bytes_never_panic() {
    let (mut random, mut scanner) = (Random::new(11), Scanner::new());
    for _ in 0..50_000 {
        let body: Vec<u8> = (0..random.below(64)).map(|_| random.next() as u8).collect();
        compare(&body, &mut scanner);
    }
}
