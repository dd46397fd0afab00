//! A disk that keeps nothing any more: every sync fails.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tidegate_tests::kit::{Process, Response, TempDir};
use tidegate_tests::proof::server::{Face, Server};
use tidegate_tests::proof::{missing_layer, say};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_database_whose_disk_keeps_nothing_is_read_only_until_it_does() {
    for face in [Face::Guest, Face::Native] {
        if face.is_here() {
            fail_and_mend(face);
        }
    }
}

fn fail_and_mend(face: Face) {
    let home = TempDir::new("failing").expect("dir");
    let server = Server::start(face, home.path()).expect("server");
    server.execute("CREATE DATABASE d").expect("database");
    for number in 0..10 {
        assert_eq!(write(&server, number).status, 204);
    }
    let Some(broken) = FailingSyncs::begin(&server, &home) else {
        return;
    };
    let answer = write(&server, 100);
    assert_eq!(
        answer.status,
        503,
        "nothing is acknowledged: {}",
        answer.text()
    );
    // It is opened again, fails once more, and then no longer tries to write.
    let start = Instant::now();
    let read_only = loop {
        let answer = write(&server, 101);
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("Retry-After").is_some(), "{}", answer.text());
        if answer.text().contains("read-only") {
            break start.elapsed();
        }
        assert!(
            start.elapsed() < PATIENCE,
            "{}: {}",
            answer.text(),
            server.log_tail()
        );
        sleep(Duration::from_millis(50));
    };
    // Longer than it takes to look whether the disk is well again, and to find that it is not.
    let start = Instant::now();
    let mut answers = 0;
    while start.elapsed() < Duration::from_secs(7) {
        let answer = server.query("d", "SELECT v FROM m").expect("answer").text();
        for number in 0..10 {
            assert!(answer.contains(&format!("[{number},{number}]")), "{answer}");
        }
        assert!(
            !answer.contains("[100,100]"),
            "shown, and never durable: {answer}"
        );
        answers += 1;
        sleep(Duration::from_millis(100));
    }
    let health = server
        .client()
        .expect("connection")
        .get("/health")
        .expect("answer");
    assert_eq!(health.status, 503, "{}", health.text());
    assert!(health.text().contains("read-only"), "{}", health.text());
    drop(broken);
    let start = Instant::now();
    while write(&server, 102).status != 204 {
        assert!(start.elapsed() < PATIENCE, "{}", server.log_tail());
        sleep(Duration::from_millis(100));
    }
    let mended = start.elapsed();
    server.kill().expect("killed");
    let server = Server::start(face, home.path()).expect("server");
    let answer = server.query("d", "SELECT v FROM m").expect("answer").text();
    for number in (0..10).chain([102]) {
        assert!(answer.contains(&format!("[{number},{number}]")), "{answer}");
    }
    let health = server
        .client()
        .expect("connection")
        .get("/health")
        .expect("answer");
    assert_eq!(health.status, 200, "{}", health.text());
    say(&format!(
        "cli, {}: every sync failed: read-only after {read_only:?}, {answers} queries answered \
         meanwhile, writes again {mended:?} after syncs succeeded",
        face.name()
    ));
}

fn write(server: &Server, number: u64) -> Response {
    let line = format!("m v={number}i {number}");
    let mut client = server.client().expect("connection");
    client.post("/write?db=d", line.as_bytes()).expect("answer")
}

/// Makes every sync of a server fail for as long as it lives.
struct FailingSyncs(Process);

impl FailingSyncs {
    /// `None`, loudly, where processes cannot be traced.
    fn begin(server: &Server, home: &TempDir) -> Option<Self> {
        let is_here = Command::new("strace")
            .arg("-V")
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-p", &server.pid().to_string()]);
        command.args(["-e", "trace=fdatasync,fsync"]);
        command.args(["-e", "inject=fdatasync,fsync:error=EIO"]);
        let tracer = is_here
            .then(|| Process::spawn(&mut command, &home.path().join("strace")).ok())
            .flatten();
        let Some(tracer) = tracer else {
            missing_layer("syncs that fail", "install strace");
            return None;
        };
        let status = format!("/proc/{}/status", server.pid());
        let start = Instant::now();
        loop {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            if text.contains(&format!("TracerPid:\t{}", tracer.pid())) {
                // Threads are attached one after the other.
                sleep(Duration::from_millis(300));
                return Some(Self(tracer));
            }
            if start.elapsed() > Duration::from_secs(5) {
                missing_layer("syncs that fail", "strace may not attach to processes here");
                return None;
            }
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for FailingSyncs {
    fn drop(&mut self) {
        // Traced threads go on by themselves once the tracer is gone.
        let _ = &self.0;
    }
}
