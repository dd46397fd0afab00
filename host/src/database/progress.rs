//! A line now and then while a large log is read.

use std::time::{Duration, Instant};

use tidegate_core::engine::Effect;

use super::drive::Job;
use super::instance::Database;
use crate::log::log;

/// Between two lines.
const EVERY: Duration = Duration::from_secs(5);

/// Tells how far a long recovery is.
pub(super) struct Progress {
    began: Instant,
    told: Instant,
    read: u64,
    total: u64,
}

impl Progress {
    /// Of a log of `total` bytes.
    pub(super) fn new(total: u64) -> Self {
        Self {
            began: Instant::now(),
            told: Instant::now(),
            read: 0,
            total,
        }
    }

    /// Since it began.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Counts a job, and says so now and then.
    pub(super) fn tell(&mut self, database: &Database, job: &Job) {
        let Effect::Read { .. } = job.effect else {
            return;
        };
        self.read += job.bytes.len() as u64;
        if self.told.elapsed() > EVERY {
            self.told = Instant::now();
            let (read, total) = (self.read >> 20, self.total >> 20);
            log!(
                "database {:?} is being opened: {read} of {total} MiB read",
                database.name()
            );
        }
    }
}
