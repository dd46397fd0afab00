//! What exists: the retention policies of a database and their shard groups.
//!
//! Every change is a [`Change`] first: logged, then applied, live and in recovery alike.

mod catalog;
mod change;
mod error;
mod retention;
mod shard_group;

pub use catalog::Catalog;
pub use change::Change;
pub use error::CatalogError;
pub use retention::{Alteration, PolicySpec, RetentionPolicy, shard_group_duration};
pub use shard_group::{ShardGroup, ShardGroups};

#[cfg(test)]
mod tests;
