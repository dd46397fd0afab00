//! What the server counts about its requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tidegate_core::engine::WriteReport;
use tidegate_core::http::{Counter, Uptime, metrics, vars};

use crate::database::now_ns;

/// Counters since the start.
#[derive(Debug)]
pub(crate) struct Figures {
    counts: [AtomicU64; Counter::COUNT],
    started_ns: i64,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; Counter::COUNT],
            started_ns: now_ns(),
        }
    }
}

impl Figures {
    /// Adds to a counter.
    pub(super) fn add(&self, counter: Counter, count: u64) {
        self.counts[counter as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// Counts something up until what is returned is dropped, then the time that passed.
    pub(super) fn busy(&self, active: Option<Counter>, time: Option<Counter>) -> Busy<'_> {
        if let Some(active) = active {
            self.add(active, 1);
        }
        Busy {
            figures: self,
            active,
            time,
            since: Instant::now(),
        }
    }

    /// A request is answered with this status.
    pub(super) fn answered(&self, path: &str, status: u16) {
        match path {
            "/ping" => self.add(Counter::Pings, 1),
            "/status" => self.add(Counter::Statuses, 1),
            _ => {}
        }
        match status {
            401 => {
                self.add(Counter::AuthFailures, 1);
                self.add(Counter::ClientErrors, 1);
            }
            400..500 => self.add(Counter::ClientErrors, 1),
            500.. => self.add(Counter::ServerErrors, 1),
            _ => {}
        }
    }

    /// A write was judged, and what it stored is as safe as it was to be.
    pub(super) fn points(&self, report: &WriteReport) {
        self.add(Counter::EngineWritesOk, 1);
        self.add(Counter::PointsOk, report.written);
        self.add(Counter::PointsDropped, report.dropped);
        self.add(Counter::PointsFailed, report.unparsed);
    }

    /// As Prometheus reads them. `late_failures`: points that were acknowledged before they were
    /// durable, and whose write then failed.
    pub(super) fn metrics(&self, databases: usize, late_failures: u64) -> String {
        metrics(|counter| self.get(counter, databases, late_failures))
    }

    /// As upstream's `/debug/vars` gives them.
    pub(super) fn vars(&self, bind: &str, databases: usize, late_failures: u64) -> String {
        let uptime = Uptime {
            bind,
            now_ns: now_ns(),
            started_ns: self.started_ns,
        };
        let mut text = vars(
            |counter| self.get(counter, databases, late_failures),
            &uptime,
        );
        text.push_str("\n}\n");
        text
    }

    fn get(&self, counter: Counter, databases: usize, late_failures: u64) -> u64 {
        match counter {
            Counter::Databases => databases as u64,
            Counter::PointsLost => late_failures,
            _ => self.counts[counter as usize].load(Ordering::Relaxed),
        }
    }
}

/// Something that is going on.
#[derive(Debug)]
pub(super) struct Busy<'a> {
    figures: &'a Figures,
    active: Option<Counter>,
    time: Option<Counter>,
    since: Instant,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some(active) = self.active {
            self.figures.counts[active as usize].fetch_sub(1, Ordering::Relaxed);
        }
        if let Some(time) = self.time {
            let passed = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.figures.add(time, passed);
        }
    }
}
