//! Writes that end at a byte: no file may grow beyond it. `RLIMIT_FSIZE` makes the kernel write
//! what fits and fail the rest (EFBIG), or kill the server at exactly that byte.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tidegate_tests::r#gen::Rng;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::Face;

use crate::book::Counts;
use crate::is_proof;
use crate::matrix::read_back;
use crate::scene::{Scene, Set};
use crate::traced::{Plan, Started, last_group, start};

/// How long the sample of `make test` takes.
const SAMPLE: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Tally {
    runs: usize,
    /// Servers that did not start, or were killed.
    down: usize,
    counts: Counts,
    slowest: Duration,
    failures: Vec<String>,
}

pub(crate) fn run() {
    let sets = Scene::ALL.map(|scene| Set::before(scene).expect("the scene is set"));
    let cases = cases(&sets[0]);
    let until = (!is_proof()).then(|| Instant::now() + SAMPLE);
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while until.is_none_or(|until| Instant::now() < until) {
                    let Some(&case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        break;
                    };
                    let ended = cut(case, &sets[case.0 as usize]);
                    let mut tally = tally.lock().expect("tally");
                    match ended {
                        Ok((down, counts, recovered)) => {
                            tally.runs += 1;
                            tally.down += usize::from(down);
                            tally.counts += counts;
                            tally.slowest = tally.slowest.max(recovered);
                        }
                        Err(why) => tally.failures.push(format!("{case:?}: {why}")),
                    }
                }
            });
        }
    });
    let tally = tally.into_inner().expect("tally");
    let Tally {
        runs,
        down,
        counts,
        slowest,
        failures,
    } = tally;
    say(&format!(
        "calls: {runs} of {} short writes survived ({down} of them a server killed at the byte or \
         refusing to start); taken again by themselves within {slowest:.1?}; {} acknowledged \
         points: 0 lost, {} refused, {} unanswered",
        cases.len(),
        counts.acknowledged,
        counts.refused,
        counts.unanswered
    ));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(runs > 0 && counts.refused > 0, "nothing was cut short");
}

/// Every byte around one group, and steps over everything before and after; shuffled for a sample.
fn cases(first: &Set) -> Vec<(Scene, u64, bool)> {
    let mut set = first.copy().expect("copied");
    let started = start(Face::Native, set.home.path(), Plan::Record).expect("started");
    let Started::Up(mut subject) = started else {
        panic!("it does not start under strace");
    };
    Scene::First.play(&subject, &mut set.book).expect("played");
    subject.kill().expect("killed");
    let (from, to) = last_group(set.home.path()).expect("a group");
    let mut cases = Vec::new();
    for deadly in [false, true] {
        cases.extend((from - 2..=to + 2).map(|byte| (Scene::First, byte, deadly)));
        cases.extend(
            (0..from)
                .step_by(127)
                .map(|byte| (Scene::First, byte, deadly)),
        );
        cases.extend(
            (0..28 << 10)
                .step_by(127)
                .map(|byte| (Scene::Again, byte, deadly)),
        );
    }
    say(&format!(
        "calls: the group at {from}..{to} is cut at every byte"
    ));
    if !is_proof() {
        let mut rng = Rng::new(u64::from(std::process::id()));
        for index in (1..cases.len()).rev() {
            cases.swap(index, rng.index(index + 1));
        }
    }
    cases
}

/// One run; whether the server was killed, the counts, and how long until writes were taken.
fn cut(
    (scene, bytes, deadly): (Scene, u64, bool),
    set: &Set,
) -> Result<(bool, Counts, Duration), String> {
    let text = |error: std::io::Error| error.to_string();
    let Set { home, mut book } = set.copy().map_err(text)?;
    let plan = Plan::Short { bytes, deadly };
    let (mut down, mut recovered) = (true, Duration::ZERO);
    if let Started::Up(mut subject) = start(Face::Native, home.path(), plan).map_err(text)? {
        book.fault_stays = true;
        scene.play(&subject, &mut book)?;
        down = book.silence && subject.dies();
        if !down {
            subject.unlimit().map_err(text)?;
            book.create(&subject, "d");
            recovered = book.write_until_taken(&subject, "d")?;
            book.check(&subject)?;
        }
        subject.kill().map_err(text)?;
    }
    read_back(home.path(), &mut book, false)?;
    Ok((down, book.counts(), recovered))
}
