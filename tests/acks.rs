//! Acknowledgement levels on the real servers: what each is told after, and what a kill right
//! behind it costs. Calls into the system are slowed down from outside, by strace.

use std::fs;
use std::io;
use std::path::Path;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::meddler::Meddler;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server};

/// How long a slow call takes. An answer that comes earlier did not wait for one.
const DELAY: Duration = Duration::from_secs(2);
const LEVELS: [&str; 3] = ["memory", "wal", "durable"];

/// What a host gives to who asks for a level.
fn given(face: Face, asked: &str) -> &str {
    if face == Face::Node { "durable" } else { asked }
}

/// Writes one point; how long the answer took.
fn write(server: &Server, number: u64, level: &str) -> io::Result<Duration> {
    let mut client = server.client()?;
    let line = format!("m,name=zebra{number} v={number}i {number}");
    let headers = [("X-Tidegate-Ack", level)];
    let began = Instant::now();
    let answer = client.request("POST", "/write?db=d", &headers, line.as_bytes())?;
    let took = began.elapsed();
    let face = server.face;
    assert_eq!(answer.status, 204, "{}: {}", face.name(), answer.text());
    let echo = answer.header("X-Tidegate-Ack").unwrap_or_default();
    assert_eq!(echo, given(face, level), "{}", face.name());
    Ok(took)
}

/// Whether the log on disk, as other processes see it, names this point.
fn is_in_log(home: &Path, number: u64) -> bool {
    let wal = home.join("data/databases/000001/wal");
    let name = format!("zebra{number}");
    let mut files = fs::read_dir(wal).expect("listed").map(|entry| {
        let path = entry.expect("listed").path();
        fs::read(path).expect("read")
    });
    files.any(|bytes| memchr::memmem::find(&bytes, name.as_bytes()).is_some())
}

fn stored(server: &Server) -> String {
    let answer = server.query("d", "SELECT v FROM m").expect("answer");
    answer.text()
}

fn has(stored: &str, number: u64) -> bool {
    stored.contains(&format!("[{number},{number}]"))
}

fn start(face: Face) -> (TempDir, Server) {
    let home = TempDir::new("acks").expect("dir");
    let server = Server::start(face, home.path()).expect("server");
    server.execute("CREATE DATABASE d").expect("database");
    write(&server, 1, "durable").expect("answer");
    (home, server)
}

/// At the same time: most of it is waiting.
fn on_every_host(test: fn(Face)) {
    thread::scope(|scope| {
        for face in Face::OURS {
            if face.is_here() {
                scope.spawn(move || test(face));
            }
        }
    });
}

#[test]
fn a_slow_sync_is_waited_for_by_durable_alone() {
    on_every_host(behind_slow_syncs);
}

fn behind_slow_syncs(face: Face) {
    let (home, server) = start(face);
    let Some(slow) = Meddler::slow(&server, home.path(), DELAY, "fdatasync") else {
        return;
    };
    let mut took = Vec::new();
    for (number, level) in [(2, "memory"), (3, "durable"), (4, "wal")] {
        let answered = write(&server, number, level).expect("answer");
        let waited = given(face, level) == "durable";
        assert_eq!(
            answered >= DELAY,
            waited,
            "{} {level}: {answered:?}",
            face.name()
        );
        took.push(format!("{level} {answered:.1?}"));
    }
    assert!(
        is_in_log(home.path(), 4),
        "{}: wal means written",
        face.name()
    );
    // The sync is under way, or was about to begin: this is what wal is about.
    server.kill().expect("killed");
    drop(slow);
    let server = Server::start(face, home.path()).expect("server");
    let stored = stored(&server);
    for number in 1..=4 {
        assert!(
            has(&stored, number),
            "{}: {number} in {stored}",
            face.name()
        );
    }
    say(&format!(
        "acks, {}: with syncs of {DELAY:?}: {}; after kill -9 all there",
        face.name(),
        took.join(", ")
    ));
}

#[test]
fn a_slow_write_is_waited_for_by_all_but_memory() {
    on_every_host(behind_slow_writes);
}

fn behind_slow_writes(face: Face) {
    let (home, server) = start(face);
    let Some(slow) = Meddler::slow(&server, home.path(), DELAY, "pwrite64") else {
        return;
    };
    let mut took = Vec::new();
    for (number, level) in [(2, "memory"), (3, "wal"), (4, "durable")] {
        let answered = write(&server, number, level).expect("answer");
        let waited = given(face, level) != "memory";
        assert_eq!(
            answered >= DELAY,
            waited,
            "{} {level}: {answered:?}",
            face.name()
        );
        assert_eq!(
            is_in_log(home.path(), number),
            waited,
            "{} {level}",
            face.name()
        );
        took.push(format!("{level} {answered:.1?}"));
    }
    // An operator who stops the server loses nothing, whatever was promised.
    write(&server, 5, "memory").expect("answer");
    drop(slow);
    server.terminate().expect("stopped");
    let server = Server::start(face, home.path()).expect("server");
    let stored = stored(&server);
    for number in 1..=5 {
        assert!(
            has(&stored, number),
            "{}: {number} in {stored}",
            face.name()
        );
    }
    say(&format!(
        "acks, {}: with writes of {DELAY:?}: {}",
        face.name(),
        took.join(", ")
    ));
}

