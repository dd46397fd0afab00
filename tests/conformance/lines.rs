//! Bodies of line protocol, each on a fresh database.

use tidegate_tests::kit::http::percent_encode;
use tidegate_tests::proof::fixtures::{self, Row};
use tidegate_tests::proof::server::Server;

use crate::compare::{Tally, now_ns, settled};

pub(crate) fn run(server: &Server, tally: &mut Tally) {
    for row in fixtures::rows("line-protocol.jsonl") {
        run_row(server, &row, tally);
    }
}

fn run_row(server: &Server, row: &Row, tally: &mut Tally) {
    let case = row.number("case");
    let database = format!("case_{case}");
    server
        .execute(&format!("CREATE DATABASE {database}"))
        .expect("database");
    let mut target = format!("/write?db={database}");
    if let Some(precision) = row.text("precision") {
        target.push_str(&format!("&precision={}", percent_encode(precision)));
    }
    let from = now_ns();
    let mut client = server.client().expect("connection");
    let answer = client
        .post(&target, &row.bytes("input_b64"))
        .expect("answer");
    let named = |text: String| text.replace(&database, "DB");
    let error = answer.header_bytes("X-Influxdb-Error");
    let error = error.map(|text| named(String::from_utf8_lossy(text).into_owned()));
    let content_type = answer.header("Content-Type").unwrap_or_default();
    let recorded_error = row.text("x_influxdb_error").map(latin1_to_lossy);
    let recorded_error = recorded_error.map(|text| without_name(&text));
    let status = row.number("status").to_string();
    let mut parts = vec![
        ("status", status, answer.status.to_string()),
        (
            "X-Influxdb-Error",
            format!("{recorded_error:?}"),
            format!("{error:?}"),
        ),
        (
            "Content-Type",
            row.need("content_type").to_owned(),
            content_type.to_owned(),
        ),
        ("body", row.need("body").to_owned(), named(answer.text())),
    ];
    for (key, statement) in [
        ("show_series", "SHOW SERIES"),
        ("show_field_keys", "SHOW FIELD KEYS"),
        ("select_all_epoch_ns", "SELECT * FROM /.*/"),
    ] {
        let answer = server.query(&database, statement).expect("answer");
        parts.push((key, row.need(key).to_owned(), answer.text()));
    }
    let to = now_ns();
    for (_, recorded, ours) in &mut parts {
        *recorded = settled(recorded, from, to);
        *ours = settled(ours, from, to);
    }
    tally.row("line-protocol", &case.to_string(), &parts, None);
}

/// Header values were recorded one character a byte.
pub(crate) fn latin1_to_lossy(text: &str) -> String {
    let bytes: Vec<u8> = text.chars().map(|letter| letter as u32 as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The header kept the name the database had when this was recorded: `d` and a number.
fn without_name(text: &str) -> String {
    const BEFORE: &str = " for database: d";
    let Some((before, after)) = text.rsplit_once(BEFORE) else {
        return text.to_owned();
    };
    let after = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
    format!("{before} for database: DB{after}")
}
