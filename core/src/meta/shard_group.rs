//! Shard groups: half-open time ranges, one shard each.

use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::ids::{ShardGroupId, ShardId};
use crate::model::truncate_to;
use crate::planted::{Planted, planted};

/// A time range of a policy and the shard that holds its points.
///
/// Upstream's open-source groups have exactly one shard; so have ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardGroup {
    /// Unique within the database; a newer group has a higher one.
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

/// The shard groups of a policy.
///
/// They overlap only if one was made while another could not be read. Then the newer one takes
/// the points, for its rows win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardGroups {
    /// In order of their start, then of their age.
    all: Vec<ShardGroup>,
    /// Each cut to the times that no newer one covers, so in pieces if need be; in order of time.
    taking: Vec<ShardGroup>,
}

impl ShardGroups {
    /// All of them, in order of their start.
    pub fn iter(&self) -> core::slice::Iter<'_, ShardGroup> {
        self.all.iter()
    }

    /// The group that takes points of a time, cut to the times around it that it takes.
    pub fn at(&self, time_ns: i64) -> Option<&ShardGroup> {
        let after = self.taking_after(time_ns);
        let group = self.taking.get(after.checked_sub(1)?)?;
        group.covers(time_ns).then_some(group)
    }

    /// The range of the group to make for a time that none covers: aligned to the group
    /// duration, shrunk so that it overlaps no group that exists.
    ///
    /// Source: influxdb 1.12 `services/meta.Data.CreateShardGroup`.
    pub(super) fn range_for(&self, time_ns: i64, duration_ns: i64) -> (i64, i64) {
        let start = truncate_to(time_ns, duration_ns);
        let end = start.saturating_add(duration_ns);
        // A clamped start must not make the group shorter than the time it is for.
        let end = if end <= time_ns { i64::MAX } else { end };
        let after = self.taking_after(time_ns);
        let earlier = after
            .checked_sub(1)
            .and_then(|index| self.taking.get(index));
        let later = self.taking.get(after);
        (
            earlier.map_or(start, |group| group.end_ns.max(start)),
            later.map_or(end, |group| group.start_ns.min(end)),
        )
    }

    /// Adds a group; whether it was not there.
    pub(super) fn insert(&mut self, group: ShardGroup) -> bool {
        let place = |group: &ShardGroup| (group.start_ns, group.id);
        let Err(at) = self.all.binary_search_by_key(&place(&group), place) else {
            return false;
        };
        self.all.insert(at, group);
        let at = self.taking_after(group.start_ns);
        let (before, after) = self.taking.split_at(at);
        let overlaps = before.last().is_some_and(|o| o.end_ns > group.start_ns)
            || after.first().is_some_and(|o| o.start_ns < group.end_ns);
        self.taking.insert(at, group);
        if overlaps && !planted(Planted::OverlapByStart) {
            self.share();
        }
        true
    }

    /// How many pieces start at a time or before.
    fn taking_after(&self, time_ns: i64) -> usize {
        self.taking.partition_point(|o| o.start_ns <= time_ns)
    }

    /// Gives every group the times that no newer one has.
    fn share(&mut self) {
        let mut by_age = self.all.clone();
        by_age.sort_by_key(|group| Reverse(group.id));
        self.taking.clear();
        for group in by_age {
            let mut pieces = Vec::new();
            let mut start_ns = group.start_ns;
            for newer in &self.taking {
                let end_ns = newer.start_ns.min(group.end_ns);
                if start_ns < end_ns {
                    pieces.push(ShardGroup {
                        start_ns,
                        end_ns,
                        ..group
                    });
                }
                start_ns = start_ns.max(newer.end_ns);
            }
            if start_ns < group.end_ns {
                pieces.push(ShardGroup { start_ns, ..group });
            }
            self.taking.append(&mut pieces);
            self.taking.sort_by_key(|piece| piece.start_ns);
        }
    }
}
