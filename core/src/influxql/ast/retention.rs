//! Databases and retention policies.

use alloc::string::String;

/// CREATE DATABASE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateDatabase {
    /// The name, unchecked.
    pub name: String,
    /// WITH: the retention policy to create instead of `autogen`'s defaults.
    pub retention: Option<RetentionOptions>,
}

/// The options of a retention policy; what is not said is `None`. A duration of 0 means
/// without end. CREATE DATABASE and ALTER RETENTION POLICY take any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionOptions {
    /// DURATION, nanoseconds.
    pub duration_ns: Option<i64>,
    /// REPLICATION, at least 1.
    pub replication: Option<u32>,
    /// SHARD DURATION, nanoseconds.
    pub shard_duration_ns: Option<i64>,
    /// FUTURE LIMIT, nanoseconds.
    pub future_limit_ns: Option<i64>,
    /// PAST LIMIT, nanoseconds.
    pub past_limit_ns: Option<i64>,
    /// NAME; only in CREATE DATABASE.
    pub name: Option<String>,
    /// DEFAULT; only in ALTER RETENTION POLICY.
    pub default: bool,
}

/// CREATE RETENTION POLICY.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateRetentionPolicy {
    /// Name of the policy.
    pub name: String,
    /// ON.
    pub database: String,
    /// DURATION, nanoseconds; 0 means without end.
    pub duration_ns: i64,
    /// REPLICATION, at least 1.
    pub replication: u32,
    /// SHARD DURATION, nanoseconds; 0 means chosen by the server.
    pub shard_duration_ns: i64,
    /// DEFAULT.
    pub default: bool,
    /// FUTURE LIMIT, nanoseconds; 0 means none.
    pub future_limit_ns: i64,
    /// PAST LIMIT, nanoseconds; 0 means none.
    pub past_limit_ns: i64,
}

/// ALTER RETENTION POLICY: at least one option.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlterRetentionPolicy {
    /// Name of the policy.
    pub name: String,
    /// ON.
    pub database: String,
    /// What to change.
    pub options: RetentionOptions,
}

/// DROP RETENTION POLICY.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DropRetentionPolicy {
    /// Name of the policy.
    pub name: String,
    /// ON.
    pub database: String,
}
