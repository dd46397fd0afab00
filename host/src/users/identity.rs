//! Who a request comes from, and what that allows.

use std::sync::Arc;

use tidegate_core::influxql::{CreateUser, Privilege, Requirement, Statement};
use tidegate_core::model::Quoted;

use super::user::User;

/// The user of a request.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    /// Nobody is asked who they are: everything is allowed.
    Open,
    /// There is no admin who could have let anybody in.
    Nobody,
    /// Somebody, as of the moment the request came.
    User(Arc<User>),
}

impl Identity {
    /// Whether it may write to `database`; the error is the text of the 403.
    ///
    /// Source: influxdb 1.12 `services/httpd.serveWrite`.
    pub(crate) fn may_write(&self, database: &str) -> Result<(), String> {
        let user = match self {
            Self::Open => return Ok(()),
            Self::Nobody => {
                let database = Quoted(database.as_bytes());
                return Err(format!("user is required to write to database {database}"));
            }
            Self::User(user) => user,
        };
        if user.may(Privilege::Write, database) {
            return Ok(());
        }
        let (name, database) = (Quoted(user.name.as_bytes()), Quoted(database.as_bytes()));
        Err(format!(
            "{name} user is not authorized to write to database {database}"
        ))
    }

    /// Whether it is an admin.
    pub(crate) fn is_admin(&self) -> bool {
        match self {
            Self::Open => true,
            Self::Nobody => false,
            Self::User(user) => user.admin,
        }
    }

    /// Whether `database` is listed to it.
    ///
    /// Source: influxdb 1.12 `coordinator.StatementExecutor.executeShowDatabasesStatement`.
    pub(crate) fn sees(&self, database: &str) -> bool {
        match self {
            // Nobody gets further than to making the first admin.
            Self::Open | Self::Nobody => true,
            Self::User(user) => {
                let privileges = [Privilege::Read, Privilege::Write];
                privileges.iter().any(|&one| user.may(one, database))
            }
        }
    }

    /// Whether it may run a query of these statements; `database` is that of the request, and
    /// `users` how many there are. The error is the reason for the 403.
    ///
    /// Source: influxdb 1.12 `services/meta.QueryAuthorizer.AuthorizeQuery`,
    /// `UserInfo.AuthorizeQuery`.
    pub(crate) fn may_run<'s>(
        &self,
        mut statements: impl Iterator<Item = &'s Statement>,
        database: &str,
        users: usize,
    ) -> Result<(), String> {
        let user = match self {
            Self::Open => return Ok(()),
            Self::Nobody if users > 0 => return Err("no user provided".into()),
            Self::Nobody => {
                return match statements.next() {
                    Some(Statement::CreateUser(CreateUser { admin: true, .. })) => Ok(()),
                    _ => Err("create admin user first or disable authentication".into()),
                };
            }
            Self::User(user) => user,
        };
        if user.admin {
            return Ok(());
        }
        statements.try_for_each(|statement| may_execute(user, statement, database))
    }
}

fn may_execute(user: &User, statement: &Statement, database: &str) -> Result<(), String> {
    for requirement in statement.requirements() {
        let required = match requirement {
            Requirement::Admin => "requires admin privilege".to_owned(),
            Requirement::Database(privilege, name) => {
                let name = if name.is_empty() { database } else { name };
                if user.may(privilege, name) {
                    continue;
                }
                format!("requires {} on {name}", privilege.as_str())
            }
        };
        let name = &user.name;
        // Printed, not as it came: what is printed holds no password.
        return Err(format!(
            "{name} not authorized to execute statement '{statement}', {required}"
        ));
    }
    Ok(())
}
