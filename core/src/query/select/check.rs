//! What a SELECT may ask for, before any data is looked at.
//!
//! Source: influxdb 1.12 `query.compiledStatement`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::influxql::{Expr, Field, Fill, Select, Source, fold};

/// The fields without `time`, folded, and the name of the column of times.
pub(super) struct Checked {
    pub(super) fields: Vec<Field>,
    pub(super) time_name: String,
    /// Of fields without functions. What is not answered yet, if anything.
    pub(super) unsupported: Option<String>,
}

/// Checks the clauses one by one, in upstream's order.
///
/// # Errors
///
/// Upstream's texts.
pub(super) fn check(select: &Select) -> Result<Checked, String> {
    let windowed = check_dimensions(select)?;
    let mut checked = Checked {
        fields: Vec::new(),
        time_name: String::from("time"),
        unsupported: None,
    };
    for field in &select.fields {
        if let Expr::Variable(var) = &field.expr
            && var.name == "time"
        {
            checked.time_name = field.alias.clone().unwrap_or(checked.time_name);
            continue;
        }
        let expr = fold(field.expr.clone(), None);
        check_expr(&expr, false)?;
        expr.walk(&mut |expr| {
            let called = match expr {
                Expr::Call(call) => call.name.as_str(),
                Expr::Distinct(_) => "distinct",
                _ => return,
            };
            let text = || format!("{called}() is not supported yet");
            checked.unsupported.get_or_insert_with(text);
        });
        checked.fields.push(Field {
            expr,
            alias: field.alias.clone(),
        });
    }
    if checked.fields.is_empty() {
        return Err("at least 1 non-time field must be queried".into());
    }
    if checked.unsupported.is_none() {
        checked.unsupported = check_raw(select, windowed)?;
    }
    Ok(checked)
}

/// What is wrong with a SELECT without functions, and what of it is not answered yet.
fn check_raw(select: &Select, windowed: bool) -> Result<Option<String>, String> {
    match select.fill {
        Fill::None => return Err("fill(none) must be used with a function".into()),
        Fill::Linear => return Err("fill(linear) must be used with a function".into()),
        Fill::Null | Fill::Previous | Fill::Number(_) => {}
    }
    if windowed {
        return Err("GROUP BY requires at least one aggregate function".into());
    }
    let is_subquery = |source: &Source| matches!(source, Source::Subquery(_));
    let clause = if select.target.is_some() {
        "INTO is"
    } else if select.sources.iter().any(is_subquery) {
        "sub-queries are"
    } else if select.fill != Fill::Null {
        "fill() is"
    } else if select.time_zone.is_some() {
        "tz() is"
    } else {
        return Ok(None);
    };
    Ok(Some(format!("{clause} not supported yet")))
}

/// Whether there is a GROUP BY time(..).
fn check_dimensions(select: &Select) -> Result<bool, String> {
    let mut windowed = false;
    for dimension in &select.dimensions {
        let text = match fold(dimension.clone(), None) {
            Expr::Wildcard(_) | Expr::Regex(_) => continue,
            Expr::Variable(var) if !var.name.eq_ignore_ascii_case("time") => continue,
            Expr::Variable(_) => "time() is a function and expects at least one argument",
            Expr::Call(call) if call.name != "time" => "only time() calls allowed in dimensions",
            Expr::Call(call) => match call.args.as_slice() {
                [] | [_, _, _, ..] => "time dimension expected 1 or 2 arguments",
                [Expr::Duration(_), ..] if windowed => "multiple time dimensions not allowed",
                [Expr::Duration(_), ..] => {
                    windowed = true;
                    continue;
                }
                _ => "time dimension must have duration argument",
            },
            _ => "only time and tag dimensions allowed",
        };
        return Err(text.into());
    }
    Ok(windowed)
}

fn check_expr(expr: &Expr, in_binary: bool) -> Result<(), String> {
    let text = match expr {
        Expr::Wildcard(_) if in_binary => "unable to use wildcard in a binary expression",
        Expr::Regex(_) if in_binary => "unable to use regex in a binary expression",
        Expr::Variable(_) | Expr::Call(_) | Expr::Distinct(_) => return Ok(()),
        Expr::Wildcard(_) | Expr::Regex(_) => return Ok(()),
        Expr::Paren(inner) => return check_expr(inner, in_binary),
        Expr::Binary(_, lhs, rhs) => match (is_literal(lhs), is_literal(rhs)) {
            (true, true) => "cannot perform a binary expression on two literals",
            (true, false) => return check_expr(rhs, true),
            (false, true) => return check_expr(lhs, true),
            (false, false) => {
                check_expr(lhs, true)?;
                return check_expr(rhs, true);
            }
        },
        _ => "field must contain at least one variable",
    };
    Err(text.into())
}

/// Whether upstream takes it for a literal, regexes included.
pub(super) const fn is_literal(expr: &Expr) -> bool {
    !matches!(
        expr,
        Expr::Binary(..)
            | Expr::Paren(_)
            | Expr::Call(_)
            | Expr::Variable(_)
            | Expr::Distinct(_)
            | Expr::Wildcard(_)
    )
}
