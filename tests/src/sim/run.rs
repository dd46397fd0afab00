//! Running worlds: once, twice to compare, and smaller and smaller while they still fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use super::hits::{Hit, Hits};
use super::mutation::Mutation;
use super::plan::Plan;
use super::world::{Report, World};
use crate::trace::Tape;

/// Seeds that failed once, or that reach rare branches. They always run.
pub static KEPT_SEEDS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let lines = include_str!("../../seeds.txt").lines();
    let number = |line: &str| line.split('#').next()?.trim().parse().ok();
    lines.filter_map(number).collect()
});

/// Runs the world of a plan. A panic in the engine is a failure of the world.
pub fn run(plan: &Plan, bug: Option<Mutation>, is_logged: bool) -> Report {
    run_on(&Tape::default(), plan, bug, is_logged)
}

/// Runs it and puts all that its engines are asked on a tape.
pub fn run_taped(plan: &Plan, tape: &Tape) -> Report {
    run_on(tape, plan, None, false)
}

fn run_on(tape: &Tape, plan: &Plan, bug: Option<Mutation>, is_logged: bool) -> Report {
    let world = || match World::new(plan, bug, is_logged) {
        Ok(mut world) => {
            world.tape = tape.clone();
            world.run()
        }
        Err(why) => failed(why),
    };
    catch_unwind(AssertUnwindSafe(world)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| {
            payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
        });
        failed(format!("PANIC: {}", text.unwrap_or_default()))
    })
}

fn failed(why: String) -> Report {
    Report {
        trace: 0,
        hits: Hits::default(),
        crashes: 0,
        acked: 0,
        failure: Some(why),
        log: Vec::new(),
    }
}

/// One seed in so many is run again.
const TWICE_ONE_IN: u64 = 8;

/// Runs it; some of them twice, and both have to be the same to the bit.
pub fn run_checked(plan: &Plan) -> Report {
    let mut first = run(plan, None, false);
    if first.failure.is_none() && plan.seed % TWICE_ONE_IN == 0 {
        let second = run(plan, None, false);
        if (second.trace, &second.failure) != (first.trace, &None) {
            first.failure = Some(format!(
                "NOT DETERMINISTIC: {:x} and then {:x} {:?}",
                first.trace, second.trace, second.failure
            ));
        }
    }
    first
}

/// The smallest plan found that fails still: fewer steps, then fewer kinds of trouble.
pub fn shrink(plan: &Plan, bug: Option<Mutation>) -> Plan {
    let fails = |plan: &Plan| run(plan, bug, false).failure.is_some();
    let mut best = plan.clone();
    loop {
        let before = (best.steps, best.mask());
        for part in [2, 4, 8, 16, 32, 64] {
            let mut shorter = best.clone();
            shorter.steps -= (best.steps / part).max(1).min(best.steps);
            if fails(&shorter) {
                best = shorter;
                break;
            }
        }
        for kind in best.kinds() {
            let less = best.without(kind);
            if fails(&less) {
                best = less;
            }
        }
        if (best.steps, best.mask()) == before {
            return best;
        }
    }
}

/// One command that runs a plan again and prints what happens.
pub fn replay_command(plan: &Plan) -> String {
    let host = if plan.is_always_async() {
        "TIDEGATE_SIM_HOST=async "
    } else {
        ""
    };
    format!(
        "TIDEGATE_SIM_SEED={} TIDEGATE_SIM_STEPS={} TIDEGATE_SIM_KINDS={} {host}\
         cargo test --release -p tidegate-tests --test simulation -- --nocapture",
        plan.seed,
        plan.steps,
        plan.mask()
    )
}

/// Sums over many worlds.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Seeds of which all worlds ran.
    pub seeds: u64,
    /// Worlds run.
    pub worlds: u64,
    /// Lives that ended in them.
    pub crashes: u64,
    /// Values acknowledged in them.
    pub acked: u64,
    /// What was met in them.
    pub hits: Hits,
}

impl Tally {
    /// Adds a world.
    pub fn add(&mut self, report: &Report) {
        self.worlds += 1;
        self.crashes += report.crashes;
        self.acked += report.acked;
        self.hits.add(&report.hits);
    }

    /// All of it in one line. None of these worlds failed.
    pub fn line(&self) -> String {
        let faults: Vec<String> = [
            ("power losses", Hit::Power),
            ("kills", Hit::Kill),
            ("traps", Hit::Trap),
            ("failed writes", Hit::WriteError),
            ("failed syncs", Hit::SyncError),
            ("failed directory syncs", Hit::NamesError),
            ("writes without space", Hit::NoSpace),
            ("short writes", Hit::ShortWrite),
            ("failed reads", Hit::ReadError),
        ]
        .iter()
        .map(|&(text, hit)| format!("{} {text}", self.hits.of(hit)))
        .collect();
        format!(
            "{} seeds, {} worlds, {} lives ended, {}, {} damages at rest; {} points acknowledged: \
             0 lost, 0 invented, 0 unreported, 0 false alarms",
            self.seeds,
            self.worlds,
            self.crashes,
            faults.join(", "),
            self.hits.damages(),
            self.acked
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Mutation, Plan, replay_command, run, shrink};

    #[test]
    fn a_failure_shrinks_and_one_command_brings_it_back() {
        let bug = Some(Mutation::AckAtSubmit);
        for is_async in [false, true] {
            let plans = (0..200).map(|seed| Plan::draw(seed).with_host(is_async));
            let failing = plans.filter(|plan| run(plan, bug, false).failure.is_some());
            for plan in failing.take(3) {
                let small = shrink(&plan, bug);
                assert!(small.steps < plan.steps && small.kinds().len() < plan.kinds().len());
                let command = replay_command(&small);
                let variable = |name: &str| {
                    let words = command.split_whitespace();
                    let mut pairs = words.filter_map(|word| word.split_once('='));
                    let (_, value) = pairs.find(|(other, _)| *other == name)?;
                    Some(value.to_owned())
                };
                let asked = Plan::asked_for(variable).expect("a seed");
                let [small, asked] = [&small, &asked].map(|plan| run(plan, bug, true));
                assert!(small.failure.is_some() && !small.log.is_empty());
                assert_eq!((small.failure, small.log), (asked.failure, asked.log));
            }
        }
    }
}
