//! Blocks: points of one shard in compressed columns, written once and never changed.
//!
//! ```text
//! block    header 128 | chunk | chunk | ... | index | copy of the header 128
//! chunk    front: prelude, series, times | page of a field | page of a field ...
//!
//! rows ─► BlockWriter ─► parts ─► (blob) ─► Opening ─► Block ─► Scan ─► Rows
//!                                                        └────► Merge ─► parts
//! ```
//!
//! A chunk holds some thousand rows of consecutive series, in the order of keys and of time: many
//! short series, or a piece of a long one. Pages of fields are compressed each for itself, so a
//! reader fetches the front, finds the rows it wants, and then only the pages of the fields it
//! wants. The index has the first and last key and time of each chunk; it can be made again from
//! the chunks, which describe themselves.
//!
//! Every part has a checksum, which is compared before anything behind it is decoded. What is
//! damaged costs its page, or if it is a front its chunk, and is told with the series, times and
//! points it held. `docs/format.md` draws the bytes. Nothing here reads or writes: what is needed
//! is asked for, and what is to be put is handed out, in parts.

mod builder;
mod chunk;
mod column;
mod damage;
mod erased;
mod fetch;
mod floats;
mod header;
mod index;
mod merge;
mod numbers;
mod open;
mod presence;
mod rows;
mod scan;
mod strings;
mod text;
mod writer;

pub use column::{Column, Values};
pub use damage::{Damage, DamagedPart};
pub use erased::{Erased, Victims};
pub use fetch::{Need, READ_BYTES_MAX};
pub use header::{BLOCK_VERSION, HEADER_BYTES, Identity, Totals};
pub use merge::{Merge, MergeError, MergeStep};
pub use open::{Block, OpenError, Opening};
pub use rows::Rows;
pub use scan::{Scan, Step, Touched, Wanted};
pub use strings::Strings;
pub use writer::{BlockWriter, FeedError, FieldRef, Part, WriterConfig};

#[cfg(test)]
mod tests;
