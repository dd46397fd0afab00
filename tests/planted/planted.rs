//! Every bug that is planted has to be found, and nothing where none is.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::{available_parallelism, scope};
use std::time::Instant;

use tidegate_core::planted::{Planted, plant};
use tidegate_tests::sim::drill::DRILLS;
use tidegate_tests::sim::sample::Sample;
use tidegate_tests::sim::{KEPT_SEEDS, Mutation, Plan, at_rest, run};

/// Seeds from 0 within which a bug has to be found, in a world or else in a log at rest.
const SEEDS: u64 = 400;
/// So many come first: most bugs need no more. That nothing is found in them without a bug is
/// tried here; in the rest of them, and with other logs at rest and in drills, by the tests that
/// these are taken from.
const SEEDS_FIRST: u64 = 160;
/// Of what there is much of in a log at rest, one in so many is enough.
const STRIDE: usize = 41;

fn seeds() -> u64 {
    let asked = std::env::var("TIDEGATE_PLANTED_SEEDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(SEEDS)
}

/// Where a bug was found, and by what.
struct Catch {
    place: String,
    seeds: u64,
    failure: String,
}

/// The worlds of a seed: with a host that completes everything at once, and one that never does.
fn worlds(seed: u64) -> [Plan; 2] {
    [false, true].map(|is_async| Plan::draw(seed).with_host(is_async))
}

fn fails(seed: u64, bug: Option<Mutation>) -> Option<String> {
    let mut worlds = worlds(seed).into_iter();
    worlds.find_map(|plan| run(&plan, bug, false).failure)
}

fn in_a_log_at_rest() -> Option<String> {
    [Sample::new, Sample::with_snapshot]
        .iter()
        .find_map(|sample| {
            let tried = sample().and_then(|sample| at_rest::everything(&sample, STRIDE));
            tried.err()
        })
        .or_else(|| at_rest::alone(STRIDE).err())
}

fn in_a_walk() -> Option<String> {
    DRILLS.iter().find_map(|drill| drill.walk().err())
}

fn in_a_drill() -> Option<String> {
    DRILLS.iter().find_map(|drill| drill.run().err())
}

/// The first seed that finds it, and how.
fn in_worlds(
    bug: Option<Mutation>,
    mut seeds: impl Iterator<Item = u64>,
    tried: &mut u64,
) -> Option<(String, String)> {
    seeds.find_map(|seed| {
        *tried += 1;
        Some((format!("seed {seed}"), fails(seed, bug)?))
    })
}

/// Looks for what is planted: in a few worlds, in a log at rest, in known walks, in many worlds,
/// in all drills.
fn hunt(bug: Option<Mutation>) -> Option<Catch> {
    let mut tried = 0;
    let many = (SEEDS_FIRST..seeds()).chain(KEPT_SEEDS.iter().copied());
    let found = in_worlds(bug, 0..SEEDS_FIRST, &mut tried)
        .or_else(|| Some(("at rest".into(), in_a_log_at_rest()?)))
        .or_else(|| Some(("a walk".into(), in_a_walk()?)))
        .or_else(|| in_worlds(bug, many, &mut tried))
        .or_else(|| Some(("a drill".into(), in_a_drill()?)));
    let (place, failure) = found?;
    Some(Catch {
        place,
        seeds: tried,
        failure,
    })
}

/// What kind of failure it is: the word that it begins with, or what it is about.
fn kind(failure: &str) -> &'static str {
    [
        ("LOST", "lost"),
        ("UNREPORTED", "unreported"),
        ("INVENTED", "invented"),
        ("WRONG", "wrong"),
        ("HALF", "half"),
        ("GROWING", "loses more"),
        ("neighbour", "loses more"),
        ("costs too much", "loses more"),
        ("reports what is not hit", "false alarm"),
        ("torn tail", "torn for damaged"),
        ("ALARM", "false alarm"),
        ("STUCK", "stuck"),
        ("PANIC", "panic"),
        ("REFUSED", "refused"),
        ("not refused", "not refused"),
        ("UNBOUNDED", "unbounded"),
        ("ENDLESS", "unbounded"),
        ("CHANGED", "refused by halves"),
        ("UNRETIRED", "unretired"),
        ("UNMARKED", "unmarked"),
        ("only one", "copies"),
        ("CHAIN", "chain"),
        ("SALT", "salt"),
        ("GONE", "not kept"),
        ("UNLOGGED", "unlogged"),
        ("told as", "miscounted"),
    ]
    .iter()
    .find(|(word, _)| failure.contains(word))
    .map_or("other", |(_, kind)| kind)
}

