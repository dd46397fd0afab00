//! What a 204 is worth: after a kill, and when the disk is full.

mod kit;

use std::process::{Command, Stdio};
use std::time::Duration;

use kit::{BIN, Server, TempDir};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

fn wal(task: &str, data: &std::path::Path) -> (Option<i32>, String) {
    let output = Command::new(BIN)
        .args(["wal", task])
        .arg(data)
        .output()
        .expect("the binary runs");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text += &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

fn lines(from: u64, count: u64) -> String {
    (from..from + count)
        .map(|n| format!("m,host=h{} v={n} {}\n", n % 7, n * 1_000))
        .collect()
}

#[test]
fn every_acknowledged_point_survives_a_kill() {
    let temp = TempDir::new("kill");
    let data = temp.0.join("data");
    let mut acknowledged = 0;
    for round in 0..3 {
        let server = Server::start(&data);
        server.query("CREATE+DATABASE+a");
        for batch in 0..20 {
            assert_eq!(server.write(&lines(round * 1_000 + batch * 10, 10)), 204);
            acknowledged += 10;
        }
        server.signal("-KILL");
        server.wait();
    }
    let (code, report) = wal("verify", &data);
    assert_eq!(code, Some(0), "{report}");
    assert!(
        report.contains(&format!(" {acknowledged} points")),
        "{report}"
    );
    let (code, dump) = wal("dump", &data);
    assert_eq!(code, Some(0), "{dump}");
    assert!(dump.contains("m,host=h3 m (v: Float)"), "{dump}");
}

#[test]
fn concurrent_writers_are_all_answered() {
    let temp = TempDir::new("group");
    let data = temp.0.join("data");
    let server = Server::start(&data);
    server.query("CREATE+DATABASE+a");
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let server = &server;
            scope.spawn(move || {
                for batch in 0..25 {
                    assert_eq!(server.write(&lines(writer * 100_000 + batch * 4, 4)), 204);
                }
            });
        }
    });
    server.signal("-TERM");
    assert_eq!(server.wait().0, Some(0));
    let (code, report) = wal("verify", &data);
    assert_eq!(
        (code, report.contains(" 800 points")),
        (Some(0), true),
        "{report}"
    );
}

