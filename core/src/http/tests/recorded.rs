//! Every recorded answer that does not depend on an engine, byte for byte.

use alloc::string::String;
use alloc::vec::Vec;

use super::world::{World, ask};
use crate::http::{Answer, Head};

const OPEN: &str = include_str!("open.tsv");
const FORMATS: &str = include_str!("formats.tsv");

fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect())
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (skip, byte) = match rest[0] {
            b'n' => (1, b'\n'),
            b'r' => (1, b'\r'),
            b't' => (1, b'\t'),
            b'\\' => (1, b'\\'),
            _ => (
                3,
                u8::from_str_radix(core::str::from_utf8(&rest[1..3]).unwrap(), 16).unwrap(),
            ),
        };
        out.push(byte);
        rest = &rest[skip..];
    }
    out
}

fn headers(text: &str) -> Vec<(&str, Vec<u8>)> {
    let pairs = text.split('|').filter_map(|pair| pair.split_once(": "));
    pairs.map(|(name, value)| (name, unescape(value))).collect()
}

fn sorted(list: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(list);
    let mut names: Vec<String> = text.split(", ").map(Into::into).collect();
    names.sort();
    names
}

fn compare(what: &str, answer: &Answer, status: u16, expected: &[(&str, Vec<u8>)], body: &[u8]) {
    assert_eq!(answer.status, status, "{what}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text(&answer.body), text(body), "{what}");
    assert_eq!(answer.body, body, "{what}");
    for (name, value) in expected {
        if *name == "Allow" {
            // Upstream's order changes from request to request.
            assert_eq!(sorted(answer.header(name)), sorted(value), "{what}");
        } else {
            assert_eq!(text(answer.header(name)), text(value), "{what}: {name}");
        }
    }
    let ours = [
        "Content-Type",
        "X-Influxdb-Error",
        "Allow",
        "Access-Control-Allow-Origin",
    ];
    for name in ours {
        let there = expected.iter().any(|(expected, _)| *expected == name);
        assert_eq!(!answer.header(name).is_empty(), there, "{what}: {name}");
    }
    assert_eq!(answer.header("X-Influxdb-Build"), b"OSS", "{what}");
}

#[test]
fn recorded_requests_get_their_recorded_answers() {
    let mut checked = 0;
    for row in rows(OPEN) {
        let &[method, path, given, body, status, expected, answer] = &row[..] else {
            panic!("{row:?}")
        };
        let given = headers(given);
        let headers_given: Vec<_> = given
            .iter()
            .map(|(name, value)| (*name, &value[..]))
            .collect();
        if cfg!(not(feature = "inflate"))
            && given.iter().any(|(name, _)| *name == "Content-Encoding")
        {
            continue;
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let head = Head {
            method,
            path,
            query,
            headers: &headers_given,
        };
        let body = if body == "-" {
            Vec::new()
        } else {
            unescape(body)
        };
        let mut world = World::new();
        if answer.contains("\"e\"") {
            // Recorded after CREATE DATABASE e.
            world.databases.push("e".into());
        }
        let got = ask(&mut world, &head, &body);
        let expected = headers(expected);
        // Recorded with a Go whose JSON has the raw replacement character; releases of 1.12 are
        // built with one that escapes it.
        let answer = match given
            .iter()
            .any(|(_, value)| value == b"application/x-msgpack")
        {
            true => unescape(answer),
            false => String::from_utf8(unescape(answer))
                .unwrap()
                .replace('\u{fffd}', "\\ufffd")
                .into(),
        };
        let status = status.parse().unwrap();
        compare(&row.join(" "), &got, status, &expected, &answer);
        checked += 1;
    }
    assert!(checked >= 35, "{checked}");
}

#[test]
fn recorded_formats_are_met() {
    for row in rows(FORMATS) {
        let &[query, accept, content_type, body] = &row[..] else {
            panic!("{row:?}")
        };
        let headers = [("Accept", accept.as_bytes())];
        let head = Head {
            method: "GET",
            path: "/query",
            query,
            headers: &headers,
        };
        let mut world = World::new();
        let got = ask(&mut world, &head, b"");
        let expected = [("Content-Type", content_type.as_bytes().to_vec())];
        compare(&row.join(" "), &got, 200, &expected, &unescape(body));
        assert_eq!(world.open_cursors(), 0);
    }
}
