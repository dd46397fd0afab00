//! Seeded generators: the same seed gives the same bytes on every machine.

pub mod body;
pub mod devops;
mod rng;
mod tokens;

pub use body::Flavour;
pub use devops::{Devops, Order, Shape, Values};
pub use rng::Rng;
