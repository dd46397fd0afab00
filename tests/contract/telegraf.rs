//! Telegraf, played from its source: our answers never make it lose a batch it could keep.

#[path = "telegraf/agent.rs"]
mod agent;
#[path = "telegraf/model.rs"]
mod model;

use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::meddler::Meddler;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server};

use agent::{Agent, Met, fixture};
use model::{Fate, Output, fate};

#[test]
fn the_model_decides_as_telegraf_does() {
    let rules = fixture("rules.jsonl");
    for rule in rules.lines() {
        let rule: Value = serde_json::from_str(rule).expect("JSON");
        let output = Output::BOTH
            .into_iter()
            .find(|output| rule["output"] == output.name())
            .expect("an output");
        let status = rule["status"].as_u64().expect("a status") as u16;
        let body = rule["body"].as_str().expect("a body");
        let expected = Fate::named(rule["fate"].as_str().expect("a fate"));
        assert_eq!(
            Some(fate(output, status, body.as_bytes())),
            expected,
            "{rule}"
        );
    }
    assert_eq!(rules.lines().count(), 40);
}

/// Runs beside a server of both faces, at the same time: most of it is waiting.
fn on_both(environment: &[(&str, &str)], run: impl Fn(&Server, &Path) + Sync) {
    std::thread::scope(|scope| {
        for face in [Face::Guest, Face::Native] {
            let run = &run;
            scope.spawn(move || {
                if face.is_here() {
                    let home = TempDir::new("telegraf").expect("dir");
                    let server = Server::start_with(face, home.path(), environment);
                    run(&server.expect("server"), home.path());
                }
            });
        }
    });
}

/// The recorded batch, `number` hours later than recorded.
fn batch(number: u64) -> Vec<u8> {
    let stamp = |second: u64| format!(" {}000000000\n", second + number * 3600);
    let text = fixture("batch.lp").replace(" 1700000000000000000\n", &stamp(1_700_000_000));
    text.replace(" 1700000001000000000\n", &stamp(1_700_000_001))
        .into_bytes()
}

/// All of batch `number` is stored, once, as `first` was.
fn is_stored(server: &Server, agent: &Agent, number: u64) {
    let read = |number: u64| {
        let start = 1_700_000_000 + number * 3600;
        let statement = format!(
            "SELECT * FROM cpu, disk, mem, system, \"win,svc\" \
             WHERE time >= {start}s AND time < {}s GROUP BY *",
            start + 3600
        );
        let text = server
            .query(&agent.database, &statement)
            .expect("answer")
            .text();
        text.replace(&start.to_string(), "START")
            .replace(&(start + 1).to_string(), "NEXT")
    };
    let first = read(0);
    for value in [
        "[\"START000000000\"",
        "9007199254740993",
        "\"1 day, \\\"2:10\\\" C:\\\\\"",
        "\"host\":\"box 1\"",
        "\"state\":\"a=b\"",
        "97.46192893401015",
    ] {
        let value = value.replace("\"START000000000\"", "START000000000");
        assert!(first.contains(&value), "{value} in {first}");
    }
    assert_eq!(first.matches("000000000,").count(), 6, "{first}");
    assert_eq!(read(number), first, "{} {number}", agent.output.name());
}

/// Sends batch `number` while something is in its way: it has to be kept.
fn is_kept(agent: &Agent, number: u64, why: &str) -> Met {
    let met = agent.send(&batch(number));
    assert_eq!(
        met.fate,
        Fate::Kept,
        "{why}, {}: {met:?}",
        agent.output.name()
    );
    let told = met.status == 0 || met.retry_after.is_some();
    assert!(told, "{why}: when to come back is not said: {met:?}");
    say(&format!(
        "telegraf: {} keeps its batch when {why}: {} {}",
        agent.output.name(),
        met.status,
        met.text.trim_end()
    ));
    met
}

#[test]
fn a_batch_arrives_and_loses_only_what_is_rejected() {
    on_both(&[], |server, _| {
        for output in Output::BOTH {
            let mut agent = Agent::start(server, output);
            assert_eq!(agent.send(&batch(0)).fate, Fate::Delivered);
            is_stored(server, &agent, 0);
            // Sent again because the answer was lost: nothing changes.
            assert_eq!(agent.send(&batch(0)).fate, Fate::Delivered);
            is_stored(server, &agent, 0);
            // What no repetition could store is dropped, and nothing else.
            let mut bad = batch(1);
            bad.extend_from_slice(b"cpu,host=c usage_idle=\"text\" 1700003600000000000\nbroken\n");
            let met = agent.send(&bad);
            assert_eq!((met.fate, met.status), (Fate::Dropped, 400), "{met:?}");
            is_stored(server, &agent, 1);
            if output == Output::V1 {
                agent.policy = "nope";
                let met = agent.send(&batch(2));
                assert_eq!(
                    (met.fate, met.status),
                    (Fate::Dropped, 500),
                    "as upstream: {met:?}"
                );
                agent.policy = "autogen";
                assert_eq!(agent.send(&batch(2)).fate, Fate::Delivered);
                agent.policy = "";
            }
            server
                .execute(&format!("DROP DATABASE {}", agent.database))
                .expect("dropped");
            let met = agent.send(&batch(0));
            if output == Output::V1 {
                assert_eq!(
                    (met.fate, met.status),
                    (Fate::MakesDatabase, 404),
                    "{met:?}"
                );
            } else {
                // This output makes no databases: with every server the batch is lost.
                assert_eq!((met.fate, met.status), (Fate::Dropped, 404), "{met:?}");
                agent.make_database();
            }
            agent.deliver(&batch(0));
            is_stored(server, &agent, 0);
        }
    });
}

