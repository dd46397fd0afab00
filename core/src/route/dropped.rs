//! The points of a request that no shard takes, summed up in upstream's words.

use alloc::vec::Vec;
use core::fmt::Write as _;

use super::{Bound, Window};
use crate::meta::RetentionPolicy;
use crate::model::{Duration, Rfc3339};

#[derive(Clone, Debug)]
struct Example {
    key: Vec<u8>,
    time_ns: i64,
    bound: Bound,
}

/// Counts points outside the window, and remembers the oldest and the newest.
#[derive(Clone, Debug, Default)]
pub struct DroppedPoints {
    retention: u64,
    window: u64,
    oldest: Option<Example>,
    newest: Option<Example>,
}

impl DroppedPoints {
    /// Counts a point.
    pub fn add(&mut self, key: &[u8], time_ns: i64, bound: Bound) {
        match bound {
            Bound::Retention => self.retention += 1,
            Bound::Past | Bound::Future => self.window += 1,
        }
        if self
            .oldest
            .as_ref()
            .is_none_or(|oldest| time_ns < oldest.time_ns)
        {
            self.oldest = Some(Example {
                key: key.to_vec(),
                time_ns,
                bound,
            });
        }
        if self
            .newest
            .as_ref()
            .is_none_or(|newest| time_ns > newest.time_ns)
        {
            self.newest = Some(Example {
                key: key.to_vec(),
                time_ns,
                bound,
            });
        }
    }

    /// How many points were dropped.
    pub const fn count(&self) -> u64 {
        self.retention + self.window
    }

    /// Appends the reason.
    ///
    /// Source: influxdb 1.12.3 `coordinator.PointsWriter.WritePointsPrivileged`.
    pub fn describe(&self, policy: &RetentionPolicy, window: &Window, out: &mut Vec<u8>) {
        let (Some(oldest), Some(newest)) = (&self.oldest, &self.newest) else {
            return;
        };
        let mut text = alloc::format!(
            "dropped {} points outside retention policy of duration {}",
            self.retention,
            Duration(policy.duration_ns)
        );
        let (past, future) = (policy.past_limit_ns, policy.future_limit_ns);
        let limits = match (past, future) {
            (0, 0) => None,
            (0, future) => Some(alloc::format!("{}", Duration(future))),
            (past, 0) => Some(alloc::format!("-{}", Duration(past))),
            (past, future) => Some(alloc::format!(
                "-{} to {}",
                Duration(past),
                Duration(future)
            )),
        };
        if let Some(limits) = limits {
            let _ = write!(
                text,
                " and {} points outside write window ({limits})",
                self.window
            );
        }
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(b" - oldest ");
        describe_example(oldest, window, out);
        out.extend_from_slice(b", newest ");
        describe_example(newest, window, out);
    }
}

/// Appends why the time of one point is not taken.
pub fn describe_violation(time_ns: i64, bound: Bound, window: &Window, out: &mut Vec<u8>) {
    let (time, at) = (Rfc3339(time_ns), Rfc3339(window.at(bound)));
    let text = alloc::format!("time {time} violates a {bound} at {at}");
    out.extend_from_slice(text.as_bytes());
}

fn describe_example(example: &Example, window: &Window, out: &mut Vec<u8>) {
    out.extend_from_slice(b"point ");
    out.extend_from_slice(&example.key);
    let rest = alloc::format!(
        " at {} dropped because it violates a {} at {}",
        Rfc3339(example.time_ns),
        example.bound,
        Rfc3339(window.at(example.bound))
    );
    out.extend_from_slice(rest.as_bytes());
}
