//! Servers as processes, HTTP to talk to them, and what the kernel counted.

pub mod gzip;
pub mod http;
pub mod proc;
pub mod process;
pub mod stats;

pub use http::{Client, Response};
pub use process::{Process, TempDir, free_port};
