//! The side-by-side benchmark behind `make bench`.
//!
//! Every figure stands beside that of a peer measured in the same run, on the same bodies,
//! in rounds that walk through the servers back and forth, so that drift of a shared machine
//! hits all alike. After each load the server is stopped, started again and asked how many
//! points it holds: one that is fast because it drops points is found out.

pub mod args;
mod crowd;
mod floors;
mod goals;
mod load;
mod replay;
mod report;
mod run;
mod servers;
mod verify;
mod workload;

pub use run::run;
