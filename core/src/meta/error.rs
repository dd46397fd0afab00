//! Why a change to the catalog is refused, in upstream's words.

use alloc::string::String;

use crate::model::NameError;

/// Source: influxdb 1.12 `services/meta/errors.go`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// No such policy.
    #[error("retention policy not found: {0}")]
    PolicyNotFound(String),
    /// The same name with other durations.
    #[error("retention policy already exists")]
    PolicyExists,
    /// The same policy, but not the default one although asked for.
    #[error("retention policy conflicts with an existing policy")]
    PolicyConflicts,
    /// Between 0 (forever) and an hour.
    #[error("retention policy duration must be at least 1h0m0s")]
    DurationTooLow,
    /// A group would outlive its policy.
    #[error("retention policy duration must be greater than the shard duration")]
    DurationBelowGroup,
    /// No policy may have this name.
    #[error(transparent)]
    Name(NameError),
}
