//! Prints any statement.

use core::fmt;

use super::list;
use super::show::{scope_from, scope_rest};
use crate::influxql::ast::{DatabaseGrant, SeriesFilter, ShowScope, Statement};
use crate::influxql::quote::{Identifier, Text};

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select(select) => select.fmt(f),
            Self::Explain(explain) => explain.fmt(f),
            Self::Delete(filter) => write_filter(f, "DELETE", filter),
            Self::CreateDatabase(create) => create.fmt(f),
            Self::DropDatabase(name) => write_named(f, "DROP DATABASE", name),
            Self::CreateRetentionPolicy(policy) => policy.fmt(f),
            Self::AlterRetentionPolicy(policy) => policy.fmt(f),
            Self::DropRetentionPolicy(policy) => policy.fmt(f),
            Self::DropMeasurement(name) => write_named(f, "DROP MEASUREMENT", name),
            Self::DropSeries(filter) => write_filter(f, "DROP SERIES", filter),
            Self::DropShard(id) => write!(f, "DROP SHARD {id}"),
            Self::ShowDatabases => f.write_str("SHOW DATABASES"),
            Self::ShowRetentionPolicies { database } => {
                write_on(f, "SHOW RETENTION POLICIES", database.as_deref())
            }
            Self::ShowMeasurements(show) => show.fmt(f),
            Self::ShowSeries(scope) => write_scope(f, "SHOW SERIES", scope),
            Self::ShowTagKeys { scope, .. } => write_scope(f, "SHOW TAG KEYS", scope),
            Self::ShowTagValues(show) => show.fmt(f),
            Self::ShowFieldKeys(scope) => write_scope(f, "SHOW FIELD KEYS", scope),
            Self::ShowCardinality(show) => show.fmt(f),
            Self::ShowShardGroups => f.write_str("SHOW SHARD GROUPS"),
            Self::ShowShards => f.write_str("SHOW SHARDS"),
            Self::ShowStats { module } => write_module(f, "SHOW STATS", module),
            Self::ShowDiagnostics { module } => write_module(f, "SHOW DIAGNOSTICS", module),
            Self::ShowQueries => f.write_str("SHOW QUERIES"),
            Self::ShowUsers => f.write_str("SHOW USERS"),
            Self::ShowGrants { user } => write_named(f, "SHOW GRANTS FOR", user),
            Self::ShowSubscriptions => f.write_str("SHOW SUBSCRIPTIONS"),
            Self::ShowContinuousQueries => f.write_str("SHOW CONTINUOUS QUERIES"),
            Self::CreateUser(user) => user.fmt(f),
            Self::DropUser(name) => write_named(f, "DROP USER", name),
            Self::SetPassword(set) => set.fmt(f),
            Self::Grant(grant) => write_grant(f, "GRANT", grant, "TO"),
            Self::GrantAdmin { user } => write_named(f, "GRANT ALL PRIVILEGES TO", user),
            Self::Revoke(grant) => write_grant(f, "REVOKE", grant, "FROM"),
            Self::RevokeAdmin { user } => write_named(f, "REVOKE ALL PRIVILEGES FROM", user),
            Self::KillQuery(kill) => kill.fmt(f),
            Self::CreateSubscription(subscription) => subscription.fmt(f),
            Self::DropSubscription(subscription) => subscription.fmt(f),
            Self::CreateContinuousQuery(query) => query.fmt(f),
            Self::DropContinuousQuery(query) => query.fmt(f),
        }
    }
}

fn write_named(f: &mut fmt::Formatter<'_>, words: &str, name: &str) -> fmt::Result {
    write!(f, "{words} {}", Identifier(name))
}

fn write_on(f: &mut fmt::Formatter<'_>, words: &str, database: Option<&str>) -> fmt::Result {
    match database {
        Some(name) if !name.is_empty() => write!(f, "{words} ON {}", Identifier(name)),
        _ => f.write_str(words),
    }
}

fn write_module(f: &mut fmt::Formatter<'_>, words: &str, module: &str) -> fmt::Result {
    if module.is_empty() {
        return f.write_str(words);
    }
    write!(f, "{words} FOR {}", Text(module))
}

fn write_scope(f: &mut fmt::Formatter<'_>, words: &str, scope: &ShowScope) -> fmt::Result {
    f.write_str(words)?;
    scope_from(f, scope)?;
    scope_rest(f, scope)
}

fn write_filter(f: &mut fmt::Formatter<'_>, words: &str, filter: &SeriesFilter) -> fmt::Result {
    f.write_str(words)?;
    if !filter.sources.is_empty() {
        f.write_str(" FROM ")?;
        list(f, &filter.sources)?;
    }
    match &filter.condition {
        Some(condition) => write!(f, " WHERE {condition}"),
        None => Ok(()),
    }
}

fn write_grant(
    f: &mut fmt::Formatter<'_>,
    word: &str,
    grant: &DatabaseGrant,
    preposition: &str,
) -> fmt::Result {
    let (database, user) = (Identifier(&grant.database), Identifier(&grant.user));
    write!(
        f,
        "{word} {} ON {database} {preposition} {user}",
        grant.privilege.as_str()
    )
}
