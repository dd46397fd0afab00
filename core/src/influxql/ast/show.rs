//! The SHOW statements that look at series.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Expr, SortField, Source};

/// The clauses that SHOW statements share; each takes some of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShowScope {
    /// ON.
    pub database: Option<String>,
    /// FROM; empty means every measurement.
    pub sources: Vec<Source>,
    /// WHERE.
    pub condition: Option<Expr>,
    /// ORDER BY; parsed and, as upstream, without effect.
    pub sort: Vec<SortField>,
    /// LIMIT; 0 means all.
    pub limit: u64,
    /// OFFSET.
    pub offset: u64,
    /// SLIMIT; 0 means all.
    pub slimit: u64,
    /// SOFFSET.
    pub soffset: u64,
}

/// SHOW MEASUREMENTS.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShowMeasurements {
    /// ON.
    pub on: Option<ShowMeasurementsOn>,
    /// WITH MEASUREMENT: a name or a pattern.
    pub filter: Option<Source>,
    /// WHERE, ORDER BY, LIMIT, OFFSET.
    pub scope: ShowScope,
}

/// ON database[.retention policy], where `None` stands for `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShowMeasurementsOn {
    /// The database, or every one.
    pub database: Option<String>,
    /// The retention policy or every one, if said.
    pub retention_policy: Option<Option<String>>,
}

/// SHOW TAG VALUES, and the filter of SHOW TAG KEYS.
#[derive(Clone, Debug, PartialEq)]
pub struct ShowTagValues {
    /// WITH KEY.
    pub keys: KeyFilter,
    /// The other clauses.
    pub scope: ShowScope,
}

/// WITH KEY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFilter {
    /// `= key`.
    Equal(String),
    /// `!= key`.
    NotEqual(String),
    /// `=~ /pattern/`.
    Matches(String),
    /// `!~ /pattern/`.
    NotMatches(String),
    /// `IN (key, ..)`.
    In(Vec<String>),
}

/// SHOW .. CARDINALITY.
#[derive(Clone, Debug, PartialEq)]
pub struct ShowCardinality {
    /// What is counted.
    pub kind: CardinalityKind,
    /// EXACT: counted, not estimated.
    pub exact: bool,
    /// ON, FROM, WHERE, LIMIT, OFFSET.
    pub scope: ShowScope,
    /// GROUP BY.
    pub dimensions: Vec<Expr>,
}

impl ShowCardinality {
    /// Whether the answer may be estimated without reading the sources.
    pub fn is_estimate(&self) -> bool {
        !self.exact
            && matches!(
                self.kind,
                CardinalityKind::Series | CardinalityKind::Measurement
            )
    }
}

/// What a cardinality is of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they say")]
pub enum CardinalityKind {
    Series,
    Measurement,
    TagKey,
    TagValues(KeyFilter),
    FieldKey,
}
