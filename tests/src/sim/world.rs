//! A world: clients, a host, an engine, a disk, a clock, and the seed that drives them all.

use tidegate_core::engine::{Config, Engine, FileInfo};

use super::adapter::{Adapter, listing};
use super::clients::Clients;
use super::damage::Past;
use super::disk::Disk;
use super::history::History;
use super::hits::{Hit, Hits};
use super::life::{Lane, Life, Wait};
use super::mutation::Mutation;
use super::observe::observe;
use super::plan::{Kind, Plan};
use super::taped::Taped;
use super::trace::Trace;
use crate::r#gen::Rng;
use crate::trace::Tape;

const SECOND_NS: i64 = 1_000_000_000;
const YEAR_NS: i64 = 365 * 86_400 * SECOND_NS;
const START_NS: i64 = 1_767_225_600 * SECOND_NS;
/// Lives in a row that may end before they have recovered.
const DEPTH_MAX: u32 = 15;

/// What became of a world.
#[derive(Clone, Debug)]
pub struct Report {
    /// All that happened, as one number.
    pub trace: u64,
    /// What was met.
    pub hits: Hits,
    /// Lives that ended.
    pub crashes: u64,
    /// Values that were acknowledged.
    pub acked: u64,
    /// What the oracle found wrong.
    pub failure: Option<String>,
    /// What happened, in words, if asked for.
    pub log: Vec<String>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) bug: Option<Mutation>,
    pub(super) lots: Rng,
    pub(super) disk: Disk,
    pub(super) clients: Clients,
    pub(super) history: History,
    pub(super) life: Option<Life>,
    pub(super) hits: Hits,
    pub(super) trace: Trace,
    pub(super) past: Past,
    pub(super) now_ns: i64,
    pub(super) step: u32,
    pub(super) lives: u64,
    pub(super) acked: u64,
    /// Lives in a row that ended before they had recovered.
    pub(super) depth: u32,
    /// Bytes at rest were damaged, or reads failed.
    pub(super) may_lose: bool,
    /// Records of the log that may have been hit since an engine last told what it lost.
    pub(super) records_hit_max: usize,
    /// Something could not be read once. When it can be, it may contradict what was written
    /// meanwhile, as a field that got another type: more is lost then, and reported.
    pub(super) was_unreadable: bool,
    pub(super) is_calm: bool,
    pub(super) stale_listing: Vec<FileInfo>,
    /// Tickets of an engine that is gone; only a mutation keeps any.
    pub(super) kept: Vec<Wait>,
    /// What the engines of all lives are asked, if anybody plays it again.
    pub(super) tape: Tape,
    log: Option<Vec<String>>,
}

impl World {
    /// The world of a plan, with a planted bug if there is to be one.
    pub(super) fn new(plan: &Plan, bug: Option<Mutation>, is_logged: bool) -> Result<Self, String> {
        let mut empty = Engine::open(Config::new("d", 1, 1), &[]);
        let nothing = observe(&mut empty, 0)?;
        Ok(Self {
            plan: plan.clone(),
            bug,
            lots: Rng::new(plan.seed ^ 0x3047),
            disk: Disk::new(plan),
            clients: Clients::new(plan),
            history: History::new(nothing.catalog),
            life: None,
            hits: Hits::default(),
            trace: Trace::default(),
            past: Past::default(),
            now_ns: START_NS,
            step: 0,
            lives: 0,
            acked: 0,
            depth: 0,
            may_lose: false,
            records_hit_max: 0,
            was_unreadable: false,
            is_calm: false,
            stale_listing: Vec::new(),
            kept: Vec::new(),
            tape: Tape::default(),
            log: is_logged.then(Vec::new),
        })
    }

    /// Lets it run to its end.
    pub(super) fn run(mut self) -> Report {
        let failure = self.run_steps().and_then(|()| self.calm_end()).err();
        if let Some(life) = &self.life {
            (0..life.rolled).for_each(|_| self.hits.note(Hit::Rolled));
        }
        self.hits.add(&self.disk.hits);
        Report {
            trace: self.trace.value(),
            hits: self.hits,
            crashes: self.lives,
            acked: self.acked,
            failure,
            log: self.log.unwrap_or_default(),
        }
    }

    fn run_steps(&mut self) -> Result<(), String> {
        while self.step < self.plan.steps {
            self.step += 1;
            self.tick();
            self.change_space();
            self.one_step()?;
        }
        Ok(())
    }

    fn one_step(&mut self) -> Result<(), String> {
        let Some(life) = &self.life else {
            return self.open();
        };
        let is_open = life.is_open;
        if self.lots.one_in(self.plan.one_in(Kind::Crash)) && self.may_end() {
            return self.end_somehow();
        }
        // While it opens, hardly anybody asks.
        let asks = if is_open {
            self.lots.below(10) < 6
        } else {
            self.lots.one_in(30)
        };
        if asks { self.ask() } else { self.work() }
    }

    /// Whether one more life may end early.
    pub(super) fn may_end(&self) -> bool {
        self.depth < DEPTH_MAX || self.life.as_ref().is_some_and(Life::has_recovered)
    }

