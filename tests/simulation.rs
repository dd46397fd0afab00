//! The whole engine under seeded crashes and faults.
#![allow(missing_docs)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidegate_tests::sim::drill::DRILLS;
use tidegate_tests::sim::{
    Hits, KEPT_SEEDS, Plan, Report, Tally, replay_command, run, run_checked, shrink,
};

/// Worlds with seeds from 0 that always run, so that every branch is met.
const FIXED_WORLDS: u64 = 400;

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
    let report = run_checked(plan);
    tally.add(&report);
    assert!(report.failure.is_none(), "{}", explain(plan, &report));
}

/// A seed with a host that completes everything at once, and with one that never does.
fn check_seed(seed: u64, tally: &mut Tally) {
    let plan = Plan::draw(seed);
    [false, true]
        .iter()
        .for_each(|&is_async| check(&plan.with_host(is_async), tally));
    tally.seeds += 1;
}

/// The commit that is checked, where there is a repository.
fn commit() -> String {
    let asked = std::process::Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output();
    let answer = asked.ok().filter(|asked| asked.status.success());
    answer.map_or_else(
        || "unknown".into(),
        |answer| String::from_utf8_lossy(&answer.stdout).trim().to_owned(),
    )
}

#[test]
fn nothing_promised_is_lost_and_nothing_is_wrong_in_any_world() {
    if let Some(plan) = Plan::asked_for(|name| std::env::var(name).ok()) {
        println!("{}", plan.describe());
        let report = run(&plan, None, true);
        println!("{}\n{:?}", report.log.join("\n"), report.failure);
        assert_eq!(report.failure, None);
        return;
    }
    let began = Instant::now();
    let mut tally = Tally::default();
    for &seed in KEPT_SEEDS.iter() {
        check(&Plan::draw_early(seed), &mut tally);
        check_seed(seed, &mut tally);
    }
    (0..FIXED_WORLDS).for_each(|seed| check_seed(seed, &mut tally));
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let first = since_epoch.map_or(0, |since| since.as_nanos() as u64) | 1 << 63;
    let (mut seed, fresh) = (first, Instant::now());
    while fresh.elapsed() < budget() {
        check_seed(seed, &mut tally);
        seed += 1;
    }
    println!("{}", tally.hits.table());
    println!(
        "seeds 0 to {FIXED_WORLDS} and {first} to {seed}; {:.0} worlds/s",
        tally.worlds as f64 / began.elapsed().as_secs_f64()
    );
    let missing = tally.hits.missing();
    println!(
        "simulation at {}: {}; {} of {} counters above 0",
        commit(),
        tally.line(),
        Hits::KINDS - missing.len(),
        Hits::KINDS
    );
    assert!(
        missing.is_empty(),
        "never met, so nothing is proven of it: {missing:?}"
    );
}

#[test]
fn no_way_to_end_a_few_lives_in_a_row_costs_what_was_promised() {
    for drill in &DRILLS {
        let began = Instant::now();
        drill
            .walk()
            .unwrap_or_else(|why| panic!("{drill:?}: {why}"));
        let drilled = drill.run().unwrap_or_else(|why| panic!("{drill:?}: {why}"));
        println!("{drill:?}: {drilled:?} in {:.1?}", began.elapsed());
        assert!(drilled.ways > 500, "{drilled:?}");
    }
}
