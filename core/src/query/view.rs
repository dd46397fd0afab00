//! What a query looks at: the shards of a database, borrowed for one step.

use alloc::vec::Vec;

use crate::cache::Cache;
use crate::ids::ShardId;
use crate::index::Index;

/// A database at one moment. A cursor gets a fresh one at every step and relies only on what
/// never changes: ids, and the rows a series had when the cursor was opened.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The clock reading of the request.
    pub now_ns: i64,
    /// The name of the default retention policy.
    pub default_policy: &'a str,
    /// All retention policies, in order of their creation.
    pub policies: Vec<&'a str>,
    /// All shards, in order of their ids.
    pub shards: Vec<ShardView<'a>>,
}

/// One shard.
#[derive(Clone, Copy, Debug)]
pub struct ShardView<'a> {
    /// Which shard.
    pub id: ShardId,
    /// The retention policy it belongs to.
    pub policy: &'a str,
    /// First nanosecond covered.
    pub start_ns: i64,
    /// First nanosecond not covered.
    pub end_ns: i64,
    /// Its series, fields and layouts.
    pub index: &'a Index,
    /// Its rows.
    pub cache: &'a Cache,
}

impl<'a> View<'a> {
    /// A shard by its id, if it still exists.
    pub fn shard(&self, id: ShardId) -> Option<&ShardView<'a>> {
        let at = self
            .shards
            .binary_search_by_key(&id, |shard| shard.id)
            .ok()?;
        self.shards.get(at)
    }
}
