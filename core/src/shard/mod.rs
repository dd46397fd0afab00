//! One shard: the unit of schema, index and cache; a time range of a retention policy.

mod admit;
mod rejected;

pub use admit::{Admitted, Shard};
pub use rejected::{Rejected, Rejection, StrippedTime};

#[cfg(test)]
mod tests;
