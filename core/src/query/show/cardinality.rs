//! SHOW .. CARDINALITY, always counted exactly.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use super::super::View;
use super::Rows;
use super::condition::Scope;
use super::keys::{Keys, keys_of, pairs_of};
use super::names::mentions_time;
use crate::influxql::{CardinalityKind, ShowCardinality};

/// Counts series, measurements, tag keys, tag values or field keys.
///
/// Shape: one count a measurement, but for plain series and measurement cardinalities a single
/// one under the heading of upstream's estimate. Each count is a row of its own series, so
/// LIMIT cuts nothing and OFFSET everything.
pub(super) fn count(
    show: &ShowCardinality,
    view: &View<'_>,
    rows: &mut Rows<'_>,
) -> Result<(), String> {
    let kind = match show.kind {
        CardinalityKind::Series => "SERIES EXACT",
        CardinalityKind::Measurement => "MEASUREMENT EXACT",
        CardinalityKind::TagKey => "TAG KEY EXACT",
        CardinalityKind::FieldKey => "FIELD KEY",
        CardinalityKind::TagValues(_) => "TAG VALUES",
    };
    if !show.dimensions.is_empty() {
        return Err(format!(
            "GROUP BY of SHOW {kind} CARDINALITY is not supported yet"
        ));
    }
    let timeless = !matches!(show.kind, CardinalityKind::TagValues(_));
    if timeless && mentions_time(show.scope.condition.as_ref()) {
        return Err(format!(
            "SHOW {kind} CARDINALITY doesn't support time in WHERE clause"
        ));
    }
    let asked = Scope::open(&show.scope, view)?;
    let scope = &show.scope;
    let plain = !show.exact
        && scope.sources.is_empty()
        && scope.condition.is_none()
        && (scope.limit, scope.offset) == (0, 0);
    match &show.kind {
        CardinalityKind::Series if plain => {
            let count = asked.found.keys().map(|name| series_of(&asked, name)).sum();
            rows.count(None, b"cardinality estimation", count);
        }
        CardinalityKind::Measurement if plain => {
            rows.count(None, b"cardinality estimation", asked.found.len());
        }
        _ if scope.offset > 0 => {}
        CardinalityKind::Measurement => {
            let count = asked
                .found
                .keys()
                .filter(|name| series_of(&asked, name) > 0)
                .count();
            if count > 0 {
                rows.count(None, b"count", count);
            }
        }
        kind => {
            for &name in asked.found.keys() {
                let count = count_of(kind, &asked, name)?;
                if count > 0 {
                    rows.count(Some(name), b"count", count);
                }
            }
        }
    }
    Ok(())
}

fn count_of(kind: &CardinalityKind, asked: &Scope<'_>, name: &[u8]) -> Result<usize, String> {
    Ok(match kind {
        CardinalityKind::Series | CardinalityKind::Measurement => series_of(asked, name),
        CardinalityKind::TagKey => keys_of(asked, name, &Keys::All).len(),
        CardinalityKind::TagValues(filter) => {
            let pairs = pairs_of(asked, name, &Keys::of(Some(filter))?);
            let values: BTreeSet<_> = pairs.into_iter().map(|(_, value)| value).collect();
            values.len()
        }
        CardinalityKind::FieldKey => {
            let shards = asked.found.get(name).into_iter().flatten();
            let mut fields = BTreeSet::new();
            for (shard, id) in shards {
                if let Some((measurement, ids)) = asked.series(shard, *id)
                    && !ids.is_empty()
                {
                    fields.extend(measurement.fields().map(|(_, field)| field.name.as_slice()));
                }
            }
            fields.len()
        }
    })
}

/// How many series of a measurement are selected.
fn series_of(asked: &Scope<'_>, name: &[u8]) -> usize {
    let mut keys = BTreeSet::new();
    let shards = asked.found.get(name).into_iter().flatten();
    let many = asked.found.get(name).is_some_and(|shards| shards.len() > 1);
    let mut count = 0;
    for (shard, id) in shards {
        let ids = asked
            .series(shard, *id)
            .map(|(_, ids)| ids)
            .unwrap_or_default();
        if many {
            keys.extend(ids.into_iter().map(|id| shard.index.series_key(id)));
        } else {
            count += ids.len();
        }
    }
    count + keys.len()
}
