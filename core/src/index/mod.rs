//! Which series and fields exist in a shard, and which series a tag predicate selects.
//!
//! Knows nothing of values, of the log or of the text of queries.

mod arena;
mod arrivals;
mod inverted;
mod layouts;
mod measurement;
pub mod postings;

pub use arrivals::{Arrival, ArrivalId, Arrivals};
pub use inverted::Index;
pub use layouts::{Layout, Layouts};
pub use measurement::{Field, FieldSlot, Measurement, MeasurementId};

#[cfg(test)]
mod tests;
