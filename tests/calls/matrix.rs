//! Every recorded call, met by every kind of fault.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tidegate_tests::r#gen::Rng;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::Face;

use crate::book::{Book, Counts, client};
use crate::is_proof;
use crate::scene::{Scene, Set, files};
use crate::traced::{Call, Fault, Plan, Started, Subject, calls, start, was_injected};

/// How long the sample of `make test` takes.
const SAMPLE: Duration = Duration::from_secs(12);
/// Of so many runs one is repeated with the engine in the guest: which calls there are is decided
/// by the engine, how they are made by the host, and a guest takes a second of computing to start.
const GUEST_STEP: usize = 5;
/// Runs at the same time; each mostly waits for syncs.
const RUNNERS: usize = 2;

/// One run.
#[derive(Clone, Debug)]
struct Case {
    face: Face,
    scene: Scene,
    call: Call,
    nth: usize,
    fault: Fault,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (face, scene, fault) = (self.face.name(), self.scene.name(), self.fault.name());
        let Call { name, file } = &self.call;
        write!(f, "{face}/{scene}/{name} {file}#{}/{fault}", self.nth)
    }
}

/// What came of all runs.
#[derive(Debug, Default)]
struct Tally {
    runs: BTreeMap<(Face, Fault), usize>,
    /// Calls that did not come this time, so that nothing was injected.
    missed: usize,
    /// Servers that refused to start, or ended by themselves, over an error.
    down: usize,
    counts: Counts,
    slowest: Duration,
    failures: Vec<String>,
}

/// How one run ended.
struct Outcome {
    hit: bool,
    down: bool,
    counts: Counts,
    recovered: Duration,
}

pub(crate) fn run() {
    let sets = Scene::ALL.map(|scene| Set::before(scene).expect("the scene is set"));
    let mut cases = Vec::new();
    for (scene, set) in Scene::ALL.into_iter().zip(&sets) {
        let recorded = record(scene, set);
        let (calls, kinds) = (recorded.len(), recorded_kinds(&recorded));
        say(&format!(
            "calls, {}: {calls} storage calls: {kinds}",
            scene.name()
        ));
        assert!(calls > 20, "the trace is empty");
        cases.extend(cases_of(Face::Native, scene, &recorded));
        let guest = cases_of(Face::Guest, scene, &recorded);
        cases.extend(guest.into_iter().step_by(GUEST_STEP));
    }
    select(&mut cases);
    let until = (!is_proof()).then(|| Instant::now() + SAMPLE);
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    thread::scope(|scope| {
        for _ in 0..RUNNERS {
            scope.spawn(|| {
                while until.is_none_or(|until| Instant::now() < until) {
                    let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        break;
                    };
                    let outcome = meet(case, &sets[case.scene as usize]);
                    tally.lock().expect("tally").add(case, outcome);
                }
            });
        }
    });
    let tally = tally.into_inner().expect("tally");
    tally.tell(cases.len());
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    assert!(!tally.runs.is_empty(), "nothing was injected");
}

/// The calls of a run in which nothing goes wrong.
fn record(scene: Scene, set: &Set) -> Vec<Call> {
    let mut set = set.copy().expect("copied");
    let started = start(Face::Native, set.home.path(), Plan::Record).expect("started");
    let Started::Up(mut subject) = started else {
        panic!("it does not start under strace");
    };
    scene.play(&subject, &mut set.book).expect("played");
    subject.kill().expect("killed");
    let counts = set.book.counts();
    assert!(counts.refused + counts.unanswered == 0, "{counts:?}");
    calls(set.home.path()).expect("a trace")
}

fn recorded_kinds(recorded: &[Call]) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for call in recorded {
        *kinds.entry(&call.name).or_default() += 1;
    }
    let kinds = kinds.iter().map(|(name, count)| format!("{count} {name}"));
    kinds.collect::<Vec<_>>().join(", ")
}

fn cases_of(face: Face, scene: Scene, recorded: &[Call]) -> Vec<Case> {
    let mut seen: BTreeMap<&Call, usize> = BTreeMap::new();
    let mut cases = Vec::new();
    for call in recorded {
        let nth = seen.entry(call).or_default();
        *nth += 1;
        let reads = ["read", "pread64", "getdents64"].contains(&call.name.as_str());
        for fault in Fault::ALL {
            // No read ever finds a disk full.
            if !(reads && fault == Fault::Space) {
                cases.push(Case {
                    face,
                    scene,
                    call: call.clone(),
                    nth: *nth,
                    fault,
                });
            }
        }
    }
    cases
}

/// What `CALLS_ONLY` asks for; or all; or a sample in random order, with few of the guest.
fn select(cases: &mut Vec<Case>) {
    if let Ok(only) = std::env::var("CALLS_ONLY") {
        cases.retain(|case| case.to_string().contains(&only));
        return;
    }
    if is_proof() {
        return;
    }
    let seed = std::env::var("CALLS_SEED").ok();
    let seed = seed.map_or_else(
        || u64::from(std::process::id()),
        |text| text.parse().expect("CALLS_SEED is a number"),
    );
    say(&format!("calls: CALLS_SEED={seed}"));
    let mut rng = Rng::new(seed);
    cases.retain(|case| case.face == Face::Native || rng.one_in(5));
    for index in (1..cases.len()).rev() {
        cases.swap(index, rng.index(index + 1));
    }
}

