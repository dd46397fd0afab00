//! Shard groups: half-open time ranges, one shard each.

use super::RetentionPolicy;
use crate::ids::{ShardGroupId, ShardId};
use crate::model::truncate_to;

/// A time range of a policy and the shard that holds its points.
///
/// Upstream's open-source groups have exactly one shard; so have ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardGroup {
    /// Unique within the database.
    pub id: ShardGroupId,
    /// Its shard.
    pub shard: ShardId,
    /// First nanosecond covered.
    pub start_ns: i64,
    /// First nanosecond not covered; `i64::MAX` covers up to the last valid time.
    pub end_ns: i64,
}

impl ShardGroup {
    /// Whether a time lies in the group.
    pub const fn covers(&self, time_ns: i64) -> bool {
        self.start_ns <= time_ns && time_ns < self.end_ns
    }
}

impl RetentionPolicy {
    /// The group that covers a time.
    pub fn group_at(&self, time_ns: i64) -> Option<&ShardGroup> {
        let after = self
            .groups
            .partition_point(|group| group.start_ns <= time_ns);
        let group = self.groups.get(after.checked_sub(1)?)?;
        group.covers(time_ns).then_some(group)
    }

    /// The range of the group to make for a time that none covers: aligned to the group
    /// duration, shrunk so that it overlaps no group that exists.
    ///
    /// Source: influxdb 1.12 `services/meta.Data.CreateShardGroup`.
    pub fn range_for(&self, time_ns: i64) -> (i64, i64) {
        let start = truncate_to(time_ns, self.shard_group_duration_ns);
        let end = start.saturating_add(self.shard_group_duration_ns);
        // A clamped start must not make the group shorter than the time it is for.
        let end = if end <= time_ns { i64::MAX } else { end };
        let after = self
            .groups
            .partition_point(|group| group.start_ns <= time_ns);
        let earlier = after
            .checked_sub(1)
            .and_then(|index| self.groups.get(index));
        let later = self.groups.get(after);
        (
            earlier.map_or(start, |group| group.end_ns.max(start)),
            later.map_or(end, |group| group.start_ns.min(end)),
        )
    }
}
