//! Storage that fails every call for a while, and then works again.

use std::thread;
use std::time::{Duration, Instant};

use tidegate_tests::proof::say;
use tidegate_tests::proof::server::Face;

use crate::book::{Counts, Told, client};
use crate::is_proof;
use crate::matrix::read_back;
use crate::scene::{Scene, Set};
use crate::traced::{Plan, Started, Subject, attach, detach, start};

/// Calls that fail together, how, and whether a write can be acknowledged nevertheless: a new
/// segment is only needed now and then.
const KINDS: [(&str, &str, bool); 5] = [
    ("fdatasync,fsync", "EIO", false),
    ("pwrite64", "EIO", false),
    ("pwrite64", "ENOSPC", false),
    ("fdatasync,fsync", "ENOSPC", false),
    ("openat", "ENOSPC", true),
];

pub(crate) fn run() {
    let set = Set::before(Scene::Again).expect("the scene is set");
    let (faces, befores): (&[Face], &[u64]) = if is_proof() {
        (&[Face::Native, Face::Guest], &[0, 1, 2, 3, 4, 5])
    } else {
        (&[Face::Native], &[1])
    };
    let mut runs = 0;
    let (mut counts, mut slowest) = (Counts::default(), Duration::ZERO);
    for &face in faces {
        for &before in befores {
            // Each waits more than it works.
            let ended: Vec<_> = thread::scope(|scope| {
                let set = &set;
                let run = |kind| scope.spawn(move || stick(face, set, before, kind));
                let threads = KINDS.map(run);
                threads.map(|thread| thread.join().expect("a run")).into()
            });
            for (kind, ended) in KINDS.iter().zip(ended) {
                let what = format!("{} {kind:?} after {before} writes", face.name());
                let (of_run, recovered) = ended.unwrap_or_else(|why| panic!("{what}: {why}"));
                runs += 1;
                counts += of_run;
                slowest = slowest.max(recovered);
            }
        }
    }
    say(&format!(
        "calls: {runs} times storage failed for good and came back: writes refused with 503 \
         meanwhile, taken again by themselves within {slowest:.1?}; {} acknowledged points: 0 \
         lost, {} refused",
        counts.acknowledged, counts.refused
    ));
}

fn stick(
    face: Face,
    set: &Set,
    before: u64,
    (calls, error, may_take): (&str, &str, bool),
) -> Result<(Counts, Duration), String> {
    let text = |error: std::io::Error| error.to_string();
    let mut set = set.copy().map_err(text)?;
    let home = set.home.path();
    let Started::Up(mut subject) = start(face, home, Plan::Alone).map_err(text)? else {
        return Err("it does not start".to_owned());
    };
    set.book.write_until_taken(&subject, "d")?;
    for count in 0..before {
        set.book.write(&subject, "d", 1 + count, 700)?;
    }
    let tracer = attach(&subject, home, calls, error).map_err(text)?;
    let mut told = Told::Done;
    // A segment is full after fewer.
    for _ in 0..30 {
        told = set.book.write(&subject, "d", 1, 700)?;
        if told != Told::Done {
            break;
        }
        if !may_take {
            return Err("a write was acknowledged that cannot be durable".to_owned());
        }
    }
    if told != Told::Refused {
        return Err(format!("a write that cannot be kept was told {told:?}"));
    }
    if error == "EIO" {
        health_fails(&subject)?;
    }
    detach(tracer).map_err(text)?;
    let recovered = set.book.write_until_taken(&subject, "d")?;
    set.book.check(&subject)?;
    subject.kill().map_err(text)?;
    let Set { home, mut book } = set;
    read_back(home.path(), &mut book, false)?;
    Ok((book.counts(), recovered))
}

fn health_fails(subject: &Subject) -> Result<(), String> {
    let start = Instant::now();
    loop {
        let health = client(subject).and_then(|mut client| client.get("/health"));
        let health = health.map_err(|error| error.to_string())?;
        if health.status == 503 {
            return Ok(());
        }
        if start.elapsed() > Duration::from_secs(10) {
            return Err(format!("/health says {}", health.text()));
        }
        thread::sleep(Duration::from_millis(10));
    }
}
