//! From statement to groups of series.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::check;
use super::columns::{self, Refs};
use super::layer::Pin;
use super::merge::Lane;
use super::part::Part;
use super::run::{Group, Rules, Select};
use super::schema::{Schema, check_types};
use super::stream::Span;
use crate::influxql::{self, DataType, Expr, VarRef, time_range};
use crate::query::expr::Node;
use crate::query::predicate::{self, Compiler, Condition, Filters, Kind};
use crate::query::scope::{self, Target};
use crate::query::{ShardView, View};

/// Plans a SELECT: pins the series it will read and how many rows each has.
///
/// # Errors
///
/// Upstream's texts for what cannot be asked, and what is not supported yet.
pub(in crate::query) fn open(select: &influxql::Select, view: &View<'_>) -> Result<Select, String> {
    let (condition, range) =
        time_range(select.condition.as_ref(), view.now_ns).map_err(|error| error.to_string())?;
    check_condition(condition.as_ref())?;
    let checked = check::check(select)?;
    if let Some(unsupported) = checked.unsupported {
        return Err(unsupported);
    }
    let targets = scope::targets(&select.sources, view, range)?;
    let schema = Schema::of(&targets, view);
    let mut refs = Refs::default();
    let columns = columns::columns(
        &checked.fields,
        &checked.time_name,
        &select.dimensions,
        &schema,
        &mut refs,
    )?;
    let dimensions = columns::dimensions(&select.dimensions, &schema)?;
    let mut filters = Filters::default();
    let mut compiler = Rows {
        schema: &schema,
        refs: &mut refs,
        filters: &mut filters,
    };
    let condition = predicate::compile(condition.as_ref(), &mut compiler)?;
    let ascending = select.is_ascending();
    let mut planner = Planner {
        view,
        refs: &refs,
        parts: Vec::new(),
        spans: 0,
        groups: BTreeMap::new(),
    };
    // Variables that nothing bears give no rows, whatever the tags say.
    if refs
        .list
        .iter()
        .take(refs.selected)
        .any(|wanted| wanted.data_type.is_some())
    {
        for target in &targets {
            planner.add(target, &condition, &dimensions, &mut filters);
        }
    }
    let Planner { parts, groups, .. } = planner;
    let groups = order_groups(groups, &parts, select, ascending);
    let rules = Rules {
        range,
        ascending,
        refs,
        filters,
        columns,
        dimensions,
    };
    Ok(Select::new(
        rules,
        parts,
        groups,
        select.limit,
        select.offset,
    ))
}

/// Source: influxdb 1.12 `query.compiledStatement.validateCondition`.
fn check_condition(condition: Option<&Expr>) -> Result<(), String> {
    let mut text = None;
    if let Some(condition) = condition {
        condition.walk(&mut |expr| {
            if let Expr::Call(call) = expr {
                text.get_or_insert_with(|| match call.name.as_str() {
                    "abs" | "acos" | "asin" | "atan" | "atan2" | "ceil" | "cos" | "exp"
                    | "floor" | "ln" | "log" | "log10" | "log2" | "pow" | "round" | "sin"
                    | "sqrt" | "tan" | "date_part" => {
                        alloc::format!("{}() is not supported yet", call.name)
                    }
                    _ => alloc::format!("invalid function call in condition: {expr}"),
                });
            }
        });
    }
    text.map_or(Ok(()), Err)
}

/// Compiles conditions on rows.
struct Rows<'a> {
    schema: &'a Schema,
    refs: &'a mut Refs,
    filters: &'a mut Filters,
}

impl Compiler for Rows<'_> {
    fn kind(&self, var: &VarRef) -> Kind {
        match self.schema.type_of(var) {
            None | Some(DataType::Tag) => Kind::Tag,
            Some(_) => Kind::Field,
        }
    }

    fn row(&mut self, expr: &Expr) -> Result<Condition, String> {
        let typed = self.schema.typed(expr);
        // Sides that do not fit are no error in a condition: no row passes.
        if check_types(&typed).is_err() && !matches!(typed, Expr::Binary(..)) {
            return Ok(Condition::Constant(false));
        }
        let node = Node::compile(&typed, &mut |var| self.refs.slot(var))?;
        Ok(Condition::Row(self.filters.leaf(node)))
    }

    fn odd_operator(&self) -> Result<Condition, String> {
        Ok(Condition::Constant(false))
    }
}

