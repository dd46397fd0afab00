//! Engines that trap: for a record of their log, and for a body.

use std::fs;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tidegate_core::ids::{FileId, Lsn, SegmentId, SeriesId, ShardId};
use tidegate_core::wal::{FrameKind, Log, LogConfig, Replay, ReplayEnd, Step, definition};
use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_record_that_traps_the_guest_twice_is_left_out_and_the_rest_served() {
    // Natively it would not trap but take 32 GiB.
    if !Face::Guest.is_here() {
        return;
    }
    let home = TempDir::new("trap").expect("dir");
    let server = Server::start(Face::Guest, home.path()).expect("server");
    for database in ["d", "e"] {
        server
            .execute(&format!("CREATE DATABASE {database}"))
            .expect("database");
        for number in 0..10 {
            assert_eq!(write(&server, database, number), 204);
        }
    }
    server.kill().expect("killed");
    let directory = home.path().join("data/databases/000001");
    let (segment, lsn) = append_trap(&directory);
    let server = Server::start(Face::Guest, home.path()).expect("it starts");
    let start = Instant::now();
    assert!(
        has_all(&server, "e", 10),
        "the other database does not notice"
    );
    while !has_all(&server, "d", 10) {
        assert!(start.elapsed() < PATIENCE, "{}", server.log_tail());
        sleep(Duration::from_millis(20));
    }
    let served = start.elapsed();
    let log = server.log_tail();
    assert_eq!(log.matches("the guest trapped").count(), 2, "{log}");
    assert_eq!(log.matches("stopped").count(), 2, "of one database: {log}");
    let skipped = fs::read_to_string(directory.join("skipped")).expect("written");
    assert_eq!(skipped, format!("segment {segment:016x} lsn {lsn}\n"));
    let found = fs::read_to_string(directory.join("recovery.json")).expect("written");
    let reported = format!("\"first_lsn\": {lsn}, \"last_lsn\": {lsn}, \"points\": 0");
    assert!(found.contains(&reported), "{found}");
    // The copy is made while it is served already.
    let copies = || {
        fs::read_dir(directory.join("quarantine"))
            .expect("listed")
            .count()
    };
    while copies() == 0 {
        assert!(start.elapsed() < PATIENCE, "no copy");
        sleep(Duration::from_millis(20));
    }
    for number in 10..20 {
        assert_eq!(write(&server, "d", number), 204);
    }
    server.kill().expect("killed");
    // It is remembered: no trap this time, and what was written since is there.
    fs::remove_file(home.path().join("log")).expect("removed");
    let server = Server::start(Face::Guest, home.path()).expect("it starts");
    assert!(has_all(&server, "d", 20), "{}", server.log_tail());
    assert!(
        !server.log_tail().contains("trapped"),
        "{}",
        server.log_tail()
    );
    let health = server
        .client()
        .expect("connection")
        .get("/health")
        .expect("answer");
    assert_eq!(health.status, 200);
    assert!(
        health.text().contains("damaged ranges"),
        "{}",
        health.text()
    );
    say(&format!(
        "cli, guest: a record that traps was left out after two traps, the database served \
         after {served:?}"
    ));
}

#[test]
fn a_body_that_traps_the_guest_gets_503_and_others_a_delay() {
    if !Face::Guest.is_here() {
        return;
    }
    let home = TempDir::new("body").expect("dir");
    let limit = [("TIDEGATE_GUEST_MEMORY_MAX", "48m")];
    let server = Server::start_with(Face::Guest, home.path(), &limit).expect("server");
    for database in ["d", "e"] {
        server
            .execute(&format!("CREATE DATABASE {database}"))
            .expect("database");
    }
    // More than the guest may have for the body and what it makes of it.
    let value = "x".repeat(60_000);
    let large: String = (0..400)
        .map(|n| format!("big s=\"{value}\" {n}\n"))
        .collect();
    let is_over = AtomicBool::new(false);
    let (mine, others, slowest) = std::thread::scope(|scope| {
        let writers = ["d", "e"].map(|database| {
            let (server, is_over) = (&server, &is_over);
            scope.spawn(move || write_until(server, database, is_over))
        });
        sleep(Duration::from_millis(200));
        for _ in 0..3 {
            let mut client = server.client().expect("connection");
            let answer = client
                .post("/write?db=d", large.as_bytes())
                .expect("answer");
            assert_eq!(answer.status, 503, "{}", answer.text());
            assert!(answer.header("Retry-After").is_some(), "{}", answer.text());
            sleep(Duration::from_millis(500));
        }
        is_over.store(true, Ordering::Relaxed);
        let [d, e] = writers.map(|writer| writer.join().expect("no panic"));
        (d, e, d.slowest)
    });
    let log = server.log_tail();
    assert!(log.contains("memory-max"), "it says what it lacked: {log}");
    assert_eq!(
        others.refused, 0,
        "the other database does not notice: {log}"
    );
    // Of those that waited for the disk at the very moment of a trap.
    assert!(mine.refused <= 3, "{} refused: {log}", mine.refused);
    assert!(mine.taken > 10 && others.taken > 10);
    assert!(has_all(&server, "e", others.taken));
    let directory = home.path().join("data/databases/000001");
    assert!(!directory.join("skipped").exists(), "no record is to blame");
    say(&format!(
        "cli, guest: three bodies that trapped got 503; a writer beside them got {} times 204 \
         and {} times 503, waiting {slowest:?} at most",
        mine.taken, mine.refused
    ));
}

