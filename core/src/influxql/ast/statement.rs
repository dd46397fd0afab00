//! The list of statements.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::{
    AlterRetentionPolicy, CreateContinuousQuery, CreateDatabase, CreateRetentionPolicy,
    CreateSubscription, CreateUser, DatabaseGrant, DropContinuousQuery, DropRetentionPolicy,
    DropSubscription, Explain, Expr, KeyFilter, KillQuery, Select, SetPassword, ShowCardinality,
    ShowMeasurements, ShowScope, ShowTagValues, Source,
};

/// A statement and where it stands in the query text.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedStatement {
    /// What it says.
    pub statement: Statement,
    /// Bytes of the query text, without the semicolon and the white space around.
    pub span: Range<usize>,
}

/// One InfluxQL statement.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the statement of its name")]
pub enum Statement {
    Select(Box<Select>),
    Explain(Box<Explain>),
    Delete(SeriesFilter),
    CreateDatabase(CreateDatabase),
    DropDatabase(String),
    CreateRetentionPolicy(CreateRetentionPolicy),
    AlterRetentionPolicy(AlterRetentionPolicy),
    DropRetentionPolicy(DropRetentionPolicy),
    DropMeasurement(String),
    DropSeries(SeriesFilter),
    DropShard(u64),
    ShowDatabases,
    ShowRetentionPolicies {
        database: Option<String>,
    },
    ShowMeasurements(Box<ShowMeasurements>),
    ShowSeries(ShowScope),
    ShowTagKeys {
        keys: Option<KeyFilter>,
        scope: ShowScope,
    },
    ShowTagValues(ShowTagValues),
    ShowFieldKeys(ShowScope),
    ShowCardinality(Box<ShowCardinality>),
    ShowShardGroups,
    ShowShards,
    ShowStats {
        module: String,
    },
    ShowDiagnostics {
        module: String,
    },
    ShowQueries,
    ShowUsers,
    ShowGrants {
        user: String,
    },
    ShowSubscriptions,
    ShowContinuousQueries,
    CreateUser(CreateUser),
    DropUser(String),
    SetPassword(SetPassword),
    Grant(DatabaseGrant),
    /// GRANT ALL PRIVILEGES TO: makes an admin.
    GrantAdmin {
        user: String,
    },
    Revoke(DatabaseGrant),
    /// REVOKE ALL PRIVILEGES FROM: no longer an admin.
    RevokeAdmin {
        user: String,
    },
    KillQuery(KillQuery),
    CreateSubscription(CreateSubscription),
    DropSubscription(DropSubscription),
    CreateContinuousQuery(CreateContinuousQuery),
    DropContinuousQuery(DropContinuousQuery),
}

/// FROM and WHERE of DELETE and DROP SERIES; at least one of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesFilter {
    /// FROM; empty means every measurement.
    pub sources: Vec<Source>,
    /// WHERE.
    pub condition: Option<Expr>,
}

impl Statement {
    /// The database the statement names: its ON clause, else that of the first source of FROM
    /// which names one. `None` means the database of the request, or none at all.
    pub fn database(&self) -> Option<&str> {
        let name = match self {
            Self::Select(select) => return select_database(select),
            Self::Explain(explain) => return select_database(&explain.select),
            Self::Delete(filter) | Self::DropSeries(filter) => {
                return sources_database(&filter.sources);
            }
            Self::ShowMeasurements(show) => {
                return show.on.as_ref().and_then(|on| on.database.as_deref());
            }
            Self::ShowSeries(scope)
            | Self::ShowTagKeys { scope, .. }
            | Self::ShowFieldKeys(scope) => {
                return scope_database(scope);
            }
            Self::ShowTagValues(show) => return scope_database(&show.scope),
            Self::ShowCardinality(show) => return scope_database(&show.scope),
            Self::ShowRetentionPolicies { database } => return database.as_deref(),
            Self::CreateRetentionPolicy(policy) => &policy.database,
            Self::AlterRetentionPolicy(policy) => &policy.database,
            Self::DropRetentionPolicy(policy) => &policy.database,
            Self::Grant(grant) | Self::Revoke(grant) => &grant.database,
            Self::CreateSubscription(subscription) => &subscription.database,
            Self::DropSubscription(subscription) => &subscription.database,
            Self::CreateContinuousQuery(query) => &query.database,
            Self::DropContinuousQuery(query) => &query.database,
            _ => return None,
        };
        Some(name)
    }

    /// Whether it changes nothing. The others earn a warning when they come by GET.
    ///
    /// Source: influxdb 1.12 `coordinator.StatementExecutor.ExecuteStatement` and
    /// `query.TaskManager.ExecuteStatement`, which warn on exactly the rest.
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Select(select) => select.target.is_none(),
            Self::Explain(_)
            | Self::ShowDatabases
            | Self::ShowRetentionPolicies { .. }
            | Self::ShowMeasurements(_)
            | Self::ShowSeries(_)
            | Self::ShowTagKeys { .. }
            | Self::ShowTagValues(_)
            | Self::ShowFieldKeys(_)
            | Self::ShowCardinality(_)
            | Self::ShowShardGroups
            | Self::ShowShards
            | Self::ShowStats { .. }
            | Self::ShowDiagnostics { .. }
            | Self::ShowQueries
            | Self::ShowUsers
            | Self::ShowGrants { .. }
            | Self::ShowSubscriptions
            | Self::ShowContinuousQueries => true,
            _ => false,
        }
    }
}

fn scope_database(scope: &ShowScope) -> Option<&str> {
    scope
        .database
        .as_deref()
        .or_else(|| sources_database(&scope.sources))
}

fn select_database(select: &Select) -> Option<&str> {
    sources_database(&select.sources)
}

fn sources_database(sources: &[Source]) -> Option<&str> {
    sources.iter().find_map(|source| match source {
        Source::Measurement(measurement) => {
            Some(measurement.database.as_str()).filter(|name| !name.is_empty())
        }
        Source::Subquery(select) => select_database(select),
    })
}