    /// Words about what happens, if somebody listens.
    pub(super) fn say(&mut self, text: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(format!("{:>4} {}", self.step, text()));
        }
    }

    fn tick(&mut self) {
        if self.lots.one_in(self.plan.one_in(Kind::Clock)) {
            let jump = SECOND_NS << self.lots.below(29);
            match self.lots.below(3) {
                0 => {
                    self.hits.note(Hit::ClockForward);
                    self.now_ns += jump;
                }
                1 => {
                    self.hits.note(Hit::ClockBack);
                    self.now_ns -= jump;
                }
                _ => self.hits.note(Hit::ClockFrozen),
            }
            self.now_ns = self.now_ns.clamp(YEAR_NS, 220 * YEAR_NS);
        } else {
            self.now_ns += self.lots.below(3) as i64 * SECOND_NS + 17;
        }
    }

    fn change_space(&mut self) {
        if self.disk.is_bounded() && self.lots.one_in(12) {
            self.hits.note(Hit::SpaceBack);
            self.disk.bound(None);
        } else if self.lots.one_in(self.plan.one_in(Kind::NoSpace)) {
            let room = self.lots.below(1 << 15);
            self.disk.bound(Some(room));
        }
    }

    /// Begins the next life.
    pub(super) fn open(&mut self) -> Result<(), String> {
        let fresh = listing(&self.disk);
        let segments = self.mutated_listing(&fresh);
        let node = u128::from(self.plan.seed) << 64 | 5;
        let node = node + u128::from(self.has(Mutation::NewNode)) * u128::from(self.lives);
        let mut config = Config::new("d", node, self.lots.next_u64());
        config.segment_bytes_roll = self.plan.roll_bytes;
        config.snapshot_log_bytes = self.plan.snapshot_log_bytes();
        config.snapshot_part_bytes = self.plan.snapshot_part_bytes();
        config.pending_bytes_max = self.plan.pending_bytes_max;
        config.cache_bytes_max = self.plan.cache_bytes_max;
        config.body_bytes_max = self.plan.body_bytes_max;
        config.unsigned_support = self.plan.has_unsigned();
        self.say(|| format!("open {segments:?}"));
        let mut adapter = Adapter::new(self.bug);
        if let Some(before) = &self.life {
            adapter
                .first_lengths
                .clone_from(&before.adapter.first_lengths);
        }
        let roll_bytes = config.segment_bytes_roll;
        let engine = Taped::open(config, &segments, self.tape.clone());
        let mut life = Life::begin(engine, adapter, roll_bytes);
        if self.plan.has_lanes {
            let lanes = [Lane::Log, Lane::Blob, Lane::Delete, Lane::Quarantine];
            life.slow = lanes.get(self.lots.index(5)).copied();
        }
        life.drain(&mut self.trace)?;
        self.life = Some(life);
        self.stale_listing = fresh;
        self.after_report()
    }

    fn mutated_listing(&mut self, fresh: &[FileInfo]) -> Vec<FileInfo> {
        let mut segments = fresh.to_vec();
        match self.bug {
            Some(Mutation::StaleListing) if !self.stale_listing.is_empty() => {
                segments.clone_from(&self.stale_listing);
            }
            Some(Mutation::ShortListing) => drop(segments.pop()),
            Some(Mutation::OldLengths) => {
                if let Some(newest) = segments.last_mut() {
                    newest.length = newest.length.min(20_480);
                }
            }
            Some(Mutation::Overwrite) => {
                let newest = self.disk.segments().next_back().map(|(id, _)| id);
                if let Some(file) = newest.and_then(|id| self.disk.files.get_mut(&id)) {
                    for bytes in [&mut file.cached, &mut file.durable] {
                        let end = bytes.len().min(12_288);
                        bytes[..end].fill(0);
                    }
                }
            }
            _ => {}
        }
        segments
    }

    pub(super) fn has(&self, bug: Mutation) -> bool {
        self.bug == Some(bug)
    }

    /// Troubles cease; what is left must open, hold what it should, and take one more write.
    fn calm_end(&mut self) -> Result<(), String> {
        self.end_somehow()?;
        self.disk.calm();
        self.is_calm = true;
        self.say(|| "calm".into());
        let mut has_logged = false;
        for _ in 0..2 {
            let newest = |world: &Self| world.disk.segments().next_back().map(|(id, _)| id);
            let before = newest(self);
            self.open()?;
            self.work_all()?;
            self.last_write()?;
            self.work_all()?;
            let life = self
                .life
                .as_ref()
                .ok_or("no engine where nothing goes wrong")?;
            if !life.is_open || !life.waits.is_empty() || !life.has_recovered() {
                return Err(format!(
                    "STUCK: {:?} where nothing goes wrong",
                    life.phase()
                ));
            }
            self.end_life(Kind::Kill)?;
            has_logged = newest(self) > before;
        }
        if !self.may_lose {
            super::format::check(&self.disk)?;
            if has_logged {
                super::format::check_retired(&self.disk)?;
            }
        }
        super::calm::reopen_with_the_core(self)
    }
}
