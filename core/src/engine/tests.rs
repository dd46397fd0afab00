//! The seed decides how tables hash and nothing else that a client sees.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Config, Engine, WriteRequest, encode_executed, encode_written};
use crate::model::Precision;

const NOW: i64 = 1_767_225_600_000_000_000;
const QUERIES: [&str; 6] = [
    "SELECT * FROM /.*/",
    "SELECT * FROM /.*/ GROUP BY * ORDER BY time DESC",
    "SHOW SERIES",
    "SHOW FIELD KEYS",
    "SHOW TAG VALUES WITH KEY =~ /./",
    "SHOW MEASUREMENTS WHERE t1 = 'v1' OR t2 != 'v3'",
];

/// Everything but the bytes of the log, which are salted, that comes out of a day's work.
fn transcript(seed: u64) -> Vec<Vec<u8>> {
    let mut engine = Engine::open(Config::new("d", 7, seed), &[]);
    let mut out = Vec::new();
    ask(&mut engine, "CREATE DATABASE d", &mut out);
    let mut state = 1_u64;
    let mut draw = |bound: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for _ in 0..60 {
        let mut body = String::new();
        for _ in 0..draw(30) {
            let (tags, fields) = (draw(3), 1 + draw(3));
            body += &format!("m{}", draw(5));
            (0..tags).for_each(|_| body += &format!(",t{}=v{}", draw(3), draw(40)));
            for at in 0..fields {
                let separator = if at == 0 { ' ' } else { ',' };
                body += &format!("{separator}f{}={}", draw(6), draw(1_000));
                body += ["", "i", ".5"][draw(3) as usize];
            }
            body += &format!(" {}\n", NOW - draw(3_000_000_000_000_000) as i64);
        }
        let request = WriteRequest {
            now_ns: NOW,
            retention_policy: String::new(),
            precision: Precision::Nanosecond,
            dry_run: false,
        };
        let mut answer = Vec::new();
        encode_written(&engine.write(&request, body.as_bytes()), &mut answer);
        out.push(answer);
        perform(&mut engine, &mut out);
    }
    for text in QUERIES {
        ask(&mut engine, text, &mut out);
    }
    out
}

fn ask(engine: &mut Engine, text: &str, out: &mut Vec<Vec<u8>>) {
    let executed = engine.execute(NOW, text);
    let mut answer = Vec::new();
    encode_executed(&executed, &mut answer);
    if let Some(cursor) = executed.ok().and_then(|executed| executed.cursor) {
        while engine.fetch(cursor, 50, &mut answer).expect("open") {}
    }
    out.push(answer);
    perform(engine, out);
}

/// A new database only persists.
fn perform(engine: &mut Engine, out: &mut Vec<Vec<u8>>) {
    while let Some(effect) = engine.poll_effect() {
        out.push(format!("{effect:?}").into_bytes());
        engine.complete(effect.id(), Ok(())).expect("in flight");
    }
}

#[test]
fn what_is_answered_does_not_depend_on_how_tables_hash() {
    let first = transcript(0);
    let bytes: usize = first.iter().map(Vec::len).sum();
    assert!(bytes > 20_000, "{bytes}");
    for seed in 1..12 {
        let other = transcript(seed << 40 | seed);
        let differs = first.iter().zip(&other).position(|(a, b)| a != b);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(first.len(), other.len());
    }
}
