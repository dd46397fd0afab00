//! Seeded generators: the same seed gives the same bytes on every machine.

pub mod body;
pub mod devops;
mod mutate;
mod rng;
mod tokens;

pub use body::Flavour;
pub use devops::{Devops, Order, Shape, Values};
pub use mutate::mutate;
pub use rng::Rng;
