//! The deterministic simulator: the whole engine under clients, clocks, disks and crashes that
//! a 64-bit seed decides, and an oracle that knows what was promised.
//!
//! ```text
//! plan (from the seed) -> world: asks (clients) -> engine -> host -> adapter -> disk
//!                              -> life ends -> next life -> history / loss (oracle)
//! ```
//!
//! Two kinds of worlds. Where nothing is damaged, each life has to find the effect of a prefix
//! of all requests that holds everything promised ([`history`]). Where bytes at rest are
//! damaged or unreadable, nothing may be wrong and no loss unreported ([`loss`]).

mod adapter;
mod asks;
pub mod at_rest;
mod calm;
mod clients;
mod damage;
mod disk;
pub mod drill;
mod file;
mod format;
mod history;
mod hits;
mod host;
mod life;
mod loss;
mod mutation;
mod observe;
mod plan;
mod queries;
mod run;
pub mod sample;
mod taped;
mod trace;
mod world;

pub use hits::{Hit, Hits};
pub use mutation::Mutation;
pub use plan::{Kind, Plan};
pub use run::{KEPT_SEEDS, Tally, replay_command, run, run_checked, run_taped, shrink};
pub use trace::Trace;
pub use world::Report;
