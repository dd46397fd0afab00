//! The seed decides how tables hash and nothing else that a client sees; what a request may ask
//! for beyond its report.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{
    Config, Engine, RejectedLine, WriteError, WriteReport, WriteRequest, encode_executed,
    encode_written,
};
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
            ..WriteRequest::default()
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

/// A running engine of a database with the policy `short`, which keeps an hour.
fn running() -> Engine {
    let mut engine = Engine::open(Config::new("d", 7, 1), &[]);
    let mut ignored = Vec::new();
    for text in [
        "CREATE DATABASE d",
        "CREATE RETENTION POLICY short ON d DURATION 1h REPLICATION 1",
    ] {
        ask(&mut engine, text, &mut ignored);
    }
    engine
}

fn write(engine: &mut Engine, policy: &str, strict: bool, body: &str) -> WriteReport {
    let request = WriteRequest {
        now_ns: NOW,
        retention_policy: policy.into(),
        strict,
        explain: true,
        ..WriteRequest::default()
    };
    let report = engine.write(&request, body.as_bytes()).expect("taken");
    perform(engine, &mut Vec::new());
    report
}

/// `line:column fate reason` of each listed line.
fn listed(report: &WriteReport) -> Vec<String> {
    let lines = report.explained.lines.iter();
    let text = |line: &RejectedLine| {
        let (at, fate) = (format!("{}:{}", line.line, line.column), line.fate.word());
        format!("{at} {fate} {}", String::from_utf8_lossy(&line.reason))
    };
    lines.map(text).collect()
}

#[test]
fn every_line_that_is_not_stored_as_it_is_is_listed_with_its_place() {
    let mut engine = running();
    let body = "cpu,host=a v=1 1767225600000000000\n\
        cpu,host=a v=2 1767225600000000001\n\
        # a comment\n\
        bad\n\
        \n  \tcpu v=x 1\n\
        cpu,host=a w=1,v=\"a\nb\" 1767225600000000002\n\
        cpu,host=a v=3 1767225600000000003\n\
        cpu,time=a v=1 1767225600000000003\n\
        cpu u=1i,time=4 1767225600000000003\n\
        cpu time=4 1767225600000000003\n\
        cpu,host=a v=1  7\n\
        cpu,host=a v=4 1767225600000000004\n";
    let report = write(&mut engine, "short", false, body);
    assert_eq!(
        listed(&report),
        [
            "4:4 unparsed missing fields",
            "6:10 unparsed invalid boolean",
            "7:16 rejected field type conflict: input field \"v\" on measurement \"cpu\" is type \
             string, already exists as type float",
            "10:1 rejected invalid tag key: input tag \"time\" on measurement \"cpu\" is invalid",
            "11:10 stripped invalid field name: input field \"time\" on measurement \"cpu\" is \
             invalid. Field \"time\" has been stripped from point.",
            "12:5 rejected invalid field name: input field \"time\" on measurement \"cpu\" is invalid",
            "13:17 outside time 1970-01-01T00:00:00.000000007Z violates a Retention Policy Lower \
             Bound at 2025-12-31T23:00:00Z",
        ]
    );
    assert_eq!((report.written, report.dropped, report.unparsed), (5, 4, 2));
    let quiet = WriteRequest {
        now_ns: NOW,
        ..WriteRequest::default()
    };
    let report = engine.write(&quiet, body.as_bytes()).expect("taken");
    assert_eq!(listed(&report), [""; 0]);
    // Also where nothing is stored anyway.
    let report = write(&mut engine, "nope", false, "bad\ncpu v=1 1\n=\n");
    assert_eq!(listed(&report).len(), 2);
}

#[test]
fn strict_requests_are_read_strictly_whatever_came_before() {
    let mut engine = running();
    // The third is expected after the second by then, and its text is known.
    let body = "m \t=1,v=2 1\r\nm v=1 1\r\nm v=2 2\r\nm v=3 3\r\n# a=\"b\nm v=4 4\r\n";
    let report = write(&mut engine, "", false, &body.replace('\r', ""));
    assert_eq!((report.written, report.unparsed), (4, 0));
    let report = write(&mut engine, "", true, body);
    assert_eq!(
        listed(&report),
        [
            "1:4 unparsed missing field key",
            "5:1 unparsed comment with a quote swallows the lines behind it",
        ]
    );
    assert_eq!((report.written, report.unparsed), (3, 2));
    let report = write(&mut engine, "", false, body);
    assert_eq!(report.unparsed, 4);
}

#[test]
fn an_answer_quotes_the_beginning_of_a_very_long_line() {
    let mut engine = running();
    let body = format!("m v={}i 1", "9".repeat(1 << 20));
    let report = write(&mut engine, "", false, &body);
    assert!(report.message.len() < 600 << 10, "{}", report.message.len());
    assert!(report.explained.lines[0].reason.len() <= 4 << 10);
    let long = "x".repeat(100_000);
    let report = write(&mut engine, "", false, &long);
    let text = format!("unable to parse '{long}': missing fields");
    assert_eq!(String::from_utf8_lossy(&report.message), text);
}