/// The bugs of a list that the environment names by their words, or all.
fn chosen<T: Copy>(all: &[(T, &'static str)]) -> Vec<(T, &'static str)> {
    let word = std::env::var("TIDEGATE_PLANTED").unwrap_or_default();
    let is_chosen = |text: &str| text.contains(&word);
    let chosen = all.iter().filter(|(_, text)| is_chosen(text));
    chosen.copied().collect()
}

/// A line of the table.
fn line(who: &str, what: &str, catch: Option<&Catch>) -> String {
    let Some(Catch {
        place,
        seeds,
        failure,
    }) = catch
    else {
        return format!(
            "{:>20}  {:>5}  {:<17} {who} that {what}",
            "-", "-", "NOT FOUND"
        );
    };
    let kind = kind(failure);
    let line = format!("{place:>20}  {seeds:>5}  {kind:<17} {who} that {what}");
    if std::env::var("PLANTED_VERBOSE").is_err() {
        return line;
    }
    let start: String = failure.chars().take(240).collect();
    format!("{line}\n{:>29}{start}", "")
}

/// A bug of an engine or of a host, and what it does.
#[derive(Clone, Copy)]
enum Bug {
    Engine(Planted, &'static str),
    Host(Mutation, &'static str),
}

impl Bug {
    /// The line of the table, and what it does if it was not found.
    fn hunted(self) -> (String, Option<&'static str>) {
        let (who, text, catch) = match self {
            Self::Engine(bug, text) => {
                plant(Some(bug));
                ("an engine", text, hunt(None))
            }
            Self::Host(bug, text) => ("a host", text, hunt(Some(bug))),
        };
        plant(None);
        let escaped = catch.is_none().then_some(text);
        (line(who, text, catch.as_ref()), escaped)
    }
}

/// Hunts for all of them on all processors; tells each as soon as those before it are told.
fn hunt_all(bugs: &[Bug]) -> Vec<&'static str> {
    let next = AtomicUsize::new(0);
    let (tell, told) = channel();
    let threads = available_parallelism().map_or(1, NonZero::get);
    let mut all = BTreeMap::new();
    scope(|scope| {
        for _ in 0..threads {
            let (next, tell) = (&next, tell.clone());
            scope.spawn(move || {
                while let Some((at, bug)) = take(bugs, next) {
                    tell.send((at, bug.hunted())).expect("somebody listens");
                }
            });
        }
        drop(tell);
        let (mut waiting, mut printed) = (BTreeMap::new(), 0);
        for (at, (line, escaped)) in told {
            all.insert(at, escaped);
            waiting.insert(at, line);
            while let Some(line) = waiting.remove(&printed) {
                println!("{line}");
                printed += 1;
            }
        }
    });
    assert_eq!(all.len(), bugs.len(), "every bug was hunted");
    all.into_values().flatten().collect()
}

fn take(bugs: &[Bug], next: &AtomicUsize) -> Option<(usize, Bug)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, *bugs.get(at)?))
}

#[test]
fn every_planted_bug_is_found_and_nothing_else() {
    let began = Instant::now();
    if std::env::var("TIDEGATE_PLANTED").is_err() {
        let mut healthy = 0..SEEDS_FIRST;
        let alarm = healthy.find_map(|seed| Some((seed, fails(seed, None)?)));
        assert_eq!(alarm, None, "nothing is planted");
        assert_eq!(in_a_log_at_rest(), None, "nothing is planted");
        assert_eq!(in_a_walk(), None, "nothing is planted");
    }
    // Engines that panic are part of it.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    println!("{:>20}  {:>5}  {:<17} bug", "found in", "seeds", "found as");
    let engines = chosen(Planted::ALL).into_iter();
    let hosts = chosen(Mutation::ALL).into_iter();
    let bugs: Vec<Bug> = engines
        .map(|(bug, text)| Bug::Engine(bug, text))
        .chain(hosts.map(|(bug, text)| Bug::Host(bug, text)))
        .collect();
    let escaped = hunt_all(&bugs);
    std::panic::set_hook(hook);
    println!(
        "{} of {} planted bugs found; nothing found without one; {:.0} s",
        bugs.len() - escaped.len(),
        bugs.len(),
        began.elapsed().as_secs_f64()
    );
    assert!(escaped.is_empty(), "not found: {escaped:?}");
}
