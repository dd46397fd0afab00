//! How many series and tag values a database has, over all its shards, and what that forbids.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use hashbrown::HashTable;

use crate::hash::TableHasher;
use crate::index::Index;
use crate::model::key;
use crate::shard::Rejection;

/// Charged to the budget for each series and each tag value: its hash, with the room around it.
const ENTRY_BYTES: u64 = 16;

/// The most a database may have; 0 for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CardinalityMax {
    pub(super) series: u64,
    pub(super) tag_values: u64,
}

/// The distinct series, and the distinct values of each tag of each measurement.
///
/// A series that lives in several shards counts once, as does a tag value. Both are remembered by
/// a seeded hash of 64 bits.
#[derive(Debug)]
pub(super) struct Cardinality {
    max: CardinalityMax,
    hasher: TableHasher,
    series: HashTable<u64>,
    values: HashTable<u64>,
    /// Distinct values by measurement and tag key.
    counts: BTreeMap<Vec<u8>, u64>,
    scratch: Vec<u8>,
}

impl Cardinality {
    pub(super) fn new(max: CardinalityMax, seed: u64) -> Self {
        Self {
            max,
            hasher: TableHasher::new(seed),
            series: HashTable::new(),
            values: HashTable::new(),
            counts: BTreeMap::new(),
            scratch: Vec::new(),
        }
    }

    /// Logical bytes held.
    pub(super) fn bytes(&self) -> u64 {
        ENTRY_BYTES * (self.series.len() + self.values.len()) as u64
    }

    /// Counts anew: shards have come from the log, or gone.
    pub(super) fn recount<'a>(&mut self, shards: impl Iterator<Item = &'a Index>) {
        self.series.clear();
        self.values.clear();
        self.counts.clear();
        for index in shards {
            for id in 0..index.series_count() as u32 {
                self.add(index.series_key(crate::ids::SeriesId(id)));
            }
        }
    }

    /// What forbids a series that its shard does not have yet, if anything.
    ///
    /// Source: influxdb 1.12 `tsdb/index/inmem.Index.CreateSeriesListIfNotExists`; what differs:
    /// each point is judged by itself, by exact counts.
    pub(super) fn violation(&mut self, series_key: &[u8], database: &str) -> Option<Rejection> {
        let CardinalityMax { series, tag_values } = self.max;
        let known = |table: &HashTable<u64>, hash: u64| table.find(hash, |&h| h == hash).is_some();
        if (series == 0 && tag_values == 0) || known(&self.series, self.hasher.hash(series_key)) {
            return None;
        }
        if series > 0 && self.series.len() as u64 >= series {
            return Some(Rejection::SeriesLimit {
                database: database.into(),
                limit: series,
                series: self.series.len() as u64,
                keys: 1,
            });
        }
        if tag_values == 0 {
            return None;
        }
        let parsed = key::parse(series_key);
        for (tag, value) in parsed.tags() {
            let at = spell(&mut self.scratch, parsed.measurement_raw, tag, value);
            let count = self.scratch.get(..at).and_then(|tag| self.counts.get(tag));
            let count = count.copied().unwrap_or(0);
            if count >= tag_values && !known(&self.values, self.hasher.hash(&self.scratch)) {
                return Some(Rejection::TagValueLimit {
                    limit: tag_values,
                    count,
                    measurement: key::unescape_measurement(parsed.measurement_raw).into_owned(),
                    tag: key::unescape_tag(tag).into_owned(),
                    value: key::unescape_tag(value).into_owned(),
                });
            }
        }
        None
    }

    /// Counts a series, which may be known from another shard.
    pub(super) fn add(&mut self, series_key: &[u8]) {
        if self.max.series == 0 && self.max.tag_values == 0 {
            return;
        }
        if !insert(&mut self.series, self.hasher.hash(series_key)) || self.max.tag_values == 0 {
            return;
        }
        let parsed = key::parse(series_key);
        for (tag, value) in parsed.tags() {
            let at = spell(&mut self.scratch, parsed.measurement_raw, tag, value);
            if !insert(&mut self.values, self.hasher.hash(&self.scratch)) {
                continue;
            }
            let tag = self.scratch.get(..at).unwrap_or_default();
            match self.counts.get_mut(tag) {
                Some(count) => *count += 1,
                None => drop(self.counts.insert(tag.to_vec(), 1)),
            }
        }
    }
}

