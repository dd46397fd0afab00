//! Prints databases, retention policies, users, subscriptions and continuous queries.

use core::fmt;

use super::list;
use crate::influxql::ast::{
    AlterRetentionPolicy, CreateContinuousQuery, CreateDatabase, CreateRetentionPolicy,
    CreateSubscription, CreateUser, DropContinuousQuery, DropRetentionPolicy, DropSubscription,
    KillQuery, RetentionOptions, SetPassword,
};
use crate::influxql::duration::format_duration;
use crate::influxql::quote::{Identifier, Text};
use crate::model::Duration;

impl fmt::Display for CreateDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CREATE DATABASE {}", Identifier(&self.name))?;
        let Some(options) = &self.retention else {
            return Ok(());
        };
        // Only here does upstream print durations in Go's spelling.
        f.write_str(" WITH")?;
        if let Some(ns) = options.duration_ns {
            write!(f, " DURATION {}", Duration(ns))?;
        }
        if let Some(replication) = options.replication {
            write!(f, " REPLICATION {replication}")?;
        }
        if let Some(ns) = options.shard_duration_ns.filter(|ns| *ns > 0) {
            write!(f, " SHARD DURATION {}", Duration(ns))?;
        }
        write_limits(f, options)?;
        match options.name.as_deref() {
            Some(name) if !name.is_empty() => write!(f, " NAME {}", Identifier(name)),
            _ => Ok(()),
        }
    }
}

fn write_limits(f: &mut fmt::Formatter<'_>, options: &RetentionOptions) -> fmt::Result {
    write_limit(f, "FUTURE", options.future_limit_ns.unwrap_or(0))?;
    write_limit(f, "PAST", options.past_limit_ns.unwrap_or(0))
}

fn write_limit(f: &mut fmt::Formatter<'_>, which: &str, ns: i64) -> fmt::Result {
    if ns == 0 {
        return Ok(());
    }
    write!(f, " {which} LIMIT {}", format_duration(ns))
}

impl fmt::Display for CreateRetentionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CREATE RETENTION POLICY {} ON {} DURATION {} REPLICATION {}",
            Identifier(&self.name),
            Identifier(&self.database),
            format_duration(self.duration_ns),
            self.replication
        )?;
        if self.shard_duration_ns > 0 {
            write!(
                f,
                " SHARD DURATION {}",
                format_duration(self.shard_duration_ns)
            )?;
        }
        if self.default {
            f.write_str(" DEFAULT")?;
        }
        write_limit(f, "FUTURE", self.future_limit_ns)?;
        write_limit(f, "PAST", self.past_limit_ns)
    }
}

impl fmt::Display for AlterRetentionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, database) = (Identifier(&self.name), Identifier(&self.database));
        write!(f, "ALTER RETENTION POLICY {name} ON {database}")?;
        if let Some(ns) = self.options.duration_ns {
            write!(f, " DURATION {}", format_duration(ns))?;
        }
        if let Some(replication) = self.options.replication {
            write!(f, " REPLICATION {replication}")?;
        }
        if let Some(ns) = self.options.shard_duration_ns {
            write!(f, " SHARD DURATION {}", format_duration(ns))?;
        }
        if self.options.default {
            f.write_str(" DEFAULT")?;
        }
        write_limits(f, &self.options)
    }
}

impl fmt::Display for DropRetentionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, database) = (Identifier(&self.name), Identifier(&self.database));
        write!(f, "DROP RETENTION POLICY {name} ON {database}")
    }
}

/// Passwords are never printed.
impl fmt::Display for CreateUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CREATE USER {} WITH PASSWORD [REDACTED]",
            Identifier(&self.name)
        )?;
        f.write_str(if self.admin {
            " WITH ALL PRIVILEGES"
        } else {
            ""
        })
    }
}

/// Passwords are never printed.
impl fmt::Display for SetPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SET PASSWORD FOR {} = [REDACTED]",
            Identifier(&self.user)
        )
    }
}

impl fmt::Display for KillQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KILL QUERY {}", self.query_id)?;
        match self.host.as_deref() {
            Some(host) if !host.is_empty() => write!(f, " ON {}", Identifier(host)),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for CreateSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CREATE SUBSCRIPTION {} ON {}.{} DESTINATIONS {} ",
            Identifier(&self.name),
            Identifier(&self.database),
            Identifier(&self.retention_policy),
            self.mode.as_str()
        )?;
        list(f, self.destinations.iter().map(|url| Text(url)))
    }
}

impl fmt::Display for DropSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, database) = (Identifier(&self.name), Identifier(&self.database));
        let retention_policy = Identifier(&self.retention_policy);
        write!(
            f,
            "DROP SUBSCRIPTION {name} ON {database}.{retention_policy}"
        )
    }
}

impl fmt::Display for CreateContinuousQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, database) = (Identifier(&self.name), Identifier(&self.database));
        write!(f, "CREATE CONTINUOUS QUERY {name} ON {database} ")?;
        if self.resample_every_ns > 0 || self.resample_for_ns > 0 {
            f.write_str("RESAMPLE ")?;
        }
        if self.resample_every_ns > 0 {
            write!(f, "EVERY {} ", format_duration(self.resample_every_ns))?;
        }
        if self.resample_for_ns > 0 {
            write!(f, "FOR {} ", format_duration(self.resample_for_ns))?;
        }
        write!(f, "BEGIN {} END", self.select)
    }
}

impl fmt::Display for DropContinuousQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, database) = (Identifier(&self.name), Identifier(&self.database));
        write!(f, "DROP CONTINUOUS QUERY {name} ON {database}")
    }
}