#[test]
fn damage_is_reported_and_does_not_stop_the_start() {
    let temp = TempDir::new("damage");
    let data = temp.0.join("data");
    let server = Server::start(&data);
    server.query("CREATE+DATABASE+a");
    for batch in 0..10 {
        assert_eq!(server.write(&lines(batch * 10, 10)), 204);
    }
    server.signal("-TERM");
    server.wait();
    let segment = data.join("databases/000001/wal/0000000000000002.wal");
    let mut bytes = std::fs::read(&segment).expect("the segment");
    // In the payload of the last frame but one: the head before it still tells its points. Behind
    // the last one there are zeros, written ahead.
    let end = bytes.iter().rposition(|&byte| byte != 0).expect("frames");
    let at = end - 250;
    bytes[at] ^= 0x40;
    std::fs::write(&segment, bytes).expect("written");
    let (code, report) = wal("verify", &data);
    assert_eq!(
        (code, report.contains("damaged: segment")),
        (Some(1), true),
        "{report}"
    );
    let server = Server::start(&data);
    assert_eq!(server.write(&lines(1_000, 1)), 204);
    let json = std::fs::read_to_string(data.join("databases/000001/recovery.json"));
    let json = json.expect("a report");
    assert!(json.contains("\"points\": 10}"), "{json}");
    let health = server.ask("GET /health HTTP/1.0\r\n\r\n");
    assert!(health.starts_with("HTTP/1.0 200 "), "it serves: {health}");
    assert!(health.contains(r#""name":"database \"a\"""#), "{health}");
    server.signal("-TERM");
    let (_, log) = server.wait();
    let summary = log.split("closing databases").nth(1).expect("a summary");
    for part in [
        "1 databases, 1 points acknowledged in this run",
        "database \"a\" at opening: 1 damaged ranges with 10 points, 0 torn bytes",
        "damaged: segment 0000000000000002 at ",
    ] {
        assert!(summary.contains(part), "{part}: {log}");
    }
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_space_and_loses_nothing() {
    let temp = TempDir::new("full");
    let data = temp.0.join("data");
    // A limit on the size of files stands in for a full disk: the write that crosses it is cut
    // short, and the next one fails. With the signal ignored, as a write error.
    let script = format!("trap '' XFSZ; exec {BIN} serve --http 127.0.0.1:0 --data \"$0\"");
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        .arg(&data)
        .stderr(Stdio::piped());
    let server = Server::adopt(command.spawn().expect("sh runs"));
    server.query("CREATE+DATABASE+a");
    assert_eq!(server.write(&lines(0, 10)), 204);
    let mut acknowledged = 10;
    limit_files(&server, Some(48 << 10));
    let mut refused = None;
    for batch in 1..500 {
        match server.post("/write?db=a", lines(batch * 100, 100).as_bytes(), "") {
            (204, _) => acknowledged += 100,
            (503, answer) => {
                refused = Some(answer.to_ascii_lowercase());
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    let refused = refused.expect("the limit is reached");
    assert!(refused.contains("retry-after: "), "{refused}");
    let reads = server.query("SHOW+RETENTION+POLICIES+ON+a");
    assert!(reads.contains("autogen"), "reads go on: {reads}");
    assert_eq!(server.write(&lines(900_000, 10)), 503, "still full");
    limit_files(&server, None);
    let mut tries = 0;
    while server.write(&lines(1_000_000, 10)) != 204 {
        tries += 1;
        assert!(tries < 100, "it takes writes again without a restart");
        std::thread::sleep(Duration::from_millis(100));
    }
    acknowledged += 10;
    server.signal("-KILL");
    server.wait();
    let (code, report) = wal("verify", &data);
    assert_eq!(code, Some(0), "{report}");
    let points: u64 = report
        .split(", ")
        .find_map(|part| part.strip_suffix(" points"))
        .and_then(|number| number.parse().ok())
        .expect("a number of points");
    assert!(
        points >= acknowledged,
        "{points} of {acknowledged}: {report}"
    );
}

fn limit_files(server: &Server, current: Option<u64>) {
    let pid = Pid::from_raw(server.child.id().cast_signed());
    let limit = Rlimit {
        current,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit).expect("limits can be set");
}

#[test]
fn a_log_that_is_not_ours_is_refused_and_makes_health_fail() {
    let temp = TempDir::new("refused");
    let data = temp.0.join("data");
    let server = Server::start(&data);
    server.query("CREATE+DATABASE+a");
    server.query("CREATE+DATABASE+b");
    assert_eq!(server.write(&lines(0, 10)), 204);
    let health = server.ask("GET /health HTTP/1.0\r\n\r\n");
    assert!(health.contains(r#"{"checks":[],"#), "{health}");
    server.signal("-TERM");
    server.wait();
    // As if somebody had copied the log of another database over it.
    let identity = data.join("databases/000001/DATABASE");
    let text = std::fs::read_to_string(&identity).expect("read");
    let node = text.find("node = \"").expect("a node id") + 8;
    let other = format!("{}{}{}", &text[..node], "0".repeat(32), &text[node + 32..]);
    std::fs::write(&identity, other).expect("written");
    let server = Server::start(&data);
    assert_eq!(server.write(&lines(1_000, 1)), 503);
    let health = server.ask("GET /health HTTP/1.0\r\n\r\n");
    assert!(health.starts_with("HTTP/1.0 503 "), "{health}");
    assert!(health.contains(r#""name":"database \"a\"""#), "{health}");
    assert!(
        health.contains(r#""name":"influxdb","status":"fail""#),
        "{health}"
    );
    assert_eq!(
        server.post("/write?db=b", b"m v=1", "").0,
        204,
        "the other one serves"
    );
    server.signal("-TERM");
    let (_, log) = server.wait();
    assert!(log.contains("database \"a\" is not served: "), "{log}");
}