/// Whether it is new.
fn insert(table: &mut HashTable<u64>, hash: u64) -> bool {
    if table.find(hash, |&held| held == hash).is_some() {
        return false;
    }
    table.insert_unique(hash, hash, |&held| held);
    true
}

/// Measurement, tag and value, each behind its length, unescaped: where the value begins.
fn spell(out: &mut Vec<u8>, measurement: &[u8], tag: &[u8], value: &[u8]) -> usize {
    out.clear();
    for text in [
        key::unescape_measurement(measurement),
        key::unescape_tag(tag),
    ] {
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(&text);
    }
    let at = out.len();
    out.extend_from_slice(&key::unescape_tag(value));
    at
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::format;
    use alloc::string::String;

    use super::*;

    /// Keeps every key, and counts by walking.
    #[derive(Default)]
    struct Twin(BTreeSet<String>);

    impl Twin {
        fn values(&self, measurement: &str, tag: &str) -> BTreeSet<&str> {
            let of = self.0.iter().filter_map(|key| {
                let mut parts = key.split(',');
                let named = parts.next() == Some(measurement);
                let value = parts.find_map(|part| part.strip_prefix(&format!("{tag}=")));
                value.filter(|_| named)
            });
            of.collect()
        }

        fn takes(&self, key: &str, max: CardinalityMax) -> bool {
            let mut parts = key.split(',');
            let measurement = parts.next().expect("one");
            let full = |(tag, value): (&str, &str)| {
                let values = self.values(measurement, tag);
                values.len() as u64 >= max.tag_values && !values.contains(value)
            };
            let series_full = max.series > 0 && self.0.len() as u64 >= max.series;
            let tags_full = max.tag_values > 0 && parts.filter_map(|p| p.split_once('=')).any(full);
            self.0.contains(key) || !(series_full || tags_full)
        }
    }

    #[test]
    fn counts_are_exact_at_every_step() {
        for (series, tag_values) in [(0, 0), (0, 3), (20, 0), (20, 3), (1, 1)] {
            let max = CardinalityMax { series, tag_values };
            let (mut counted, mut twin) = (Cardinality::new(max, 9), Twin::default());
            let (mut state, mut refused) = (1_u64, 0);
            for _ in 0..2_000 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(99);
                let draw = |shift: u32, bound: u64| (state >> shift) % bound;
                let mut key = format!("m{}", draw(40, 3));
                for tag in 0..draw(44, 3) {
                    key += &format!(",t{tag}=v{}", draw(30 + 3 * tag as u32, 6));
                }
                let taken = counted.violation(key.as_bytes(), "d").is_none();
                assert_eq!(taken, twin.takes(&key, max), "{key}");
                if taken {
                    counted.add(key.as_bytes());
                    twin.0.insert(key);
                } else {
                    refused += 1;
                }
            }
            assert_eq!(refused > 0, series + tag_values > 0);
        }
    }

    #[test]
    fn one_spelling_more_is_no_value_more() {
        let max = CardinalityMax {
            series: 0,
            tag_values: 1,
        };
        let mut counted = Cardinality::new(max, 1);
        counted.add(b"m,t=a");
        assert_eq!(counted.violation(b"m,t=a,u=b", "d"), None);
        let refused = counted.violation(b"m,t=b\\ c", "d").expect("refused");
        let mut text = Vec::new();
        refused.describe(&mut text);
        assert_eq!(
            String::from_utf8_lossy(&text),
            "max-values-per-tag limit exceeded (1/1): measurement=\"m\" tag=\"t\" value=\"b c\""
        );
    }
}
