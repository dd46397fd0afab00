//! The blocking `Storage` trait, and `drive()`.
