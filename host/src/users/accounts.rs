//! The list of users, and what statements change in it.
//!
//! Source: influxdb 1.12 `services/meta.Data`, with its texts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::password::PasswordHash;
use super::user::{Privileges, User};

/// All users, in order of their creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Accounts {
    users: Vec<Arc<User>>,
}

/// A text of upstream's.
pub(super) type Refused = &'static str;

/// No user has this name.
pub(super) const NOT_FOUND: Refused = "user not found";
/// A user of this name has another password or is an admin where the new one is none.
pub(super) const EXISTS: Refused = "user already exists";
const NAME_REQUIRED: Refused = "username required";

impl Accounts {
    /// The user of that name; bytes that are no UTF-8 are nobody's name.
    pub(super) fn get(&self, name: &[u8]) -> Option<&Arc<User>> {
        self.users.iter().find(|user| user.name.as_bytes() == name)
    }

    /// All, in order of their creation.
    pub(super) fn all(&self) -> &[Arc<User>] {
        &self.users
    }

    /// Whether anybody could let others in.
    pub(super) fn has_admin(&self) -> bool {
        self.users.iter().any(|user| user.admin)
    }

    /// Adds a user as it was stored.
    pub(super) fn add(&mut self, user: User) -> Result<(), Refused> {
        if user.name.is_empty() {
            return Err(NAME_REQUIRED);
        }
        if self.get(user.name.as_bytes()).is_some() {
            return Err(EXISTS);
        }
        self.users.push(Arc::new(user));
        Ok(())
    }

    /// Adds a user who may do nothing yet, or everything.
    pub(super) fn create(
        &mut self,
        name: &str,
        password: PasswordHash,
        admin: bool,
    ) -> Result<(), Refused> {
        self.add(User {
            name: name.to_owned(),
            admin,
            password,
            privileges: BTreeMap::new(),
        })
    }

    /// Removes a user.
    pub(super) fn drop_user(&mut self, name: &str) -> Result<(), Refused> {
        let position = self.users.iter().position(|user| user.name == name);
        self.users.remove(position.ok_or(NOT_FOUND)?);
        Ok(())
    }

    /// Gives a user another password.
    pub(super) fn set_password(
        &mut self,
        name: &str,
        password: PasswordHash,
    ) -> Result<(), Refused> {
        self.user(name)?.password = password;
        Ok(())
    }

    /// Makes a user an admin, or no longer.
    pub(super) fn set_admin(&mut self, name: &str, admin: bool) -> Result<(), Refused> {
        self.user(name)?.admin = admin;
        Ok(())
    }

    /// Replaces what a user may do in a database by what `change` makes of it.
    pub(super) fn set_privileges(
        &mut self,
        name: &str,
        database: &str,
        change: impl FnOnce(Privileges) -> Privileges,
    ) -> Result<(), Refused> {
        let privileges = &mut self.user(name)?.privileges;
        let before = privileges.get(database).copied();
        let after = change(before.unwrap_or(Privileges::NONE));
        privileges.insert(database.to_owned(), after);
        Ok(())
    }

    /// Takes away all that was granted on a database that goes: another one of that name is
    /// another one.
    pub(super) fn forget_database(&mut self, database: &str) {
        for user in &mut self.users {
            if user.privileges.contains_key(database) {
                Arc::make_mut(user).privileges.remove(database);
            }
        }
    }

    fn user(&mut self, name: &str) -> Result<&mut User, Refused> {
        let found = self.users.iter_mut().find(|user| user.name == name);
        found.map(Arc::make_mut).ok_or(NOT_FOUND)
    }
}
