//! Heads: who is asked what in which order, ids, limits, and no panic on anything.

use alloc::string::String;
use alloc::vec::Vec;

use super::world::{World, ask, judge};
use crate::engine::{Outcome, WriteError, WriteReport};
use crate::http::{
    AckLevel, Answer, BodyError, Decision, Head, Responder, Site, WritePlan, decide,
};

fn head<'a>(method: &'a str, path: &'a str, query: &'a str) -> Head<'a> {
    Head {
        method,
        path,
        query,
        headers: &[],
    }
}

fn plan(query: &str, headers: &[(&str, &[u8])], site: &Site) -> Result<WritePlan, Answer> {
    let head = Head {
        method: "POST",
        path: "/write",
        query,
        headers,
    };
    match decide(&head, site, &mut World::new(), "") {
        Decision::Write(plan) => Ok(plan),
        Decision::Answer(answer) => Err(answer),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_request_is_named_by_its_client_or_afresh() {
    let name = |headers: &[(&str, &[u8])]| {
        let head = Head {
            method: "GET",
            path: "/ping",
            query: "",
            headers,
        };
        let answer = ask(&mut World::new(), &head, b"");
        assert_eq!(answer.header("Request-Id"), answer.header("X-Request-Id"));
        String::from_utf8(answer.header("Request-Id").into()).unwrap()
    };
    assert_eq!(name(&[]), "fresh-id");
    assert_eq!(name(&[("request-id", b"a")]), "a");
    assert_eq!(
        name(&[("Request-Id", b"a"), ("x-request-id", b"b\tc")]),
        "b\tc"
    );
}

#[test]
fn ping_and_health_tell_the_version() {
    let answer = ask(
        &mut World::new(),
        &head("GET", "/ping", "verbose=False"),
        b"",
    );
    assert_eq!(
        (answer.status, &answer.body[..]),
        (200, &b"{\"version\":\"1.12.4\"}"[..])
    );
    let answer = ask(&mut World::new(), &head("GET", "/health", ""), b"");
    assert_eq!(
        String::from_utf8(answer.body).unwrap(),
        "{\"checks\":[],\"message\":\"ready for queries and writes\",\"name\":\"influxdb\",\
         \"status\":\"pass\",\"version\":\"1.12.4\"}"
    );
    assert_eq!(
        ask(&mut World::new(), &head("POST", "/ping", ""), b"").status,
        405
    );
    assert_eq!(
        ask(&mut World::new(), &head("HEAD", "/ping", ""), b"").status,
        204
    );
}

#[test]
fn the_origin_is_echoed_by_handlers_only() {
    let headers = [("Origin", &b"http://localhost"[..])];
    for (path, echoed) in [("/ping", true), ("/nope", false)] {
        let head = Head {
            method: "GET",
            path,
            query: "",
            headers: &headers,
        };
        let answer = ask(&mut World::new(), &head, b"");
        let origin = answer.header("Access-Control-Allow-Origin");
        assert_eq!(origin == b"http://localhost", echoed);
    }
}

#[test]
fn precision_is_judged_before_the_database_and_that_before_the_body() {
    for (query, status, message) in [
        (
            "precision=x",
            400,
            "invalid precision \"x\" (use n, u, ms, s, m or h)",
        ),
        ("", 400, "database is required"),
        ("db=d;x=1", 400, "database is required"),
        ("db=%ff", 404, "database not found: \"\\xff\""),
    ] {
        let answer = plan(query, &[], &Site::default()).unwrap_err();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("X-Influxdb-Error"), message.as_bytes());
    }
    let v2 = head("POST", "/api/v2/write", "bucket=%2frp");
    let answer = ask(&mut World::new(), &v2, b"");
    let expected = "bucket name \"/rp\" is in db/rp form but has an empty database";
    assert_eq!(
        (answer.status, answer.header("X-Influxdb-Error")),
        (404, expected.as_bytes())
    );
}

#[test]
fn a_declared_length_beyond_the_limit_is_refused_unread() {
    let site = Site {
        body_bytes_max: 10,
        ..Site::default()
    };
    let length = |length: &'static [u8]| [("Content-Length", length)];
    assert!(plan("db=d", &length(b"10"), &site).is_ok());
    let answer = plan("db=d", &length(b"11"), &site).unwrap_err();
    assert_eq!(
        (answer.status, answer.header("X-Influxdb-Error")),
        (413, &b"Request Entity Too Large"[..])
    );
    let gzip = [
        ("content-length", &b"11"[..]),
        ("content-encoding", b"gzip"),
    ];
    let late = plan("db=d", &gzip, &site).unwrap();
    assert_eq!(
        late.too_large_as_declared().map(|answer| answer.status),
        Some(413)
    );
    assert_eq!(late.body_error(&BodyError::InvalidHeader).status, 400);
    let unlimited = Site {
        body_bytes_max: 0,
        ..site
    };
    assert!(plan("db=d", &length(b"11"), &unlimited).is_ok());
}

#[test]
fn an_unknown_consistency_loses_to_lines_and_beats_the_policy() {
    let known = plan("db=d&consistency=aLL", &[], &Site::default()).unwrap();
    assert!(!known.request(7).dry_run);
    let plan = plan(
        "db=d&consistency=two&rp=nope&precision=s",
        &[],
        &Site::default(),
    )
    .unwrap();
    let request = plan.request(7);
    assert!(request.dry_run && request.now_ns == 7);
    let answer = plan.answer(&judge(&request, b"bad"));
    assert_eq!(
        answer.header("X-Influxdb-Error"),
        b"invalid consistency level"
    );
    let request = crate::engine::WriteRequest {
        retention_policy: String::new(),
        ..request
    };
    let answer = plan.answer(&judge(&request, b"bad"));
    assert_eq!(
        answer.header("X-Influxdb-Error"),
        b"unable to parse 'bad': missing fields"
    );
}

#[test]
fn overload_is_503_with_a_time_to_come_back() {
    let plan = plan("db=d", &[], &Site::default()).unwrap();
    for error in [
        WriteError::Busy,
        WriteError::CacheFull,
        WriteError::NoSpace,
        WriteError::Opening,
    ] {
        let answer = plan.answer(&Err(error));
        assert_eq!(answer.status, 503);
        assert!(!answer.header("Retry-After").is_empty());
    }
    assert_eq!(plan.answer(&Err(WriteError::BodyTooLarge)).status, 413);
    assert_eq!(plan.answer(&Err(WriteError::TooManyPoints)).status, 413);
    assert_eq!(plan.unavailable("closing").status, 503);
}

#[test]
fn acknowledged_writes_say_what_that_means() {
    let plan = plan("db=d", &[], &Site::default()).unwrap();
    let report: Result<WriteReport, _> = judge(&plan.request(0), b"");
    assert_eq!(plan.answer(&report).header("X-Tidegate-Ack"), b"durable");
    assert_eq!(
        plan.answer(&judge(&plan.request(0), b"bad"))
            .header("X-Tidegate-Ack"),
        b""
    );
}

#[test]
fn a_write_asks_for_its_level_and_is_told_it() {
    for (path, query) in [("/write", "db=d"), ("/api/v2/write", "bucket=d")] {
        for level in AckLevel::ALL {
            let word = level.word();
            let with_parameter = alloc::format!("{query}&ack={word}");
            for (query, header) in [(query, word), (&with_parameter, "")] {
                let headers = [("X-Tidegate-Ack", header.as_bytes())];
                let head = Head {
                    method: "POST",
                    path,
                    query,
                    headers: &headers,
                };
                let decision = decide(&head, &Site::default(), &mut World::new(), "");
                let Decision::Write(plan) = decision else {
                    panic!("{decision:?}");
                };
                assert_eq!(plan.ack, level);
                let mut report = judge(&plan.request(0), b"").unwrap();
                let answer = plan.answer(&Ok(report.clone()));
                assert_eq!(answer.status, 204);
                assert_eq!(answer.header("X-Tidegate-Ack"), word.as_bytes());
                // The good lines of a partial write are acknowledged as well.
                report.outcome = Outcome::Partial;
                let answer = plan.answer(&Ok(report));
                assert_eq!(answer.status, 400);
                assert_eq!(answer.header("X-Tidegate-Ack"), word.as_bytes());
            }
        }
    }
}

#[test]
fn an_unknown_level_is_refused_after_all_that_upstream_checks() {
    let unknown = [("X-Tidegate-Ack", &b"sure"[..])];
    let answer = plan("db=d", &unknown, &Site::default()).unwrap_err();
    assert_eq!(answer.status, 400);
    let text = b"invalid acknowledgement level \"sure\" (use memory, wal or durable)";
    assert_eq!(answer.header("X-Influxdb-Error"), text);
    assert_eq!(answer.header("X-Tidegate-Ack"), b"");
    assert_eq!(
        plan("db=no", &unknown, &Site::default())
            .unwrap_err()
            .status,
        404
    );
    let answer = plan("db=d&precision=x", &unknown, &Site::default()).unwrap_err();
    assert!(
        answer
            .header("X-Influxdb-Error")
            .starts_with(b"invalid precision")
    );
}

#[test]
fn storage_in_memory_takes_no_write_that_has_to_be_durable() {
    let site = Site {
        ack: AckLevel::Memory,
        ack_levels: &[AckLevel::Memory],
        ..Site::default()
    };
    assert_eq!(plan("db=d", &[], &site).unwrap().ack, AckLevel::Memory);
    let answer = plan("db=d&ack=durable", &[], &site).unwrap_err();
    assert_eq!(answer.status, 501);
    assert_eq!(answer.header("X-Tidegate-Ack"), b"");
}

#[test]
fn errors_in_headers_are_short_and_one_line() {
    let plan = plan("db=d", &[], &Site::default()).unwrap();
    let long = "xa\nb\r\0\u{e9}".repeat(400);
    let header = plan
        .body_error(&BodyError::Read(long))
        .header("X-Influxdb-Error")
        .to_vec();
    assert_eq!(header.len(), 1024);
    assert!(header.starts_with("xa b  \u{e9}xa b".as_bytes()));
}

#[test]
fn the_hosts_own_figures_are_left_to_it() {
    let figures = |path| {
        decide(
            &head("GET", path, ""),
            &Site::default(),
            &mut World::new(),
            "",
        )
    };
    let is_empty = |responder: &Responder| responder.empty(200).body.is_empty();
    assert!(matches!(figures("/metrics"), Decision::Metrics(responder) if is_empty(&responder)));
    assert!(matches!(figures("/debug/vars"), Decision::Vars(responder) if is_empty(&responder)));
}

#[test]
fn no_head_and_no_query_makes_it_panic() {
    let methods = ["GET", "POST", "HEAD", "OPTIONS", "PUT", ""];
    let paths = [
        "/query",
        "/write",
        "/api/v2/write",
        "/ping",
        "/%",
        "",
        "/qu%65ry",
        "\u{e9}",
    ];
    let alphabet = "abdpqrt =&;%+\"'/\\0123456789,.()*<>=~!\n\u{e9}\u{2028}";
    let words = [
        "q=",
        "db=d",
        "SELECT",
        "SHOW",
        "FROM",
        "precision=",
        "epoch=",
        "chunked=true",
        "%zz",
        "bucket=",
        "params={\"a\":",
        "DATABASES",
        "CREATE",
        "$a",
        "chunk_size=1",
        "%3b",
    ];
    let mut random = super::texts::Random(3);
    for _ in 0..20_000 {
        let mut query = String::new();
        for _ in 0..random.below(12) {
            if random.below(2) == 0 {
                query.push_str(words[random.below(words.len())]);
            } else {
                let at = random.below(alphabet.chars().count());
                query.extend(alphabet.chars().nth(at));
            }
        }
        let bytes: Vec<u8> = (0..random.below(9)).map(|_| random.next() as u8).collect();
        let form = random.below(2) == 0;
        let kind: &[u8] = if form {
            b"application/x-www-form-urlencoded"
        } else {
            b"multipart/form-data; boundary=a"
        };
        let headers = [
            ("Accept", &bytes[..]),
            ("Content-Type", kind),
            ("Origin", &bytes),
        ];
        let method = methods[random.below(methods.len())];
        let path = paths[random.below(paths.len())];
        let head = Head {
            method,
            path,
            query: &query,
            headers: &headers,
        };
        let answer = ask(&mut World::new(), &head, query.as_bytes());
        for (name, value) in &answer.headers {
            assert!(
                value
                    .iter()
                    .all(|&byte| byte == b'\t' || byte >= b' ' && byte != 0x7f),
                "{name}"
            );
        }
    }
}
