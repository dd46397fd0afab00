//! What the parser of influxdb 1.12 made of bodies, case by case.
//!
//! A row of the fixture is the precision, then in hex the body and the error text, then the
//! points: key, hash of the key, measurement, tags, fields and time, parted by slashes. A
//! point without its tags recorded has `?` there.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::super::{Lines, Options, Point, Scanner, key};
use crate::hash::fnv1a_64;
use crate::model::{Precision, Value};

const CASES: &str = include_str!("fixtures/line-protocol.tsv");

/// The time the recordings were made at, as they give it for points without one.
const NOW_NS: i64 = 1_700_000_000_123_456_789;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

/// The error text and the points of a body, as the fixture writes them.
fn parse(body: &[u8], precision: Precision) -> (Vec<u8>, Vec<String>) {
    let unit = precision.nanoseconds();
    let options = Options {
        precision,
        default_time_ns: NOW_NS / unit * unit,
        ..Options::default()
    };
    let (mut errors, mut points) = (Vec::new(), Vec::new());
    let mut scanner = Scanner::new();
    for line in Lines::new(body) {
        match scanner.scan(line.bytes, &options) {
            Ok(point) => points.push(describe(&point)),
            Err(error) => {
                if !errors.is_empty() {
                    errors.push(b'\n');
                }
                errors.extend_from_slice(b"unable to parse '");
                errors.extend_from_slice(line.bytes);
                errors.extend_from_slice(b"': ");
                error.kind.append_text(&mut errors);
            }
        }
    }
    (errors, points)
}

fn describe(point: &Point<'_>) -> String {
    let parsed = key::parse(point.key());
    let tags: Vec<String> = parsed
        .tags()
        .map(|(k, v)| {
            format!(
                "{}={}",
                hex(&key::unescape_tag(k)),
                hex(&key::unescape_tag(v))
            )
        })
        .collect();
    let fields: Vec<String> = point
        .fields()
        .map(|field| {
            let value = match field.value {
                Value::Float(v) => format!("F:{v:?}"),
                Value::Integer(v) => format!("I:{v}"),
                Value::Unsigned(v) => format!("U:{v}"),
                Value::Boolean(v) => format!("B:{v}"),
                Value::String(v) => format!("S:{}", hex(v)),
            };
            format!("{}={value}", hex(field.key))
        })
        .collect();
    format!(
        "{}/{:016x}/{}/{}/{}/{}",
        hex(point.key()),
        fnv1a_64(point.key()),
        hex(&key::unescape_measurement(parsed.measurement_raw)),
        tags.join(";"),
        fields.join(","),
        point.time_ns()
    )
}

/// Fills in what the recording left out, and writes floats as we do.
fn complete(recorded: &str, ours: &str) -> String {
    let ours: Vec<&str> = ours.split('/').collect();
    let mut parts: Vec<String> = recorded.split('/').map(str::to_string).collect();
    for at in [0, 2] {
        if parts[at].is_empty() {
            parts[at] = ours[at].to_string();
        }
    }
    if parts[3] == "?" {
        parts[3] = ours[3].to_string();
    }
    let fields: Vec<String> = parts[4]
        .split(',')
        .map(|field| match field.split_once("=F:") {
            Some((name, value)) => format!("{name}=F:{:?}", value.parse::<f64>().unwrap()),
            None => field.to_string(),
        })
        .collect();
    parts[4] = fields.join(",");
    if parts[5] == "NOW" {
        parts[5] = ours[5].to_string();
    }
    parts.join("/")
}

#[test]
fn every_recorded_body_gives_the_recorded_points_and_errors() {
    let mut count = 0;
    for case in CASES.lines() {
        let columns: Vec<&str> = case.split('\t').collect();
        let body = bytes(columns[1]);
        let shown = String::from_utf8_lossy(&body);
        let (errors, points) = parse(&body, Precision::from_v1(columns[0]).unwrap());
        assert_eq!(
            String::from_utf8_lossy(&errors),
            String::from_utf8_lossy(&bytes(columns[2])),
            "errors of {shown:?}"
        );
        let recorded: Vec<&str> = columns[3]
            .split(' ')
            .filter(|text| !text.is_empty())
            .collect();
        assert_eq!(points.len(), recorded.len(), "points of {shown:?}");
        for (ours, recorded) in points.iter().zip(recorded) {
            assert_eq!(ours, &complete(recorded, ours), "{shown:?}");
        }
        count += 1;
    }
    assert!(count > 200, "{count} cases");
}
