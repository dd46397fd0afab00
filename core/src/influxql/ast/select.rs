//! SELECT and EXPLAIN.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Expr, Measurement, Source};

/// A SELECT statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Select {
    /// At least one.
    pub fields: Vec<Field>,
    /// INTO. An empty name stands for `:MEASUREMENT`, the name of each source.
    pub target: Option<Measurement>,
    /// At least one.
    pub sources: Vec<Source>,
    /// WHERE, time included; `time_range` splits it.
    pub condition: Option<Expr>,
    /// GROUP BY.
    pub dimensions: Vec<Expr>,
    /// What empty windows of time become.
    pub fill: Fill,
    /// ORDER BY: at most one entry, and only of `time`.
    pub sort: Vec<SortField>,
    /// Rows a series; 0 means all.
    pub limit: u64,
    /// Rows of each series to skip.
    pub offset: u64,
    /// Series; 0 means all.
    pub slimit: u64,
    /// Series to skip.
    pub soffset: u64,
    /// The argument of `tz()`.
    pub time_zone: Option<String>,
}

impl Select {
    /// Whether no function is called in the fields.
    ///
    /// Source: influxql 1.4 `SelectStatement.IsRawQuery`.
    pub fn is_raw(&self) -> bool {
        let mut raw = true;
        for field in &self.fields {
            field
                .expr
                .walk(&mut |expr| raw &= !matches!(expr, Expr::Call(_)));
        }
        raw
    }

    /// Whether rows come oldest first.
    pub fn is_ascending(&self) -> bool {
        self.sort.first().is_none_or(|sort| sort.ascending)
    }

    /// The width of GROUP BY time(..) in nanoseconds; 0 without one.
    ///
    /// # Errors
    ///
    /// Upstream's text if the call has no or more than two arguments, or the first is no
    /// duration.
    ///
    /// Source: influxql 1.4 `SelectStatement.GroupByInterval`.
    pub fn group_by_interval(&self) -> Result<i64, &'static str> {
        for dimension in &self.dimensions {
            let Expr::Call(call) = dimension else {
                continue;
            };
            if call.name != "time" {
                continue;
            }
            if call.args.is_empty() || call.args.len() > 2 {
                return Err("time dimension expected 1 or 2 arguments");
            }
            return match call.args.first() {
                Some(&Expr::Duration(ns)) => Ok(ns),
                _ => Err("time dimension must have duration argument"),
            };
        }
        Ok(0)
    }
}

/// One selected expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// What to compute; a regex stands for the fields and tags it matches.
    pub expr: Expr,
    /// AS.
    pub alias: Option<String>,
}

impl Field {
    /// The name of its column, before duplicates are numbered: the alias, the function, the
    /// variable, or the names in the expression joined with `_`. Empty for a bare literal.
    ///
    /// Source: influxql 1.4 `Field.Name`.
    pub fn name(&self) -> String {
        if let Some(alias) = &self.alias {
            return alias.clone();
        }
        let mut expr = &self.expr;
        while let Expr::Paren(inner) = expr {
            expr = inner;
        }
        match expr {
            Expr::Binary(..) => {
                let mut name = String::new();
                join_names(expr, &mut name);
                name
            }
            Expr::Call(call) => call.name.clone(),
            Expr::Variable(var) => var.name.clone(),
            _ => String::new(),
        }
    }
}

fn join_names(expr: &Expr, joined: &mut String) {
    let name = match expr {
        Expr::Binary(_, lhs, rhs) => {
            join_names(lhs, joined);
            return join_names(rhs, joined);
        }
        Expr::Paren(inner) => return join_names(inner, joined),
        Expr::Call(call) => &call.name,
        Expr::Variable(var) => &var.name,
        _ => return,
    };
    if !joined.is_empty() {
        joined.push('_');
    }
    joined.push_str(name);
}

/// What windows without a value become.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fill {
    /// null.
    #[default]
    Null,
    /// They are left out.
    None,
    /// The value of the window before.
    Previous,
    /// The line between the neighbours.
    Linear,
    /// This number.
    Number(FillValue),
}

/// The number in `fill()`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "they are what they say")]
pub enum FillValue {
    Integer(i64),
    Float(f64),
}

/// One entry of ORDER BY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortField {
    /// Empty for a bare `ORDER BY ASC` or `DESC`.
    pub name: String,
    /// Oldest, or smallest, first.
    pub ascending: bool,
}

/// EXPLAIN [ANALYZE] [VERBOSE] SELECT.
#[derive(Clone, Debug, PartialEq)]
pub struct Explain {
    /// Run it and tell what it cost.
    pub analyze: bool,
    /// Tell more.
    pub verbose: bool,
    /// The statement to explain.
    pub select: Select,
}
