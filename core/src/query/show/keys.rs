//! SHOW TAG KEYS, SHOW TAG VALUES and SHOW FIELD KEYS.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::View;
use super::super::pattern::Pattern;
use super::super::scope::{self, Found};
use super::condition::Scope;
use super::{Rows, page};
use crate::ids::SeriesId;
use crate::index::{Index, Measurement};
use crate::influxql::{KeyFilter, ShowScope, ShowTagValues, TimeRange};
use crate::model::key;

/// WITH KEY, ready to run.
pub(super) enum Keys<'a> {
    All,
    Named(&'a KeyFilter),
    Like(Pattern, bool),
}

impl<'a> Keys<'a> {
    /// # Errors
    ///
    /// A pattern that cannot run.
    pub(super) fn of(filter: Option<&'a KeyFilter>) -> Result<Self, String> {
        Ok(match filter {
            None => Self::All,
            Some(KeyFilter::Matches(text)) => Self::Like(Pattern::new(text)?, true),
            Some(KeyFilter::NotMatches(text)) => Self::Like(Pattern::new(text)?, false),
            Some(named) => Self::Named(named),
        })
    }

    fn holds(&self, key: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Like(pattern, wanted) => pattern.is_match(key) == *wanted,
            Self::Named(KeyFilter::Equal(name)) => name.as_bytes() == key,
            Self::Named(KeyFilter::NotEqual(name)) => name.as_bytes() != key,
            Self::Named(KeyFilter::In(names)) => names.iter().any(|name| name.as_bytes() == key),
            Self::Named(_) => false,
        }
    }
}

/// SHOW TAG KEYS.
pub(super) fn tag_keys(
    filter: Option<&KeyFilter>,
    scope: &ShowScope,
    view: &View<'_>,
    rows: &mut Rows<'_>,
) -> Result<(), String> {
    let asked = Scope::open(scope, view)?;
    let filter = Keys::of(filter)?;
    for &name in asked.found.keys() {
        let keys = keys_of(&asked, name, &filter);
        let keys = page(keys.iter(), scope.limit, scope.offset);
        rows.strings(Some(name), [b"tagKey"], keys.map(|key| [key.as_slice()]));
    }
    Ok(())
}

/// The tag keys of the selected series of a measurement.
pub(super) fn keys_of(asked: &Scope<'_>, name: &[u8], filter: &Keys<'_>) -> BTreeSet<Vec<u8>> {
    let mut keys = BTreeSet::new();
    each_part(asked, name, |index, measurement, ids| {
        let whole = asked.is_everything();
        for key in measurement.tag_keys().filter(|key| filter.holds(key)) {
            if !keys.contains(key) && (whole || has_key(index, &ids, key)) {
                keys.insert(key.to_vec());
            }
        }
    });
    keys
}

fn has_key(index: &Index, ids: &[SeriesId], key: &[u8]) -> bool {
    ids.iter()
        .any(|&id| index.series_tags(id).any(|(other, _)| *other == *key))
}

/// SHOW TAG VALUES.
pub(super) fn tag_values(
    show: &ShowTagValues,
    view: &View<'_>,
    rows: &mut Rows<'_>,
) -> Result<(), String> {
    let asked = Scope::open(&show.scope, view)?;
    let filter = Keys::of(Some(&show.keys))?;
    for &name in asked.found.keys() {
        let pairs = pairs_of(&asked, name, &filter);
        let pairs = page(pairs.iter(), show.scope.limit, show.scope.offset);
        let pairs = pairs.map(|(key, value)| [key.as_slice(), value.as_slice()]);
        rows.strings(Some(name), [b"key", b"value"], pairs);
    }
    Ok(())
}

/// The tags, by key and value, of the selected series of a measurement.
pub(super) fn pairs_of(
    asked: &Scope<'_>,
    name: &[u8],
    filter: &Keys<'_>,
) -> BTreeSet<(Vec<u8>, Vec<u8>)> {
    let mut pairs = BTreeSet::new();
    each_part(asked, name, |index, measurement, ids| {
        if asked.is_everything() {
            for key in measurement.tag_keys().filter(|key| filter.holds(key)) {
                let values = measurement.tag_values(key);
                pairs.extend(values.map(|(value, _)| (key.to_vec(), value.to_vec())));
            }
            return;
        }
        for id in ids {
            for (raw_key, raw_value) in key::parse(index.series_key(id)).tags() {
                let key = key::unescape_tag(raw_key);
                if filter.holds(&key) {
                    let value = key::unescape_tag(raw_value).into_owned();
                    pairs.insert((key.into_owned(), value));
                }
            }
        }
    });
    pairs
}

fn each_part(
    asked: &Scope<'_>,
    name: &[u8],
    mut visit: impl FnMut(&Index, &Measurement, Vec<SeriesId>),
) {
    for (shard, id) in asked.found.get(name).into_iter().flatten() {
        if let Some((measurement, ids)) = asked.series(shard, *id)
            && !ids.is_empty()
        {
            visit(shard.index, measurement, ids);
        }
    }
}

/// SHOW FIELD KEYS. WHERE has no effect, as upstream. A field that has different types in
/// different shards is listed with each.
pub(super) fn field_keys(
    scope: &ShowScope,
    view: &View<'_>,
    rows: &mut Rows<'_>,
) -> Result<(), String> {
    let found = scope::found(&scope.sources, view, TimeRange::default())?;
    for &name in found.keys() {
        let fields = fields_of(&found, name);
        let fields = page(fields.iter(), scope.limit, scope.offset);
        let fields = fields.map(|(field, kind)| [*field, kind.as_bytes()]);
        rows.strings(Some(name), [b"fieldKey", b"fieldType"], fields);
    }
    Ok(())
}

fn fields_of<'v>(found: &Found<'v>, name: &[u8]) -> BTreeSet<(&'v [u8], String)> {
    let shards = found.get(name).into_iter().flatten();
    shards
        .filter_map(|&(shard, id)| shard.index.measurement(id))
        .flat_map(Measurement::fields)
        .map(|(_, field)| (field.name.as_slice(), field.field_type.to_string()))
        .collect()
}
