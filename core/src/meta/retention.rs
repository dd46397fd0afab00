//! Retention policies: how long points live, and how long a shard group is.

use alloc::string::String;

use super::{CatalogError, ShardGroup, ShardGroups};
use crate::model::check_name;

const HOUR_NS: i64 = 3_600_000_000_000;
const DAY_NS: i64 = 24 * HOUR_NS;

/// A retention policy as asked for; durations in nanoseconds, 0 is forever or off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySpec {
    /// Unique within the database.
    pub name: String,
    /// How long points live.
    pub duration_ns: i64,
    /// How long a shard group is; `None` picks by the duration.
    pub shard_group_duration_ns: Option<i64>,
    /// Kept and shown, of no effect here.
    pub replica_n: u32,
    /// Points further in the future are dropped.
    pub future_limit_ns: i64,
    /// Points further in the past are dropped.
    pub past_limit_ns: i64,
}

impl PolicySpec {
    /// What a database gets when nothing is asked for: forever.
    ///
    /// Source: influxdb 1.12 `services/meta.DefaultRetentionPolicyName`.
    pub fn autogen() -> Self {
        Self {
            name: "autogen".into(),
            duration_ns: 0,
            shard_group_duration_ns: None,
            replica_n: 1,
            future_limit_ns: 0,
            past_limit_ns: 0,
        }
    }

    /// Checks names and durations and settles the group duration.
    ///
    /// Source: influxdb 1.12 `services/meta.Data.CreateRetentionPolicy`.
    pub fn resolve(&self) -> Result<RetentionPolicy, CatalogError> {
        check_name(&self.name).map_err(CatalogError::Name)?;
        let duration_ns = checked_duration(self.duration_ns)?;
        let wanted = self.shard_group_duration_ns.filter(|&wanted| wanted > 0);
        let group = wanted.map_or_else(|| shard_group_duration(duration_ns), |w| w.max(HOUR_NS));
        if duration_ns > 0 && duration_ns < group {
            return Err(CatalogError::DurationBelowGroup);
        }
        Ok(RetentionPolicy {
            name: self.name.clone(),
            duration_ns,
            shard_group_duration_ns: group,
            replica_n: self.replica_n,
            future_limit_ns: self.future_limit_ns,
            past_limit_ns: self.past_limit_ns,
            groups: ShardGroups::default(),
        })
    }
}

/// What ALTER RETENTION POLICY changes; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alteration {
    /// New duration.
    pub duration_ns: Option<i64>,
    /// New duration of groups made from now on.
    pub shard_group_duration_ns: Option<i64>,
    /// New replication number.
    pub replica_n: Option<u32>,
    /// New limit for points in the future.
    pub future_limit_ns: Option<i64>,
    /// New limit for points in the past.
    pub past_limit_ns: Option<i64>,
}

/// A retention policy with its shard groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Unique within the database.
    pub name: String,
    /// How long points live; 0 is forever.
    pub duration_ns: i64,
    /// How long a group made from now on is.
    pub shard_group_duration_ns: i64,
    /// Kept and shown.
    pub replica_n: u32,
    /// Points further in the future are dropped; 0 is off.
    pub future_limit_ns: i64,
    /// Points further in the past are dropped; 0 is off.
    pub past_limit_ns: i64,
    /// Its shard groups.
    pub groups: ShardGroups,
}

impl RetentionPolicy {
    /// The policy after an alteration. The group duration is never recomputed, as upstream.
    ///
    /// Source: influxdb 1.12 `services/meta.Data.UpdateRetentionPolicy`.
    pub fn altered(&self, change: &Alteration) -> Result<Self, CatalogError> {
        let duration_ns = checked_duration(change.duration_ns.unwrap_or(self.duration_ns))?;
        let wanted = change.shard_group_duration_ns;
        let group = wanted.map_or(self.shard_group_duration_ns, |wanted| match wanted {
            0 => shard_group_duration(duration_ns),
            wanted => wanted.max(HOUR_NS),
        });
        if duration_ns > 0 && duration_ns < group {
            return Err(CatalogError::DurationBelowGroup);
        }
        Ok(Self {
            duration_ns,
            shard_group_duration_ns: group,
            replica_n: change.replica_n.unwrap_or(self.replica_n),
            future_limit_ns: change.future_limit_ns.unwrap_or(self.future_limit_ns),
            past_limit_ns: change.past_limit_ns.unwrap_or(self.past_limit_ns),
            ..self.clone()
        })
    }

    /// The group that takes points of a time, cut to the times around it that it takes.
    pub fn group_at(&self, time_ns: i64) -> Option<&ShardGroup> {
        self.groups.at(time_ns)
    }

    /// The range of the group to make for a time that none covers.
    pub fn range_for(&self, time_ns: i64) -> (i64, i64) {
        self.groups.range_for(time_ns, self.shard_group_duration_ns)
    }

    /// Whether everything but name and groups is equal.
    pub fn same_terms(&self, other: &Self) -> bool {
        (
            self.duration_ns,
            self.shard_group_duration_ns,
            self.replica_n,
        ) == (
            other.duration_ns,
            other.shard_group_duration_ns,
            other.replica_n,
        ) && self.future_limit_ns == other.future_limit_ns
            && self.past_limit_ns == other.past_limit_ns
    }
}

/// How long a shard group is when nobody says.
///
/// Source: influxdb 1.12 `services/meta.shardGroupDuration`.
pub const fn shard_group_duration(duration_ns: i64) -> i64 {
    if duration_ns == 0 || duration_ns >= 180 * DAY_NS {
        7 * DAY_NS
    } else if duration_ns >= 2 * DAY_NS {
        DAY_NS
    } else {
        HOUR_NS
    }
}

const fn checked_duration(duration_ns: i64) -> Result<i64, CatalogError> {
    if duration_ns != 0 && duration_ns < HOUR_NS {
        return Err(CatalogError::DurationTooLow);
    }
    Ok(duration_ns)
}
