//! A life on a disk that is full, or keeps nothing.

use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use tidegate_core::engine::Effect;

use super::drive::Job;
use super::instance::Inner;
use super::life::{End, Life, TICK};
use crate::log::log;

/// How often a database that is read-only looks whether its disk keeps what is written again.
const MEND_EVERY: Duration = Duration::from_secs(5);

impl<'a> Life<'a> {
    /// Now and then, if something is wrong with the disk: looks whether it still is.
    pub(super) fn look_after_disk<'g>(
        &mut self,
        inner: MutexGuard<'g, Inner>,
    ) -> Result<MutexGuard<'g, Inner>, End>
    where
        'a: 'g,
    {
        let since = self.probed.elapsed();
        let is_full = inner.full || self.database.context.reserve.is_missing();
        let is_due = if self.is_read_only {
            since >= MEND_EVERY
        } else {
            is_full && since >= TICK
        };
        if !is_due {
            return Ok(inner);
        }
        drop(inner);
        let has_space = self.has_space();
        if has_space && self.is_read_only {
            return Err(End::Mended);
        }
        let mut inner = self.database.lock();
        if has_space {
            self.set_full(&mut inner, false);
        }
        Ok(inner)
    }

    /// Looks for space: for the reserve first, then for a little more.
    fn has_space(&mut self) -> bool {
        self.probed = Instant::now();
        self.database.context.reserve.restore() && self.storage.probe_space().is_ok()
    }

    pub(super) fn set_full(&self, inner: &mut Inner, full: bool) {
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

    /// Whether a persist that found no space is simply tried again later, whoever reads. Not if
    /// a write waits for it: its client is told at once, and the engine starts over, without what
    /// it cannot keep. Starting over does not help with what opening repeats, and it would lose
    /// what was acknowledged before it was durable: then it is only the clients that are told.
    pub(super) fn may_hold(&self, job: &Job) -> bool {
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
