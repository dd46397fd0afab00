//! Tapes: all that was given to an engine at its boundary, and a hash of all that came out.
//!
//! ```text
//! world of the simulator ── every call ──► core, natively ──► outcome ─┐ folded,
//!                              │ Tape: call, its arguments ◄───────────┘ call by call
//!                              ▼
//!        played through the raw ABI by wasmtime and by V8: after every call the same hash
//! ```
//!
//! A tape is of one build: it is recorded, played and thrown away. In little-endian bytes:
//!
//! * head: the bytes of an effect's record (u32);
//! * per call: its code (u8), its arguments (numbers as they are; bytes with a u32 length in
//!   front), and the hash of everything up to and including its outcome (two u32);
//! * a zero byte.
//!
//! Tapes hold no trap and no refused growth of memory: only guests know those. `wasm/test` and
//! the host's tests cause them.

mod call;
mod covered;
mod fold;
mod outcome;
mod tape;

pub use call::{Call, Calls};
pub use covered::{Coverage, Covered};
pub use fold::Fold;
pub use outcome::{Dump, Outcome, phase_code};
pub use tape::{Recorded, Tape};
