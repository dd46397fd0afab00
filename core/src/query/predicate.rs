//! Conditions: which series they select by their tags, and what is left to ask of each row.
//!
//! Tag comparisons are answered from postings. Comparisons with fields select every series and
//! leave a *filter*; AND and OR combine sets and filters alike.
//!
//! Source: influxdb 1.12 `tsdb.IndexSet.seriesByExprIterator` and, where the two indexes of
//! upstream differ, its default one, `inmem.measurement.WalkWhereForSeriesIds`.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::expr::Node;
use super::pattern::Pattern;
use crate::ids::SeriesId;
use crate::index::{Measurement, postings};
use crate::influxql::{BinaryOp, Expr, VarRef};
use crate::model::Value;

/// A compiled condition.
#[derive(Debug)]
pub(super) enum Condition {
    Constant(bool),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    /// A test of the name of the measurement, `_name`.
    Name(Test),
    /// A test of the value of a tag; a missing tag is empty.
    Tag(Vec<u8>, Test),
    /// A leaf of the filters.
    Row(FilterId),
}

/// What is asked of a tag.
#[derive(Debug)]
pub(super) enum Test {
    Equal(Vec<u8>),
    NotEqual(Vec<u8>),
    Matches(Pattern),
    NotMatches(Pattern),
    /// Equal to, or different from, another tag that the series has as well.
    OtherTag(Vec<u8>, bool),
    /// Something no tag can be.
    Never,
}

impl Test {
    /// Whether a value that is there or empty passes.
    pub(super) fn passes(&self, value: &[u8]) -> bool {
        match self {
            Self::Equal(other) => value == other,
            Self::NotEqual(other) => value != other,
            Self::Matches(pattern) => pattern.is_match(value),
            Self::NotMatches(pattern) => !pattern.is_match(value),
            Self::OtherTag(..) | Self::Never => false,
        }
    }
}

/// A filter of a set of [`Filters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FilterId(u32);

impl FilterId {
    /// Lets every row pass.
    pub(super) const NONE: Self = Self(0);
}

#[derive(Debug)]
enum Filter {
    Leaf(Node),
    And(FilterId, FilterId),
    Or(FilterId, FilterId),
}

/// The filters that the series of a query have: few, shared by many series.
#[derive(Debug, Default)]
pub(super) struct Filters {
    filters: Vec<Filter>,
    known: BTreeMap<(bool, FilterId, FilterId), FilterId>,
}

impl Filters {
    pub(super) fn leaf(&mut self, node: Node) -> FilterId {
        self.push(Filter::Leaf(node))
    }

    fn push(&mut self, filter: Filter) -> FilterId {
        self.filters.push(filter);
        FilterId(self.filters.len() as u32)
    }

    /// Both, if `and`, or at least one of two.
    fn join(&mut self, and: bool, a: FilterId, b: FilterId) -> FilterId {
        match (a == FilterId::NONE, b == FilterId::NONE) {
            (true, true) => return FilterId::NONE,
            (true, false) => return if and { b } else { a },
            (false, true) => return if and { a } else { b },
            (false, false) => {}
        }
        if let Some(&known) = self.known.get(&(and, a, b)) {
            return known;
        }
        let id = self.push(if and {
            Filter::And(a, b)
        } else {
            Filter::Or(a, b)
        });
        self.known.insert((and, a, b), id);
        id
    }

    /// Whether a row passes.
    pub(super) fn passes(&self, id: FilterId, row: &[Option<Value<'_>>]) -> bool {
        let filter = (id.0 as usize)
            .checked_sub(1)
            .and_then(|at| self.filters.get(at));
        match filter {
            None => true,
            Some(Filter::Leaf(node)) => node.holds(row),
            Some(&Filter::And(a, b)) => self.passes(a, row) && self.passes(b, row),
            Some(&Filter::Or(a, b)) => self.passes(a, row) || self.passes(b, row),
        }
    }
}

/// Series in order of their ids, each with its filter.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Selected {
    pub(super) ids: Vec<SeriesId>,
    /// As many as there are ids, or none at all if no series has a filter.
    filters: Vec<FilterId>,
}

