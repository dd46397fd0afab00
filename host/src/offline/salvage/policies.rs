//! Which retention policy a shard belongs to, from the catalogs of all segments.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tidegate_core::ids::ShardId;
use tidegate_core::influxql::{Identifier, format_duration};
use tidegate_core::meta::{Catalog, Change, RetentionPolicy};

/// What is known of the policies of a database.
#[derive(Debug, Default)]
pub(super) struct Policies {
    catalog: Catalog,
    /// Of every shard that any catalog knew, also of those that were dropped since.
    ever: BTreeMap<ShardId, String>,
}

/// Where the rows of a shard belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home<'a> {
    /// To this policy.
    Policy(&'a str),
    /// To one that was dropped later, or whose group was.
    Dropped,
    /// Nothing that can be read tells.
    Unknown,
}

impl Policies {
    /// Takes a change of a catalog, in the order of the log.
    pub(super) fn apply(&mut self, change: &[u8]) {
        let Some(change) = Change::decode(change, &mut 0) else {
            return;
        };
        if let Change::PutGroup { policy, group } = &change {
            self.ever.insert(group.shard, policy.clone());
        }
        self.catalog.apply(&change);
    }

    /// Where the rows of a shard belong, once all changes are in.
    pub(super) fn home(&self, shard: ShardId) -> Home<'_> {
        match self.catalog.group_of(shard) {
            Some((policy, _)) => Home::Policy(policy),
            None if self.ever.contains_key(&shard) => Home::Dropped,
            None => Home::Unknown,
        }
    }

    /// The policy of what nothing tells the policy of.
    pub(super) fn fallback(&self) -> &str {
        match self.catalog.default_policy() {
            "" => "autogen",
            name => name,
        }
    }

    /// The statements that make such a database, one a line.
    pub(super) fn statements(&self, database: &str) -> String {
        let database = Identifier(database);
        let default = self.catalog.policy("");
        let mut text = format!("CREATE DATABASE {database}");
        if let Some(policy) = default {
            let _ = write!(text, " WITH {}", terms(policy, "NAME "));
        }
        text.push('\n');
        let default = default.map(|policy| &policy.name);
        for policy in self.catalog.policies() {
            if Some(&policy.name) != default {
                let name = Identifier(&policy.name);
                let terms = terms(policy, "");
                let _ = writeln!(text, "CREATE RETENTION POLICY {name} ON {database} {terms}");
            }
        }
        text
    }
}

/// The terms of a policy, and behind them `NAME` and its name if that is asked for.
fn terms(policy: &RetentionPolicy, name: &str) -> String {
    let duration = |ns: i64| match ns {
        0 => "INF".to_owned(),
        ns => format_duration(ns),
    };
    let mut text = format!(
        "DURATION {} REPLICATION {} SHARD DURATION {}",
        duration(policy.duration_ns),
        policy.replica_n.max(1),
        format_duration(policy.shard_group_duration_ns)
    );
    for (limit, ns) in [
        ("FUTURE", policy.future_limit_ns),
        ("PAST", policy.past_limit_ns),
    ] {
        if ns > 0 {
            let _ = write!(text, " {limit} LIMIT {}", format_duration(ns));
        }
    }
    if !name.is_empty() {
        let _ = write!(text, " {name}{}", Identifier(&policy.name));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_core::ids::ShardGroupId;
    use tidegate_core::meta::{PolicySpec, ShardGroup};

    fn apply(policies: &mut Policies, change: &Change) {
        let mut bytes = Vec::new();
        change.encode(&mut bytes);
        policies.apply(&bytes);
    }

    #[test]
    fn a_shard_is_at_home_in_its_policy_until_that_is_dropped() {
        let mut policies = Policies::default();
        assert_eq!(policies.statements("d"), "CREATE DATABASE d\n");
        let spec = |name: &str| PolicySpec {
            name: name.into(),
            ..PolicySpec::autogen()
        };
        for (name, shard) in [("autogen", 1), ("b c", 2)] {
            let policy = spec(name).resolve().expect("fine");
            apply(&mut policies, &Change::PutPolicy(policy));
            let group = ShardGroup {
                id: ShardGroupId(shard),
                shard: ShardId(shard),
                start_ns: 0,
                end_ns: 1,
            };
            let policy = name.to_owned();
            apply(&mut policies, &Change::PutGroup { policy, group });
        }
        apply(&mut policies, &Change::SetDefault("autogen".into()));
        let expected = "CREATE DATABASE d WITH DURATION INF REPLICATION 1 SHARD DURATION 1w NAME \
                        autogen\nCREATE RETENTION POLICY \"b c\" ON d DURATION INF REPLICATION 1 \
                        SHARD DURATION 1w\n";
        assert_eq!(policies.statements("d"), expected);
        assert_eq!(policies.home(ShardId(2)), Home::Policy("b c"));
        assert_eq!(policies.home(ShardId(3)), Home::Unknown);
        apply(&mut policies, &Change::DropPolicy("b c".into()));
        assert_eq!(policies.home(ShardId(2)), Home::Dropped);
        assert_eq!(policies.home(ShardId(1)), Home::Policy("autogen"));
    }
}
