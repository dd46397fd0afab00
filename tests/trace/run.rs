//! Many seeds on all players.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tidegate_tests::sim::{Plan, replay_command, run_taped};
use tidegate_tests::trace::{Calls, Coverage, Fold, Recorded, Tape};

use crate::guest::Wasmtime;
use crate::player::{Played, Player};
use crate::v8::V8;

/// What a replay runs: the packages that are built together, so that nothing is built twice.
const REPLAY: &str = "cargo test --release -p tidegate -p tidegate-wasm -p tidegate-wasm-build \
                      -p tidegate-tests --test trace a_seed -- --nocapture";

/// The world of a seed, natively, and what its oracle has against it; keeps the outcome of call
/// `watch` to show it.
pub(crate) fn record(seed: u64, watch: Option<u32>) -> (Recorded, Option<String>) {
    let tape = Tape::new(seed, watch);
    let plan = Plan::draw(seed);
    let report = run_taped(&plan, &tape);
    let wrong = report.failure.map(|what| {
        let what: String = what.chars().take(300).collect();
        format!("{what}\n  {}", replay_command(&plan))
    });
    (tape.end(), wrong)
}

/// What was compared.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// Per seed: the hashes natively and of each player.
    hashes: Vec<(u64, [u64; 3])>,
    calls: u64,
    tape_bytes: u64,
    pub(crate) coverage: Coverage,
    /// Worlds that the simulator's oracle condemns, whatever the trace says.
    pub(crate) wrong: Vec<(u64, String)>,
}

impl Runs {
    /// Plays every seed everywhere.
    ///
    /// # Panics
    /// At the first seed that differs; the message holds the first call that does, and a command.
    pub(crate) fn of(seeds: Range<u64>, wasmtime: &Wasmtime, guest: &[u8]) -> Self {
        let first_failed = AtomicU64::new(u64::MAX);
        let workers = thread::available_parallelism().map_or(1, |count| count.get().min(8));
        let work = |worker: usize| {
            let seeds = seeds.clone().skip(worker).step_by(workers);
            Self::of_worker(seeds, wasmtime.clone(), guest, &first_failed)
        };
        let work = &work;
        let results: Vec<Result<Self, (u64, String)>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..workers)
                .map(|worker| scope.spawn(move || work(worker)))
                .collect();
            let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
            joined.map(|done| done.expect("a worker ends")).collect()
        });
        let mut all = Self::default();
        let mut failures = Vec::new();
        for result in results {
            match result {
                Ok(runs) => all.add(runs),
                Err(failure) => failures.push(failure),
            }
        }
        failures.sort();
        if let Some((_, text)) = failures.first() {
            panic!("{text}");
        }
        all.hashes.sort_unstable();
        all.wrong.sort();
        all
    }

    fn of_worker(
        seeds: impl Iterator<Item = u64>,
        mut wasmtime: Wasmtime,
        guest: &[u8],
        first_failed: &AtomicU64,
    ) -> Result<Self, (u64, String)> {
        let mut runs = Self::default();
        let mut v8 = V8::start(guest);
        for seed in seeds.take_while(|&seed| seed < first_failed.load(Ordering::Relaxed)) {
            let (recorded, wrong) = record(seed, None);
            // Node is at it while wasmtime plays here.
            v8.begin(&recorded, None);
            let here = wasmtime.end(&recorded);
            let there = v8.end(&recorded);
            let mut hashes = [recorded.hash; 3];
            let players: [(&mut dyn Player, Played); 2] = [(&mut wasmtime, here), (&mut v8, there)];
            for (at, (player, played)) in players.into_iter().enumerate() {
                match played {
                    Played::Same(hash) => hashes[at + 1] = hash,
                    other => {
                        first_failed.fetch_min(seed, Ordering::Relaxed);
                        return Err((seed, explain(seed, &recorded, player, &other)));
                    }
                }
            }
            runs.hashes.push((seed, hashes));
            runs.calls += u64::from(recorded.calls);
            runs.tape_bytes += recorded.tape.len() as u64;
            runs.coverage.add(&recorded.coverage);
            runs.wrong.extend(wrong.map(|what| (seed, what)));
        }
        Ok(runs)
    }

    fn add(&mut self, other: Self) {
        self.hashes.extend(other.hashes);
        self.calls += other.calls;
        self.tape_bytes += other.tape_bytes;
        self.coverage.add(&other.coverage);
        self.wrong.extend(other.wrong);
    }

    /// The combined hash of each runtime, which the reader can compare too, and what was covered.
    pub(crate) fn describe(&self, seeds: &Range<u64>, took: Duration) -> String {
        let combined = [0, 1, 2].map(|runtime| {
            let mut fold = Fold::default();
            for (seed, hashes) in &self.hashes {
                fold.number(*seed);
                fold.number(hashes[runtime]);
            }
            fold.value()
        });
        format!(
            "{}trace: seeds {} to {}, {} calls and {} MB of tape in {:.0} s; hash after every \
             call equal; all together: native {:016x}, wasmtime {:016x}, V8 {:016x}",
            self.coverage.table(),
            seeds.start,
            seeds.end - 1,
            self.calls,
            self.tape_bytes >> 20,
            took.as_secs_f64(),
            combined[0],
            combined[1],
            combined[2]
        )
    }
}

/// The first call that differs, what it gave on both sides, and how to see it again.
fn explain(seed: u64, recorded: &Recorded, player: &mut dyn Player, played: &Played) -> String {
    let name = player.name();
    let (at, what) = match played {
        Played::Differs(at) => {
            let native = record(seed, Some(*at)).0.watched.unwrap_or_default();
            player.begin(recorded, Some(*at));
            let what = match player.end(recorded) {
                Played::Shown(other) => format!(
                    "{}\nnative: {native}\n{name}: {other}",
                    native.compare(&other)
                ),
                other => format!("natively {native}, and it says {other:?}"),
            };
            (*at, what)
        }
        Played::Trapped(at, text) => (*at, format!("{name} traps: {text}")),
        other => (0, format!("{name} answers {other:?}")),
    };
    let mut calls = Calls::new(&recorded.tape).take(at as usize + 1);
    let lives = calls.by_ref().filter(|(call, _)| call.name() == "open");
    let life = lives.count();
    let call = Calls::new(&recorded.tape).nth(at as usize);
    let asked = call.map_or_else(String::new, |(call, _)| call.to_string());
    let guest = std::env::var("TIDEGATE_GUEST");
    let guest = guest.map_or_else(|_| String::new(), |path| format!("TIDEGATE_GUEST={path} "));
    format!(
        "seed {seed}: {name} differs from native at call {at}, in life {life}: {asked}\n{what}\n\
         replay: TIDEGATE_TRACE_SEED={seed} {guest}{REPLAY}"
    )
}
