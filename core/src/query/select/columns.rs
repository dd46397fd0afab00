//! The columns of an answer: wildcards expanded, names made unique.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::schema::{Schema, check_types, data_type, order};
use crate::influxql::{DataType, Expr, Field, VarRef, WildcardKind};
use crate::query::expr::Node;
use crate::query::pattern::Pattern;

/// A field or tag that rows are asked for. Names are bytes: not every one is UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ref {
    pub(super) name: Vec<u8>,
    /// `None` if nothing bears the name.
    pub(super) data_type: Option<DataType>,
}

impl Ref {
    fn of(var: &VarRef) -> Self {
        Self {
            name: var.name.as_bytes().to_vec(),
            data_type: var.data_type,
        }
    }
}

/// The places of values in a row: what is selected, in order of names and types, then what
/// only the condition asks for.
#[derive(Debug, Default)]
pub(super) struct Refs {
    pub(super) list: Vec<Ref>,
    pub(super) selected: usize,
}

impl Refs {
    /// The place of a variable, added if it is new.
    pub(super) fn slot(&mut self, var: &VarRef) -> usize {
        self.place(Ref::of(var))
    }

    fn place(&mut self, wanted: Ref) -> usize {
        let known = self.list.iter().position(|known| *known == wanted);
        known.unwrap_or_else(|| {
            self.list.push(wanted);
            self.list.len() - 1
        })
    }
}

/// What a column shows.
enum Shown {
    Ref(Ref),
    Expr(Expr),
}

struct Column {
    name: Vec<u8>,
    alias: Option<String>,
    shown: Shown,
}

/// The names and contents of the columns.
#[derive(Debug)]
pub(super) struct Columns {
    /// The column of times first.
    pub(super) names: Vec<Vec<u8>>,
    /// One less than there are names.
    pub(super) nodes: Vec<Node>,
}

/// Expands and compiles the fields of a SELECT.
///
/// # Errors
///
/// Operators that do not fit their sides; patterns that cannot run.
pub(super) fn columns(
    fields: &[Field],
    time_name: &str,
    dimensions: &[Expr],
    schema: &Schema,
    refs: &mut Refs,
) -> Result<Columns, String> {
    let columns = expand(fields, dimensions, schema)?;
    let mut selected = Vec::new();
    for column in &columns {
        match &column.shown {
            Shown::Ref(wanted) => selected.push(wanted.clone()),
            Shown::Expr(expr) => {
                check_types(expr)?;
                expr.walk(&mut |expr| {
                    if let Expr::Variable(var) = expr {
                        selected.push(Ref::of(var));
                    }
                });
            }
        }
    }
    let key = |r: &Ref| order(r.data_type);
    selected.sort_by(|a, b| a.name.cmp(&b.name).then(key(a).cmp(&key(b))));
    selected.dedup();
    *refs = Refs {
        selected: selected.len(),
        list: selected,
    };
    let names = names(&columns, time_name);
    let nodes = columns.into_iter().map(|column| match column.shown {
        Shown::Ref(wanted) => Ok(Node::Slot(refs.place(wanted))),
        Shown::Expr(expr) => Node::compile(&expr, &mut |var| refs.slot(var)),
    });
    let nodes = nodes.collect::<Result<_, _>>()?;
    Ok(Columns { names, nodes })
}

