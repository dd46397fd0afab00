//! What needs more than one crate, and what several tests share. Not published.
//!
//! * [`kit`]: start servers, talk HTTP to them, read what the kernel counted.
//! * [`fuzz`]: a fuzzer, and what it is turned on.
//! * [`r#gen`]: seeded generators; the same seed gives the same bytes everywhere.
//! * [`proof`]: the servers that are compared, recorded answers, and what may differ.
//! * [`sim`]: the deterministic simulator of the whole engine, and its oracle.
//! * [`trace`]: tapes of those worlds, to be played by guests.
//! * [`bench`]: the side-by-side benchmark behind `make bench`.

pub mod bench;
pub mod fuzz;
pub mod r#gen;
pub mod kit;
pub mod proof;
pub mod sim;
pub mod trace;
