//! Recent rows in memory, by series.
//!
//! A row is kept as the bytes the log holds, in chunks per series carved out of shared pages:
//! no eight bytes a value, no map per point. Decoding waits until somebody asks.
//!
//! ```text
//! chunk   next address u32 | used u32 | rows ...
//! row     varint length of values | head u8 | varint layout (if it changed) | time i64 | values
//! head    bit 0 class (model::row), bit 1 a layout follows
//! ```

mod pages;
mod rows;
mod store;

pub use rows::{Position, Row, Rows};
pub use store::Cache;

#[cfg(test)]
mod tests;
