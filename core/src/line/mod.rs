//! Line protocol: bytes to points.
//!
//! ```text
//! body ─► Lines ─► Scanner::scan ─► Point            the general path: right on every input
//!     └─► equal (key) ─► Template ─► TimeCursor      the fast path: None on any deviation
//! ```
//!
//! Both paths read the same language, that of influxdb 1.12 with all its quirks; the tests
//! hold them to it with recorded answers and with a naive twin of the grammar.

mod decimal;
mod error;
mod fields;
mod lines;
mod number;
mod scan;
mod swar;
mod template;
mod time;

#[cfg(test)]
mod tests;

pub use crate::model::key;
pub use error::{LineError, LineErrorKind};
pub use fields::Field;
pub use lines::{LineText, Lines};
pub use scan::{LineLimits, Options, Point, Scanner};
pub use swar::key_end;
pub use template::{FIELDS_MAX, Parsed, Template};
pub use time::TimeCursor;
