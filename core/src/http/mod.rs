//! Requests to answers, alike on every host.
//!
//! Nothing here reads a socket. A host hands over the head of a request ([`decide`]), does what
//! the [`Decision`] says, and sends the [`Answer`]:
//!
//! ```text
//! Head ─► decide ─┬─► Answer
//!                 ├─► WritePlan ─► (read, Inflate) ─► engine.write ─► ack level ─► answer
//!                 └─► QueryPlan ─► (read form) ─► begin ─► QueryRun ─► pieces of the body
//! ```

mod accept;
mod ack;
mod answer;
mod base64;
mod body;
mod bound;
mod cors;
mod counters;
mod credentials;
mod databases;
mod head;
mod health;
#[cfg(feature = "inflate")]
mod inflate;
mod multipart;
mod params;
mod query;
mod render;
mod route;
mod run;
mod text;
mod version;
mod wishes;
mod write;

#[cfg(test)]
mod tests;

pub use accept::Format;
pub use ack::AckLevel;
pub use answer::{Answer, Responder};
pub use base64::Base64;
pub use body::BodyError;
pub use counters::{Counter, Uptime, metrics, vars};
pub use credentials::Credentials;
pub use databases::Databases;
pub use head::Head;
pub use health::HealthCheck;
#[cfg(feature = "inflate")]
pub use inflate::{Inflate, Progress};
pub use params::Params;
pub use query::QueryPlan;
pub use route::{Decision, Denied, Gate, Site, asks_for_user, decide};
pub use run::QueryRun;
pub use text::{json_float, json_string};
pub use version::{INFLUXDB_BUILD, INFLUXDB_VERSION, TIDEGATE_VERSION};
pub use write::WritePlan;