impl Selected {
    pub(super) const fn plain(ids: Vec<SeriesId>) -> Self {
        Self {
            ids,
            filters: Vec::new(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SeriesId, FilterId)> {
        let filter = |at: usize| self.filters.get(at).copied().unwrap_or(FilterId::NONE);
        self.ids
            .iter()
            .enumerate()
            .map(move |(at, &id)| (id, filter(at)))
    }

    fn join(self, other: Self, and: bool, filters: &mut Filters) -> Self {
        if self.filters.is_empty() && other.filters.is_empty() {
            let join = if and {
                postings::intersect
            } else {
                postings::union
            };
            return Self::plain(join(&self.ids, &other.ids));
        }
        let (mut left, mut right) = (self.iter().peekable(), other.iter().peekable());
        let mut joined = Self::default();
        let first = |item: Option<&(SeriesId, FilterId)>| item.map(|&(id, _)| id);
        while let Some(id) = first(left.peek())
            .into_iter()
            .chain(first(right.peek()))
            .min()
        {
            let filter = match (left.next_if(|l| l.0 == id), right.next_if(|r| r.0 == id)) {
                (Some((_, a)), Some((_, b))) => filters.join(and, a, b),
                (Some((_, one)), None) | (None, Some((_, one))) if !and => one,
                _ => continue,
            };
            joined.ids.push(id);
            joined.filters.push(filter);
        }
        joined
    }
}

impl Condition {
    /// The series of a measurement that the condition selects.
    pub(super) fn select(&self, measurement: &Measurement, filters: &mut Filters) -> Selected {
        let all = |wanted: bool| {
            Selected::plain(if wanted {
                measurement.series().to_vec()
            } else {
                Vec::new()
            })
        };
        match self {
            Self::Constant(truth) => all(*truth),
            Self::Name(test) => all(test.passes(measurement.name())),
            Self::Tag(key, test) => Selected::plain(tagged(measurement, key, test)),
            Self::Row(filter) => {
                let ids = measurement.series().to_vec();
                let filters = alloc::vec![*filter; ids.len()];
                Selected { ids, filters }
            }
            Self::And(lhs, rhs) | Self::Or(lhs, rhs) => {
                let (left, right) = (
                    lhs.select(measurement, filters),
                    rhs.select(measurement, filters),
                );
                left.join(right, matches!(self, Self::And(..)), filters)
            }
        }
    }
}

/// Series whose tag passes the test.
fn tagged(measurement: &Measurement, key: &[u8], test: &Test) -> Vec<SeriesId> {
    let of_values = |wanted: &dyn Fn(&[u8]) -> bool| {
        let mut ids = Vec::new();
        for (value, series) in measurement.tag_values(key) {
            if wanted(value) {
                ids.extend_from_slice(series);
            }
        }
        // A series has one value of a key, so that there are no duplicates.
        ids.sort_unstable();
        ids
    };
    match test {
        Test::Never => Vec::new(),
        Test::Equal(value) if !value.is_empty() => measurement.postings(key, value).to_vec(),
        Test::NotEqual(value) if !value.is_empty() => {
            postings::difference(measurement.series(), measurement.postings(key, value))
        }
        Test::OtherTag(other, same) => {
            let mut ids = Vec::new();
            for (value, series) in measurement.tag_values(key) {
                let equal = measurement.postings(other, value);
                ids.extend(if *same {
                    postings::intersect(series, equal)
                } else {
                    postings::difference(series, equal)
                });
            }
            ids.sort_unstable();
            ids
        }
        // Series without the tag pass if an empty value does.
        test if test.passes(b"") => postings::difference(
            measurement.series(),
            &of_values(&|value| !test.passes(value)),
        ),
        test => of_values(&|value| test.passes(value)),
    }
}

/// Whose value a variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A field.
    Field,
    /// A tag, or nothing that is known.
    Tag,
}

/// How a condition is compiled.
pub(super) trait Compiler {
    /// Whose value a variable is.
    fn kind(&self, var: &VarRef) -> Kind;

    /// What a comparison becomes that is to be asked of each row.
    fn row(&mut self, expr: &Expr) -> Result<Condition, String>;

    /// What a comparison of a tag becomes with an operator that tags do not have.
    fn odd_operator(&self) -> Result<Condition, String>;
}

/// Compiles what `time_range` left of a condition.
///
/// # Errors
///
/// What the compiler says, and patterns that cannot run.
pub(super) fn compile(
    expr: Option<&Expr>,
    compiler: &mut dyn Compiler,
) -> Result<Condition, String> {
    Ok(match expr {
        None => Condition::Constant(true),
        Some(Expr::Boolean(truth)) => Condition::Constant(*truth),
        Some(Expr::Paren(inner)) => compile(Some(inner), compiler)?,
        Some(Expr::Binary(op @ (BinaryOp::And | BinaryOp::Or), lhs, rhs)) => {
            let lhs = Box::new(compile(Some(lhs), compiler)?);
            let rhs = Box::new(compile(Some(rhs), compiler)?);
            match op {
                BinaryOp::And => Condition::And(lhs, rhs),
                _ => Condition::Or(lhs, rhs),
            }
        }
        Some(expr @ Expr::Binary(op, lhs, rhs)) => match (&**lhs, &**rhs) {
            (Expr::Variable(key), value) => comparison(expr, key, *op, value, compiler)?,
            (value, Expr::Variable(key)) => comparison(expr, key, *op, value, compiler)?,
            _ => compiler.row(expr)?,
        },
        Some(other) => compiler.row(other)?,
    })
}

fn comparison(
    expr: &Expr,
    key: &VarRef,
    op: BinaryOp,
    value: &Expr,
    compiler: &mut dyn Compiler,
) -> Result<Condition, String> {
    if key.name != "_name" && compiler.kind(key) == Kind::Field {
        return compiler.row(expr);
    }
    let equal = matches!(op, BinaryOp::Equal);
    let test = match value {
        Expr::Binary(..) | Expr::Paren(_) | Expr::Call(_) => return compiler.row(expr),
        Expr::Variable(other) if compiler.kind(other) == Kind::Field => return compiler.row(expr),
        Expr::Regex(text) if op.takes_regex() => {
            let pattern = Pattern::new(text)?;
            match op {
                BinaryOp::Matches => Test::Matches(pattern),
                _ => Test::NotMatches(pattern),
            }
        }
        _ if !equal && op != BinaryOp::NotEqual => return compiler.odd_operator(),
        Expr::String(text) if equal => Test::Equal(text.as_bytes().to_vec()),
        Expr::String(text) => Test::NotEqual(text.as_bytes().to_vec()),
        Expr::Variable(other) => Test::OtherTag(other.name.as_bytes().to_vec(), equal),
        _ => Test::Never,
    };
    Ok(match key.name.as_str() {
        "_name" => Condition::Name(test),
        name => Condition::Tag(name.as_bytes().to_vec(), test),
    })
}
