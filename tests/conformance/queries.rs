//! Queries and statements on the recorded data set.

use tidegate_tests::kit::Response;
use tidegate_tests::kit::http::percent_encode;
use tidegate_tests::proof::base64;
use tidegate_tests::proof::fixtures::{self, Row};
use tidegate_tests::proof::server::{Server, query_target};

use crate::compare::Tally;
use crate::scope;

/// Writes the data set to `d`.
pub(crate) fn load(server: &Server) {
    write(server, &fixtures::file("query-data.lp"));
}

/// Writes the data set as the recorded statements left it: without what they deleted, and
/// with a measurement that was added in between.
pub(crate) fn load_as_after_ddl(server: &Server) {
    const HALF_PAST: i64 = 1_767_225_600_000_000_000 + 1_800_000_000_000;
    let data = String::from_utf8(fixtures::file("query-data.lp")).expect("text");
    let kept = data.lines().filter(|line| {
        let time = line.rsplit(' ').next().and_then(|time| time.parse().ok());
        let late = time.is_some_and(|time: i64| time >= HALF_PAST);
        let deleted = line.starts_with("mem")
            || line.starts_with("cpu,host=c")
            || (line.starts_with("cpu") && !late);
        !deleted
    });
    let mut body: Vec<&str> = kept.collect();
    body.push("other v=1 1767225600000000000");
    write(server, body.join("\n").as_bytes());
}

fn write(server: &Server, body: &[u8]) {
    let mut client = server.client().expect("connection");
    let answer = client.post("/write?db=d", body).expect("answer");
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
}

pub(crate) fn run(server: &Server, tally: &mut Tally) {
    for row in fixtures::rows("query.jsonl") {
        let mut client = server.client().expect("connection");
        let answer = client
            .get(&query_target("d", row.need("q")))
            .expect("answer");
        compare("query", &row, &answer, None, tally);
    }
}

/// In order, on one server. Once something was deleted that we cannot delete yet, what the
/// data looks like is out of scope too; what a statement that fails says never is.
pub(crate) fn run_ddl(server: &Server, tally: &mut Tally) {
    let mut changed = false;
    for row in fixtures::rows("query-ddl-in-order.jsonl") {
        let statement = row.need("q");
        let target = format!("/query?db=d&epoch=ns&q={}", percent_encode(statement));
        let mut client = server.client().expect("connection");
        let answer = client.post(&target, b"").expect("answer");
        let late = (changed && scope::reads_data(statement)).then_some("after deleting points");
        compare("query-ddl-in-order", &row, &answer, late, tally);
        changed |= scope::changes_data(statement);
    }
}

fn compare(
    file: &'static str,
    row: &Row,
    answer: &Response,
    late: Option<&'static str>,
    tally: &mut Tally,
) {
    let statement = row.need("q");
    let parts = [
        (
            "status",
            row.number("status").to_string(),
            answer.status.to_string(),
        ),
        ("body", row.need("body").to_owned(), answer.text()),
    ];
    let refused = row.number("status") != 200;
    let beyond = late.or_else(|| scope::beyond(tally.face, statement));
    let beyond = beyond.filter(|_| !refused);
    tally.row(file, statement, &parts, beyond);
}

pub(crate) fn run_formats(server: &Server, tally: &mut Tally) {
    for row in fixtures::rows("query-formats.jsonl") {
        let pairs = row.pairs("params");
        let params = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", percent_encode(value)));
        let target = format!("/query?{}", params.collect::<Vec<_>>().join("&"));
        let accept: Vec<(&str, &str)> = row
            .text("accept")
            .map(|accept| ("Accept", accept))
            .into_iter()
            .collect();
        let mut client = server.client().expect("connection");
        let answer = client
            .request("GET", &target, &accept, b"")
            .expect("answer");
        let recorded = match row.text("body_b64") {
            Some(body) => base64::decode(body).expect("base64"),
            None => row.need("body").as_bytes().to_vec(),
        };
        let content_type = answer.header("Content-Type").unwrap_or_default();
        let parts = [
            (
                "status",
                row.number("status").to_string(),
                answer.status.to_string(),
            ),
            (
                "body",
                format!("{:?}", latin1(&recorded)),
                format!("{:?}", latin1(&answer.body)),
            ),
            (
                "Content-Type",
                row.text("content_type")
                    .unwrap_or("application/json")
                    .to_owned(),
                content_type.to_owned(),
            ),
        ];
        let statement = pairs.iter().find(|(name, _)| *name == "q");
        let beyond = statement.and_then(|(_, statement)| scope::beyond(tally.face, statement));
        tally.row(
            "query-formats",
            &format!("{target} {accept:?}"),
            &parts,
            beyond,
        );
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}
