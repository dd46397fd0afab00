//! Single properties of lines, scanner, escapes and limits.

use std::format;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

use super::super::{LineErrorKind, Lines, Options, Scanner, key_end};
use crate::model::{Value, equal};

/// splitmix64: the tests need repeatable, not good, randomness.
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

fn fault(line: &[u8], options: &Options) -> (u32, LineErrorKind) {
    let error = Scanner::new().scan(line, options).map(|_| ()).unwrap_err();
    (error.column, error.kind)
}

#[test]
fn lines_tell_their_physical_line_and_offset() {
    let body = b"a v=1\n\n# c\n  b v=\"x\ny\"\nc v=1\n";
    let lines: Vec<_> = Lines::new(body)
        .map(|l| (l.bytes, l.offset, l.line))
        .collect();
    assert_eq!(
        lines,
        [
            (&b"a v=1"[..], 0, 1),
            (&b"b v=\"x\ny\""[..], 13, 4),
            (&b"c v=1"[..], 23, 6)
        ]
    );
}

#[test]
fn lines_go_on_where_the_fast_path_left_off() {
    let mut lines = Lines::new(b"a v=1\nb v=1\nc v=1\n");
    assert_eq!(lines.position(), 0);
    lines.seek(6, 1);
    let line = lines.next().unwrap();
    assert_eq!((line.bytes, line.offset, line.line), (&b"b v=1"[..], 6, 2));
    assert_eq!(lines.position(), 12);
    lines.seek(1000, 1);
    assert_eq!(lines.next(), None);
    assert_eq!(lines.position(), 18);
}

#[test]
fn columns_point_at_the_fault() {
    let options = Options::default();
    assert_eq!(
        fault(b",a v=1", &options),
        (1, LineErrorKind::MissingMeasurement)
    );
    assert_eq!(
        fault(b"cpu,a=1,a=2 v=1", &options),
        (9, LineErrorKind::DuplicateTags)
    );
    assert_eq!(
        fault(b"cpu v=1,w=x", &options),
        (11, LineErrorKind::InvalidBoolean)
    );
    assert_eq!(
        fault(b"cpu v=\"x", &options),
        (7, LineErrorKind::UnbalancedQuotes)
    );
    assert_eq!(
        fault(b"cpu v=1 1x", &options),
        (10, LineErrorKind::BadTimestamp)
    );
    assert_eq!(fault(b"cpu", &options), (4, LineErrorKind::MissingFields));
}

#[test]
fn keys_are_bounded_with_and_without_their_field() {
    let options = Options::default();
    let line = |length: usize| format!("{} v=1", "m".repeat(length)).into_bytes();
    assert!(Scanner::new().scan(&line(65_530), &options).is_ok());
    for (length, told) in [
        (65_531, 65_536),
        (65_535, 65_540),
        (65_536, 65_536),
        (70_000, 70_000),
    ] {
        assert_eq!(
            fault(&line(length), &options).1,
            LineErrorKind::KeyTooLong(told)
        );
    }
    let text = fault(&line(65_531), &options).1.to_string();
    assert_eq!(text, "max key length exceeded: 65536 > 65535");
}

#[test]
fn hundreds_of_tags_are_sorted() {
    let mut line = b"m".to_vec();
    for tag in (0..400).rev() {
        line.extend_from_slice(format!(",t{tag:03}=v").as_bytes());
    }
    line.extend_from_slice(b" v=1 1");
    let mut scanner = Scanner::new();
    let point = scanner.scan(&line, &Options::default()).unwrap();
    assert_eq!(point.measurement_raw(), b"m");
    assert!(point.key().starts_with(b"m,t000=v,t001=v"));
    assert_eq!(point.key().len(), point.arrival_key().len());
    assert_eq!(point.fields_text(), b"v=1");
}

