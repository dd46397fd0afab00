//! One life of an engine: what it asks for is taken, done while it goes on, and reported. While
//! one sync runs, the next group fills: that is group commit.

use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use tidegate_core::engine::{Effect, Phase, RecoveryReport};
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::Lsn;
use tidegate_core::storage::Storage;

use super::commit::stopped_while_resting;
use super::drive::{self, Job, Spare};
use super::instance::{Database, Inner, Stage};
use super::now_ns;
use super::progress::Progress;
use crate::engine::Died;
use crate::log::log;
use crate::store::{FileStorage, write_report};

/// The longest sleep of an idle thread; it looks for idleness and space then.
const TICK: Duration = Duration::from_secs(1);

/// Why a life of the engine ended.
pub(super) enum End {
    /// Nobody needs it. It is closed already, and may have been opened again by another thread.
    Idle,
    /// Told to: everything accepted is durable, or cannot be for want of space.
    Stopped,
    /// The log is not ours to open.
    Refused(String),
    /// The engine died, or storage failed under it.
    Failed(String),
}

/// An engine from its opening to its end.
pub(super) struct Life<'a> {
    database: &'a Database,
    storage: FileStorage,
    jobs: Vec<Job>,
    spare: Spare,
    progress: Progress,
    /// Up to here no client asked for anything: it is what opening repeats.
    unasked: Lsn,
    /// When space was last looked for.
    probed: Instant,
}

impl<'a> Life<'a> {
    pub(super) fn begin(database: &'a Database) -> Result<Self, End> {
        let failed = |why: String| End::Failed(why);
        let io_failed = |error: std::io::Error| End::Failed(error.to_string());
        let mut storage = FileStorage::new(&database.dir.path());
        let files = storage
            .files()
            .map_err(|_| failed(storage.trouble().to_owned()))?;
        let context = &database.context;
        let config = context
            .engine_config(&database.identity)
            .map_err(io_failed)?;
        let mut engine = context.maker.instance().map_err(|Died(why)| failed(why))?;
        engine
            .open(&config, &files)
            .map_err(|Died(why)| failed(why))?;
        let progress = Progress::new(files.iter().map(|info| info.length).sum());
        let mut inner = database.lock();
        inner.engine = Some(engine);
        inner.epoch += 1;
        // Tickets begin anew.
        database.fail_acks(&mut inner);
        drop(inner);
        Ok(Self {
            database,
            storage,
            jobs: Vec::new(),
            spare: Spare::default(),
            progress,
            unasked: Lsn(0),
            probed: Instant::now(),
        })
    }

    pub(super) fn live(&mut self) -> End {
        loop {
            if let Err(end) = self.gather() {
                return end;
            }
            let mut jobs = std::mem::take(&mut self.jobs);
            for mut job in jobs.drain(..) {
                if let Err(end) = self.carry_out(&mut job) {
                    return end;
                }
                self.spare.put(job.bytes);
            }
            self.jobs = jobs;
        }
    }

    /// Waits until there are jobs.
    fn gather(&mut self) -> Result<(), End> {
        let mut inner = self.database.lock();
        loop {
            let is_opening = inner.stage == Stage::Opening;
            if inner.stop && is_opening {
                return Err(End::Stopped);
            }
            let Some(engine) = &mut inner.engine else {
                // A request found it dead; its stage says why.
                let Stage::Resting(why) = &inner.stage else {
                    return Err(End::Failed("the engine is gone".into()));
                };
                return Err(End::Failed(why.clone()));
            };
            let drained = drive::drain(engine.as_mut(), &mut self.spare, &mut self.jobs);
            let phase = drained.and_then(|()| engine.phase());
            match phase.map_err(|Died(why)| End::Failed(why))? {
                Phase::Poisoned => return Err(End::Failed("a persist failed".into())),
                Phase::Refused => {
                    let why = engine.refusal().map_err(|Died(why)| End::Failed(why))?;
                    return Err(End::Refused(why));
                }
                Phase::Running if is_opening => {
                    let found = engine.recovery();
                    let found = found.map_err(|Died(why)| End::Failed(why))?;
                    drop(inner);
                    // Before anybody is answered from what is left: who misses a point finds it
                    // in the report.
                    self.tell(&found);
                    inner = self.database.lock();
                    inner.damage = found.damage.len();
                    self.let_in(&mut inner);
                    continue;
                }
                Phase::Running => self.know_tickets(&mut inner),
                Phase::Opening => {}
            }
            if !self.jobs.is_empty() {
                return Ok(());
            }
            if inner.stop {
                return Err(End::Stopped);
            }
            let idle_close = self.database.context.data.idle_close.0;
            let idle = !idle_close.is_zero() && inner.used.elapsed() > idle_close;
            if idle && inner.acks.is_empty() && inner.stage == Stage::Running {
                // Under the same lock that found nothing to do: no request slips in between.
                inner.engine = None;
                inner.stage = Stage::Closed;
                return Err(End::Idle);
            }
            let timed_out;
            (inner, timed_out) = self.sleep(inner);
            if timed_out {
                self.spare.clear();
            }
            if inner.full && self.probed.elapsed() >= TICK {
                drop(inner);
                let has_space = self.storage.probe_space().is_ok();
                self.probed = Instant::now();
                inner = self.database.lock();
                if has_space {
                    self.set_full(&mut inner, false);
                }
            }
        }
    }