#[test]
fn an_overloaded_server_costs_no_batch() {
    let environment = [
        ("TIDEGATE_HTTP_MAX_CONCURRENT_WRITE_LIMIT", "1"),
        ("TIDEGATE_HTTP_ENQUEUED_WRITE_TIMEOUT", "200ms"),
        ("TIDEGATE_HTTP_MAX_BODY_MEMORY", "400k"),
    ];
    on_both(&environment, |server, _| {
        for output in Output::BOTH {
            let agent = Agent::start(server, output);
            agent.deliver(&batch(0));
            // /write waits for its turn; /api/v2/write does not, but for room.
            let mut first = stalled(server, output, &agent.database);
            let began = Instant::now();
            loop {
                // A batch that comes before it is in the way would have it refused instead.
                sleep(Duration::from_millis(300));
                if agent.send(&batch(0)).fate != Fate::Delivered {
                    break;
                }
                assert!(
                    began.elapsed() < Duration::from_secs(20),
                    "nothing is in the way"
                );
                first = stalled(server, output, &agent.database);
            }
            is_kept(&agent, 1, "the server is overloaded");
            drop(first);
            agent.deliver(&batch(1));
            is_stored(server, &agent, 1);
        }
    });
}

/// A body that begins and does not end, which has a turn and most of the memory for bodies.
fn stalled(server: &Server, output: Output, database: &str) -> TcpStream {
    let target = match output {
        Output::V1 => format!("/write?db={database}"),
        Output::V2 => format!("/api/v2/write?bucket={database}"),
    };
    let mut stream = TcpStream::connect(server.address).expect("connected");
    let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 390000\r\n\r\n#");
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(&[b'#'; 300_000]).expect("sent");
    stream
}

#[test]
fn failing_storage_costs_no_batch() {
    let environment = [("TIDEGATE_HTTP_DURABLE_TIMEOUT", "700ms")];
    on_both(&environment, |server, home| {
        let agents = Output::BOTH.map(|output| Agent::start(server, output));
        for agent in &agents {
            agent.deliver(&batch(0));
        }
        let obstacles = [
            ("syncs fail", "fdatasync:error=EIO"),
            ("the disk is full", "pwrite64:error=ENOSPC"),
            ("writes fail", "pwrite64:error=EIO"),
            ("syncs take too long", "fdatasync:delay_enter=2500000"),
        ];
        for (number, (why, injection)) in (1..).zip(obstacles) {
            let Some(broken) = Meddler::attach(server, home, injection) else {
                return;
            };
            for agent in &agents {
                is_kept(agent, number, why);
            }
            drop(broken);
            for agent in &agents {
                agent.deliver(&batch(number));
                is_stored(server, agent, number);
            }
        }
    });
}

#[test]
fn a_server_that_stops_or_dies_costs_no_batch() {
    for face in [Face::Guest, Face::Native] {
        if !face.is_here() {
            continue;
        }
        let home = TempDir::new("telegraf").expect("dir");
        let mut server = Server::start(face, home.path()).expect("server");
        for output in Output::BOTH {
            for (number, killed) in [(1, true), (2, false)] {
                let agent = Agent::start(&server, output);
                agent.deliver(&batch(0));
                if killed {
                    server.kill().expect("killed");
                } else {
                    server.terminate().expect("stopped");
                }
                is_kept(&agent, number, "nobody answers");
                server = Server::start(face, home.path()).expect("server");
                let agent = Agent::start(&server, output);
                agent.deliver(&batch(number));
                is_stored(&server, &agent, number);
            }
        }
    }
}

#[test]
fn a_full_cache_costs_no_batch() {
    let environment = [("TIDEGATE_DATA_CACHE_MAX_MEMORY_SIZE", "64k")];
    on_both(&environment, |server, _| {
        for output in Output::BOTH {
            let agent = Agent::start(server, output);
            agent.deliver(&batch(0));
            let database = &agent.database;
            let made = format!("filler ON {database}");
            let durations = "DURATION 0s REPLICATION 1";
            server
                .execute(&format!("CREATE RETENTION POLICY {made} {durations}"))
                .expect("made");
            let target = format!("/write?db={database}&rp=filler");
            let line = format!("filler text=\"{}\"", "x".repeat(1000));
            let mut client = server.client().expect("connection");
            let mut write = || {
                client
                    .post(&target, line.as_bytes())
                    .expect("answer")
                    .status
            };
            let full = (0..1000).any(|_| write() == 503);
            assert!(full, "the cache is never full");
            is_kept(&agent, 1, "the cache is full");
            server
                .execute(&format!("DROP RETENTION POLICY {made}"))
                .expect("dropped");
            agent.deliver(&batch(1));
            is_stored(server, &agent, 1);
        }
    });
}

#[test]
fn a_batch_that_is_too_large_is_split_where_telegraf_can() {
    let environment = [("TIDEGATE_HTTP_MAX_BODY_SIZE", "700")];
    on_both(&environment, |server, _| {
        let agent = Agent::start(server, Output::V2);
        let met = agent.send(&batch(0));
        assert_eq!((met.fate, met.status), (Fate::Split, 413), "{met:?}");
        agent.deliver(&batch(0));
        is_stored(server, &agent, 0);
        // The other output cannot: with every server, as its batches are never that large.
        let agent = Agent::start(server, Output::V1);
        let met = agent.send(&batch(0));
        assert_eq!((met.fate, met.status), (Fate::Dropped, 413), "{met:?}");
    });
}