#[test]
fn unsigned_integers_need_their_option() {
    let off = Options::default();
    let on = Options {
        unsigned: true,
        ..off
    };
    assert_eq!(fault(b"m v=1u", &off).1, LineErrorKind::InvalidNumber);
    assert_eq!(fault(b"m v=-1u", &on).1, LineErrorKind::InvalidNumber);
    assert_eq!(
        fault(b"m v=18446744073709551616u", &on).1.to_string(),
        "unable to parse unsigned 18446744073709551616: strconv.ParseUint: parsing \
         \"18446744073709551616\": value out of range"
    );
    let mut scanner = Scanner::new();
    let point = scanner.scan(b"m v=18446744073709551615u", &on).unwrap();
    assert_eq!(
        point.fields().next().unwrap().value,
        Value::Unsigned(u64::MAX)
    );
}

#[test]
fn strict_mode_takes_crlf_and_refuses_mistakes() {
    let strict = Options {
        strict: true,
        ..Options::default()
    };
    let lines: Vec<_> = Lines::strict(b"cpu v=\"a\" 1\r\n\r\ncpu v=2\r\n").collect();
    assert_eq!(lines.len(), 2);
    let mut scanner = Scanner::new();
    let point = scanner.scan(lines[0].bytes, &strict).unwrap();
    assert_eq!(point.fields().next().unwrap().value, Value::String(b"a"));
    assert!(scanner.scan(lines[1].bytes, &strict).is_ok());
    assert_eq!(
        fault(b"cpu \t=1 1", &strict),
        (6, LineErrorKind::MissingFieldKey)
    );

    let lines: Vec<_> = Lines::strict(b"# fine\n# a=\"x\ncpu v=1 1\n").collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        fault(lines[0].bytes, &strict).1,
        LineErrorKind::CommentSwallowsLines
    );
    assert_eq!(Lines::strict(b"# a=\"x\n").count(), 0);
}

#[test]
fn fields_give_their_raw_text_too() {
    let mut scanner = Scanner::new();
    let line = br#"m a\ b="x\"y",c=1i,c=2i 5"#;
    let point = scanner.scan(line, &Options::default()).unwrap();
    let fields: Vec<_> = point
        .fields()
        .map(|f| (f.key, f.key_raw, f.raw_value))
        .collect();
    assert_eq!(
        fields,
        [
            (&b"a b"[..], &br"a\ b"[..], &br#""x\"y""#[..]),
            (&b"c"[..], &b"c"[..], &b"1i"[..]),
            (&b"c"[..], &b"c"[..], &b"2i"[..]),
        ]
    );
    assert_eq!((point.fields_offset(), point.time_ns()), (2, 5));
}

#[test]
fn keys_with_hidden_quotes_or_newlines_are_not_plain() {
    let mut scanner = Scanner::new();
    let mut is_plain = |line: &[u8]| {
        scanner
            .scan(line, &Options::default())
            .unwrap()
            .is_arrival_key_plain()
    };
    assert!(is_plain(b"cpu,h=a\\ b v=1"));
    assert!(is_plain(b"cpu,h=\"a\" v=1"));
    assert!(!is_plain(b"cpu,h=\\\"a v=1"));
    assert!(!is_plain(b"cpu,h=\\\na v=1"));
}

#[test]
fn equal_compares_every_byte() {
    for length in 0..200 {
        let a = vec![b'x'; length];
        assert!(equal(&a, &a.clone()));
        assert!(!equal(&a, &vec![b'x'; length + 1]));
        for at in 0..length {
            let mut b = a.clone();
            b[at] ^= 1;
            assert!(!equal(&a, &b), "length {length}, byte {at}");
        }
    }
}

#[test]
fn the_end_of_a_key_without_escapes_is_its_first_space() {
    assert_eq!(key_end(b"cpu,a=b v=1", 0), Some(7));
    assert_eq!(key_end(b"x\ncpu v=1", 2), Some(5));
    assert_eq!(key_end(b"cpu\\ u v=1", 0), None);
    assert_eq!(key_end(b"cpu\nmem v=1", 0), None);
    assert_eq!(key_end(b"cpu", 0), None);
    assert_eq!(key_end(b"cpu", 9), None);
}
