//! Which series exist, and which of them a tag predicate selects.
