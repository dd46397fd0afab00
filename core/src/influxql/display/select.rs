//! Prints SELECT and its parts.

use core::fmt;

use super::expr::Pattern;
use super::{count, list};
use crate::influxql::ast::{
    Explain, Field, Fill, FillValue, Measurement, Select, SortField, Source,
};
use crate::influxql::quote::{Identifier, Text};

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        list(f, &self.fields)?;
        if let Some(target) = &self.target {
            let own_name = if target.name.is_empty() {
                ":MEASUREMENT"
            } else {
                ""
            };
            write!(f, " INTO {target}{own_name}")?;
        }
        if !self.sources.is_empty() {
            f.write_str(" FROM ")?;
            list(f, &self.sources)?;
        }
        if let Some(condition) = &self.condition {
            write!(f, " WHERE {condition}")?;
        }
        if !self.dimensions.is_empty() {
            f.write_str(" GROUP BY ")?;
            list(f, &self.dimensions)?;
        }
        self.fill.fmt(f)?;
        if !self.sort.is_empty() {
            f.write_str(" ORDER BY ")?;
            list(f, &self.sort)?;
        }
        count(f, "LIMIT", self.limit)?;
        count(f, "OFFSET", self.offset)?;
        count(f, "SLIMIT", self.slimit)?;
        count(f, "SOFFSET", self.soffset)?;
        match &self.time_zone {
            Some(name) => write!(f, " TZ({})", Text(name)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)?;
        match &self.alias {
            Some(alias) => write!(f, " AS {}", Identifier(alias)),
            None => Ok(()),
        }
    }
}

/// With the space before it; nothing for the default.
impl fmt::Display for Fill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::None => f.write_str(" fill(none)"),
            Self::Previous => f.write_str(" fill(previous)"),
            Self::Linear => f.write_str(" fill(linear)"),
            Self::Number(FillValue::Integer(number)) => write!(f, " fill({number})"),
            Self::Number(FillValue::Float(number)) => write!(f, " fill({number})"),
        }
    }
}

impl fmt::Display for SortField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            write!(f, "{} ", self.name)?;
        }
        f.write_str(if self.ascending { "ASC" } else { "DESC" })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measurement(measurement) => measurement.fmt(f),
            Self::Subquery(select) => write!(f, "({select})"),
        }
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.database.is_empty() {
            write!(f, "{}.", Identifier(&self.database))?;
        }
        if !self.retention_policy.is_empty() {
            Identifier(&self.retention_policy).fmt(f)?;
        }
        if !self.database.is_empty() || !self.retention_policy.is_empty() {
            f.write_str(".")?;
        }
        match &self.regex {
            _ if !self.name.is_empty() => Identifier(&self.name).fmt(f),
            Some(pattern) => Pattern(pattern).fmt(f),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let analyze = if self.analyze { "ANALYZE " } else { "" };
        let verbose = if self.verbose { "VERBOSE " } else { "" };
        write!(f, "EXPLAIN {analyze}{verbose}{}", self.select)
    }
}
