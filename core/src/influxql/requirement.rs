//! What a user must be allowed to do for a statement.

use alloc::vec::Vec;

use super::ast::{Measurement, Privilege, Select, Source, Statement};

/// One thing a user must be. All requirements of a statement must be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement<'a> {
    /// An admin.
    Admin,
    /// Allowed to read or write a database; an empty name means that of the request.
    Database(Privilege, &'a str),
}

impl Statement {
    /// What the statement requires, in the order upstream checks it.
    ///
    /// Source: influxql 1.4 `RequiredPrivileges` of each statement.
    pub fn requirements(&self) -> Vec<Requirement<'_>> {
        let read = |database| Vec::from([Requirement::Database(Privilege::Read, database)]);
        let write = |database| Vec::from([Requirement::Database(Privilege::Write, database)]);
        match self {
            Self::Select(select) => of_select(select),
            Self::Explain(explain) => of_select(&explain.select),
            Self::Delete(_) | Self::DropSeries(_) => write(""),
            Self::DropRetentionPolicy(policy) => write(&policy.database),
            Self::DropContinuousQuery(query) => write(&query.database),
            Self::CreateContinuousQuery(query) => {
                let mut all = read(&query.database);
                let target = query.select.target.iter();
                all.extend(
                    target
                        .filter(|into| !into.database.is_empty())
                        .map(of_target),
                );
                all
            }
            Self::ShowDatabases => Vec::new(),
            Self::ShowQueries | Self::ShowContinuousQueries => read(""),
            Self::ShowRetentionPolicies { database } => read(database.as_deref().unwrap_or("")),
            Self::ShowMeasurements(show) => read(
                show.on
                    .as_ref()
                    .and_then(|on| on.database.as_deref())
                    .unwrap_or(""),
            ),
            Self::ShowSeries(scope)
            | Self::ShowTagKeys { scope, .. }
            | Self::ShowFieldKeys(scope) => read(scope.database.as_deref().unwrap_or("")),
            Self::ShowTagValues(show) => read(show.scope.database.as_deref().unwrap_or("")),
            Self::ShowCardinality(show) if show.is_estimate() => {
                read(show.scope.database.as_deref().unwrap_or(""))
            }
            // Upstream checks the sources alone, so that without FROM anybody may count. We
            // ask for the database too: a count tells of data.
            Self::ShowCardinality(show) => {
                let mut all = read(show.scope.database.as_deref().unwrap_or(""));
                of_sources(&show.scope.sources, &mut all);
                all
            }
            _ => Vec::from([Requirement::Admin]),
        }
    }
}

fn of_select(select: &Select) -> Vec<Requirement<'_>> {
    let mut all = Vec::new();
    of_sources(&select.sources, &mut all);
    all.extend(select.target.iter().map(of_target));
    all
}

fn of_target(target: &Measurement) -> Requirement<'_> {
    Requirement::Database(Privilege::Write, &target.database)
}

fn of_sources<'a>(sources: &'a [Source], all: &mut Vec<Requirement<'a>>) {
    for source in sources {
        match source {
            Source::Measurement(measurement) => {
                all.push(Requirement::Database(
                    Privilege::Read,
                    &measurement.database,
                ));
            }
            Source::Subquery(select) => all.extend(of_select(select)),
        }
    }
}
