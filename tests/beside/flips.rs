//! One bit of a small log.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tidegate_tests::r#gen::Rng;
use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::points::points_of;
use tidegate_tests::proof::server::Face;

use crate::{files, last_segment, select, start, write};

pub(crate) const POINTS: u64 = 400;
const BODIES: u64 = 20;

/// How the runs ended.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// A point or a value nobody sent was served.
    pub wrong: u64,
    /// Points were missing, and nobody said so.
    pub unsaid: u64,
    /// Points were missing, and it was said.
    pub said: u64,
    /// It did not start, or did not answer.
    pub refused: u64,
    pub harmless: u64,
    /// Points missing in all runs together.
    pub lost: u64,
    /// In one run.
    pub lost_max: u64,
}

pub(crate) fn run(face: Face, bits: u64, seed: u64) -> Seen {
    let pristine = filled(face);
    let (next, seen) = (AtomicU64::new(0), Mutex::new(Seen::default()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= bits {
                        break;
                    }
                    flip(face, pristine.path(), seed + number, &seen);
                }
            });
        }
    });
    seen.into_inner().expect("seen")
}

/// A crash after acknowledged writes.
fn filled(face: Face) -> TempDir {
    let home = TempDir::new("beside").expect("dir");
    let server = start(face, home.path()).expect("server");
    server.execute("CREATE DATABASE d").expect("database");
    let mut client = server.client().expect("connection");
    for body in 0..BODIES {
        let each = POINTS / BODIES;
        let lines = (body * each..(body + 1) * each).map(line);
        write(&mut client, &lines.collect::<Vec<_>>().join("\n"));
    }
    // The register that proves the last record follows its sync.
    thread::sleep(Duration::from_millis(300));
    server.kill().expect("killed");
    home
}

fn line(number: u64) -> String {
    format!(
        "m,host=h{} v={} {}",
        number % 8,
        value(number),
        1_000 + number
    )
}

fn value(number: u64) -> f64 {
    number as f64 * 1.25 + 0.5
}

fn flip(face: Face, pristine: &Path, seed: u64, seen: &Mutex<Seen>) {
    let home = TempDir::new("beside").expect("dir");
    for path in files(pristine) {
        let target = home
            .path()
            .join(path.strip_prefix(pristine).expect("inside"));
        fs::create_dir_all(target.parent().expect("parent")).expect("dir");
        fs::copy(&path, &target).expect("copied");
    }
    // Its paths name the directory it was made in.
    let _ = fs::remove_file(home.path().join("influxdb.conf"));
    let segment = last_segment(home.path());
    let mut bytes = fs::read(&segment).expect("segment");
    let mut rng = Rng::new(seed);
    // Bytes that hold something: padding is not worth a run.
    let at = loop {
        let at = rng.index(bytes.len());
        if bytes[at] != 0 {
            break at;
        }
    };
    bytes[at] ^= 1 << rng.below(8);
    fs::write(&segment, bytes).expect("flipped");
    let _ = fs::remove_file(home.path().join("log"));

    let (wrong, lost) = served(face, home.path());
    let said = says_so(home.path());
    let mut seen = seen.lock().expect("seen");
    match (wrong, lost) {
        (_, None) => seen.refused += 1,
        (true, _) => seen.wrong += 1,
        (false, Some(0)) => seen.harmless += 1,
        (false, Some(_)) if said => seen.said += 1,
        (false, Some(_)) => seen.unsaid += 1,
    }
    seen.lost += lost.unwrap_or(0);
    seen.lost_max = seen.lost_max.max(lost.unwrap_or(0));
}

/// Whether anything is served that nobody sent, and how many points are missing.
fn served(face: Face, home: &Path) -> (bool, Option<u64>) {
    let Ok(server) = start(face, home) else {
        return (false, None);
    };
    let Ok(answer) = select(&server, "SELECT * FROM /.*/ GROUP BY *") else {
        return (false, None);
    };
    let Ok(stored) = points_of(&answer) else {
        return (true, Some(0));
    };
    let mut right = 0;
    for number in 0..POINTS {
        let key = (format!("m,host=h{}", number % 8), 1_000 + number as i64);
        let row = stored.get(&key);
        let cell = row
            .filter(|row| row.len() == 1)
            .and_then(|row| row.get("v"));
        let is_right = cell.and_then(|cell| cell.parse().ok()) == Some(value(number));
        right += u64::from(is_right);
    }
    server.kill().expect("killed");
    (stored.len() as u64 > right, Some(POINTS - right))
}

/// Whether the log or a report tells an operator that something was lost.
fn says_so(home: &Path) -> bool {
    let log = fs::read_to_string(home.join("log")).unwrap_or_default();
    let log = log.to_ascii_lowercase();
    let report = files(home)
        .into_iter()
        .find(|path| path.ends_with("recovery.json"));
    let report = report.map_or_else(String::new, |path| {
        fs::read_to_string(path).unwrap_or_default()
    });
    log.contains("corrupt") || report.contains("first_lsn")
}
