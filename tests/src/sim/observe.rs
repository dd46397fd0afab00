//! What an engine holds, read without its own help beyond the rows as they lie in the cache.

use std::collections::{BTreeMap, HashMap};

use tidegate_core::ids::SeriesId;
use tidegate_core::model::row;
use tidegate_core::query::{ShardView, View};

use super::taped::Asked;
use super::trace::{of_bytes, of_key, of_value};

/// One field of one point, as numbers: its place, its value, its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) key: u64,
    pub(super) value: u64,
    pub(super) policy: u64,
}

/// Value and policy by place: the naive database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) points: HashMap<u64, (u64, u64)>,
    /// Changes with every point, whatever their order.
    sum: u64,
}

impl Content {
    /// The last write wins.
    pub(super) fn put(&mut self, point: Point) {
        let old = self.points.insert(point.key, (point.value, point.policy));
        let old = old.map_or(0, |(value, _)| weigh(point.key, value));
        self.sum = self
            .sum
            .wrapping_sub(old)
            .wrapping_add(weigh(point.key, point.value));
    }

    /// Forgets a policy.
    pub(super) fn drop_policy(&mut self, policy: u64) {
        let sum = &mut self.sum;
        self.points.retain(|&key, &mut (value, owner)| {
            let stays = owner != policy;
            if !stays {
                *sum = sum.wrapping_sub(weigh(key, value));
            }
            stays
        });
    }

    /// Equal for equal contents.
    pub(super) fn mark(&self) -> (u64, usize) {
        (self.sum, self.points.len())
    }
}

const fn weigh(key: u64, value: u64) -> u64 {
    let mixed = (key ^ value.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// Rows per shard and series at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts(BTreeMap<u64, Vec<u32>>);

impl Counts {
    pub(super) fn of(view: &View<'_>) -> Self {
        let rows = |shard: &ShardView<'_>| {
            let series = 0..shard.index.series_count() as u32;
            series.map(|id| shard.cache.rows_of(SeriesId(id))).collect()
        };
        Self(
            view.shards
                .iter()
                .map(|shard| (shard.id.0, rows(shard)))
                .collect(),
        )
    }
}

/// The number of a policy's name.
pub(super) fn policy(name: &str) -> u64 {
    of_bytes(name.as_bytes())
}

/// All points behind `from`, in order of arrival per series; those of all shards by default.
pub(super) fn points(view: &View<'_>, from: &Counts) -> Vec<Point> {
    let mut points = Vec::new();
    for shard in &view.shards {
        let seen = from.0.get(&shard.id.0).map_or(&[][..], Vec::as_slice);
        for series in 0..shard.index.series_count() as u32 {
            let before = seen.get(series as usize).copied().unwrap_or(0);
            if shard.cache.rows_of(SeriesId(series)) > before {
                series_points(shard, SeriesId(series), before as usize, &mut points);
            }
        }
    }
    points
}

/// The points of a measurement in a policy, in order of arrival per series.
pub(super) fn points_of(view: &View<'_>, owner: u64, measurement: &[u8]) -> Vec<Point> {
    let mut points = Vec::new();
    let shards = view
        .shards
        .iter()
        .filter(|shard| policy(shard.policy) == owner);
    for shard in shards {
        for series in 0..shard.index.series_count() as u32 {
            let key = shard.index.series_key(SeriesId(series));
            let rest = key.strip_prefix(measurement);
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b",")) {
                series_points(shard, SeriesId(series), 0, &mut points);
            }
        }
    }
    points
}

fn series_points(shard: &ShardView<'_>, series: SeriesId, from: usize, out: &mut Vec<Point>) {
    let policy = policy(shard.policy);
    let key = shard.index.series_key(series);
    for row in shard.cache.rows(series, u32::MAX).skip(from) {
        let Some(layout) = shard.index.layouts().get(row.layout) else {
            continue;
        };
        let Some(owner) = shard.index.measurement(layout.measurement) else {
            continue;
        };
        let mut reader = row::Reader::new(row.values, row.class, layout.integers);
        for (&slot, &field_type) in layout.slots.iter().zip(&layout.types) {
            let (Some(field), Some(value)) = (owner.field(slot), reader.next(field_type)) else {
                continue;
            };
            out.push(Point {
                key: of_key(policy, key, row.time, &field.name),
                value: of_value(&value),
                policy,
            });
        }
    }
}

/// Everything an engine holds.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) content: Content,
    /// Policies, their terms, the default one, and the ranges of shards that hold series.
    pub(super) catalog: u64,
    pub(super) policies: Vec<String>,
    pub(super) default_policy: String,
}

pub(super) fn observe(engine: &mut impl Asked, now_ns: i64) -> Result<Observed, String> {
    let shown = engine.execute(now_ns, "SHOW RETENTION POLICIES")?;
    let mut text = Vec::new();
    if let Some(cursor) = shown.cursor {
        while engine
            .fetch(cursor, 1, &mut text)
            .map_err(|error| error.to_string())?
        {}
    }
    let view = engine.view(now_ns);
    let mut content = Content::default();
    for point in points(&view, &Counts::default()) {
        content.put(point);
    }
    let shards = view
        .shards
        .iter()
        .filter(|shard| shard.index.series_count() > 0);
    for shard in shards {
        for number in [shard.id.0, shard.start_ns as u64, shard.end_ns as u64] {
            text.extend_from_slice(&number.to_le_bytes());
        }
        text.extend_from_slice(shard.policy.as_bytes());
    }
    Ok(Observed {
        content,
        catalog: of_bytes(&text),
        policies: view.policies.iter().map(|&name| name.to_owned()).collect(),
        default_policy: view.default_policy.to_owned(),
    })
}
