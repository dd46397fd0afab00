//! One request after another, each on a fresh database, to ours and to InfluxDB 1.6.7.

use std::collections::BTreeMap;

use tidegate_tests::kit::Response;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::Face;

use crate::classes::classify;
use crate::script::{Request, Script};
use crate::{Side, cut};

const CASES: u64 = 300;

/// What one side made of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub status: u16,
    /// The text of the error, if any.
    pub error: String,
    pub series: String,
    pub fields: String,
    pub points: String,
}

pub(crate) fn compare(ours: Face, seed: u64) {
    let mut sides = [Side::start(ours), Side::start(Face::Influxd)];
    let mut script = Script::new(seed);
    let mut classes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut unexplained = Vec::new();
    let (mut equal, mut points) = (0, 0);
    for case in 0..CASES {
        let body = script.lines();
        let [ours, theirs] = [0, 1].map(|side| see(&mut sides[side], case, &body));
        points += u64::from(ours.points.contains("values"));
        if ours == theirs {
            equal += 1;
            continue;
        }
        match classify(&body, &ours, &theirs) {
            Ok(found) => {
                for id in found {
                    *classes.entry(id).or_default() += 1;
                }
            }
            Err(what) => unexplained.push(format!(
                "case {case}, {what}: {}\n{}",
                cut(&String::from_utf8_lossy(&body)),
                where_they_part(&ours, &theirs)
            )),
        }
    }
    say(&format!(
        "differential, influxd 1.6.7: seed {seed}, {CASES} bodies on fresh databases, {equal} \
         equal in answer, series, fields and points ({points} with points), {} unexplained; \
         classes {classes:?}",
        unexplained.len()
    ));
    for difference in unexplained.iter().take(10) {
        say(&format!("  {difference}"));
    }
    assert!(
        unexplained.is_empty(),
        "unclassified differences (seed {seed})"
    );
    assert!(
        equal > CASES / 4 && points > CASES / 4,
        "too little was compared"
    );
}

/// Writes a body to a database of its own and reads all that came of it.
fn see(side: &mut Side, case: u64, body: &[u8]) -> Seen {
    let database = format!("case{case}");
    let statement = |statement: &str| Request::statement(&database, statement);
    let made = side.ask(&statement(&format!("CREATE DATABASE {database}")));
    assert_eq!(made.status, 200, "{}", made.text());
    let answer = side.ask(&Request::new(
        "POST",
        &format!("/write?db={database}"),
        body,
    ));
    if side.server.face == Face::Influxd && answer.status == 400 {
        // It answers as soon as one shard has refused points; the others may still be at work.
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let mut read = |text: &str| settled(&side.ask(&statement(text)), &database);
    let seen = Seen {
        status: answer.status,
        error: settled(&answer, &database),
        series: read("SHOW SERIES"),
        fields: read("SHOW FIELD KEYS"),
        points: read("SELECT * FROM /.*/"),
    };
    side.ask(&statement(&format!("DROP DATABASE {database}")));
    seen
}

/// The body with the two spellings of what is no UTF-8, and of two control characters, made
/// one, and without the name of the database.
fn settled(answer: &Response, database: &str) -> String {
    answer
        .text()
        .replace("\\ufffd", "\u{fffd}")
        .replace("\\u0008", "\\b")
        .replace("\\u000c", "\\f")
        .replace(database, "DB")
}

/// The places where what was seen begins to differ.
fn where_they_part(ours: &Seen, theirs: &Seen) -> String {
    let mut out = String::new();
    for (what, ours, theirs) in [
        ("answer", &ours.error, &theirs.error),
        ("series", &ours.series, &theirs.series),
        ("fields", &ours.fields, &theirs.fields),
        ("points", &ours.points, &theirs.points),
    ] {
        let same = ours.chars().zip(theirs.chars());
        let same = same.take_while(|(one, two)| one == two).count();
        if ours != theirs {
            let part = |text: &str| -> String {
                text.chars()
                    .skip(same.saturating_sub(60))
                    .take(160)
                    .collect()
            };
            let (ours, theirs) = (part(ours), part(theirs));
            out.push_str(&format!(
                "    {what}\n      ours   {ours:?}\n      theirs {theirs:?}\n"
            ));
        }
    }
    out
}
