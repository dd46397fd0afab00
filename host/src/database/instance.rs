//! One database: its engine while it is open, and the calls of requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Instant;

use tidegate_core::engine::{Executed, RecoveryReport, WriteError, WriteReport, WriteRequest};
use tidegate_core::http::AckLevel;
use tidegate_core::ids::CursorId;
use tokio::sync::Notify;

use super::ack::{Ack, AckQueue};
use super::{Context, commit, recovered};
use crate::engine::{Died, EngineFace};
use crate::log::log;
use crate::store::{DatabaseDir, Identity};

/// A database that exists, open or not.
#[derive(Debug)]
pub(crate) struct Database {
    pub(super) dir: DatabaseDir,
    pub(super) identity: Identity,
    pub(super) context: Arc<Context>,
    inner: Mutex<Inner>,
    /// Points acknowledged in this run.
    acknowledged: AtomicU64,
    /// There is something to do for the commit thread.
    pub(super) work: Condvar,
    /// The stage changed.
    pub(super) changed: Notify,
}

/// What the mutex guards.
pub(super) struct Inner {
    pub stage: Stage,
    /// There while opening and running.
    pub engine: Option<Box<dyn EngineFace>>,
    /// Counts engines, so that a cursor of an earlier one is not taken for one of this.
    pub epoch: u64,
    pub acks: AckQueue,
    /// What the last opening found.
    pub found: Option<RecoveryReport>,
    /// Nothing becomes durable on its disk: reads go on, writes are refused here.
    pub is_read_only: bool,
    /// Points that were acknowledged before they were durable, and whose write then failed.
    pub late_failures: u64,
    /// Storage has no space: reads go on, writes are refused here.
    pub full: bool,
    /// The commit thread is to finish what is accepted, and end.
    pub stop: bool,
    /// The commit thread waits for work. A wake-up is a system call even if nobody waits, and
    /// under load nobody does: the thread is busy with the group before.
    pub asleep: bool,
    pub used: Instant,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

/// Where a database is between closed and running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody needed it lately.
    Closed,
    /// Its log is being read.
    Opening,
    /// It takes requests.
    Running,
    /// Its engine ended; it is opened again after a pause.
    Resting(String),
    /// Its log is not ours to open.
    Refused(String),
    /// It is being dropped, or the server stops.
    Gone,
}

/// Why a database cannot serve a request now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// Its log is still being read.
    Opening,
    /// Its engine ended, for this reason, and is not back yet.
    Failed(String),
    /// Its log is not ours to open.
    Refused(String),
    /// Nothing becomes durable on its disk; only of writes.
    ReadOnly,
    /// It is being dropped, or the server stops.
    Gone,
}

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Opening => f.write_str("the database is being opened, retry later"),
            Self::Failed(_) => f.write_str(
                "the database stopped and is being opened again, retry later; \
                 the server's log says why",
            ),
            Self::Refused(_) => {
                f.write_str("the log of the database was not opened; the server's log says why")
            }
            Self::ReadOnly => f.write_str(
                "the disk of the database does not keep what is written: it is read-only until \
                 it does; the server's log says more",
            ),
            Self::Gone => f.write_str("the server is stopping or the database is being dropped"),
        }
    }
}

