//! A torn tail, and bytes flipped on disk.

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_tests::r#gen::Rng;
use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::log;
use tidegate_tests::proof::points::points_of;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, PATIENCE, Server};

const POINTS: u64 = 60;

#[test]
fn reports_of_one_record_are_told_from_others() {
    let json = "{ \"damage\": [ {\"first_lsn\": 48, \"last_lsn\": 48, \"points\": 1} ] }";
    assert_eq!(one_record_lost(json), (true, true));
    assert_eq!(
        one_record_lost(&json.replace("\"points\": 1", "\"points\": null")),
        (true, false)
    );
    assert_eq!(
        one_record_lost(&json.replace(": 48,", ": 47,").replacen("47", "4", 1)),
        (false, true)
    );
    assert_eq!(one_record_lost(""), (false, false));
}

#[test]
fn a_torn_tail_is_reported_and_costs_nothing() {
    for face in Face::OURS {
        if face.is_here() {
            tear(face);
        }
    }
}

#[test]
fn a_flipped_byte_costs_one_record_and_is_reported() {
    for face in Face::OURS {
        if face.is_here() {
            flip(face);
        }
    }
}

/// Garbage where an unsynced write was under way, of several kinds, one crash after another.
fn tear(face: Face) {
    let mut rng = Rng::new(1);
    let home = crashed(face);
    let mut reported = 0;
    for kind in 0..4 {
        let segment = last_segment(home.path());
        let mut bytes = fs::read(&segment).expect("segment");
        let old = log::end(&bytes);
        bytes.truncate(old);
        match kind {
            0 => bytes.extend((0..777).map(|_| rng.next_u64() as u8)),
            1 => bytes.extend([[0; 5_000], [7; 5_000]].concat()),
            // A frame that is right in itself, at a place where it was never written.
            2 => bytes.extend_from_within(old / 2..),
            _ => bytes.extend((0..3).map(|_| 0xff)),
        }
        fs::write(&segment, &bytes).expect("segment");
        let server = Server::start(face, home.path()).expect("it starts with a torn tail");
        let stored = count(&server);
        assert_eq!(stored, POINTS + kind, "{} {kind}", face.name());
        reported += u64::from(tells_of_tail(&report(home.path())));
        let more = format!("m v={kind} {}", 1_000_000 + kind);
        write(&server, &more);
        server.kill().expect("kill");
    }
    assert!(reported > 0, "{}: no torn tail was reported", face.name());
    say(&format!(
        "kill, {}: 4 torn tails, {reported} runs reported them, {POINTS} points and those \
         written in between all there",
        face.name()
    ));
}

fn flip(face: Face) {
    let seed = u64::from(std::process::id());
    let mut rng = Rng::new(seed);
    let pristine = crashed(face);
    let segment = last_segment(pristine.path());
    let relative = segment.strip_prefix(pristine.path()).expect("inside");
    let length = log::end(&fs::read(&segment).expect("segment")) as u64;
    let (mut lost_in_all, mut known, mut silent) = (0, 0, 0);
    let flips = 16;
    for number in 0..flips {
        let copy = TempDir::new("flip").expect("dir");
        copy_tree(pristine.path(), copy.path());
        let path = copy.path().join(relative);
        let mut bytes = fs::read(&path).expect("segment");
        // Anywhere, or among the last records: what is before them is mostly said twice.
        let span = if number % 2 == 0 { length } else { length / 8 };
        let at = (length - span + rng.below(span)) as usize;
        bytes[at] ^= 1 << rng.below(8);
        fs::write(&path, &bytes).expect("segment");
        let server = Server::start(face, copy.path()).expect("it starts with damage");
        let stored = count(&server);
        let lost = POINTS - stored;
        let told = report(copy.path());
        let context = format!(
            "{}: seed {seed}, byte {at} of {length}: {told}",
            face.name()
        );
        assert!(lost <= 1, "{lost} points lost; {context}");
        if lost == 1 {
            let (reported, counted) = one_record_lost(&told);
            assert!(reported, "a lost point was not reported; {context}");
            known += u64::from(counted);
        }
        lost_in_all += lost;
        silent += u64::from(told.is_empty());
        let health = server.client().expect("connection").get("/health");
        let health = health.expect("answer");
        assert!(health.status == 200 || health.status == 503, "{context}");
        write(&server, "m v=1 9");
        server.kill().expect("kill");
    }
    assert!(
        lost_in_all > 0,
        "no flip hit a record, which proves nothing"
    );
    say(&format!(
        "kill, {}: {flips} flipped bytes, {lost_in_all} points lost, each reported as one \
         record, {known} with their count; {silent} harmless",
        face.name()
    ));
}

