//! The thread of an open database: it takes what the engine asks for, does it while the engine
//! goes on, and reports. While one sync runs, the next group fills: that is group commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_core::engine::{Effect, Phase};
use tidegate_core::fault::StorageFault;
use tidegate_core::storage::Storage;

use super::drive::{self, Job};
use super::instance::{Database, Inner, Stage};
use super::now_ns;
use super::progress::Progress;
use crate::engine::Died;
use crate::log::log;
use crate::store::{FileStorage, write_report};

/// The longest sleep of an idle thread; it looks for idleness and space then.
const TICK: Duration = Duration::from_secs(1);
/// Between two attempts to open a database that ended; doubles from the first to the last.
const REST: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Why a life of the engine ended.
enum End {
    /// Nobody needs it. It is closed already, and may have been opened again by another thread.
    Idle,
    /// Told to: everything accepted is durable, or cannot be for want of space.
    Stopped,
    /// The log is not ours to open.
    Refused(String),
    /// The engine died, or storage failed under it.
    Failed(String),
}

/// Opens the database, again and again if need be, until it is to be closed.
pub(super) fn run(database: &Arc<Database>) {
    let mut rest = REST.0;
    loop {
        let began = Instant::now();
        let end = Life::begin(database).map_or_else(|end| end, |mut life| life.live());
        if matches!(end, End::Idle) {
            break;
        }
        let mut inner = database.lock();
        inner.engine = None;
        inner.acks.fail();
        match end {
            End::Idle | End::Stopped => {
                inner.stage = Stage::Gone;
                break;
            }
            End::Refused(why) => {
                log!("database {:?} is not served: {why}", database.name());
                inner.stage = Stage::Refused(why);
                break;
            }
            End::Failed(why) => {
                log!(
                    "database {:?} stopped and is opened again: {why}",
                    database.name()
                );
                inner.stage = Stage::Resting(why);
            }
        }
        drop(inner);
        database.changed.notify_waiters();
        if began.elapsed() > 2 * REST.1 {
            rest = REST.0;
        }
        if stopped_while_resting(database, rest) {
            database.lock().stage = Stage::Gone;
            break;
        }
        rest = (rest * 2).min(REST.1);
        database.lock().stage = Stage::Opening;
    }
    database.changed.notify_waiters();
}

fn stopped_while_resting(database: &Database, rest: Duration) -> bool {
    let waited = database
        .work
        .wait_timeout_while(database.lock(), rest, |inner| !inner.stop);
    waited.map_or(true, |(inner, _)| inner.stop)
}

/// An engine from its opening to its end.
struct Life<'a> {
    database: &'a Database,
    storage: FileStorage,
    jobs: Vec<Job>,
    progress: Progress,
}

impl<'a> Life<'a> {
    fn begin(database: &'a Database) -> Result<Self, End> {
        let failed = |why: String| End::Failed(why);
        let io_failed = |error: std::io::Error| End::Failed(error.to_string());
        let mut storage = FileStorage::new(&database.dir.path());
        let segments = storage
            .segments()
            .map_err(|_| failed(storage.trouble().to_owned()))?;
        let context = &database.context;
        let config = context
            .engine_config(&database.identity)
            .map_err(io_failed)?;
        let mut engine = context.maker.instance().map_err(|Died(why)| failed(why))?;
        engine
            .open(&config, &segments)
            .map_err(|Died(why)| failed(why))?;
        let progress = Progress::new(segments.iter().map(|segment| segment.length).sum());
        let mut inner = database.lock();
        inner.engine = Some(engine);
        inner.epoch += 1;
        drop(inner);
        Ok(Self {
            database,
            storage,
            jobs: Vec::new(),
            progress,
        })
    }

    fn live(&mut self) -> End {
        loop {
            if let Err(end) = self.gather() {
                return end;
            }
            let mut jobs = std::mem::take(&mut self.jobs);
            for mut job in jobs.drain(..) {
                if let Err(end) = self.carry_out(&mut job) {
                    return end;
                }
            }
            self.jobs = jobs;
        }
    }

