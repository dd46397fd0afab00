//! Every way to end a few lives in a row: at each operation of the disk, in each of a few ways.
//!
//! What seeds meet once in thousands of worlds, since three ends have to fall on just the right
//! operations, is met here for certain. The oracle is the plainest: each request writes places
//! of its own, so what was promised has to be there, and whole, and nothing that was not asked for.

use tidegate_core::engine::{Config, Effect, Phase, WriteRequest};
use tidegate_core::fault::StorageFault;
use tidegate_core::model::Precision;

use super::adapter::{Adapter, Halt, listing};
use super::disk::{Disk, Keep};
use super::file::number_of;
use super::life::{Lane, Life};
use super::observe::{Counts, Point, observe, points};
use super::taped::Taped;
use super::trace::Trace;
use crate::trace::Tape;

const NOW_NS: i64 = 1_767_225_600_000_000_000;
const REQUESTS_PER_LIFE: usize = 2;
/// Reads of a life that may fail, of which there are hardly more.
const READS_MAX: usize = 8;
/// More jobs than any of these lives has.
const JOBS_MAX: u32 = 1_000;

/// How lives end: killed, or without power.
const ENDS: [Option<Keep>; 5] = [
    None,
    Some(Keep::Nothing),
    Some(Keep::Names),
    Some(Keep::Lengths),
    Some(Keep::Heads),
];

/// What cannot be read in a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failing {
    /// Nothing of a file, by its number.
    File(u64),
    /// What is read in turn, counted from 0.
    Read(usize),
}

/// A life: the operation before which it ends, how, and what cannot be read in it.
type Walk = &'static [(u64, Option<Keep>, Option<Failing>)];

/// Operations that no life has.
const NEVER: u64 = 1_000;

/// Ways that were found once and are too long to be tried each time with all others.
const WALKS: [Walk; 1] = [
    // A repair that was never synced is followed while it cannot be read; then it can, and
    // vanishes with what it repeats, if that was deleted.
    &[
        (4, Some(Keep::Nothing), None),
        (2, None, None),
        (NEVER, None, Some(Failing::File(2))),
        (NEVER, Some(Keep::Nothing), None),
    ],
];

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub struct Drill {
    /// Lives in a row that end early.
    pub lives: u32,
    /// Bytes at which a segment is followed by the next.
    pub roll_bytes: u64,
    /// Log bytes after which a snapshot is written.
    pub snapshot_log_bytes: u64,
    /// Whether damaged ranges are set aside only when nothing else is left to do.
    pub is_copied_last: bool,
    /// Whether in one of the lives a segment cannot be read.
    pub is_one_unreadable: bool,
}

const PLAIN: Drill = Drill {
    lives: 2,
    roll_bytes: 64 << 10,
    snapshot_log_bytes: u64::MAX,
    is_copied_last: false,
    is_one_unreadable: false,
};

/// What is tried each time; the quickest first.
pub const DRILLS: [Drill; 8] = [
    Drill {
        roll_bytes: 16 << 10,
        ..PLAIN
    },
    Drill {
        roll_bytes: 16 << 10,
        is_copied_last: true,
        ..PLAIN
    },
    Drill {
        is_one_unreadable: true,
        ..PLAIN
    },
    Drill {
        snapshot_log_bytes: 1,
        ..PLAIN
    },
    Drill {
        lives: 3,
        is_one_unreadable: true,
        ..PLAIN
    },
    Drill {
        snapshot_log_bytes: 1,
        is_one_unreadable: true,
        ..PLAIN
    },
    Drill {
        roll_bytes: 16 << 10,
        snapshot_log_bytes: 24 << 10,
        is_one_unreadable: true,
        ..PLAIN
    },
    Drill { lives: 3, ..PLAIN },
];

/// What was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drilled {
    /// Lives that ended early.
    pub ends: u64,
    /// Ways to end lives in a row.
    pub ways: u64,
}

#[derive(Clone, Debug)]
struct Request {
    points: Vec<Point>,
    is_promised: bool,
}

/// What outlives a life.
#[derive(Clone, Debug)]
struct State {
    disk: Disk,
    requests: Vec<Request>,
    lives: u64,
    was_unreadable: bool,
    /// Reads in the life under way.
    reads: usize,
}

