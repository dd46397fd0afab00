//! The log: records to frames to segments, and back.
//!
//! ```text
//! append   record ─► frame ─► group ─► persist ─► completion ─► watermark
//! replay   listing ─► headers ─► chain of segments ─► frames in log order
//! ```
//!
//! Frames and segments know nothing of what payloads mean; `rows` and `definition` give the
//! payloads their form. `docs/format.md` draws both.

mod chain;
mod checksum;
pub mod definition;
mod deliver;
mod frame;
mod group;
mod header;
mod log;
mod probe;
mod replay;
mod report;
mod rows;
mod scan;

pub use frame::{FRAME_HEAD_BYTES, FrameKind, PAYLOAD_BYTES_MAX};
pub use header::{FORMAT_VERSION, HEADER_BLOCK_BYTES};
pub use log::{Log, LogConfig, Persist, UnknownTicket};
pub use replay::Replay;
pub use report::{Frame, LogDamage, Reason, ReplayEnd, Step};
pub use rows::{LoggedRow, RowsWriter, Section, sections};