#[test]
fn a_sync_that_fails_behind_an_ack_is_counted_logged_and_told_by_health() {
    for face in [Face::Guest, Face::Native] {
        if !face.is_here() {
            continue;
        }
        let (home, server) = start(face);
        let injection = "fdatasync:error=EIO:delay_enter=1000000:when=1";
        let Some(broken) = Meddler::attach(&server, home.path(), injection) else {
            return;
        };
        write(&server, 2, "wal").expect("answer");
        let get = |target: &str| {
            let answer = server.client().expect("connection").get(target);
            answer.expect("answer").text()
        };
        let start = Instant::now();
        let counted = "tidegate_points_failed_after_ack_total 1";
        while !get("/metrics").contains(counted) {
            let metrics = get("/metrics");
            assert!(start.elapsed() < Duration::from_secs(20), "{metrics}");
            sleep(Duration::from_millis(50));
        }
        assert!(get("/debug/vars").contains("\"pointsFailedAfterAck\":1"));
        drop(broken);
        // It comes back by itself, and finds what the system still had.
        let found = stored(&server);
        assert!(has(&found, 1) && has(&found, 2), "{found}");
        let health = get("/health");
        assert!(health.contains("acknowledged as wal or memory"), "{health}");
        assert!(
            health.contains("\"status\":\"pass\",\"version\""),
            "{health}"
        );
        let log = server.log_tail();
        assert!(log.contains("the write of 1 points failed"), "{log}");
        say(&format!(
            "acks, {}: a sync that failed behind a wal ack: counted, logged, in /health",
            face.name()
        ));
    }
}

#[test]
fn every_write_path_takes_the_level_and_names_it() {
    for face in Face::OURS {
        if !face.is_here() {
            continue;
        }
        let (_home, server) = start(face);
        let mut client = server.client().expect("connection");
        let mut ask = |target: &str, headers: &[(&str, &str)]| {
            let answer = client.request("POST", target, headers, b"m v=1i 1");
            let answer = answer.expect("answer");
            let echo = answer.header("X-Tidegate-Ack").unwrap_or_default();
            (answer.status, echo.to_owned(), answer.text())
        };
        for target in ["/write?db=d", "/api/v2/write?bucket=d/autogen"] {
            assert_eq!(ask(target, &[]).1, "durable");
            for level in LEVELS {
                let named = given(face, level);
                let (status, echo, _) = ask(target, &[("x-tidegate-ack", level)]);
                assert_eq!((status, echo.as_str()), (204, named), "{}", face.name());
                let (status, echo, _) = ask(&format!("{target}&ack={level}"), &[]);
                assert_eq!((status, echo.as_str()), (204, named), "{}", face.name());
            }
            let (status, echo, text) = ask(&format!("{target}&ack=sure"), &[]);
            assert_eq!((status, echo.as_str()), (400, ""));
            let expected = "invalid acknowledgement level \\\"sure\\\" \
                            (use memory, wal or durable)";
            assert!(text.contains(expected), "{text}");
        }
    }
}

#[test]
fn a_server_set_to_less_than_durable_says_so() {
    for face in [Face::Guest, Face::Native] {
        if !face.is_here() {
            continue;
        }
        let home = TempDir::new("acks").expect("dir");
        let set = [("TIDEGATE_HTTP_ACK_LEVEL", "wal")];
        let server = Server::start_with(face, home.path(), &set).expect("server");
        server.execute("CREATE DATABASE d").expect("database");
        let mut client = server.client().expect("connection");
        let answer = client.post("/write?db=d", b"m v=1i 1").expect("answer");
        assert_eq!(answer.header("X-Tidegate-Ack"), Some("wal"));
        let answer = client
            .post("/write?db=d&ack=durable", b"m v=1i 1")
            .expect("answer");
        assert_eq!(answer.header("X-Tidegate-Ack"), Some("durable"));
        let health = client.get("/health").expect("answer");
        assert_eq!(health.status, 200);
        let text = health.text();
        assert!(text.contains("acknowledgement level \\\"wal\\\""), "{text}");
        assert!(text.contains("a loss of power may lose them"), "{text}");
    }
}
