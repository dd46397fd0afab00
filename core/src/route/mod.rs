//! `MapShards`: which shard a point belongs to.
