//! What exists: retention policies and shard groups of a database.
