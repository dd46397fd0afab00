//! HTTP/1.1 around `tidegate_core::http`, which decides every answer.

mod body;
mod budget;
mod connection;
mod crowd;
mod figures;
mod listener;
mod packing;
mod patience;
mod pieces;
mod pool;
mod query;
mod request_id;
mod respond;
mod server;
mod service;
mod target;
mod throttle;
mod write;

pub(crate) use listener::bind;
pub(crate) use server::serve;
pub(crate) use service::Server;
