//! Prints the SHOW statements with clauses.

use core::fmt;

use super::expr::Pattern;
use super::{count, list};
use crate::influxql::ast::{
    CardinalityKind, KeyFilter, ShowCardinality, ShowMeasurements, ShowMeasurementsOn, ShowScope,
    ShowTagValues, Source,
};
use crate::influxql::quote::Identifier;

/// Prints ON and FROM.
pub(super) fn scope_from(f: &mut fmt::Formatter<'_>, scope: &ShowScope) -> fmt::Result {
    if let Some(database) = scope.database.as_ref().filter(|name| !name.is_empty()) {
        write!(f, " ON {}", Identifier(database))?;
    }
    if scope.sources.is_empty() {
        return Ok(());
    }
    f.write_str(" FROM ")?;
    list(f, &scope.sources)
}

/// Prints WHERE, ORDER BY and the limits.
pub(super) fn scope_rest(f: &mut fmt::Formatter<'_>, scope: &ShowScope) -> fmt::Result {
    if let Some(condition) = &scope.condition {
        write!(f, " WHERE {condition}")?;
    }
    if !scope.sort.is_empty() {
        f.write_str(" ORDER BY ")?;
        list(f, &scope.sort)?;
    }
    count(f, "LIMIT", scope.limit)?;
    count(f, "OFFSET", scope.offset)?;
    count(f, "SLIMIT", scope.slimit)?;
    count(f, "SOFFSET", scope.soffset)
}

impl fmt::Display for ShowMeasurements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SHOW MEASUREMENTS")?;
        if let Some(on) = &self.on {
            on.fmt(f)?;
        }
        if let Some(filter) = &self.filter {
            let regex = matches!(filter, Source::Measurement(m) if m.regex.is_some());
            let op = if regex { "=~" } else { "=" };
            write!(f, " WITH MEASUREMENT {op} {filter}")?;
        }
        scope_rest(f, &self.scope)
    }
}

/// Upstream does not quote the names here, which does not read back; we do where needed.
impl fmt::Display for ShowMeasurementsOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.database {
            Some(name) => write!(f, " ON {}", Identifier(name))?,
            None => f.write_str(" ON *")?,
        }
        match &self.retention_policy {
            Some(Some(name)) => write!(f, ".{}", Identifier(name)),
            Some(None) => f.write_str(".*"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ShowTagValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SHOW TAG VALUES")?;
        scope_from(f, &self.scope)?;
        write!(f, " WITH KEY {}", self.keys)?;
        scope_rest(f, &self.scope)
    }
}

impl fmt::Display for KeyFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal(key) => write!(f, "= {}", Identifier(key)),
            Self::NotEqual(key) => write!(f, "!= {}", Identifier(key)),
            Self::Matches(pattern) => write!(f, "=~ {}", Pattern(pattern)),
            Self::NotMatches(pattern) => write!(f, "!~ {}", Pattern(pattern)),
            Self::In(keys) => {
                f.write_str("IN (")?;
                list(f, keys.iter().map(|key| Identifier(key)))?;
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for ShowCardinality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            CardinalityKind::Series => "SERIES",
            CardinalityKind::Measurement => "MEASUREMENT",
            CardinalityKind::TagKey => "TAG KEY",
            CardinalityKind::TagValues(_) => "TAG VALUES",
            CardinalityKind::FieldKey => "FIELD KEY",
        };
        let exact = if self.exact { " EXACT" } else { "" };
        write!(f, "SHOW {what}{exact} CARDINALITY")?;
        scope_from(f, &self.scope)?;
        if let CardinalityKind::TagValues(keys) = &self.kind {
            write!(f, " WITH KEY {keys}")?;
        }
        if let Some(condition) = &self.scope.condition {
            write!(f, " WHERE {condition}")?;
        }
        if !self.dimensions.is_empty() {
            f.write_str(" GROUP BY ")?;
            list(f, &self.dimensions)?;
        }
        count(f, "LIMIT", self.scope.limit)?;
        count(f, "OFFSET", self.scope.offset)
    }
}
