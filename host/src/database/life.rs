//! One life of an engine: what it asks for is taken, done while it goes on, and reported. While
//! one sync runs, the next group fills: that is group commit.

use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use tidegate_core::engine::{Effect, Phase};
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{FileId, Lsn};
use tidegate_core::storage::Storage;

use super::commit::stopped_while_resting;
use super::drive::{self, Job, Spare};
use super::instance::{Database, Inner, Stage};
use super::past::Past;
use super::progress::Progress;
use super::recovered;
use crate::engine::Died;
use crate::store::{FileStorage, read_skipped};

/// The longest sleep of an idle thread; it looks for idleness and space then.
pub(super) const TICK: Duration = Duration::from_secs(1);

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
    /// Something could not be made durable.
    Broken,
    /// The engine died of a record of its log.
    Trapped((FileId, Lsn), String),
    /// What could not be made durable in earlier lives may be so again.
    Mended,
}

/// An engine from its opening to its end.
pub(super) struct Life<'a> {
    pub(super) database: &'a Database,
    pub(super) storage: FileStorage,
    /// Nothing is written: see [`Past`].
    pub(super) is_read_only: bool,
    /// Whether anything became durable in it.
    has_persisted: bool,
    /// Whether a write was given up for want of space, which is no fault of the disk.
    lacked_space: bool,
    jobs: Vec<Job>,
    spare: Spare,
    progress: Progress,
    /// Up to here no client asked for anything: it is what opening repeats.
    pub(super) unasked: Lsn,
    /// When space was last looked for.
    pub(super) probed: Instant,
}

impl<'a> Life<'a> {
    /// Begins to open the database; what became of the lives before decides how.
    pub(super) fn begin(database: &'a Database, past: &Past) -> Result<Self, End> {
        let is_read_only = past.is_read_only();
        let failed = |why: String| End::Failed(why);
        let io_failed = |error: std::io::Error| End::Failed(error.to_string());
        let context = &database.context;
        let reserve = Arc::clone(&context.reserve);
        let mut storage = FileStorage::new(&database.dir.path(), reserve);
        let mut files = storage
            .files()
            .map_err(|_| failed(storage.trouble().to_owned()))?;
        if is_read_only {
            past.hide_unproven(&mut files);
        }
        let mut config = context
            .engine_config(&database.identity)
            .map_err(io_failed)?;
        config.skip = read_skipped(&database.dir.path()).map_err(io_failed)?;
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
        inner.is_read_only = is_read_only;
        drop(inner);
        Ok(Self {
            database,
            storage,
            is_read_only,
            has_persisted: false,
            lacked_space: false,
            jobs: Vec::new(),
            spare: Spare::default(),
            progress,
            unasked: Lsn(0),
            probed: Instant::now(),
        })
    }

    /// What the next life should know of this one.
    pub(super) fn remember(&self, past: &mut Past) {
        past.learn(self.has_persisted, self.storage.broken());
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
                return Err(End::Failed(inner.end_reason()));
            };
            let drained = drive::drain(engine.as_mut(), &mut self.spare, &mut self.jobs);
            let phase = drained.and_then(|()| engine.phase());
            match phase.map_err(|Died(why)| End::Failed(why))? {
                Phase::Poisoned if self.lacked_space => {
                    return Err(End::Failed("there was no space for a write".into()));
                }
                Phase::Poisoned => return Err(End::Broken),
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
                    recovered::tell(self.database, &found, self.progress.elapsed());
                    inner = self.database.lock();
                    inner.found = Some(found);
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
            if self.is_idle(&inner) {
                // Under the same lock that found nothing to do: no request slips in between.
                inner.engine = None;
                inner.stage = Stage::Closed;
                return Err(End::Idle);
            }
            inner = self.wait(inner)?;
        }
    }

    /// Whether nobody used the database for a while, and nobody waits.
    fn is_idle(&self, inner: &Inner) -> bool {
        let idle_close = self.database.context.data.idle_close.0;
        let is_unused = !idle_close.is_zero() && inner.used.elapsed() > idle_close;
        let is_quiet = inner.acks.is_empty() && inner.stage == Stage::Running;
        is_unused && is_quiet && !self.is_read_only
    }

    /// Waits for work, and looks after the disk now and then.
    fn wait<'g>(&mut self, inner: MutexGuard<'g, Inner>) -> Result<MutexGuard<'g, Inner>, End>
    where
        'a: 'g,
    {
        let (inner, timed_out) = self.sleep(inner);
        if timed_out {
            self.spare.clear();
        }
        self.look_after_disk(inner)
    }

    /// Until there may be work, or for a tick, which is told.
    fn sleep<'g>(&self, mut inner: MutexGuard<'g, Inner>) -> (MutexGuard<'g, Inner>, bool)
    where
        'a: 'g,
    {
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

    /// The engine runs for the first time: lets requests in.
    fn let_in(&mut self, inner: &mut Inner) {
        self.know_tickets(inner);
        self.unasked = inner.acks.known();
        inner.stage = Stage::Running;
        inner.used = Instant::now();
        self.database.changed.notify_waiters();
    }

    /// Does one job, without the lock, and reports it.
    fn carry_out(&mut self, job: &mut Job) -> Result<(), End> {
        let is_write = matches!(job.effect, Effect::PersistLog { .. });
        if self.is_read_only && is_write {
            return Err(End::Broken);
        }
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
        self.lacked_space |= is_write && result == Err(StorageFault::NoSpace);
        self.progress.tell(self.database, job);
        let mut guard = self.database.lock();
        let inner = &mut *guard;
        if result.is_ok() && matches!(job.effect, Effect::PersistLog { sync: true, .. }) {
            self.has_persisted = true;
            self.set_full(inner, false);
        }
        let Some(engine) = &mut inner.engine else {
            // While storage was busy.
            return Err(End::Failed(inner.end_reason()));
        };
        let reported = drive::report(engine.as_mut(), job, result);
        if let (Err(Died(why)), &Effect::Read { file, .. }) = (&reported, &job.effect) {
            // Records are applied in the midst of the call that brings their bytes.
            let lsn = engine.applying();
            if lsn > Lsn(0) {
                return Err(End::Trapped((file, lsn), why.clone()));
            }
        }
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
        if self.is_read_only && !matches!(job.effect, Effect::Read { .. }) {
            return Err(StorageFault::Io);
        }
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
}
