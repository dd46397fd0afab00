//! The vocabulary: time, precision, values, rows. Knows of no stage.

pub mod key;
mod precision;
pub mod row;
mod timestamp;
mod value;
pub mod varint;

pub use precision::Precision;
pub use timestamp::{TIME_MAX_NS, TIME_MIN_NS, truncate_to};
pub use value::{FieldType, Value};
