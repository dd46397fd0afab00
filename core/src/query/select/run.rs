//! Rows of an answer, step by step.

use alloc::vec::Vec;

use super::columns::{Columns, Refs};
use super::merge::{Lane, Merge, Next};
use super::part::Part;
use crate::influxql::{DataType, TimeRange};
use crate::model::Value;
use crate::query::batch::Writer;
use crate::query::predicate::Filters;
use crate::query::{ShardView, View};

/// Rows of the cache that a step looks at, at most: about a millisecond of work.
const WORK_MAX: usize = 2_000;

/// What holds for the whole of a SELECT.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) range: TimeRange,
    pub(super) ascending: bool,
    pub(super) refs: Refs,
    pub(super) filters: Filters,
    pub(super) columns: Columns,
    /// The tag keys the answer is grouped by.
    pub(super) dimensions: Vec<Vec<u8>>,
}

impl Rules {
    /// Whether the values of a place can be strings.
    pub(super) fn may_be_string(&self, place: usize) -> bool {
        let wanted = self
            .refs
            .list
            .get(place)
            .and_then(|wanted| wanted.data_type);
        !matches!(
            wanted,
            Some(DataType::Float | DataType::Integer | DataType::Unsigned | DataType::Boolean)
        )
    }
}

/// A series of the answer.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: Vec<u8>,
    /// The values of the dimensions.
    pub(super) tags: Vec<Vec<u8>>,
    pub(super) lanes: Vec<Lane>,
}

/// One step: what it looks at and how much it may still do.
pub(super) struct Run<'r, 'v> {
    pub(super) view: &'r View<'v>,
    pub(super) rules: &'r Rules,
    parts: &'r mut [Part],
    pub(super) work: usize,
}

impl<'v> Run<'_, 'v> {
    pub(super) fn shard(&self, part: usize) -> Option<&ShardView<'v>> {
        self.view.shard(self.parts.get(part)?.shard)
    }

    /// A part and its shard; `None` if the shard is gone.
    pub(super) fn part(&self, part: usize) -> Option<(&Part, &ShardView<'v>)> {
        let part = self.parts.get(part)?;
        Some((part, self.view.shard(part.shard)?))
    }

    pub(super) fn part_mut(&mut self, part: usize) -> Option<(&mut Part, &ShardView<'v>)> {
        let part = self.parts.get_mut(part)?;
        let shard = self.view.shard(part.shard)?;
        Some((part, shard))
    }
}

/// A SELECT under way.
#[derive(Debug)]
pub(in crate::query) struct Select {
    rules: Rules,
    parts: Vec<Part>,
    /// Groups still to come, the last of which comes first.
    groups: Vec<Group>,
    current: Option<Current>,
    limit: u64,
    offset: u64,
}

/// The group whose rows are given out.
#[derive(Debug)]
struct Current {
    name: Vec<u8>,
    tags: Vec<Vec<u8>>,
    merge: Merge<Lane>,
    /// Rows met, those skipped included.
    rows: u64,
}

impl Select {
    pub(super) const fn new(
        rules: Rules,
        parts: Vec<Part>,
        groups: Vec<Group>,
        limit: u64,
        offset: u64,
    ) -> Self {
        Self {
            rules,
            parts,
            groups,
            current: None,
            limit,
            offset,
        }
    }

    /// As `Cursor::fetch`.
    pub(in crate::query) fn fetch(
        &mut self,
        view: &View<'_>,
        rows_max: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let Self {
            rules,
            parts,
            groups,
            current,
            limit,
            offset,
        } = self;
        let last = if *limit == 0 {
            u64::MAX
        } else {
            offset.saturating_add(*limit)
        };
        let mut run = Run {
            view,
            rules,
            parts,
            work: WORK_MAX,
        };
        let mut writer = Writer::new(out);
        let mut rows = 0;
        loop {
            if rows >= rows_max.max(1) {
                return true;
            }
            let Some(group) = current else {
                let Some(Group { name, tags, lanes }) = groups.pop() else {
                    return false;
                };
                *current = Some(Current {
                    name,
                    tags,
                    merge: Merge::new(lanes),
                    rows: 0,
                });
                continue;
            };
            if group.rows == last {
                *current = None;
                continue;
            }
            match group.merge.next(&mut run) {
                Next::Later => return true,
                Next::End => *current = None,
                Next::Row(_) => {
                    group.rows += 1;
                    if group.rows > *offset {
                        if group.rows - 1 == *offset {
                            write_series(group, run.rules, &mut writer);
                        }
                        write_row(group, &run, &mut writer);
                        rows += 1;
                    }
                }
            }
        }
    }
}

fn write_series(group: &Current, rules: &Rules, writer: &mut Writer<'_>) {
    let keys = rules.dimensions.iter().map(Vec::as_slice);
    let tags: Vec<_> = keys.zip(group.tags.iter().map(Vec::as_slice)).collect();
    let columns = rules.columns.names.iter().map(Vec::as_slice);
    writer.series(Some(&group.name), tags.into_iter(), columns);
}

fn write_row(group: &Current, run: &Run<'_, '_>, writer: &mut Writer<'_>) {
    let stream = group.merge.current();
    let values = stream.map(|stream| stream.values(run)).unwrap_or_default();
    let nodes = &run.rules.columns.nodes;
    writer.row(nodes.len() + 1);
    writer.time(
        stream
            .and_then(|stream| stream.time_ns())
            .unwrap_or_default(),
    );
    for node in nodes {
        match node.eval(&values, true) {
            None => writer.null(),
            // Only arithmetic makes one, and JSON has no word for it.
            Some(Value::Float(value)) if value.is_nan() => writer.null(),
            Some(Value::Float(value)) => writer.float(value),
            Some(Value::Integer(value)) => writer.integer(value),
            Some(Value::Unsigned(value)) => writer.unsigned(value),
            Some(Value::Boolean(value)) => writer.boolean(value),
            Some(Value::String(value)) => writer.string(value),
        }
    }
}