impl Database {
    pub(super) fn new(dir: DatabaseDir, identity: Identity, context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self {
            dir,
            identity,
            context,
            inner: Mutex::new(Inner {
                stage: Stage::Closed,
                engine: None,
                epoch: 0,
                acks: AckQueue::default(),
                found: None,
                is_read_only: false,
                late_failures: 0,
                full: false,
                stop: false,
                asleep: false,
                used: Instant::now(),
                thread: None,
            }),
            acknowledged: AtomicU64::new(0),
            work: Condvar::new(),
            changed: Notify::new(),
        })
    }

    /// The name clients use.
    pub(crate) fn name(&self) -> &str {
        &self.identity.name
    }

    /// So many points were acknowledged.
    pub(crate) fn count_acknowledged(&self, points: u64) {
        self.acknowledged.fetch_add(points, Ordering::Relaxed);
    }

    /// How many points were acknowledged in this run.
    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// What a person should know of it, and whether it cannot serve for that; the server's log
    /// says more.
    pub(crate) fn concern(&self) -> Option<(String, bool)> {
        let inner = self.lock();
        match &inner.stage {
            Stage::Refused(why) => Some((Unavailable::Refused(why.clone()).to_string(), true)),
            Stage::Resting(why) => Some((Unavailable::Failed(why.clone()).to_string(), true)),
            _ if inner.is_read_only => Some((Unavailable::ReadOnly.to_string(), true)),
            _ if inner.full || self.context.reserve.is_missing() => {
                Some(("the disk is full: writes are refused".into(), true))
            }
            _ => inner.blemish().map(|text| (text, false)),
        }
    }

    /// Opens the database if it is not open, and waits until it takes requests.
    pub(crate) async fn ready(self: &Arc<Self>) -> Result<(), Unavailable> {
        let deadline = tokio::time::Instant::now() + self.context.open_timeout;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            let not_yet = match self.begin_opening() {
                Stage::Running => return Ok(()),
                Stage::Refused(why) => return Err(Unavailable::Refused(why)),
                Stage::Gone => return Err(Unavailable::Gone),
                Stage::Resting(why) => Unavailable::Failed(why),
                Stage::Opening | Stage::Closed => Unavailable::Opening,
            };
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return Err(not_yet);
            }
        }
    }

    /// Starts the commit thread of a closed database; the stage it is in.
    pub(super) fn begin_opening(self: &Arc<Self>) -> Stage {
        let mut inner = self.lock();
        if inner.stage == Stage::Closed && !inner.stop {
            inner.stage = Stage::Opening;
            inner.used = Instant::now();
            let this = Arc::clone(self);
            let name = format!("commit-{:06}", self.dir.number());
            match std::thread::Builder::new()
                .name(name)
                .spawn(move || commit::run(&this))
            {
                Ok(thread) => inner.thread = Some(thread),
                Err(error) => {
                    inner.stage = Stage::Closed;
                    return Stage::Resting(format!("no thread: {error}"));
                }
            }
        }
        inner.stage.clone()
    }

    /// Writes a body; the ack comes when it is as safe as `level` says. The caller has waited
    /// for [`ready`](Self::ready), and does so again if the answer is that the database is being
    /// opened: it may have been closed meanwhile.
    pub(crate) fn write(
        &self,
        request: &WriteRequest,
        body: &[u8],
        level: AckLevel,
    ) -> Result<Result<(WriteReport, Ack), WriteError>, Unavailable> {
        if self.lock().is_read_only {
            return Err(Unavailable::ReadOnly);
        }
        self.with_engine(|engine, _, acks, full| {
            if full || self.context.reserve.is_missing() {
                return Ok(Err(WriteError::NoSpace));
            }
            engine.input(body.len())?.copy_from_slice(body);
            match engine.write(request, body.len())? {
                Ok(report) => {
                    let durable = engine.durable()?;
                    let ack = acks.wait(report.ticket, durable, level, report.written);
                    Ok(Ok((report, ack)))
                }
                Err(error) => Ok(Err(error)),
            }
        })
    }

    /// Carries out a statement; also the epoch that its cursor belongs to.
    pub(crate) fn execute(
        &self,
        now_ns: i64,
        statement: &str,
    ) -> Result<Result<(Executed, u64, Ack), String>, Unavailable> {
        self.with_engine(
            |engine, epoch, acks, _| match engine.execute(now_ns, statement)? {
                Ok(executed) => {
                    let durable = engine.durable()?;
                    let ack = acks.wait(executed.ticket, durable, AckLevel::Durable, 0);
                    Ok(Ok((executed, epoch, ack)))
                }
                Err(text) => Ok(Err(text)),
            },
        )
    }

    /// Appends the next rows of a cursor; whether there are more.
    pub(crate) fn fetch(
        &self,
        epoch: u64,
        cursor: CursorId,
        rows_max: u32,
        out: &mut Vec<u8>,
    ) -> Result<bool, Unavailable> {
        self.with_engine(|engine, current, _, _| {
            if current != epoch {
                return Ok(None);
            }
            engine.fetch(cursor, rows_max, out).map(Some)
        })?
        .ok_or_else(|| Unavailable::Failed("the engine that held the rows is gone".into()))
    }

    /// Closes a cursor whose rows nobody wants any more.
    pub(crate) fn close_cursor(&self, epoch: u64, cursor: CursorId) {
        let closed = self.with_engine(|engine, current, _, _| {
            if current == epoch {
                engine.close(cursor)
            } else {
                Ok(())
            }
        });
        // A database that is not open has no cursors.
        drop(closed);
    }

    /// Lets the commit thread finish what is accepted, and waits for it. Blocks.
    pub(crate) fn shut_down(&self) {
        let thread = {
            let mut inner = self.lock();
            inner.stop = true;
            if inner.thread.is_none() || inner.stage == Stage::Closed {
                inner.stage = Stage::Gone;
            }
            inner.thread.take()
        };
        self.work.notify_all();
        self.changed.notify_waiters();
        if let Some(thread) = thread {
            // A panic of that thread was printed by the runtime.
            let _ = thread.join();
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        let locked = self.inner.lock();
        locked.unwrap_or_else(|poisoned| self.after_panic(poisoned.into_inner()))
    }

    /// Somebody panicked while they held the mutex (release builds abort instead): the engine may
    /// be in the middle of anything, so it ends here, and the commit thread opens a fresh one.
    pub(super) fn after_panic<'a>(
        &self,
        mut inner: MutexGuard<'a, Inner>,
    ) -> MutexGuard<'a, Inner> {
        self.inner.clear_poison();
        if inner.engine.is_some() {
            self.end_life(&mut inner, "a bug: a thread panicked in the engine".into());
        }
        inner
    }

    /// Drops the engine and all that waited for it.
    pub(super) fn end_life(&self, inner: &mut Inner, why: String) {
        inner.engine = None;
        self.fail_acks(inner);
        inner.stage = Stage::Resting(why);
    }

    /// Gives up on all that wait. What was acknowledged before it was durable cannot be taken
    /// back; it is counted, and told.
    pub(super) fn fail_acks(&self, inner: &mut Inner) {
        let points = inner.acks.fail();
        if points == 0 {
            return;
        }
        inner.late_failures += points;
        let total = &self.context.late_failures;
        total.fetch_add(points, Ordering::Relaxed);
        log!(
            "database {:?}: the write of {points} points failed after it was acknowledged as wal \
             or memory; those that had reached the log are found when it is opened again",
            self.name()
        );
    }

    /// Calls a running engine. If it dies of the call, so do all that wait for it; who comes after
    /// is told that it is being opened, and waits for that. The commit thread is woken if there
    /// is something new to make durable, not for reads.
    fn with_engine<R>(
        &self,
        call: impl FnOnce(&mut dyn EngineFace, u64, &mut AckQueue, bool) -> Result<R, Died>,
    ) -> Result<R, Unavailable> {
        let mut guard = self.lock();
        let inner = &mut *guard;
        if inner.stop {
            return Err(Unavailable::Gone);
        }
        let engine = match (&inner.stage, &mut inner.engine) {
            (Stage::Running, Some(engine)) => engine,
            (Stage::Refused(why), _) => return Err(Unavailable::Refused(why.clone())),
            (Stage::Gone, _) => return Err(Unavailable::Gone),
            _ => return Err(Unavailable::Opening),
        };
        inner.used = Instant::now();
        let known = inner.acks.known();
        let result = call(engine.as_mut(), inner.epoch, &mut inner.acks, inner.full);
        let result = result.map_err(|Died(why)| {
            self.end_life(inner, why.clone());
            Unavailable::Failed(why)
        });
        let has_work = result.is_err() || inner.acks.known() > known;
        // The first who has work wakes it, for all.
        let wakes = has_work && std::mem::take(&mut inner.asleep);
        drop(guard);
        if wakes {
            self.work.notify_one();
        }
        result
    }
}

impl Inner {
    /// Why there is no engine: a request found it dead, and left the reason in the stage.
    pub(super) fn end_reason(&self) -> String {
        match &self.stage {
            Stage::Resting(why) => why.clone(),
            _ => "the engine is gone".into(),
        }
    }

    /// What a person should know of a database that serves.
    fn blemish(&self) -> Option<String> {
        let mut parts = Vec::new();
        if let Some(found) = &self.found
            && !found.damage.is_empty()
        {
            parts.push(format!(
                "{}; see recovery.json and quarantine/ in its directory",
                recovered::summary(found)
            ));
        }
        if self.late_failures > 0 {
            parts.push(format!(
                "points whose write failed after it was acknowledged as wal or memory, since the \
                 start: {}",
                self.late_failures
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
