//! Single requests and the headers of their answers.

use tidegate_tests::proof::fixtures::{self, Row};
use tidegate_tests::proof::server::Server;

use crate::compare::Tally;
use crate::lines::latin1_to_lossy;

pub(crate) fn run(server: &Server, tally: &mut Tally) {
    let mut client = server.client().expect("connection");
    let point = b"cpu,host=a v=1 1000000000";
    let answer = client.post("/write?db=d", point).expect("answer");
    assert_eq!(answer.status, 204);
    for row in fixtures::rows("http.jsonl") {
        // The others need users, which a server of its own has.
        if row.need("server") == "open" {
            run_row(server, &row, tally);
        }
    }
}

fn run_row(server: &Server, row: &Row, tally: &mut Tally) {
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
        server.execute("DROP DATABASE e").expect("dropped");
    }
}

/// The methods of `Allow`, whose order upstream leaves to chance: `allow-order`.
fn sorted(list: &str) -> String {
    let mut methods: Vec<&str> = list.split(", ").collect();
    methods.sort_unstable();
    methods.join(", ")
}
