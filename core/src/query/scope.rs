//! What FROM stands for: measurements in shards.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::pattern::Pattern;
use super::{ShardView, View};
use crate::ids::ShardId;
use crate::index::MeasurementId;
use crate::influxql::{Measurement, Source, TimeRange};

/// A measurement that SELECT reads, and where it is found.
#[derive(Debug)]
pub(super) struct Target {
    /// Which entry of FROM asked for it.
    pub(super) source: usize,
    pub(super) name: Vec<u8>,
    /// In order of time.
    pub(super) parts: Vec<(ShardId, MeasurementId)>,
}

/// The measurements in the shards of a policy that hold a range of time.
///
/// # Errors
///
/// A sub-query; two databases; a retention policy that does not exist; a pattern that cannot run.
pub(super) fn targets(
    sources: &[Source],
    view: &View<'_>,
    range: TimeRange,
) -> Result<Vec<Target>, String> {
    check_databases(sources)?;
    let mut targets = Vec::new();
    for (source, measurement) in sources.iter().enumerate() {
        let Source::Measurement(measurement) = measurement else {
            return Err("sub-queries are not supported yet".into());
        };
        let policy = match measurement.retention_policy.as_str() {
            "" => view.default_policy,
            named => named,
        };
        check_policy(policy, view)?;
        let mut shards: Vec<_> = shards_of(view, range)
            .filter(|s| s.policy == policy)
            .collect();
        shards.sort_by_key(|shard| (shard.start_ns, shard.id));
        let names = Names::of(measurement)?;
        let mut found = BTreeMap::<&[u8], Vec<_>>::new();
        for shard in shards {
            for (name, id) in names.in_shard(shard) {
                found.entry(name).or_default().push((shard.id, id));
            }
        }
        let target = |(name, parts): (&[u8], _)| Target {
            source,
            name: name.to_vec(),
            parts,
        };
        targets.extend(found.into_iter().map(target));
    }
    Ok(targets)
}

/// The shards, with its id in each, by the name of the measurement.
pub(super) type Found<'v> = BTreeMap<&'v [u8], Vec<(&'v ShardView<'v>, MeasurementId)>>;

/// The measurements that a SHOW statement looks at, in shards of every retention policy unless
/// FROM names one.
///
/// # Errors
///
/// As [`targets`].
pub(super) fn found<'v>(
    sources: &[Source],
    view: &'v View<'v>,
    range: TimeRange,
) -> Result<Found<'v>, String> {
    let every = [Source::Measurement(Measurement::default())];
    check_databases(sources)?;
    let sources = if sources.is_empty() { &every } else { sources };
    let mut found = Found::new();
    for source in sources {
        let Source::Measurement(measurement) = source else {
            return Err("sub-queries are not supported yet".into());
        };
        let policy = measurement.retention_policy.as_str();
        if !policy.is_empty() {
            check_policy(policy, view)?;
        }
        let names = Names::of(measurement)?;
        let wanted = |shard: &&ShardView<'_>| policy.is_empty() || shard.policy == policy;
        for shard in shards_of(view, range).filter(wanted) {
            for (name, id) in names.in_shard(shard) {
                let shards: &mut Vec<(&ShardView<'_>, _)> = found.entry(name).or_default();
                if shards.iter().all(|(other, _)| other.id != shard.id) {
                    shards.push((shard, id));
                }
            }
        }
    }
    Ok(found)
}

fn shards_of<'v>(view: &'v View<'v>, range: TimeRange) -> impl Iterator<Item = &'v ShardView<'v>> {
    let holds = move |s: &&ShardView<'_>| s.start_ns <= range.max() && s.end_ns > range.min();
    view.shards.iter().filter(holds)
}

/// An engine holds one database, and the caller has chosen it.
fn check_databases(sources: &[Source]) -> Result<(), String> {
    let mut named = sources.iter().filter_map(|source| match source {
        Source::Measurement(measurement) => Some(measurement.database.as_str()),
        Source::Subquery(_) => None,
    });
    let first = named.find(|name| !name.is_empty());
    if named.any(|name| !name.is_empty() && Some(name) != first) {
        return Err("sources in several databases are not supported".into());
    }
    Ok(())
}

fn check_policy(policy: &str, view: &View<'_>) -> Result<(), String> {
    if view.policies.contains(&policy) {
        return Ok(());
    }
    Err(format!("retention policy not found: {policy}"))
}

/// Names that an entry of FROM stands for.
enum Names<'a> {
    One(&'a [u8]),
    All,
    Like(Pattern),
}

impl<'a> Names<'a> {
    fn of(measurement: &'a Measurement) -> Result<Self, String> {
        Ok(match &measurement.regex {
            Some(pattern) => Self::Like(Pattern::new(pattern)?),
            None if measurement.name.is_empty() => Self::All,
            None => Self::One(measurement.name.as_bytes()),
        })
    }

    fn in_shard<'v>(&self, shard: &ShardView<'v>) -> Vec<(&'v [u8], MeasurementId)> {
        let index = shard.index;
        match self {
            Self::One(name) => {
                let found = index.measurement_named(name);
                found
                    .map(|(id, measurement)| (measurement.name(), id))
                    .into_iter()
                    .collect()
            }
            Self::All => index.measurements().map(|(id, m)| (m.name(), id)).collect(),
            Self::Like(pattern) => index
                .measurements()
                .map(|(id, measurement)| (measurement.name(), id))
                .filter(|(name, _)| pattern.is_match(name))
                .collect(),
        }
    }
}