    /// Until there may be work, or for a tick, which is told.
    fn sleep(&self, mut inner: MutexGuard<'a, Inner>) -> (MutexGuard<'a, Inner>, bool) {
        inner.asleep = true;
        let waited = self.database.work.wait_timeout(inner, TICK);
        let (mut inner, timed_out) = match waited {
            Ok((inner, waited)) => (inner, waited.timed_out()),
            Err(poisoned) => (self.database.after_panic(poisoned.into_inner().0), false),
        };
        inner.asleep = false;
        (inner, timed_out)
    }

    /// What was polled has been given tickets. Jobs whose writing nobody waits for are told apart:
    /// for them the lock is not taken between write and sync.
    fn know_tickets(&mut self, inner: &mut Inner) {
        for job in &mut self.jobs {
            if let Effect::PersistLog { up_to, .. } = job.effect {
                inner.acks.know(up_to);
                job.is_awaited = inner.acks.awaits_writing(up_to);
            }
        }
    }

    fn set_full(&self, inner: &mut Inner, full: bool) {
        if inner.full != full {
            inner.full = full;
            let does = if full {
                "refuses writes: no space"
            } else {
                "takes writes again: there is space"
            };
            log!("database {:?} {does}", self.database.name());
        }
    }

    /// The engine runs for the first time: lets requests in.
    fn let_in(&mut self, inner: &mut Inner) {
        self.know_tickets(inner);
        self.unasked = inner.acks.known();
        inner.stage = Stage::Running;
        inner.used = Instant::now();
        self.database.changed.notify_waiters();
    }

    /// Says what opening found. Without the lock: it writes and syncs a file.
    fn tell(&self, report: &RecoveryReport) {
        let name = self.database.name();
        log!(
            "database {name:?} is open: {} segments, {} records, {} points in {} ms",
            report.segments,
            report.records,
            report.points,
            self.progress.elapsed().as_millis()
        );
        if report.torn_bytes == 0 && report.damage.is_empty() {
            return;
        }
        let lost: u64 = report
            .damage
            .iter()
            .filter_map(|damage| damage.points)
            .sum();
        log!(
            "database {name:?}: {} torn bytes (never acknowledged as durable), {} damaged ranges \
             with {lost} points or more; see recovery.json and quarantine/ in {}",
            report.torn_bytes,
            report.damage.len(),
            self.database.dir.path().display()
        );
        if let Err(error) = write_report(&self.database.dir.path(), report, now_ns()) {
            log!("cannot write recovery.json: {error}");
        }
    }

    /// Does one job, without the lock, and reports it.
    fn carry_out(&mut self, job: &mut Job) -> Result<(), End> {
        let mut result = self.perform(job);
        while result == Err(StorageFault::NoSpace) && self.may_hold(job) {
            if stopped_while_resting(self.database, TICK) {
                return Err(End::Stopped);
            }
            result = self.perform(job);
        }
        if matches!(job.effect, Effect::Read { .. })
            && result.is_err_and(|fault| fault != StorageFault::Unreadable)
        {
            // The engine would take it for damage and begin a log without what is there.
            return Err(End::Failed(self.storage.trouble().to_owned()));
        }
        self.progress.tell(self.database, job);
        let mut guard = self.database.lock();
        let inner = &mut *guard;
        if result.is_ok() && matches!(job.effect, Effect::PersistLog { sync: true, .. }) {
            self.set_full(inner, false);
        }
        let Some(engine) = &mut inner.engine else {
            return Err(End::Failed(
                "the engine ended while storage was busy".into(),
            ));
        };
        let reported = drive::report(engine.as_mut(), job, result);
        let durable = reported.and_then(|()| engine.durable());
        let released = inner
            .acks
            .durable(durable.map_err(|Died(why)| End::Failed(why))?);
        drop(guard);
        released.tell();
        Ok(())
    }

    /// Does what the effect describes. Who waits for no more than the write is told before the
    /// sync.
    fn perform(&mut self, job: &mut Job) -> Result<(), StorageFault> {
        let Effect::PersistLog {
            segment,
            offset,
            sync,
            up_to,
            ..
        } = job.effect
        else {
            return drive::perform(&mut self.storage, job);
        };
        let (database, is_awaited) = (self.database, job.is_awaited);
        let written = || {
            if is_awaited {
                let released = database.lock().acks.written(up_to);
                released.tell();
            }
        };
        self.storage
            .persist_telling(segment, offset, &job.bytes, sync, written)
    }

    /// Whether a persist that found no space is simply tried again later, whoever reads. Not if
    /// a write waits for it: its client is told at once, and the engine starts over, without what
    /// it cannot keep. Starting over does not help with what opening repeats, and it would lose
    /// what was acknowledged before it was durable: then it is only the clients that are told.
    fn may_hold(&self, job: &Job) -> bool {
        let Effect::PersistLog { up_to, .. } = job.effect else {
            return false;
        };
        let mut inner = self.database.lock();
        self.set_full(&mut inner, true);
        if inner.engine.is_none() {
            return false;
        }
        if up_to <= self.unasked || inner.acks.owes() {
            inner.acks.fail_writers();
            return true;
        }
        !inner.acks.has_writers()
    }
}
