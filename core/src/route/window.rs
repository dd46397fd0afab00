//! Which times a retention policy accepts at a given moment.

use core::fmt;

use crate::meta::RetentionPolicy;
use crate::model::{TIME_MAX_NS, TIME_MIN_NS};

/// The limit a time violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Older than the policy keeps.
    Retention,
    /// Older than the policy's PAST LIMIT.
    Past,
    /// Newer than the policy's FUTURE LIMIT.
    Future,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retention => "Retention Policy Lower Bound",
            Self::Past => "Write Window Lower Bound",
            Self::Future => "Write Window Upper Bound",
        })
    }
}

/// The times a policy accepts, fixed once per request. All bounds are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    retention_min: i64,
    past_min: i64,
    future_max: i64,
}

impl Default for Window {
    /// Every valid time.
    fn default() -> Self {
        Self {
            retention_min: TIME_MIN_NS,
            past_min: TIME_MIN_NS,
            future_max: TIME_MAX_NS,
        }
    }
}

impl Window {
    /// The window of `policy` at `now_ns`.
    pub fn new(policy: &RetentionPolicy, now_ns: i64) -> Self {
        let since = |span: i64| match span {
            0 => TIME_MIN_NS,
            span => now_ns.saturating_sub(span).max(TIME_MIN_NS),
        };
        Self {
            retention_min: since(policy.duration_ns),
            past_min: since(policy.past_limit_ns),
            future_max: match policy.future_limit_ns {
                0 => TIME_MAX_NS,
                span => now_ns.saturating_add(span).min(TIME_MAX_NS),
            },
        }
    }

    /// The bound that `time_ns` violates, if any.
    pub const fn violation(&self, time_ns: i64) -> Option<Bound> {
        if time_ns < self.retention_min {
            Some(Bound::Retention)
        } else if time_ns < self.past_min {
            Some(Bound::Past)
        } else if time_ns > self.future_max {
            Some(Bound::Future)
        } else {
            None
        }
    }

    /// Where a bound lies.
    pub const fn at(&self, bound: Bound) -> i64 {
        match bound {
            Bound::Retention => self.retention_min,
            Bound::Past => self.past_min,
            Bound::Future => self.future_max,
        }
    }

    /// Earliest and latest time accepted.
    pub fn range(&self) -> (i64, i64) {
        (self.retention_min.max(self.past_min), self.future_max)
    }
}
