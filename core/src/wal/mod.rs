//! The log: records to frames to segments, and back.

pub mod definition;
mod rows;

pub use rows::{LoggedRow, RowsWriter, Section, sections};
