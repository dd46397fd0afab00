//! Line protocol in, durable and queryable points out, without doing any I/O.
//!
//! ```text
//! body ─► line ─► route (MapShards) ─► shard (validate, index) ─► wal record ─► cache
//!                                                                    │
//!                                             effects ─► host ─► complete ─► durable ticket
//! ```
//!
//! What this crate never does: read a clock, open a file, spawn a thread, draw a random
//! number, use `unsafe`. Time, seeds and limits are arguments; storage is described by
//! [`engine::Effect`]s which a host performs and reports back. The same calls give the same
//! effects, byte for byte, natively, in wasmtime and in V8.
//!
//! Modules form rows, and a lower row never sees a higher one (`tests/tidy.rs` checks it):
//!
//! ```text
//! row 0  model  ids  hash  limits  fault  planted
//! row 1  line  meta  index  cache  wal  block  influxql   siblings, none imports another
//! row 2  route ─► meta     shard ─► index, cache     query ─► index, cache, influxql
//! row 3  engine
//! row 4  http ─► engine    storage ─► engine
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "planted"))]
extern crate std;

pub mod fault;
pub mod hash;
pub mod ids;
pub mod limits;
pub mod model;
#[doc(hidden)]
pub mod planted;

pub mod block;
pub mod cache;
pub mod index;
pub mod influxql;
pub mod line;
pub mod meta;
pub mod wal;

pub mod query;
pub mod route;
pub mod shard;

pub mod engine;

pub mod http;
pub mod storage;
