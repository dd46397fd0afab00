//! A disk that fills up and is freed again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server};

use crate::disk::SmallDisk;

#[test]
fn a_full_disk_is_a_passing_refusal() {
    for face in [Face::Guest, Face::Native] {
        if face.is_here() {
            fill_and_free(face);
        }
    }
}

fn fill_and_free(face: Face) {
    let home = TempDir::new("full").expect("dir");
    let Some(disk) = SmallDisk::new(&home) else {
        return;
    };
    let server = disk.start(face, &home, &[]);
    server.execute("CREATE DATABASE d").expect("database");
    let mut told = Told::default();
    for _ in 0..20 {
        assert_eq!(told.write(&server), 204);
    }
    for round in 0..2 {
        disk.fill();
        // What is left of the last block may still take a few.
        let start = Instant::now();
        let refused = loop {
            let status = told.write(&server);
            if status != 204 || start.elapsed() > Duration::from_secs(20) {
                break status;
            }
        };
        assert_eq!(refused, 503, "{} round {round}", face.name());
        let ping = server.client().expect("connection").get("/ping");
        assert_eq!(ping.expect("answer").status, 204);
        told.check(&server);
        disk.free();
        let start = Instant::now();
        while told.write(&server) != 204 {
            let waited = start.elapsed();
            assert!(
                waited < Duration::from_secs(20),
                "no writes {waited:?} after space came"
            );
            sleep(Duration::from_millis(100));
        }
        told.check(&server);
    }
    let refused = told.refused.len();
    server.kill().expect("killed");
    let server = disk.start(face, &home, &[]);
    told.check(&server);
    say(&format!(
        "cli, {}: disk full twice: {refused} bodies refused with 503, {} acknowledged points \
         all there, also after a kill; resumed by itself",
        face.name(),
        told.acknowledged.len()
    ));
}

#[test]
fn what_was_accepted_before_the_disk_filled_is_acknowledged() {
    for face in [Face::Guest, Face::Native] {
        if face.is_here() {
            fill_under_load(face, &[], true);
        }
    }
    // Without a reserve some of it is not, or this test could not fail.
    if Face::Native.is_here() {
        let off = ("TIDEGATE_DATA_SPACE_RESERVE_SIZE", "0");
        fill_under_load(Face::Native, &[off], false);
    }
}

fn fill_under_load(face: Face, variables: &[(&str, &str)], has_reserve: bool) {
    let home = TempDir::new("full-load").expect("dir");
    let Some(disk) = SmallDisk::new(&home) else {
        return;
    };
    let server = disk.start(face, &home, variables);
    assert_eq!(disk.reserve_bytes() > 1 << 20, has_reserve);
    server.execute("CREATE DATABASE d").expect("database");
    server.execute("CREATE DATABASE e").expect("database");
    let load = Load::default();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (load, server) = (&load, &server);
            scope.spawn(move || load.write_until_full(server, writer));
        }
        sleep(Duration::from_millis(100));
        disk.fill();
    });
    let acknowledged = load.acknowledged.into_inner().expect("unpoisoned");
    let broken = load.broken.into_inner().expect("unpoisoned");
    let context = format!("{}, reserve: {has_reserve}", face.name());
    assert!(acknowledged.len() > 20, "{context}");
    assert_eq!(broken.is_empty(), has_reserve, "{context}: {broken:?}");
    if !has_reserve {
        return;
    }
    assert_eq!(disk.reserve_bytes(), 0, "{context}: it was given back");
    for (database, number) in &acknowledged {
        assert!(
            is_there(&server, database, *number),
            "{context}: {database} {number}"
        );
    }
    let health = server
        .client()
        .expect("connection")
        .get("/health")
        .expect("answer");
    assert_eq!(health.status, 503, "{context}");
    assert!(health.text().contains("disk is full"), "{}", health.text());
    server.kill().expect("killed");
    // Still full: what was acknowledged is there, and nothing is taken.
    let server = disk.start(face, &home, variables);
    for (database, number) in &acknowledged {
        assert!(
            is_there(&server, database, *number),
            "{context}: {database} {number}"
        );
    }
    let mut told = Told::default();
    assert_eq!(told.write(&server), 503, "{context}");
    disk.free();
    let start = Instant::now();
    while told.write(&server) != 204 {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{context}: no writes"
        );
        sleep(Duration::from_millis(100));
    }
    assert!(
        disk.reserve_bytes() > 1 << 20,
        "{context}: it is there again"
    );
    say(&format!(
        "cli, {context}: the disk filled under load of four writers: {} bodies of 2 KB \
         acknowledged and all there, also after a kill on the full disk; no answer was broken; \
         writes went on {:?} after space came",
        acknowledged.len(),
        start.elapsed()
    ));
}

fn is_there(server: &Server, database: &str, number: u64) -> bool {
    let statement = format!("SELECT v FROM m WHERE time = {number}");
    let answer = server.query(database, &statement).expect("answer").text();
    answer.contains(&format!("[{number},{number}]"))
}

/// Writers and what they were told.
#[derive(Default)]
struct Load {
    is_full: AtomicBool,
    acknowledged: Mutex<Vec<(&'static str, u64)>>,
    /// Answers to what had been accepted and was not made durable.
    broken: Mutex<Vec<String>>,
}

impl Load {
    fn write_until_full(&self, server: &Server, writer: u64) {
        let database = ["d", "e"][writer as usize % 2];
        let mut client = server.client().expect("connection");
        for number in (writer..).step_by(4) {
            if self.is_full.load(Ordering::Relaxed) {
                return;
            }
            let line = format!("m,pad={} v={number}i {number}", "x".repeat(2_000));
            let target = format!("/write?db={database}");
            let answer = client.post(&target, line.as_bytes()).expect("answer");
            let text = answer.text();
            match answer.status {
                204 => {
                    let mut acknowledged = self.acknowledged.lock().expect("unpoisoned");
                    acknowledged.push((database, number));
                }
                503 => {
                    self.is_full.store(true, Ordering::Relaxed);
                    assert!(answer.header("Retry-After").is_some(), "{text}");
                    // Refused is one thing; accepted and not kept is another.
                    if !text.contains("no space") {
                        self.broken.lock().expect("unpoisoned").push(text);
                    }
                    return;
                }
                other => panic!("{other}: {text}"),
            }
        }
    }
}

/// What was sent, by the answer it got.
#[derive(Default)]
struct Told {
    next: u64,
    acknowledged: Vec<u64>,
    refused: Vec<u64>,
}

impl Told {
    fn write(&mut self, server: &Server) -> u16 {
        let number = self.next;
        self.next += 1;
        let line = format!("m,pad={} v={number}i {number}", "x".repeat(200));
        let mut client = server.client().expect("connection");
        let answer = client.post("/write?db=d", line.as_bytes()).expect("answer");
        match answer.status {
            204 => self.acknowledged.push(number),
            503 => {
                let after = answer
                    .header("Retry-After")
                    .and_then(|text| text.parse::<u32>().ok());
                assert!(
                    after.is_some(),
                    "503 without Retry-After: {}",
                    answer.text()
                );
                self.refused.push(number);
            }
            other => panic!("{other}: {}", answer.text()),
        }
        answer.status
    }

    fn check(&self, server: &Server) {
        let answer = server.query("d", "SELECT v FROM m").expect("answer").text();
        for number in &self.acknowledged {
            let there = answer.contains(&format!("[{number},{number}]"));
            assert!(there, "acknowledged point {number} is gone: {answer}");
        }
    }
}
