//! Running worlds: once, twice to compare, and smaller and smaller while they still fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::hits::Hits;
use super::mutation::Mutation;
use super::plan::Plan;
use super::world::{Report, World};
use crate::trace::Tape;

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

/// Runs it twice; that both are the same to the bit is part of what is checked.
pub fn run_twice(plan: &Plan) -> Report {
    let mut first = run(plan, None, false);
    if first.failure.is_none() {
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
    format!(
        "TIDEGATE_SIM_SEED={} TIDEGATE_SIM_STEPS={} TIDEGATE_SIM_KINDS={} \
         cargo test --release -p tidegate-tests --test simulation -- --nocapture",
        plan.seed,
        plan.steps,
        plan.mask()
    )
}

/// Sums over many worlds.
#[derive(Clone, Debug, Default)]
pub struct Tally {
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
}
