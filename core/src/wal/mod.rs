//! The log: records to frames to segments, and back.
//!
//! ```text
//! append -> filling group -> persist (one in flight) -> complete -> durable
//! listing -> headers -> chain -> probe the last one -> frames in order, damage, tail
//! ```
//!
//! Frames and segments know nothing of what a payload means; `rows` and `definition` give the
//! payloads their form. `docs/format.md` draws the bytes. The promises: what was durable is
//! read back or reported as damage; what was torn was never acknowledged; bytes of other
//! segments never pass for its own.

mod basis;
mod chain;
pub mod definition;
mod deliver;
mod frame;
mod group;
mod header;
mod headers;
mod log;
mod probe;
mod record;
mod replay;
mod report;
mod rows;
mod salvage;
mod scan;
mod snapshot;

pub use crate::hash::checksum::crc32c;
pub use frame::{FRAME_HEAD_BYTES, FrameKind, PAYLOAD_BYTES_MAX};
pub use header::{FORMAT_VERSION, HEADER_BLOCK_BYTES};
pub use log::{Log, LogConfig, Persist, UnknownTicket};
pub use record::{FrameSink, RecordWriter};
pub use replay::Replay;
pub use report::{Frame, LogDamage, Reason, ReplayEnd, Step};
pub use rows::{LoggedRow, Section, sections};
pub use salvage::{Illegible, Piece, Salvage, Told};
pub use snapshot::SnapshotWriter;

#[cfg(test)]
mod tests;
