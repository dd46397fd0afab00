//! Single requests and the headers of their answers.

use tidegate_tests::kit::http::percent_encode;
use tidegate_tests::proof::fixtures::{self, Row};
use tidegate_tests::proof::server::{Face, Server};

use crate::compare::Tally;
use crate::lines::latin1_to_lossy;

pub(crate) fn run(server: &Server, tally: &mut Tally) {
    let mut client = server.client().expect("connection");
    let point = b"cpu,host=a v=1 1000000000";
    let answer = client.post("/write?db=d", point).expect("answer");
    assert_eq!(answer.status, 204);
    for row in rows("open") {
        run_row(server, "", &row, tally);
    }
}

/// The rows recorded from a server of this kind.
fn rows(kind: &str) -> Vec<Row> {
    let mut rows = fixtures::rows("http.jsonl");
    rows.retain(|row| row.need("server") == kind);
    assert!(rows.len() > 30, "only {} rows of {kind}", rows.len());
    rows
}

/// What a server needs to ask for users; `None` where it cannot.
pub(crate) fn guarded(face: Face) -> Option<&'static [(&'static str, &'static str)]> {
    if face == Face::Node {
        // The npm package has no users: whoever embeds it decides who reaches it.
        return None;
    }
    Some(&[
        ("TIDEGATE_HTTP_AUTH_ENABLED", "true"),
        ("TIDEGATE_HTTP_SHARED_SECRET", "sesame"),
    ])
}

/// The admin of such a server.
const ADMIN: &str = "u=adm&p=pa&";

/// The rows of a server that asks for users; it has none yet.
pub(crate) fn run_guarded(server: &Server, tally: &mut Tally) {
    let mut client = server.client().expect("connection");
    let mut ask = |credentials: &str, statement: &str| {
        let statement = percent_encode(statement);
        let target = format!("/query?{credentials}q={statement}");
        let answer = client.post(&target, b"").expect("answer");
        let (status, text) = (answer.status, answer.text());
        assert!(
            status == 200 && !text.contains("error"),
            "{statement}: {text}"
        );
    };
    ask("", "CREATE USER adm WITH PASSWORD 'pa' WITH ALL PRIVILEGES");
    for statement in [
        "CREATE DATABASE d",
        "CREATE DATABASE other",
        "CREATE USER w WITH PASSWORD 'pw'",
        "CREATE USER r WITH PASSWORD 'pr'",
        "GRANT WRITE ON d TO w",
        "GRANT READ ON d TO r",
    ] {
        ask(ADMIN, statement);
    }
    let point = b"cpu,host=a v=1 1000000000";
    let answer = client.post("/write?db=d&u=w&p=pw", point).expect("answer");
    assert_eq!(answer.status, 204);
    for row in rows("auth") {
        run_row(server, ADMIN, &row, tally);
    }
}

/// `admin` is who may make and drop databases, as parameters.
fn run_row(server: &Server, admin: &str, row: &Row, tally: &mut Tally) {
    let (method, path) = (row.need("method"), row.need("path"));
    let headers = row.pairs("headers");
    let body = row.bytes("body_b64");
    // Recorded after the row that creates it.
    let later = row.need("answer").contains("\"e\"");
    if later {
        server.execute("CREATE DATABASE e").expect("database");
    }
    let mut client = server.client().expect("connection");
    let answer = client
        .request(method, path, &headers, &body)
        .expect("answer");
    let mut parts = vec![
        (
            "status",
            row.number("status").to_string(),
            answer.status.to_string(),
        ),
        ("body", row.need("answer").to_owned(), answer.text()),
    ];
    for (name, recorded) in row.pairs("answer_headers") {
        let ours = answer.header_bytes(name).unwrap_or_default();
        let ours = String::from_utf8_lossy(ours).into_owned();
        let recorded = latin1_to_lossy(recorded);
        let (recorded, ours) = match name {
            "Allow" => (sorted(&recorded), sorted(&ours)),
            _ => (recorded, ours),
        };
        parts.push((
            "header",
            format!("{name}: {recorded}"),
            format!("{name}: {ours}"),
        ));
    }
    for (_, recorded, ours) in &mut parts {
        *recorded = recorded.replace("\\ufffd", "\u{fffd}");
        *ours = ours.replace("\\ufffd", "\u{fffd}");
    }
    let name = format!("{method} {path} {headers:?}");
    tally.row("http", &name, &parts, None);
    if later || path.contains("CREATE+DATABASE") {
        // Every row begins with the databases that the kind of server was recorded with.
        let target = format!("/query?{admin}q=DROP+DATABASE+e%3BDROP+DATABASE+z");
        let dropped = client.post(&target, b"").expect("answer");
        assert!(!dropped.text().contains("error"), "{}", dropped.text());
    }
}

/// The methods of `Allow`, whose order upstream leaves to chance: `allow-order`.
fn sorted(list: &str) -> String {
    let mut methods: Vec<&str> = list.split(", ").collect();
    methods.sort_unstable();
    methods.join(", ")
}
