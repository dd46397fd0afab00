//! One request after another, each on a fresh database, to ours and to InfluxDB 1.6.7.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_tests::kit::Response;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::Face;

use crate::classes::classify;
use crate::script::{Request, Script};
use crate::{Side, cut};

/// Bodies that a pair of servers is asked before it is replaced by a fresh one.
const ROUND: u64 = 250;

/// Pairs of servers at the same time.
const WORKERS: u64 = 4;

/// What one side made of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub status: u16,
    /// The text of the error, if any.
    pub error: String,
    /// What the header `X-Influxdb-Error` repeats of it.
    pub header: String,
    pub series: String,
    pub fields: String,
    pub points: String,
}

/// What became of the bodies of all rounds.
#[derive(Default)]
struct Tally {
    bodies: u64,
    equal: u64,
    points: u64,
    classes: BTreeMap<&'static str, u64>,
    unexplained: Vec<String>,
    /// Bodies that ended the other server.
    killers: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.bodies += other.bodies;
        self.equal += other.equal;
        self.points += other.points;
        for (id, count) in other.classes {
            *self.classes.entry(id).or_default() += count;
        }
        self.unexplained.extend(other.unexplained);
        self.killers.extend(other.killers);
    }
}

/// Compares so many bodies: made by grammar, and recorded ones changed in places.
pub(crate) fn compare(ours: Face, first_seed: u64, bodies: u64) {
    let rounds = bodies.div_ceil(ROUND);
    let (next, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    // Mostly they wait for the disk, and for shards of InfluxDB's that answer late.
    std::thread::scope(|scope| {
        for _ in 0..WORKERS.min(rounds) {
            scope.spawn(|| {
                loop {
                    let round = next.fetch_add(1, Ordering::Relaxed);
                    if round >= rounds {
                        break;
                    }
                    let count = ROUND.min(bodies - round * ROUND);
                    let mut of_round = Tally::default();
                    compare_round(ours, first_seed + round, count, &mut of_round);
                    tally.lock().expect("nobody panicked").add(of_round);
                }
            });
        }
    });
    let tally = tally.into_inner().expect("nobody panicked");
    say(&format!(
        "differential, influxd 1.6.7: {} bodies from seed {first_seed} on fresh databases, {} \
         equal in answer, series, fields and points ({} with points), {} unexplained, {} ended \
         influxd; classes {:?}",
        tally.bodies,
        tally.equal,
        tally.points,
        tally.unexplained.len(),
        tally.killers.len(),
        tally.classes
    ));
    for killer in &tally.killers {
        say(&format!("  ended influxd: {killer}"));
    }
    for difference in tally.unexplained.iter().take(20) {
        say(&format!("  {difference}"));
    }
    assert!(tally.unexplained.is_empty(), "unclassified differences");
    assert!(
        tally.equal > tally.bodies / 4 && tally.points > tally.bodies / 5,
        "too little was compared"
    );
}

fn compare_round(ours: Face, seed: u64, bodies: u64, tally: &mut Tally) {
    let mut sides = [Side::start(ours), Side::start(Face::Influxd)];
    let mut script = Script::new(seed);
    for case in 0..bodies {
        let (body, precision) = if case % 2 == 0 {
            (script.lines(), "")
        } else {
            script.recorded()
        };
        let [ours, theirs] = [0, 1].map(|side| see(&mut sides[side], case, &body, precision));
        tally.bodies += 1;
        tally.points += u64::from(ours.points.contains("values"));
        if ours == theirs {
            tally.equal += 1;
            continue;
        }
        if theirs.status == 0 {
            sides[1] = Side::start(Face::Influxd);
            tally.killers.push(cut(&String::from_utf8_lossy(&body)));
        }
        match classify(&body, &ours, &theirs) {
            Ok(found) => {
                for id in found {
                    *tally.classes.entry(id).or_default() += 1;
                }
            }
            Err(what) => tally.unexplained.push(format!(
                "seed {seed} case {case}, {what}: {}\n{}",
                cut(&String::from_utf8_lossy(&body)),
                where_they_part(&ours, &theirs)
            )),
        }
    }
}

/// Writes a body to a database of its own and reads all that came of it. Nothing, and the status
/// 0, if the server ends of it.
fn see(side: &mut Side, case: u64, body: &[u8], precision: &str) -> Seen {
    let database = format!("case{case}");
    let statement = |statement: &str| Request::statement(&database, statement);
    let made = side.ask(&statement(&format!("CREATE DATABASE {database}")));
    assert_eq!(made.status, 200, "{}", made.text());
    let target = format!("/write?db={database}&precision={precision}");
    let Some(answer) = side.ask_or_lose(&Request::new("POST", &target, body)) else {
        return Seen::default();
    };
    let error = settled(&answer, &database);
    let header = answer.header_bytes("X-Influxdb-Error").unwrap_or_default();
    let header = String::from_utf8_lossy(header).replace(&database, "DB");
    let refused = error.contains(" dropped=") && !error.contains(" dropped=0");
    if side.server.face == Face::Influxd && (refused || error.contains("field type conflict")) {
        // It answers as soon as one shard has refused points; the others may still be at work.
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let mut read = |text: &str| {
        let answer = side.ask_or_lose(&statement(text));
        answer.map(|answer| settled(&answer, &database))
    };
    let (series, fields) = (read("SHOW SERIES"), read("SHOW FIELD KEYS"));
    let points = read("SELECT * FROM /.*/");
    let (Some(series), Some(fields), Some(points)) = (series, fields, points) else {
        return Seen::default();
    };
    side.ask(&statement(&format!("DROP DATABASE {database}")));
    Seen {
        status: answer.status,
        error,
        header,
        series,
        fields,
        points,
    }
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
        ("header", &ours.header, &theirs.header),
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
