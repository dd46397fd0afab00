//! SHOW MEASUREMENTS and SHOW SERIES.

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::View;
use super::super::predicate::{Compiler, Condition, Test, compile};
use super::super::scope::{self, Found};
use super::condition::{Scope, Tags};
use super::{Rows, page};
use crate::influxql::{Expr, ShowMeasurements, ShowScope, TimeRange};
use crate::model::key;

/// SHOW MEASUREMENTS.
pub(super) fn measurements(
    show: &ShowMeasurements,
    view: &View<'_>,
    rows: &mut Rows<'_>,
) -> Result<(), String> {
    if show
        .on
        .as_ref()
        .is_some_and(|on| on.database.is_none() || on.retention_policy.is_some())
    {
        return Err("SHOW MEASUREMENTS ON a retention policy is not supported yet".into());
    }
    if mentions_time(show.scope.condition.as_ref()) {
        return Err("SHOW MEASUREMENTS doesn't support time in WHERE clause".into());
    }
    let mut sources = show.scope.sources.clone();
    sources.extend(show.filter.clone());
    let found = scope::found(&sources, view, TimeRange::default())?;
    let condition = compile(
        show.scope.condition.as_ref(),
        &mut Tags as &mut dyn Compiler,
    )?;
    let names: Vec<&[u8]> = match condition {
        Condition::Constant(true) => found.keys().copied().collect(),
        condition => selected(&condition, &found).into_iter().collect(),
    };
    let names = page(names.into_iter(), show.scope.limit, show.scope.offset);
    rows.strings(Some(b"measurements"), [b"name"], names.map(|name| [name]));
    Ok(())
}

/// Measurements that pass: conditions are asked of a measurement as a whole, so `a AND b` may
/// hold for two different series of it, and one without the tag never passes.
///
/// Source: influxdb 1.12 `inmem.Index.measurementNamesByTagFilters`.
fn selected<'v>(condition: &Condition, found: &Found<'v>) -> BTreeSet<&'v [u8]> {
    let names = |passes: &dyn Fn(&&&[u8]) -> bool| {
        found
            .keys()
            .filter(passes)
            .copied()
            .collect::<BTreeSet<_>>()
    };
    match condition {
        Condition::Constant(truth) => names(&|_| *truth),
        Condition::Name(test) => names(&|name| test.passes(name)),
        Condition::Tag(key, test) => names(&|name| has_tag(found, name, key, test)),
        Condition::Row(_) => BTreeSet::new(),
        Condition::And(a, b) => &selected(a, found) & &selected(b, found),
        Condition::Or(a, b) => &selected(a, found) | &selected(b, found),
    }
}

fn has_tag(found: &Found<'_>, name: &[u8], key: &[u8], test: &Test) -> bool {
    let shards = found.get(name).into_iter().flatten();
    let mut values = shards
        .filter_map(|(shard, id)| shard.index.measurement(*id))
        .flat_map(|measurement| measurement.tag_values(key).map(|(value, _)| value))
        .peekable();
    if values.peek().is_none() {
        return false;
    }
    match test {
        Test::Equal(_) | Test::Matches(_) => values.any(|value| test.passes(value)),
        Test::NotEqual(_) | Test::NotMatches(_) => values.all(|value| test.passes(value)),
        Test::OtherTag(..) | Test::Never => false,
    }
}

/// SHOW SERIES.
pub(super) fn series(
    scope: &ShowScope,
    view: &View<'_>,
    rows: &mut Rows<'_>,
) -> Result<(), String> {
    let asked = Scope::open(scope, view)?;
    let mut keys = Vec::new();
    for (name, parts) in &asked.found {
        let mut series = Vec::new();
        for (shard, id) in parts {
            let ids = asked.series(shard, *id).map(|(_, ids)| ids);
            for id in ids.unwrap_or_default() {
                let tags = key::parse(shard.index.series_key(id)).tags();
                let tags =
                    tags.map(|(tag, value)| (key::unescape_tag(tag), key::unescape_tag(value)));
                series.push(tags.collect::<Vec<_>>());
            }
        }
        series.sort_unstable();
        series.dedup();
        keys.extend(series.iter().map(|tags| spelled(name, tags)));
    }
    let keys = page(keys.iter(), scope.limit, scope.offset);
    rows.strings(None, [b"key"], keys.map(|key| [key.as_slice()]));
    Ok(())
}

/// A tag, unescaped.
type Tag<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// A series key as upstream shows it: made anew from its names, with less escaped than a
/// client may have escaped, or more (`a==b` is the tag `a` of value `=b`). So the order is that
/// of the names too: by measurement, then tag by tag.
///
/// Source: influxdb 1.12 `models.MakeKey`, `models.EscapeMeasurement`.
fn spelled(measurement: &[u8], tags: &[Tag<'_>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(measurement.len() + 32 * tags.len());
    for &byte in measurement {
        if matches!(byte, b',' | b' ') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    for (tag, value) in tags {
        out.push(b',');
        out.extend_from_slice(&key::escape_tag(tag));
        out.push(b'=');
        out.extend_from_slice(&key::escape_tag(value));
    }
    out
}

/// Whether a condition speaks of time.
pub(super) fn mentions_time(condition: Option<&Expr>) -> bool {
    let mut mentions = false;
    if let Some(condition) = condition {
        condition.walk(&mut |expr| mentions |= expr.is_time());
    }
    mentions
}
