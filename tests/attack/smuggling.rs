//! Requests whose end is a matter of opinion: refused, or read one way, never twice.

use std::time::Duration;

use tidegate_tests::proof::say;

use crate::{ask_raw, start};

/// What must never be executed: it stands where a body, or nothing, should.
const SMUGGLED: &str = "POST /query?q=CREATE+DATABASE+smuggled HTTP/1.1\r\nHost: a\r\n\
                        Content-Length: 0\r\n\r\n";

/// Heads between the request line and the body, and the body. What is smuggled stands in a body
/// that is as long as the strictest reading says, so that it is data or nothing.
const CASES: [(&str, &str); 36] = [
    ("Content-Length: 0\r\nTransfer-Encoding: chunked", CHUNK),
    ("Transfer-Encoding: chunked\r\nContent-Length: 0", CHUNK),
    ("Content-Length: 4\r\nTransfer-Encoding: chunked", CHUNK),
    ("Content-Length: 0\r\nContent-Length: {length}", SMUGGLED),
    ("Content-Length: {length}\r\nContent-Length: 0", SMUGGLED),
    ("Content-Length: 0, {length}", SMUGGLED),
    ("Content-Length: {length}, 0", SMUGGLED),
    ("Content-Length: +0", SMUGGLED),
    ("Content-Length: -1", SMUGGLED),
    ("Content-Length: 0x0", SMUGGLED),
    ("Content-Length: 0 0", SMUGGLED),
    ("Content-Length: 99999999999999999999999", SMUGGLED),
    ("Content-Length : 0", SMUGGLED),
    (" Content-Length: 0", SMUGGLED),
    ("Content-Length:\r\n 0", SMUGGLED),
    ("X: y\r\n Content-Length: 0", SMUGGLED),
    ("Content-Length\0: 0", SMUGGLED),
    ("Transfer-Encoding: xchunked", CHUNK),
    ("Transfer-Encoding: identity", SMUGGLED),
    ("Transfer-Encoding: chunked, identity", CHUNK),
    ("Transfer-Encoding: gzip", SMUGGLED),
    (
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        CHUNK,
    ),
    (
        "Transfer-Encoding: identity\r\nTransfer-Encoding: x",
        SMUGGLED,
    ),
    ("Transfer-Encoding : chunked", CHUNK),
    ("Transfer-Encoding:\x0bchunked", CHUNK),
    ("Transfer-Encoding\t: chunked", CHUNK),
    ("X: a\r\r\nTransfer-Encoding: chunked", CHUNK),
    ("X: a\x00b\r\nTransfer-Encoding: chunked", CHUNK),
    ("Transfer-Encoding: chunked", "zz\r\nx"),
    ("Transfer-Encoding: chunked", "-1\r\nx"),
    ("Transfer-Encoding: chunked", "+5\r\nhello\r\n0\r\n\r\n"),
    ("Transfer-Encoding: chunked", "0x5\r\nhello\r\n0\r\n\r\n"),
    ("Transfer-Encoding: chunked", "ffffffffffffffff1\r\nx"),
    ("Transfer-Encoding: chunked", "5\r\nhelloworld\r\n0\r\n\r\n"),
    ("Transfer-Encoding: chunked", "5\rhello\r\n0\r\n\r\n"),
    ("Transfer-Encoding: chunked", "5 ;a\r\nhello0\r\n\r\n"),
];

/// Stands for [`SMUGGLED`] in one chunk.
const CHUNK: &str = "{chunk}";

fn cases() -> Vec<(String, String)> {
    let length = SMUGGLED.len();
    let chunk = format!("{length:x}\r\n{SMUGGLED}\r\n0\r\n\r\n");
    let whole = |(head, body): &(&str, &str)| {
        let head = head.replace("{length}", &length.to_string());
        (head, body.replace(CHUNK, &chunk))
    };
    CASES.iter().map(whole).collect()
}

#[test]
fn nothing_is_smuggled_past_the_end_of_a_request() {
    let Some((_home, server)) = start(&[]) else {
        return;
    };
    let cases = cases();
    let (mut refused, mut read) = (0, 0);
    for (head, body) in &cases {
        for path in ["/write?db=d", "/query", "/ping"] {
            let method = if path == "/ping" { "GET" } else { "POST" };
            let bytes = format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n{body}");
            let (answer, closed) =
                ask_raw(server.address, bytes.as_bytes(), Duration::from_secs(25));
            let answer = String::from_utf8_lossy(&answer);
            let answers = answer.matches("HTTP/1.1 ").count();
            assert!(closed, "{head:?}: still open after {answer}");
            assert!(!answer.contains(" 500 "), "{head:?}: {answer}");
            if answer.starts_with("HTTP/1.1 4")
                || answer.starts_with("HTTP/1.1 501")
                || answers == 0
            {
                refused += 1;
            } else {
                read += 1;
            }
            assert!(
                answers <= 1 || !answer.contains(" 204 "),
                "{path} {head:?} {body:?}: {answer}"
            );
        }
    }
    let databases = server.query("", "SHOW DATABASES").expect("answer").text();
    assert!(
        !databases.contains("smuggled"),
        "it was executed: {databases}"
    );
    say(&format!(
        "attack: {} ambiguous requests, {refused} refused, {read} read one way, nothing smuggled",
        3 * cases.len()
    ));
}

#[test]
fn heads_beyond_the_limits_are_refused() {
    let Some((_home, server)) = start(&[]) else {
        return;
    };
    let long_target = format!(
        "GET /ping?{} HTTP/1.1\r\nHost: a\r\n\r\n",
        "x".repeat(9_000)
    );
    let long_head = format!(
        "GET /ping HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    let headers: String = (0..80).map(|number| format!("X{number}: y\r\n")).collect();
    let many = format!("GET /ping HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
    for (bytes, statuses) in [
        (long_target.as_str(), &["414", "431"][..]),
        (&long_head, &["431"]),
        (&many, &["431"]),
        ("\x16\x03\x01\x02\x00\x01\x00", &["400"]),
        ("GET / HTTP/9.9\r\n\r\n", &["400", "505"]),
        ("GE\0T / HTTP/1.1\r\n\r\n", &["400"]),
    ] {
        let (answer, closed) = ask_raw(server.address, bytes.as_bytes(), Duration::from_secs(25));
        let answer = String::from_utf8_lossy(&answer);
        let fits = |status: &&str| answer.starts_with(&format!("HTTP/1.1 {status}"));
        let ok = answer.is_empty() || statuses.iter().any(fits);
        assert!(
            ok && closed,
            "{:.60}: {answer}",
            bytes.escape_debug().to_string()
        );
    }
}