/// Source: influxql 1.4 `SelectStatement.RewriteFields`.
fn expand(fields: &[Field], dimensions: &[Expr], schema: &Schema) -> Result<Vec<Column>, String> {
    let candidates = candidates(dimensions, schema);
    let mut columns = Vec::new();
    for field in fields {
        let wanted: Vec<_> = match &field.expr {
            Expr::Wildcard(kind) => {
                let is_wanted = |r: &&Ref| match kind {
                    None => true,
                    Some(WildcardKind::Tag) => r.data_type == Some(DataType::Tag),
                    Some(WildcardKind::Field) => r.data_type != Some(DataType::Tag),
                };
                candidates.iter().filter(is_wanted).collect()
            }
            Expr::Regex(text) => {
                let pattern = Pattern::new(text)?;
                candidates
                    .iter()
                    .filter(|r| pattern.is_match(&r.name))
                    .collect()
            }
            expr => {
                let shown = Shown::Expr(schema.typed(expr));
                let name = Field {
                    alias: None,
                    expr: expr.clone(),
                }
                .name()
                .into_bytes();
                columns.push(Column {
                    name,
                    alias: field.alias.clone(),
                    shown,
                });
                continue;
            }
        };
        columns.extend(wanted.into_iter().map(|wanted| Column {
            name: wanted.name.clone(),
            alias: None,
            shown: Shown::Ref(wanted.clone()),
        }));
    }
    Ok(columns)
}

/// What a wildcard may stand for: fields, and tags that the answer is not grouped by.
fn candidates(dimensions: &[Expr], schema: &Schema) -> Vec<Ref> {
    if schema.fields.is_empty() {
        return Vec::new();
    }
    let is_wildcard = |d: &Expr| matches!(d, Expr::Wildcard(_) | Expr::Regex(_));
    let grouped = |tag: &[u8]| {
        dimensions.iter().any(|d| {
            is_wildcard(d) || matches!(d, Expr::Variable(var) if var.name.as_bytes() == tag)
        })
    };
    let fields = schema.fields.iter().map(|(name, &field_type)| Ref {
        name: name.clone(),
        data_type: Some(data_type(field_type)),
    });
    let tags = schema
        .tags
        .iter()
        .filter(|tag| !grouped(tag))
        .map(|name| Ref {
            name: name.clone(),
            data_type: Some(DataType::Tag),
        });
    let mut all: Vec<_> = fields.chain(tags).collect();
    let key = |r: &Ref| order(r.data_type);
    all.sort_by(|a, b| a.name.cmp(&b.name).then(key(a).cmp(&key(b))));
    all
}

/// Aliases come first; a name that is taken gets the next free number.
///
/// Source: influxql 1.4 `SelectStatement.ColumnNames`.
fn names(columns: &[Column], time_name: &str) -> Vec<Vec<u8>> {
    let aliases = columns.iter().filter_map(|column| column.alias.as_ref());
    let mut taken: BTreeMap<Vec<u8>, usize> = aliases
        .map(|alias| (alias.as_bytes().to_vec(), 1))
        .collect();
    let mut names = Vec::from([time_name.as_bytes().to_vec()]);
    for column in columns {
        if let Some(alias) = &column.alias {
            names.push(alias.as_bytes().to_vec());
            continue;
        }
        let mut name = column.name.clone();
        if let Some(&first) = taken.get(&name) {
            let mut number = first;
            let numbered = loop {
                let numbered = [name.as_slice(), format!("_{number}").as_bytes()].concat();
                if !taken.contains_key(&numbered) {
                    break numbered;
                }
                number += 1;
            };
            taken.insert(name, number + 1);
            name = numbered;
        }
        *taken.entry(name.clone()).or_insert(0) += 1;
        names.push(name);
    }
    names
}

/// The tag keys of GROUP BY, in order.
///
/// # Errors
///
/// Patterns that cannot run.
pub(super) fn dimensions(dimensions: &[Expr], schema: &Schema) -> Result<Vec<Vec<u8>>, String> {
    let mut keys = BTreeSet::new();
    for dimension in dimensions {
        match dimension {
            Expr::Wildcard(_) => keys.extend(schema.tags.iter().cloned()),
            Expr::Regex(text) => {
                let pattern = Pattern::new(text)?;
                keys.extend(
                    schema
                        .tags
                        .iter()
                        .filter(|key| pattern.is_match(key))
                        .cloned(),
                );
            }
            Expr::Variable(var) => drop(keys.insert(var.name.as_bytes().to_vec())),
            _ => {}
        }
    }
    Ok(keys.into_iter().collect())
}
