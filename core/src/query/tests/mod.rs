//! Queries against recorded answers and against a naive twin.

mod recorded;
mod shards;
mod store;
mod twin;
