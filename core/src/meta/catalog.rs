//! The catalog of one database.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::{
    Alteration, CatalogError, Change, PolicySpec, RetentionPolicy, ShardGroup, ShardGroups,
};
use crate::ids::{ShardGroupId, ShardId};
use crate::planted::{Planted, planted};

/// Retention policies in order of their creation, and which one is the default.
///
/// Methods that plan return the [`Change`]s to log; [`Catalog::apply`] is the only one that
/// changes anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    policies: Vec<RetentionPolicy>,
    /// The policy and group of each shard: there may be thousands.
    shards: BTreeMap<ShardId, (String, ShardGroup)>,
    default: String,
    last_group: ShardGroupId,
    last_shard: ShardId,
    /// Whether there may be more of it where nothing can be read now.
    is_partial: bool,
    /// Groups up to this one take no more points.
    sealed: ShardGroupId,
}

impl Catalog {
    /// Policies in order of their creation.
    pub fn policies(&self) -> &[RetentionPolicy] {
        &self.policies
    }

    /// The name of the default policy; it may dangle, as upstream, or be empty.
    pub fn default_policy(&self) -> &str {
        &self.default
    }

    /// A policy by name; the empty name is the default one.
    pub fn policy(&self, name: &str) -> Option<&RetentionPolicy> {
        let name = if name.is_empty() { &self.default } else { name };
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// The policy and group of a shard.
    pub fn group_of(&self, shard: ShardId) -> Option<(&str, ShardGroup)> {
        self.shards
            .get(&shard)
            .map(|(policy, group)| (policy.as_str(), *group))
    }

    /// Plans CREATE RETENTION POLICY. Nothing to do if it exists with the same terms.
    pub fn plan_create(
        &self,
        spec: &PolicySpec,
        make_default: bool,
    ) -> Result<Vec<Change>, CatalogError> {
        let wanted = spec.resolve()?;
        if let Some(existing) = self.policies.iter().find(|policy| policy.name == spec.name) {
            if !existing.same_terms(&wanted) {
                return Err(CatalogError::PolicyExists);
            }
            if make_default && self.default != spec.name {
                return Err(CatalogError::PolicyConflicts);
            }
            return Ok(Vec::new());
        }
        let mut changes = vec![Change::PutPolicy(wanted)];
        if make_default {
            changes.push(Change::SetDefault(spec.name.clone()));
        }
        Ok(changes)
    }

    /// Plans CREATE DATABASE with a policy: on a new database it becomes the default one, on
    /// an existing one it must already be there with the same terms.
    ///
    /// Source: influxdb 1.12 `services/meta.Client.CreateDatabaseWithRetentionPolicy`.
    pub fn plan_create_first(&self, spec: &PolicySpec) -> Result<Vec<Change>, CatalogError> {
        if self.policies.is_empty() && self.default.is_empty() {
            return self.plan_create(spec, true);
        }
        let wanted = spec.resolve()?;
        let existing = self.policies.iter().find(|policy| policy.name == spec.name);
        match existing {
            Some(existing) if existing.same_terms(&wanted) && self.default == spec.name => {
                Ok(Vec::new())
            }
            _ => Err(CatalogError::PolicyConflicts),
        }
    }

    /// Plans ALTER RETENTION POLICY.
    pub fn plan_alter(
        &self,
        name: &str,
        alteration: &Alteration,
        make_default: bool,
    ) -> Result<Vec<Change>, CatalogError> {
        let existing = self.policies.iter().find(|policy| policy.name == name);
        let existing = existing.ok_or_else(|| CatalogError::PolicyNotFound(name.to_string()))?;
        let mut altered = existing.altered(alteration)?;
        altered.groups = ShardGroups::default();
        let mut changes = vec![Change::PutPolicy(altered)];
        if make_default {
            changes.push(Change::SetDefault(name.to_string()));
        }
        Ok(changes)
    }

    /// Plans DROP RETENTION POLICY; nothing to do if it does not exist.
    pub fn plan_drop(&self, name: &str) -> Vec<Change> {
        let exists = self.policies.iter().any(|policy| policy.name == name);
        exists
            .then(|| Change::DropPolicy(name.to_string()))
            .into_iter()
            .collect()
    }

    /// The group of `policy` that takes points of a time, cut to the times around it that it
    /// takes.
    pub fn group_for(&self, policy: &RetentionPolicy, time_ns: i64) -> Option<ShardGroup> {
        let group = policy.group_at(time_ns).copied();
        group.filter(|group| group.id > self.sealed || planted(Planted::SealIgnored))
    }

    /// Plans the group for a time that no group of `policy` covers, or only a sealed one: then
    /// it is one more of the same range.
    pub fn plan_group(&self, policy: &RetentionPolicy, time_ns: i64) -> (Change, ShardGroup) {
        let sealed = policy.group_at(time_ns);
        let range = sealed.map(|group| (group.start_ns, group.end_ns));
        let (start_ns, end_ns) = range.unwrap_or_else(|| policy.range_for(time_ns));
        let (id, shard) = (self.last_group.next(), self.last_shard.next());
        let group = ShardGroup {
            id,
            shard,
            start_ns,
            end_ns,
        };
        (
            Change::PutGroup {
                policy: policy.name.clone(),
                group,
            },
            group,
        )
    }

    /// Notes that policies, groups and ids may be hidden by damage. Ids go on above `floor`,
    /// which is higher than any of them, and accounts forget nothing any more: were a group
    /// forgotten, its rows would be lost on the day when they can be read again.
    pub fn note_damage(&mut self, floor: u64) {
        self.last_group.0 = self.last_group.0.max(floor);
        self.last_shard.0 = self.last_shard.0.max(floor);
        self.is_partial = !planted(Planted::PartForgets);
    }

    /// Points go to new groups from now on. What cannot be read now may hold a newer group of a
    /// range than those that are known: on the day when it is back, its rows must not stand
    /// before those of later points, nor its field types before theirs.
    pub fn seal_groups(&mut self) {
        self.sealed = self.last_group;
    }

    /// A full account: changes that rebuild this catalog from any other, unless it is partial;
    /// then they add it to the other.
    pub fn account(&self) -> Vec<Change> {
        let (last_group, last_shard) = (self.last_group, self.last_shard);
        let first = if self.is_partial {
            Change::Known {
                last_group,
                last_shard,
            }
        } else {
            Change::Reset {
                last_group,
                last_shard,
            }
        };
        let mut changes = vec![first];
        for policy in &self.policies {
            changes.push(Change::PutPolicy(RetentionPolicy {
                groups: ShardGroups::default(),
                ..policy.clone()
            }));
            let name = &policy.name;
            let groups = policy.groups.iter();
            changes.extend(groups.map(|&group| Change::PutGroup {
                policy: name.clone(),
                group,
            }));
        }
        let is_unknown = self.is_partial && self.default.is_empty();
        if !is_unknown && !planted(Planted::DefaultOmitted) {
            changes.push(Change::SetDefault(self.default.clone()));
        }
        changes
    }

    /// Makes a change.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Reset {
                last_group,
                last_shard,
            } => {
                let (last_group, last_shard) = (*last_group, *last_shard);
                *self = Self {
                    last_group,
                    last_shard,
                    ..Self::default()
                };
            }
            Change::Known {
                last_group,
                last_shard,
            } => {
                self.last_group = self.last_group.max(*last_group);
                self.last_shard = self.last_shard.max(*last_shard);
            }
            Change::PutPolicy(policy) => {
                let existing = self
                    .policies
                    .iter_mut()
                    .find(|other| other.name == policy.name);
                if let Some(existing) = existing {
                    let mut groups = core::mem::take(&mut existing.groups);
                    if planted(Planted::AlterForgetsGroups) {
                        groups = ShardGroups::default();
                    }
                    *existing = RetentionPolicy {
                        groups,
                        ..policy.clone()
                    };
                } else {
                    self.policies.push(policy.clone());
                }
            }
            Change::DropPolicy(name) => {
                self.policies.retain(|policy| policy.name != *name);
                self.shards.retain(|_, (policy, _)| policy != name);
                if planted(Planted::ShardReused) {
                    self.last_shard = self.shards.keys().copied().max().unwrap_or_default();
                }
            }
            Change::SetDefault(name) => self.default.clone_from(name),
            Change::PutGroup { policy, group } => self.put_group(policy, *group),
        }
    }

    fn put_group(&mut self, policy: &str, group: ShardGroup) {
        self.last_group = self.last_group.max(group.id);
        self.last_shard = self.last_shard.max(group.shard);
        let Some(policy) = self.policies.iter_mut().find(|other| other.name == policy) else {
            return;
        };
        if policy.groups.insert(group) {
            self.shards
                .insert(group.shard, (policy.name.clone(), group));
        }
    }
}
