//! Queries against recorded answers and against a naive twin.

mod not_numbers;
mod recorded;
mod shards;
mod store;
mod twin;
