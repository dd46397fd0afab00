//! Where points come from.

use alloc::boxed::Box;
use alloc::string::String;

use super::Select;

/// One entry of FROM.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Measurements by name or pattern.
    Measurement(Measurement),
    /// The result of another SELECT.
    Subquery(Box<Select>),
}

/// `database.retention_policy.name`, each part but the last optional. Absent parts are empty,
/// as is the name when there is a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measurement {
    /// The database; empty means that of the request.
    pub database: String,
    /// The retention policy; empty means the default one.
    pub retention_policy: String,
    /// The exact name.
    pub name: String,
    /// A pattern for the name.
    pub regex: Option<String>,
}
