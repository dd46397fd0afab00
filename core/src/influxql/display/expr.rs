//! Prints expressions.

use core::fmt;

use super::list;
use crate::influxql::ast::{Call, Expr, VarRef, WildcardKind};
use crate::influxql::duration::format_duration;
use crate::influxql::quote::{Identifier, Text};
use crate::influxql::time::format_rfc3339_nano;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary(op, lhs, rhs) => write!(f, "{lhs} {} {rhs}", op.as_str()),
            Self::Paren(inner) => write!(f, "({inner})"),
            Self::Call(call) => call.fmt(f),
            Self::Variable(var) => var.fmt(f),
            Self::Distinct(name) => write!(f, "DISTINCT {name}"),
            Self::Wildcard(None) => f.write_str("*"),
            Self::Wildcard(Some(WildcardKind::Field)) => f.write_str("*::field"),
            Self::Wildcard(Some(WildcardKind::Tag)) => f.write_str("*::tag"),
            Self::Number(number) => write_number(f, *number),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::String(text) => Text(text).fmt(f),
            Self::Duration(ns) => f.write_str(&format_duration(*ns)),
            Self::Regex(pattern) => Pattern(pattern).fmt(f),
            Self::Time(ns) => write!(f, "'{}'", format_rfc3339_nano(*ns)),
            Self::Nil => f.write_str("nil"),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The one keyword that is a function. Upstream quotes no name here, and so does not
        // understand what it printed for `"as"(v)`.
        if self.name == "distinct" {
            f.write_str(&self.name)?;
        } else {
            Identifier(&self.name).fmt(f)?;
        }
        f.write_str("(")?;
        list(f, &self.args)?;
        f.write_str(")")
    }
}

impl fmt::Display for VarRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Identifier(&self.name).fmt(f)?;
        match self.data_type {
            Some(data_type) => write!(f, "::{}", data_type.as_str()),
            None => Ok(()),
        }
    }
}

/// Prints a pattern between slashes.
pub(super) struct Pattern<'a>(pub(super) &'a str);

impl fmt::Display for Pattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/")?;
        for (i, part) in self.0.split('/').enumerate() {
            let separator = if i == 0 { "" } else { "\\/" };
            write!(f, "{separator}{part}")?;
        }
        f.write_str("/")
    }
}

fn write_number(f: &mut fmt::Formatter<'_>, number: f64) -> fmt::Result {
    if number.is_nan() {
        f.write_str("NaN")
    } else if number.is_infinite() {
        f.write_str(if number > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        write!(f, "{number:.3}")
    }
}
