//! The vocabulary: time, precision, values, rows. Knows of no stage.

mod bytes;
mod clock;
pub mod key;
mod name;
mod precision;
mod quote;
pub mod row;
mod timestamp;
mod value;
pub mod varint;

pub use bytes::equal;
pub use clock::{Duration, Rfc3339, civil};
pub use name::{NameError, check_name};
pub use precision::Precision;
pub use quote::{Quoted, is_printable};
pub use timestamp::{TIME_MAX_NS, TIME_MIN_NS, truncate_to};
pub use value::{FieldType, Value};