/// The series of a group by entry of FROM, then by part.
type Lanes = BTreeMap<usize, Vec<(usize, Vec<Pin>)>>;

struct Planner<'a, 'v> {
    view: &'a View<'v>,
    refs: &'a Refs,
    parts: Vec<Part>,
    /// How many there are in all parts so far.
    spans: usize,
    /// By name and values of the dimensions.
    groups: BTreeMap<(Vec<u8>, Vec<Vec<u8>>), Lanes>,
}

impl Planner<'_, '_> {
    fn add(
        &mut self,
        target: &Target,
        condition: &Condition,
        dimensions: &[Vec<u8>],
        filters: &mut Filters,
    ) {
        let mut span_end_ns = i64::MIN;
        for &(shard, measurement) in &target.parts {
            let Some(shard) = self.view.shard(shard) else {
                continue;
            };
            let Some(measurement) = shard.index.measurement(measurement) else {
                continue;
            };
            let part = self.parts.len();
            // In order of their starts.
            self.spans += usize::from(shard.start_ns >= span_end_ns);
            span_end_ns = span_end_ns.max(shard.end_ns);
            let place = (shard.id, self.spans);
            self.parts.push(Part::new(place, measurement, self.refs));
            let mut by_tags: BTreeMap<Vec<Vec<u8>>, Vec<Pin>> = BTreeMap::new();
            for (series, filter) in condition.select(measurement, filters).iter() {
                let rows = shard.cache.rows_of(series);
                if rows > 0 {
                    let tags = values_of(shard, series, dimensions);
                    by_tags.entry(tags).or_default().push(Pin {
                        series,
                        rows,
                        filter,
                    });
                }
            }
            for (tags, mut pins) in by_tags {
                pins.sort_by_key(|pin| shard.index.series_key(pin.series));
                let lanes = self.groups.entry((target.name.clone(), tags)).or_default();
                lanes.entry(target.source).or_default().push((part, pins));
            }
        }
    }
}

fn values_of(
    shard: &ShardView<'_>,
    series: crate::ids::SeriesId,
    dimensions: &[Vec<u8>],
) -> Vec<Vec<u8>> {
    let value = |key: &Vec<u8>| {
        let mut tags = shard.index.series_tags(series);
        tags.find(|(other, _)| **other == **key)
            .map(|(_, value)| value.into_owned())
    };
    dimensions
        .iter()
        .map(|key| value(key).unwrap_or_default())
        .collect()
}

/// Applies SLIMIT and SOFFSET to the groups of each measurement, then the direction.
fn order_groups(
    groups: BTreeMap<(Vec<u8>, Vec<Vec<u8>>), Lanes>,
    parts: &[Part],
    select: &influxql::Select,
    ascending: bool,
) -> Vec<Group> {
    let mut ordered: Vec<Group> = Vec::new();
    let mut seen: (Vec<u8>, u64) = (Vec::new(), 0);
    for ((name, tags), lanes) in groups {
        if seen.0 != name {
            seen = (name.clone(), 0);
        }
        seen.1 += 1;
        let last = if select.slimit == 0 {
            u64::MAX
        } else {
            select.soffset + select.slimit
        };
        if seen.1 <= select.soffset || seen.1 > last {
            continue;
        }
        let lanes = lanes.into_values().map(|series| {
            let mut spans = spans_of(series, parts);
            if !ascending {
                spans.reverse();
                let pins = spans.iter_mut().flatten().map(|(_, pins)| pins);
                pins.for_each(|pins| pins.reverse());
            }
            Lane::new(spans)
        });
        ordered.push(Group {
            name,
            tags,
            lanes: lanes.collect(),
        });
    }
    if !ascending {
        ordered.reverse();
    }
    // The last one comes first.
    ordered.reverse();
    ordered
}

/// Puts the series of shards that overlap together, those of the oldest shard first.
fn spans_of(series: Vec<(usize, Vec<Pin>)>, parts: &[Part]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut last = None;
    for (part, pins) in series {
        let place = parts.get(part).map(|part| part.span);
        match spans.last_mut().filter(|_| place == last) {
            Some(span) => span.push((part, pins)),
            None => spans.push(alloc::vec![(part, pins)]),
        }
        last = place;
    }
    for span in &mut spans {
        span.sort_by_key(|(part, _)| parts.get(*part).map(|part| part.shard));
    }
    spans
}
