//! The whole engine under seeded crashes and faults.
#![allow(missing_docs)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidegate_tests::sim::{Mutation, Plan, Report, Tally, replay_command, run, run_twice, shrink};

/// Seeds that failed once, or that reach rare branches. They always run.
const SEEDS: &str = include_str!("seeds.txt");
/// Worlds with seeds from 0 that always run, so that every branch is met.
const FIXED_WORLDS: u64 = 400;
/// Seeds within which every planted bug has to be found.
const CATCH_SEEDS: u64 = 400;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn budget() -> Duration {
    let seconds = number("TIDEGATE_SIM_SECONDS").unwrap_or(20);
    let minutes = number("PROOF_MINUTES").map_or(0, |minutes| minutes * 60);
    Duration::from_secs(seconds.max(minutes))
}

/// What a failed world's plan is cut down to, how to see it, and what it shows.
fn explain(plan: &Plan, report: &Report) -> String {
    let small = shrink(plan, None);
    let again = run(&small, None, true);
    let log = again.log.join("\n");
    format!(
        "seed {} fails: {}\nshrunk to: {}\n{}\nit then says: {}\nreplay: {}\n",
        plan.seed,
        report.failure.as_deref().unwrap_or_default(),
        small.describe(),
        log,
        again.failure.unwrap_or_default(),
        replay_command(&small)
    )
}

fn check(plan: &Plan, tally: &mut Tally) {
    let report = run_twice(plan);
    tally.add(&report);
    assert!(report.failure.is_none(), "{}", explain(plan, &report));
}

/// The one world that the environment asks for.
fn asked_for() -> Option<Plan> {
    let plan = Plan::draw(number("TIDEGATE_SIM_SEED")?);
    let mask = number("TIDEGATE_SIM_KINDS").map_or_else(|| plan.mask(), |mask| mask as u32);
    let steps = number("TIDEGATE_SIM_STEPS").map_or(plan.steps, |steps| steps as u32);
    let mut plan = plan.with_mask(mask);
    plan.steps = steps;
    Some(plan)
}

#[test]
fn nothing_promised_is_lost_and_nothing_is_wrong_in_any_world() {
    if let Some(plan) = asked_for() {
        println!("{}", plan.describe());
        let report = run(&plan, None, true);
        println!("{}\n{:?}", report.log.join("\n"), report.failure);
        assert_eq!(report.failure, None);
        return;
    }
    let began = Instant::now();
    let mut tally = Tally::default();
    let kept = SEEDS
        .lines()
        .filter_map(|line| line.split('#').next()?.trim().parse().ok());
    let kept: Vec<u64> = kept.collect();
    kept.iter()
        .for_each(|&seed| check(&Plan::draw(seed), &mut tally));
    (0..FIXED_WORLDS).for_each(|seed| check(&Plan::draw(seed), &mut tally));
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let first = since_epoch.map_or(0, |since| since.as_nanos() as u64) | 1 << 63;
    let (mut seed, fresh) = (first, Instant::now());
    while fresh.elapsed() < budget() {
        check(&Plan::draw(seed), &mut tally);
        seed += 1;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{}", tally.hits.table());
    println!(
        "{} kept seeds, seeds 0 to {FIXED_WORLDS}, seeds {first} to {seed}: {} worlds twice each, \
         {} crashes, {} acknowledged values, {:.0} worlds/s; 0 lost, 0 wrong, 0 unreported",
        kept.len(),
        tally.worlds,
        tally.crashes,
        tally.acked,
        tally.worlds as f64 / seconds
    );
    let missing = tally.hits.missing();
    assert!(
        missing.is_empty(),
        "never met, so nothing is proven of it: {missing:?}"
    );
}

#[test]
fn every_planted_bug_is_found() {
    let mut escaped = Vec::new();
    for &(bug, text) in Mutation::ALL {
        let caught = (0..CATCH_SEEDS).find_map(|seed| {
            let failure = run(&Plan::draw(seed), Some(bug), false).failure?;
            Some((seed, failure))
        });
        let Some((seed, failure)) = caught else {
            println!("{:>6}  {text}", "-");
            escaped.push(text);
            continue;
        };
        let what: String = failure.chars().take(60).collect();
        println!("{seed:>6}  a host that {text}: {what}");
    }
    assert!(
        escaped.is_empty(),
        "not found within {CATCH_SEEDS} seeds: {escaped:?}"
    );
}