impl Drill {
    /// Tries all of it.
    ///
    /// # Errors
    ///
    /// What is wrong, and how it came to that.
    pub fn run(&self) -> Result<Drilled, String> {
        let state = State::new();
        let mut drilled = Drilled::default();
        let mut path = Vec::new();
        self.explore(&state, self.lives, &mut path, &mut drilled)
            .map_err(|why| format!("{why}; {}", path.join(", ")))?;
        Ok(drilled)
    }

    fn explore(
        &self,
        state: &State,
        lives: u32,
        path: &mut Vec<String>,
        drilled: &mut Drilled,
    ) -> Result<(), String> {
        if lives == 0 {
            drilled.ways += 1;
            return self.conclude(state);
        }
        for failing in self.failing(state) {
            for operation in 0.. {
                let mut after = state.clone();
                path.push(format!("operation {operation}, failing: {failing:?}"));
                let died = self.live(&mut after, operation, failing)?;
                for end in self.ends() {
                    let mut after = after.clone();
                    if let Some(keep) = end {
                        after.disk.lose_power_exactly(*keep);
                    }
                    path.push(format!("{end:?}"));
                    drilled.ends += 1;
                    self.explore(&after, lives - 1, path, drilled)?;
                    path.pop();
                }
                path.pop();
                if !died {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Carries out the ways that are known.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn walk(&self) -> Result<(), String> {
        for walk in WALKS {
            let mut state = State::new();
            for &(operation, end, failing) in walk {
                self.live(&mut state, operation, failing)?;
                if let Some(keep) = end {
                    state.disk.lose_power_exactly(keep);
                }
            }
            self.conclude(&state)
                .map_err(|why| format!("{why}; {walk:?}"))?;
        }
        Ok(())
    }

    /// What cannot be read in the next life: nothing; and in one life of each way, each of the
    /// files, and of short ways each of the reads.
    fn failing(&self, state: &State) -> Vec<Option<Failing>> {
        let may_fail = self.is_one_unreadable && !state.was_unreadable;
        let files = state.disk.files.keys().copied();
        let files = files.filter(|_| may_fail).map(Failing::File);
        let reads = if may_fail && self.lives < 3 {
            READS_MAX
        } else {
            0
        };
        let reads = (0..reads).map(Failing::Read);
        let all = files.chain(reads).map(Some);
        std::iter::once(None).chain(all).collect()
    }

    fn ends(&self) -> &'static [Option<Keep>] {
        if self.is_one_unreadable {
            &ENDS[..2]
        } else {
            &ENDS
        }
    }

    /// Nothing goes wrong any more, twice.
    fn conclude(&self, state: &State) -> Result<(), String> {
        let mut state = state.clone();
        for _ in 0..2 {
            self.live(&mut state, NEVER, None)?;
        }
        Ok(())
    }

    /// A life that ends before an operation of the disk, if it comes to that; whether it did.
    fn live(
        &self,
        state: &mut State,
        operation: u64,
        failing: Option<Failing>,
    ) -> Result<bool, String> {
        state.lives += 1;
        state.reads = 0;
        state.was_unreadable |= failing.is_some();
        let mut config = Config::new("d", 5, state.lives);
        config.segment_bytes_roll = self.roll_bytes;
        config.snapshot_log_bytes = self.snapshot_log_bytes;
        config.snapshot_part_bytes = 1;
        let engine = Taped::open(config, &listing(&state.disk), Tape::default());
        let mut life = Life::begin(engine, Adapter::new(None), self.roll_bytes);
        life.drain(&mut Trace::default())?;
        state.disk.end_before(Some(operation));
        let lived = self.live_on(state, &mut life, failing);
        state.disk.end_before(None);
        lived
    }

    fn live_on(
        &self,
        state: &mut State,
        life: &mut Life,
        failing: Option<Failing>,
    ) -> Result<bool, String> {
        if self.work(state, life, failing)? {
            return Ok(true);
        }
        let report = life.engine.recovery();
        if !state.was_unreadable && !report.damage.is_empty() {
            return Err(format!("ALARM without damage: {:?}", report.damage));
        }
        let seen = observe(&mut life.engine, NOW_NS)?;
        if failing.is_none() {
            state.check(&seen.content.points)?;
        }
        if seen.policies.is_empty() {
            // In one write with the first request.
            life.engine.execute(NOW_NS, "CREATE DATABASE d")?;
        }
        for _ in 0..REQUESTS_PER_LIFE {
            state.ask(life)?;
            if self.work(state, life, failing)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All the work there is; whether the life ended in it.
    fn work(
        &self,
        state: &mut State,
        life: &mut Life,
        failing: Option<Failing>,
    ) -> Result<bool, String> {
        for _ in 0..JOBS_MAX {
            if life.phase() == Phase::Poisoned || life.phase() == Phase::Refused {
                return Err(format!("STUCK: {:?}", life.phase()));
            }
            let is_first = |lane: Lane| !self.is_copied_last || lane != Lane::Quarantine;
            let first = life.jobs.iter().position(|job| is_first(job.lane()));
            if life.jobs.is_empty() {
                return Ok(false);
            }
            let mut job = life.jobs.remove(first.unwrap_or(0));
            let is_unreadable = match job.effect {
                Effect::Read { file, .. } => state.fails(number_of(file), failing),
                _ => false,
            };
            let done = life
                .adapter
                .perform(&mut state.disk, &job.effect, &job.bytes);
            job.done = Some(match done {
                Err(Halt::Died) => return Ok(true),
                Err(Halt::Gone) => return Err("GONE: a range that is to be set aside".into()),
                Err(Halt::Fault(fault)) => Err(fault),
                Ok(_) if is_unreadable => Err(StorageFault::Unreadable),
                Ok(bytes) => Ok(bytes),
            });
            life.report(&job, &mut Trace::default())?;
            state.release(life);
        }
        Err(format!("STUCK: {JOBS_MAX} jobs done, and still more"))
    }
}

impl State {
    fn new() -> Self {
        Self {
            disk: Disk::calm_and_empty(),
            requests: Vec::new(),
            lives: 0,
            was_unreadable: false,
            reads: 0,
        }
    }

    /// Whether a read of this file fails, which is the next one.
    fn fails(&mut self, file: u64, failing: Option<Failing>) -> bool {
        self.reads += 1;
        match failing {
            None => false,
            Some(Failing::File(failing)) => failing == file,
            Some(Failing::Read(failing)) => failing + 1 == self.reads,
        }
    }

    /// A client writes two places of its own.
    fn ask(&mut self, life: &mut Life) -> Result<(), String> {
        let number = self.requests.len();
        let body = format!("m,r=r{number} a={number}i,b={number}i {NOW_NS}\n");
        let request = WriteRequest {
            now_ns: NOW_NS,
            retention_policy: String::new(),
            precision: Precision::Nanosecond,
            ..WriteRequest::default()
        };
        let before = Counts::of(&life.engine.view(NOW_NS));
        let written = life.engine.write(&request, body.as_bytes());
        let report = written.map_err(|error| error.to_string())?;
        let points = points(&life.engine.view(NOW_NS), &before);
        self.requests.push(Request {
            points,
            is_promised: false,
        });
        life.drain(&mut Trace::default())?;
        life.wait(report.ticket.0, self.requests.len());
        Ok(())
    }

    /// Whoever waits for what is durable now is answered.
    fn release(&mut self, life: &mut Life) {
        let durable = life.engine.durable_lsn().0;
        for wait in life.waits.extract_if(.., |wait| wait.ticket <= durable) {
            if let Some(request) = self.requests.get_mut(wait.count - 1) {
                request.is_promised = true;
            }
        }
    }

    fn check(&self, seen: &std::collections::HashMap<u64, (u64, u64)>) -> Result<(), String> {
        let is_there =
            |point: &&Point| seen.get(&point.key).map(|held| held.0) == Some(point.value);
        let mut there = 0;
        for (number, request) in self.requests.iter().enumerate() {
            let here = request.points.iter().filter(is_there).count();
            there += here;
            if here < request.points.len() && (request.is_promised || here > 0) {
                let what = if here > 0 { "HALF" } else { "LOST" };
                return Err(format!(
                    "{what}: request {number} of {}",
                    self.requests.len()
                ));
            }
        }
        if there < seen.len() {
            return Err(format!("INVENTED: {} values", seen.len() - there));
        }
        Ok(())
    }
}