#[test]
fn limits_on_series_and_tag_values_are_exact_over_shards_and_after_a_drop() {
    let mut engine = Engine::open(
        Config {
            series_max: 4,
            tag_values_max: 3,
            ..Config::new("d", 7, 1)
        },
        &[],
    );
    let mut ignored = Vec::new();
    ask(&mut engine, "CREATE DATABASE d", &mut ignored);
    let policy = "CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 1";
    ask(&mut engine, policy, &mut ignored);
    // Two shards of the default policy, and one of another: three values, so three series.
    let day = 86_400_000_000_000_i64;
    let lines = |range: core::ops::Range<i64>, time: i64| -> String {
        range.map(|n| format!("m,t=v{n} v=1 {time}\n")).collect()
    };
    assert_eq!(write(&mut engine, "", false, &lines(0..2, 0)).written, 2);
    let report = write(&mut engine, "", false, &lines(1..3, 30 * day));
    assert_eq!((report.written, report.dropped), (2, 0));
    assert_eq!(write(&mut engine, "p", false, &lines(0..3, 0)).written, 3);
    let report = write(&mut engine, "", false, &lines(2..5, 0));
    assert_eq!((report.written, report.dropped), (1, 2));
    assert_eq!(
        String::from_utf8_lossy(&report.message),
        "partial write: max-values-per-tag limit exceeded (3/3): measurement=\"m\" tag=\"t\" \
         value=\"v3\" dropped=2 for database: d for retention policy: autogen"
    );
    // A limit hides what else is wrong with other points, and tells how many it left out.
    let body = "m,t=v0 v=\"s\" 1\nn v=1 1\nn,a=b v=1 1\nn,a=c v=1 1\n";
    let report = write(&mut engine, "", false, body);
    assert_eq!((report.written, report.dropped), (1, 3));
    assert_eq!(
        String::from_utf8_lossy(&report.message),
        "partial write: max-series-per-database exceeded database=d limit=4 series=4 keys=2 \
         dropped=3 for database: d for retention policy: autogen"
    );
    assert_eq!(listed(&report).len(), 3);
    // What only the dropped policy had is free again; what others still have is not.
    assert_eq!(write(&mut engine, "p", false, "n v=2 1\n").written, 1);
    ask(
        &mut engine,
        "DROP RETENTION POLICY autogen ON d",
        &mut ignored,
    );
    assert_eq!(write(&mut engine, "p", false, "k v=1 1\n").dropped, 1);
    ask(&mut engine, "DROP RETENTION POLICY p ON d", &mut ignored);
    ask(&mut engine, &format!("{policy} DEFAULT"), &mut ignored);
    let report = write(&mut engine, "", false, &lines(7..12, 0));
    assert_eq!((report.written, report.dropped), (3, 2));
}

#[test]
fn lines_beyond_the_limits_of_a_server_are_refused_one_by_one() {
    let config = Config {
        tags_max: 2,
        fields_max: 64,
        line_bytes_max: 1,
        ..Config::new("d", 7, 1)
    };
    let mut engine = Engine::open(config, &[]);
    ask(&mut engine, "CREATE DATABASE d", &mut Vec::new());
    let fields = |count: usize| {
        let fields: Vec<_> = (0..count).map(|n| format!("f{n}=1")).collect();
        format!("m {} 1\n", fields.join(","))
    };
    let long = |bytes: usize| format!("m s=\"{}\" 1\n", "x".repeat(bytes - 8));
    let body = [
        "m,a=1,b=2 v=1 1\nm,a=1,b=2,c=3 v=1 1\n".into(),
        fields(64),
        fields(65),
        long(128 << 10),
        long((128 << 10) + 1),
    ];
    let report = write(&mut engine, "", false, &body.concat());
    assert_eq!(
        listed(&report),
        [
            "2:1 unparsed too many tags: the limit is 2",
            "4:3 unparsed too many fields: the limit is 64",
            "6:131073 unparsed line too long: the limit is 131072 bytes",
        ]
    );
    assert_eq!(report.written, 3);
}

#[test]
fn a_body_with_too_many_points_is_refused_whole() {
    let config = Config {
        points_max: 3,
        ..Config::new("d", 7, 1)
    };
    let mut engine = Engine::open(config, &[]);
    ask(&mut engine, "CREATE DATABASE d", &mut Vec::new());
    let mut write = |policy: &str, strict: bool, body: &str| {
        let request = WriteRequest {
            now_ns: 5,
            retention_policy: policy.into(),
            precision: Precision::Nanosecond,
            dry_run: false,
            strict,
            explain: false,
        };
        let written = engine.write(&request, body.as_bytes());
        (written.map(|report| report.written), engine.accepted_lsn())
    };
    // Blank lines and comments are no points; a string may hold line ends.
    let body = "\n# one\nm v=1 1\n\nm s=\"\n\n\n\n\" 2\n# two\nm v=3 3\n";
    let (written, stored) = write("", false, body);
    assert_eq!(written, Ok(3));
    for (policy, strict, body) in [
        ("", false, "n v=1 1\nn v=2 2\nn v=3 3\nn v=4 4"),
        ("", true, "n v=1 1\r\nn v=2 2\r\nn v=3 3\r\nn v=4 4\r\n"),
        // Lines that are wrong count as well: each costs an answer.
        ("", false, "a\nb\nc\nd\n"),
        ("nope", false, "n v=1 1\nn v=2 2\nn v=3 3\nn v=4 4"),
    ] {
        let refused = (Err(WriteError::TooManyPoints), stored);
        assert_eq!(write(policy, strict, body), refused, "{body}");
    }
    assert_eq!(write("", false, "m v=4 4").0, Ok(1));
}