#[derive(Clone, Copy, Default)]
struct Told {
    taken: u64,
    refused: u64,
    slowest: Duration,
}

fn write_until(server: &Server, database: &str, is_over: &AtomicBool) -> Told {
    let mut told = Told::default();
    while !is_over.load(Ordering::Relaxed) {
        let start = Instant::now();
        match write(server, database, told.taken) {
            204 => told.taken += 1,
            503 => told.refused += 1,
            other => panic!("{other}"),
        }
        told.slowest = told.slowest.max(start.elapsed());
    }
    told
}

fn write(server: &Server, database: &str, number: u64) -> u16 {
    let line = format!("m v={number}i {number}");
    let mut client = server.client().expect("connection");
    let target = format!("/write?db={database}");
    client
        .post(&target, line.as_bytes())
        .expect("answer")
        .status
}

fn has_all(server: &Server, database: &str, count: u64) -> bool {
    let answer = server
        .query(database, "SELECT v FROM m")
        .expect("answer")
        .text();
    (0..count).all(|number| answer.contains(&format!("[{number},{number}]")))
}

/// Appends a segment to a log whose one record is whole, and asks for more memory than a guest
/// can have: it gives a series the highest number there is. Where it is.
fn append_trap(database: &Path) -> (u64, u64) {
    let identity = fs::read_to_string(database.join("DATABASE")).expect("read");
    let (_, node) = identity.split_once("node = \"").expect("a node");
    let node_id = u128::from_str_radix(&node[..32], 16).expect("a number");
    let end = replay(&database.join("wal"), node_id);
    assert!(end.damage.is_empty());
    let config = LogConfig {
        node_id,
        seed: 99,
        segment_bytes_roll: 1 << 20,
        pending_bytes_max: 1 << 20,
    };
    let mut log = Log::begin(
        config,
        end.next_segment,
        end.predecessor,
        end.next_lsn,
        false,
    );
    let mut payload = Vec::new();
    definition::put_series(&mut payload, ShardId(1), SeriesId(u32::MAX), b"x");
    let Lsn(lsn) = log.append(FrameKind::Definitions, &payload, 0, false);
    let persist = log.poll().expect("a group");
    let mut bytes = log.bytes(persist.ticket).to_vec();
    log.complete(persist.ticket, Ok(())).expect("in flight");
    // What proves it durable, so that it stays.
    let register = log.poll().expect("a register");
    let at = register.offset as usize;
    bytes[at..at + register.length].copy_from_slice(log.bytes(register.ticket));
    let path = database.join(format!("wal/{:016x}.wal", persist.segment.0));
    fs::write(path, bytes).expect("written");
    (persist.segment.0, lsn)
}

fn replay(wal: &Path, node_id: u128) -> ReplayEnd {
    let path = |SegmentId(id): SegmentId| wal.join(format!("{id:016x}.wal"));
    let numbers = (1..).map(SegmentId).take_while(|&id| path(id).exists());
    let listing: Vec<_> = numbers
        .map(|id| {
            (
                FileId::Segment(id),
                path(id).metadata().expect("there").len(),
            )
        })
        .collect();
    let mut replay = Replay::new(node_id, &listing);
    loop {
        match replay.step() {
            Step::Read {
                file: FileId::Segment(segment),
                offset,
                length,
            } => {
                let bytes = fs::read(path(segment)).expect("read");
                let from = bytes.len().min(offset as usize);
                let to = bytes.len().min(from + length);
                replay.supply(Ok(&bytes[from..to]));
            }
            Step::Refuse(why) => panic!("{why}"),
            Step::Done(end) => return end,
            Step::Read { file, .. } => panic!("{file} is not there"),
            Step::FileStart { .. } | Step::Frame(_) | Step::Quarantine { .. } => {}
        }
    }
}