/// One run: meets the fault, goes on, crashes, and is read back.
fn meet(case: &Case, set: &Set) -> Result<Outcome, String> {
    let Set { home, mut book } = set.copy().map_err(text)?;
    let home = home.path();
    let path = home.join(&case.call.file);
    let plan = Plan::Once {
        call: &case.call.name,
        path: &path,
        nth: case.nth,
        fault: case.fault,
    };
    let mut outcome = Outcome {
        hit: false,
        down: true,
        counts: Counts::default(),
        recovered: Duration::ZERO,
    };
    match start(case.face, home, plan).map_err(text)? {
        Started::Up(mut subject) => {
            let gone_on = go_on(case, &subject, &mut book);
            // A call that the server makes at a time of its own may kill it anywhere in between.
            outcome.down = (gone_on.is_err() || book.silence) && subject.dies();
            if !outcome.down {
                outcome.recovered = gone_on.map_err(|why| met(&why, home))?;
            } else if case.fault != Fault::Kill {
                return Err(format!("it ended: {}", subject.log_tail()));
            }
            subject.kill().map_err(text)?;
        }
        Started::Down(why) => {
            let told = case.fault == Fault::Kill || why.contains("tidegate: ");
            if !told {
                return Err(format!("it ended without a word: {why}"));
            }
        }
    }
    outcome.hit = was_injected(home).map_err(text)?;
    let read = read_back(home, &mut book, is_unread(case));
    read.map_err(|why| format!("afterwards: {}", met(&why, home)))?;
    outcome.counts = book.counts();
    Ok(outcome)
}

/// Plays the scene; how long until writes were taken again.
fn go_on(case: &Case, subject: &Subject, book: &mut Book) -> Result<Duration, String> {
    case.scene.play(subject, book)?;
    if book.silence && subject.dies() {
        return Ok(Duration::ZERO);
    }
    let recovered = book.write_until_taken(subject, "d")?;
    book.check(subject)?;
    healthy(subject, case)?;
    Ok(recovered)
}

/// What went wrong, and what the server and the tracer wrote.
fn met(why: &str, home: &Path) -> String {
    let last = |name| {
        let text = std::fs::read(home.join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n  ")
    };
    format!("{why}\n  {}\n  {}", last("log"), last("trace"))
}

/// Reading what cannot be read is told as damage by the run that could not.
fn is_unread(case: &Case) -> bool {
    case.fault == Fault::Io && case.call.name == "pread64"
}

fn healthy(subject: &Subject, case: &Case) -> Result<(), String> {
    let health = client(subject).and_then(|mut client| client.get("/health"));
    let health = health.map_err(text)?;
    let damaged = health.text().contains("damaged");
    if health.status == 200 && (!damaged || is_unread(case)) {
        return Ok(());
    }
    Err(format!("/health: {} {}", health.status, health.text()))
}

/// Starts without any fault, twice, with a write and a crash in between.
pub(crate) fn read_back(home: &Path, book: &mut Book, may_tell: bool) -> Result<(), String> {
    for round in 0..2 {
        let started = start(Face::Native, home, Plan::Alone).map_err(text)?;
        let Started::Up(mut subject) = started else {
            return Err("it does not start again".to_owned());
        };
        let checked = book.check(&subject);
        checked.map_err(|why| format!("start {}: {why}", round + 1))?;
        if !may_tell {
            no_alarm(home).map_err(text)?;
        }
        book.create(&subject, "d");
        book.write_until_taken(&subject, "d")?;
        subject.kill().map_err(text)?;
    }
    Ok(())
}

/// No report tells of damage.
fn no_alarm(home: &Path) -> io::Result<()> {
    for path in files(home)? {
        if path.ends_with("recovery.json") {
            let report = std::fs::read_to_string(&path)?;
            let json: serde_json::Value = serde_json::from_str(&report)?;
            let damage = json.get("damage").and_then(|damage| damage.as_array());
            if damage.is_none_or(|damage| !damage.is_empty()) {
                return Err(io::Error::other(format!("a false alarm: {report}")));
            }
        }
    }
    Ok(())
}

fn text(error: io::Error) -> String {
    error.to_string()
}

impl Tally {
    fn add(&mut self, case: &Case, outcome: Result<Outcome, String>) {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(why) => {
                say(&format!("calls: FAILED {case}: {why}"));
                self.failures.push(format!("CALLS_ONLY='{case}': {why}"));
                return;
            }
        };
        if !outcome.hit {
            self.missed += 1;
            return;
        }
        *self.runs.entry((case.face, case.fault)).or_default() += 1;
        self.down += usize::from(outcome.down && case.fault != Fault::Kill);
        self.counts += outcome.counts;
        self.slowest = self.slowest.max(outcome.recovered);
    }

    fn tell(&self, planned: usize) {
        for ((face, fault), runs) in &self.runs {
            let (face, fault) = (face.name(), fault.name());
            say(&format!(
                "calls, {face}: {runs} calls met by {fault}, all survived"
            ));
        }
        let Counts {
            acknowledged,
            refused,
            unanswered,
        } = self.counts;
        let (missed, down, slowest) = (self.missed, self.down, self.slowest);
        say(&format!(
            "calls: of {planned} runs {} failed, {missed} met nothing, in {down} the server \
             refused to start over an error; the longest until writes were taken again: \
             {slowest:.1?}; {acknowledged} acknowledged points: 0 lost; {refused} refused, \
             {unanswered} unanswered",
            self.failures.len()
        ));
    }
}
