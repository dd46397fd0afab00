//! The statements about users.
//!
//! Source: influxdb 1.12 `coordinator.StatementExecutor`, `services/meta.Client`.

use tidegate_core::influxql::{CreateUser, DatabaseGrant, Privilege, SetPassword, Statement};
use tidegate_core::query::batch::Writer;

use super::accounts::{EXISTS, NOT_FOUND};
use super::identity::Identity;
use super::login::Users;
use super::password::PasswordHash;
use super::user::Privileges;

impl Users {
    /// Carries out a statement about users for `identity`, durably; rows go to `out` as a batch.
    /// `None` for a statement about something else. Blocks.
    pub(crate) fn perform(
        &self,
        statement: &Statement,
        identity: &Identity,
        exists: impl Fn(&str) -> bool,
        out: &mut Vec<u8>,
    ) -> Option<Result<(), String>> {
        Some(match statement {
            Statement::ShowUsers => {
                self.show_users(out);
                Ok(())
            }
            Statement::ShowGrants { user } => self.show_grants(user, out),
            Statement::CreateUser(create) => self.create_user(create, identity),
            Statement::DropUser(name) => self.change(|accounts| accounts.drop_user(name)),
            Statement::SetPassword(set) => self.set_password(set),
            Statement::Grant(grant) => {
                let granted = Privileges::of(grant.privilege);
                self.set_privileges(grant, exists, |_| granted)
            }
            Statement::Revoke(grant) => {
                let revoked = Privileges::of(grant.privilege);
                self.set_privileges(grant, exists, |before| match grant.privilege {
                    Privilege::All => Privileges::NONE,
                    _ => before.without(revoked),
                })
            }
            Statement::GrantAdmin { user } => {
                self.change(|accounts| accounts.set_admin(user, true))
            }
            Statement::RevokeAdmin { user } => {
                self.change(|accounts| accounts.set_admin(user, false))
            }
            _ => return None,
        })
    }

    /// Takes away all that was granted on a database that is about to go, durably.
    pub(crate) fn forget_database(&self, database: &str) -> Result<(), String> {
        self.change(|accounts| {
            accounts.forget_database(database);
            Ok::<(), String>(())
        })
    }

    fn create_user(&self, create: &CreateUser, identity: &Identity) -> Result<(), String> {
        let CreateUser {
            name,
            password,
            admin,
        } = create;
        if let Some(user) = self.current().get(name.as_bytes()) {
            // The same once more succeeds.
            let same = user.admin == *admin && user.password.matches(password.as_bytes());
            return if same { Ok(()) } else { Err(EXISTS.into()) };
        }
        let hash = PasswordHash::new(password.as_bytes())?;
        self.change(|accounts| {
            // Two may come at the same time to be the first admin.
            if matches!(identity, Identity::Nobody) && !accounts.all().is_empty() {
                return Err("no user provided");
            }
            accounts.create(name, hash, *admin)
        })
    }

    fn set_password(&self, set: &SetPassword) -> Result<(), String> {
        if self.current().get(set.user.as_bytes()).is_none() {
            return Err(NOT_FOUND.into());
        }
        let hash = PasswordHash::new(set.password.as_bytes())?;
        self.change(|accounts| accounts.set_password(&set.user, hash))
    }

    fn set_privileges(
        &self,
        grant: &DatabaseGrant,
        exists: impl Fn(&str) -> bool,
        change: impl FnOnce(Privileges) -> Privileges,
    ) -> Result<(), String> {
        self.change(|accounts| {
            let (user, database) = (&grant.user, &grant.database);
            if accounts.get(user.as_bytes()).is_none() {
                return Err(NOT_FOUND.to_owned());
            }
            if !exists(database) {
                return Err(format!("database not found: {database}"));
            }
            let changed = accounts.set_privileges(user, database, change);
            changed.map_err(str::to_owned)
        })
    }

    fn show_users(&self, out: &mut Vec<u8>) {
        let accounts = self.current();
        let mut writer = Writer::new(out);
        let columns: [&[u8]; 2] = [b"user", b"admin"];
        writer.series(None, [].into_iter(), columns.into_iter());
        for user in accounts.all() {
            writer.row(2);
            writer.string(user.name.as_bytes());
            writer.boolean(user.admin);
        }
    }

    /// In order of the databases' names, which upstream leaves to chance.
    fn show_grants(&self, name: &str, out: &mut Vec<u8>) -> Result<(), String> {
        let accounts = self.current();
        let user = accounts.get(name.as_bytes()).ok_or(NOT_FOUND)?;
        let mut writer = Writer::new(out);
        let columns: [&[u8]; 2] = [b"database", b"privilege"];
        writer.series(None, [].into_iter(), columns.into_iter());
        for (database, privileges) in &user.privileges {
            writer.row(2);
            writer.string(database.as_bytes());
            writer.string(privileges.name().as_bytes());
        }
        Ok(())
    }
}