/// A data directory after a crash: `POINTS` single-line writes to `d`, all acknowledged.
fn crashed(face: Face) -> TempDir {
    let home = TempDir::new("crashed").expect("dir");
    let server = Server::start(face, home.path()).expect("server");
    server.execute("CREATE DATABASE d").expect("database");
    for number in 0..POINTS {
        write(&server, &format!("m v={number} {}", 1_000 + number));
    }
    // The register that proves the last record follows its sync; without it, damage to that one
    // record cannot be told from a torn tail (docs/durability.md).
    let start = std::time::Instant::now();
    let segment = last_segment(home.path());
    while !is_proven(&fs::read(&segment).expect("segment")) {
        assert!(
            start.elapsed() < PATIENCE,
            "no register follows the last sync"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    server.kill().expect("kill");
    home
}

/// Whether one of the two registers says that all of the segment is durable (docs/format.md).
fn is_proven(segment: &[u8]) -> bool {
    let ends = [4096, 8192].map(|slot| segment.get(slot + 16..slot + 24));
    let length = (log::end(segment) as u64).to_le_bytes();
    ends.contains(&Some(length.as_slice()))
}

fn write(server: &Server, line: &str) {
    let mut client = server.client().expect("connection");
    let answer = client.post("/write?db=d", line.as_bytes()).expect("answer");
    assert_eq!(answer.status, 204, "{}", answer.text());
}

/// How many points are stored, each with the value it was sent with.
fn count(server: &Server) -> u64 {
    let start = std::time::Instant::now();
    let answer = loop {
        let answer = server.query("d", "SELECT v FROM m").expect("answer");
        if answer.status != 503 || start.elapsed() > PATIENCE {
            break answer;
        }
    };
    let points = points_of(&answer.body).unwrap_or_else(|error| panic!("{error}"));
    for ((_, time), row) in &points {
        let expected = if *time < 1_000_000 {
            time - 1_000
        } else {
            time - 1_000_000
        };
        assert_eq!(row["v"], expected.to_string(), "an invented value");
    }
    points.len() as u64
}

/// What `recovery.json` of the one database says; empty if there is none.
fn report(home: &Path) -> String {
    let mut found = files(home).into_iter();
    let found = found.find(|path| path.ends_with("recovery.json"));
    found.map_or_else(String::new, |path| {
        fs::read_to_string(path).expect("report")
    })
}

fn tells_of_tail(report: &str) -> bool {
    report.contains("\"torn_bytes\"")
}

/// Whether the report tells of exactly one lost record, and whether of its one point: it
/// cannot where the damaged byte is the one that tells how many points there were.
fn one_record_lost(report: &str) -> (bool, bool) {
    let squeezed = report.replace([' ', '"'], "").to_ascii_lowercase();
    let after = |key: &str| -> Option<String> {
        let (_, rest) = squeezed.split_once(key)?;
        Some(rest.chars().take_while(char::is_ascii_digit).collect())
    };
    let lsns = after("first_lsn:").zip(after("last_lsn:"));
    let counted = squeezed.contains("points:1}");
    let uncounted = squeezed.contains("points:null}");
    let one = lsns.is_some_and(|(first, last)| first == last);
    (one && (counted || uncounted), counted)
}

fn last_segment(home: &Path) -> PathBuf {
    let mut segments: Vec<PathBuf> = files(home)
        .into_iter()
        .filter(|path| path.parent().is_some_and(|parent| parent.ends_with("wal")))
        .collect();
    segments.sort();
    segments.pop().expect("a segment")
}

fn files(home: &Path) -> Vec<PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![home.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

fn copy_tree(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).expect("inside"));
        fs::create_dir_all(target.parent().expect("parent")).expect("dir");
        fs::copy(&path, &target).expect("copied");
    }
}
