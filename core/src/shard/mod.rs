//! One shard: schema, index and cache of a time range.
