//! A database for tests: shards filled from line protocol, answers printed as JSON.

use std::fmt::Write;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::super::batch::{Cell, Event, Reader};
use super::super::{Cursor, ShardView, View, open};
use crate::ids::ShardId;
use crate::influxql::parse_query;
use crate::line::{Lines, Options, Scanner};
use crate::model::{row, truncate_to};
use crate::shard::{Admitted, Shard};

pub(super) const WEEK_NS: i64 = 168 * 3_600_000_000_000;

/// A shard, its policy and the range of time it covers.
struct Placed {
    shard: Shard,
    policy: &'static str,
    start_ns: i64,
    end_ns: i64,
}

/// Shards of retention policies, the first of which is the default one.
pub(super) struct Store {
    shard_ns: i64,
    shards: Vec<Placed>,
}

impl Store {
    pub(super) const fn new(shard_ns: i64) -> Self {
        Self {
            shard_ns,
            shards: Vec::new(),
        }
    }

    /// Shards made from now on are so long, and what is written goes to the newest.
    pub(super) const fn set_shard_ns(&mut self, shard_ns: i64) {
        self.shard_ns = shard_ns;
    }

    fn shard_of(&mut self, policy: &'static str, time_ns: i64) -> &mut Shard {
        let start_ns = truncate_to(time_ns, self.shard_ns);
        let length_ns = self.shard_ns;
        let known = |placed: &Placed| {
            let range = (placed.start_ns, placed.end_ns);
            placed.policy == policy && range == (start_ns, start_ns + length_ns)
        };
        let at = self.shards.iter().position(known).unwrap_or_else(|| {
            let shard = Shard::new(ShardId(self.shards.len() as u64 + 1), 1);
            let end_ns = start_ns + self.shard_ns;
            self.shards.push(Placed {
                shard,
                policy,
                start_ns,
                end_ns,
            });
            self.shards.len() - 1
        });
        &mut self.shards[at].shard
    }

    pub(super) fn write(&mut self, policy: &'static str, body: &[u8]) {
        let options = Options {
            unsigned: true,
            ..Options::default()
        };
        let mut scanner = Scanner::new();
        for line in Lines::new(body) {
            let point = scanner
                .scan(line.bytes, &options)
                .expect("test lines are legal");
            let shard = self.shard_of(policy, point.time_ns());
            let fields: Vec<_> = point
                .fields()
                .map(|field| (field.key, field.value))
                .collect();
            let mut admitted = Admitted::default();
            shard
                .admit(point.key(), fields.iter().copied(), false, &mut admitted)
                .expect("test points are legal");
            let kept: Vec<_> = admitted.fields.iter().map(|&at| fields[at]).collect();
            let types = kept.iter().map(|(name, value)| (*name, value.field_type()));
            let stored = shard
                .store(point.key(), types, &mut Vec::new())
                .expect("admitted");
            let values: Vec<_> = kept.iter().map(|(_, value)| *value).collect();
            let mut bytes = Vec::new();
            let class = row::encode(&values, &mut bytes);
            shard
                .cache
                .append(stored.0, stored.1, class, point.time_ns(), &bytes);
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        let mut policies: Vec<&str> = std::vec!["autogen"];
        for placed in &self.shards {
            if !policies.contains(&placed.policy) {
                policies.push(placed.policy);
            }
        }
        let shards = self.shards.iter().map(|placed| ShardView {
            id: placed.shard.id,
            policy: placed.policy,
            start_ns: placed.start_ns,
            end_ns: placed.end_ns,
            index: &placed.shard.index,
            cache: &placed.shard.cache,
        });
        let shards = shards.collect();
        View {
            now_ns: 1_800_000_000_000_000_000,
            default_policy: "autogen",
            policies,
            shards,
        }
    }

    pub(super) fn open(&self, text: &str) -> Result<Cursor, String> {
        let statements = parse_query(text).map_err(|error| error.to_string())?;
        open(&statements[0].statement, &self.view())
    }

    /// The series of an answer, or its error, fetched in steps of `rows_max`.
    pub(super) fn ask(&self, text: &str, rows_max: usize) -> String {
        let mut cursor = match self.open(text) {
            Ok(cursor) => cursor,
            Err(error) => return error,
        };
        let mut bytes = Vec::new();
        while cursor.fetch(&self.view(), rows_max, &mut bytes) {}
        json(&bytes)
    }
}

/// Prints a batch as upstream's `series`.
pub(super) fn json(batch: &[u8]) -> String {
    let mut series: Vec<(String, Vec<String>)> = Vec::new();
    for event in Reader::new(batch) {
        match event.expect("a batch is well formed") {
            Event::Series(head) => {
                let mut text = String::new();
                if let Some(name) = head.name {
                    write!(text, "\"name\":{},", quoted(name)).expect("infallible");
                }
                let tags: Vec<_> = head
                    .tags()
                    .map(|(k, v)| format!("{}:{}", quoted(k), quoted(v)))
                    .collect();
                if !tags.is_empty() {
                    write!(text, "\"tags\":{{{}}},", tags.join(",")).expect("infallible");
                }
                let columns: Vec<_> = head.columns.map(quoted).collect();
                write!(text, "\"columns\":[{}]", columns.join(",")).expect("infallible");
                series.push((text, Vec::new()));
            }
            Event::Row(cells) => {
                let cells: Vec<_> = cells.map(|cell| printed(&cell)).collect();
                let (_, rows) = series.last_mut().expect("rows belong to a series");
                rows.push(format!("[{}]", cells.join(",")));
            }
            other => panic!("{other:?}"),
        }
    }
    let series: Vec<_> = series
        .into_iter()
        .map(|(head, rows)| format!("{{{head},\"values\":[{}]}}", rows.join(",")))
        .collect();
    format!("[{}]", series.join(","))
}

fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn printed(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null => "null".into(),
        Cell::Time(value) | Cell::Integer(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Unsigned(value) => value.to_string(),
        Cell::Boolean(value) => value.to_string(),
        Cell::String(value) => quoted(value),
        Cell::List(_) => panic!("no list in these answers"),
    }
}
