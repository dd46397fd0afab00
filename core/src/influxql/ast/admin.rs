//! Users, grants, subscriptions, continuous queries and running queries.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::Select;

/// CREATE USER.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateUser {
    /// Name of the user.
    pub name: String,
    /// In clear; never printed.
    pub password: String,
    /// WITH ALL PRIVILEGES.
    pub admin: bool,
}

/// SET PASSWORD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetPassword {
    /// FOR.
    pub user: String,
    /// In clear; never printed.
    pub password: String,
}

/// What a user may do in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they say")]
pub enum Privilege {
    Read,
    Write,
    All,
}

impl Privilege {
    /// As it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Write => "WRITE",
            Self::All => "ALL PRIVILEGES",
        }
    }
}

/// GRANT or REVOKE of a privilege on a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseGrant {
    /// Which one.
    pub privilege: Privilege,
    /// ON.
    pub database: String,
    /// TO or FROM.
    pub user: String,
}

/// KILL QUERY.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KillQuery {
    /// As SHOW QUERIES lists it.
    pub query_id: u64,
    /// ON, for clusters.
    pub host: Option<String>,
}

/// CREATE SUBSCRIPTION.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateSubscription {
    /// Name of the subscription.
    pub name: String,
    /// ON database.
    pub database: String,
    /// ON retention policy.
    pub retention_policy: String,
    /// ALL or ANY.
    pub mode: SubscriptionMode,
    /// At least one.
    pub destinations: Vec<String>,
}

/// Whether every destination gets a point, or one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they say")]
pub enum SubscriptionMode {
    All,
    Any,
}

impl SubscriptionMode {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Any => "ANY",
        }
    }
}

/// DROP SUBSCRIPTION.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DropSubscription {
    /// Name of the subscription.
    pub name: String,
    /// ON database.
    pub database: String,
    /// ON retention policy.
    pub retention_policy: String,
}

/// CREATE CONTINUOUS QUERY.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateContinuousQuery {
    /// Name of the query.
    pub name: String,
    /// ON.
    pub database: String,
    /// What to run; it has a target.
    pub select: Box<Select>,
    /// RESAMPLE EVERY, nanoseconds; 0 if not said.
    pub resample_every_ns: i64,
    /// RESAMPLE FOR, nanoseconds; 0 if not said.
    pub resample_for_ns: i64,
}

/// DROP CONTINUOUS QUERY.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DropContinuousQuery {
    /// Name of the query.
    pub name: String,
    /// ON.
    pub database: String,
}