    /// Waits until there are jobs.
    fn gather(&mut self) -> Result<(), End> {
        let mut inner = self.database.lock();
        loop {
            if inner.stop && inner.stage == Stage::Opening {
                return Err(End::Stopped);
            }
            let Some(engine) = &mut inner.engine else {
                // A request found it dead; its stage says why.
                let Stage::Resting(why) = &inner.stage else {
                    return Err(End::Failed("the engine is gone".into()));
                };
                return Err(End::Failed(why.clone()));
            };
            let drained = drive::drain(engine.as_mut(), &mut self.jobs);
            let phase = drained.and_then(|()| engine.phase());
            match phase.map_err(|Died(why)| End::Failed(why))? {
                Phase::Poisoned => return Err(End::Failed("a persist failed".into())),
                Phase::Refused => {
                    let why = engine.refusal().map_err(|Died(why)| End::Failed(why))?;
                    return Err(End::Refused(why));
                }
                Phase::Running if inner.stage == Stage::Opening => {
                    self.opened(&mut inner)?;
                }
                Phase::Running | Phase::Opening => {}
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
            let waited = self.database.work.wait_timeout(inner, TICK);
            inner = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
            if inner.full && self.storage.probe_space().is_ok() {
                inner.full = false;
                log!(
                    "database {:?} takes writes again: there is space",
                    self.database.name()
                );
            }
        }
    }

    /// The engine runs for the first time: says what it found, lets requests in.
    fn opened(&self, inner: &mut Inner) -> Result<(), End> {
        let Some(engine) = &mut inner.engine else {
            return Ok(());
        };
        let report = engine.recovery().map_err(|Died(why)| End::Failed(why))?;
        inner.stage = Stage::Running;
        inner.used = Instant::now();
        self.database.changed.notify_waiters();
        let name = self.database.name();
        log!(
            "database {name:?} is open: {} segments, {} records, {} points in {} ms",
            report.segments,
            report.records,
            report.points,
            self.progress.elapsed().as_millis()
        );
        if report.torn_bytes == 0 && report.damage.is_empty() {
            return Ok(());
        }
        let lost: u64 = report
            .damage
            .iter()
            .filter_map(|damage| damage.points)
            .sum();
        log!(
            "database {name:?}: {} torn bytes (never acknowledged), {} damaged ranges \
             with {lost} points or more; see recovery.json and quarantine/ in {}",
            report.torn_bytes,
            report.damage.len(),
            self.database.dir.path().display()
        );
        if let Err(error) = write_report(&self.database.dir.path(), &report, now_ns()) {
            log!("cannot write recovery.json: {error}");
        }
        Ok(())
    }

    /// Does one job, without the lock, and reports it.
    fn carry_out(&mut self, job: &mut Job) -> Result<(), End> {
        let mut result = drive::perform(&mut self.storage, job);
        while result == Err(StorageFault::NoSpace) && self.may_hold(job) {
            if stopped_while_resting(self.database, TICK) {
                return Err(End::Stopped);
            }
            result = drive::perform(&mut self.storage, job);
        }
        if matches!(job.effect, Effect::ReadLog { .. })
            && result.is_err_and(|fault| fault != StorageFault::Unreadable)
        {
            // The engine would take it for damage and begin a log without what is there.
            return Err(End::Failed(self.storage.trouble().to_owned()));
        }
        self.progress.tell(self.database, job);
        let mut guard = self.database.lock();
        let inner = &mut *guard;
        if let Effect::PersistLog { sync, .. } = job.effect {
            match result {
                Ok(()) if sync && inner.full => {
                    inner.full = false;
                    log!("database {:?} takes writes again", self.database.name());
                }
                Err(StorageFault::NoSpace) if !inner.full => {
                    inner.full = true;
                    log!(
                        "database {:?} refuses writes: no space",
                        self.database.name()
                    );
                }
                _ => {}
            }
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
            .release(durable.map_err(|Died(why)| End::Failed(why))?);
        drop(guard);
        released.tell();
        Ok(())
    }

    /// Whether a persist that found no space is simply tried again later. Not if somebody waits
    /// for it: then the engine has to start over, without what it cannot keep.
    fn may_hold(&self, job: &Job) -> bool {
        let inner = self.database.lock();
        matches!(job.effect, Effect::PersistLog { .. }) && inner.full && inner.acks.is_empty()
    }
}
