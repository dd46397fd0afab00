//! The only place where stages meet; holds no algorithms.
//!
//! An engine is a database. The contract with a host, in order:
//!
//! 1. [`Engine::open`] with the listing of segments. An empty listing makes a new database.
//! 2. After every call that changes it, drain [`Engine::poll_effect`] until `None`, perform each
//!    effect and report it: [`Engine::supply`] for a read, [`Engine::complete`] for the others.
//!    Reporting may make new effects available.
//! 3. While [`Engine::phase`] is `Opening`, only step 2 moves it on; writes and statements are
//!    refused.
//! 4. [`Engine::write`] and [`Engine::execute`] return a ticket. Answer the client when
//!    [`Engine::durable_lsn`] has reached it, never before.
//! 5. When [`Engine::phase`] is `Poisoned`, drop the instance and open a fresh one.
//!
//! Invariant, asserted at every step: `durable <= submitted <= accepted`.

mod config;
mod effect;
mod record;
mod recovery;
mod report;

use alloc::string::String;
use alloc::vec::Vec;

pub use config::{Config, SegmentInfo, decode_listing, encode_listing};
pub use effect::Effect;
pub use record::{RECORD_BYTES, decode_effect, encode_effect};
pub use recovery::{Damage, RecoveryReport};
pub use report::{
    Executed, Outcome, WriteError, WriteReport, WriteRequest, decode_executed, decode_written,
    encode_executed, encode_written,
};

use crate::fault::StorageFault;
use crate::ids::{CursorId, EffectId, Lsn};

/// Where an engine is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading its log.
    Opening,
    /// Taking writes.
    Running,
    /// A persist failed; nothing it says about unacknowledged writes can be trusted.
    Poisoned,
    /// The log is not ours to open: foreign, or of a newer format. See [`Engine::refusal`].
    Refused,
}

/// A host called out of turn. A bug in the host, never in its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// No effect with this id is in flight, or it was reported before.
    #[error("no such effect is in flight")]
    UnknownEffect,
    /// A read was completed, or something else was supplied.
    #[error("the effect is reported with the other call")]
    WrongReport,
    /// No cursor with this id is open.
    #[error("no such cursor is open")]
    UnknownCursor,
}

/// One database: retention policies, shards, log.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// Begins to open a database from its segments; an empty listing makes a new one.
    pub fn open(_config: Config, _now_ns: i64, _segments: &[SegmentInfo]) -> Self {
        unimplemented!()
    }

    /// Where the engine is in its life.
    pub fn phase(&self) -> Phase {
        unimplemented!()
    }

    /// Why opening was refused, if it was: what is wrong with which segment, and what to do.
    pub fn refusal(&self) -> Option<&str> {
        unimplemented!()
    }

    /// What opening found. Complete once the phase is `Running`.
    pub fn recovery(&self) -> &RecoveryReport {
        unimplemented!()
    }

    /// Writes a body of line protocol.
    pub fn write(
        &mut self,
        _request: &WriteRequest,
        _body: &[u8],
    ) -> Result<WriteReport, WriteError> {
        unimplemented!()
    }

    /// Carries out one statement that concerns this database.
    pub fn execute(&mut self, _now_ns: i64, _statement: &str) -> Result<Executed, String> {
        unimplemented!()
    }

    /// Appends the next batch of a cursor's rows, about `rows_max` of them, in the form of
    /// `query::batch`; `false` when that was the last, which also closes the cursor.
    pub fn fetch(
        &mut self,
        _cursor: CursorId,
        _rows_max: usize,
        _out: &mut Vec<u8>,
    ) -> Result<bool, Misuse> {
        unimplemented!()
    }

    /// Closes a cursor before its end.
    pub fn close(&mut self, _cursor: CursorId) -> Result<(), Misuse> {
        unimplemented!()
    }

    /// The next effect, if any; drain until `None`.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        unimplemented!()
    }

    /// The bytes of a `PersistLog` in flight; empty for any other effect.
    pub fn effect_bytes(&self, _id: EffectId) -> &[u8] {
        unimplemented!()
    }

    /// Reports a persist, delete or quarantine.
    pub fn complete(
        &mut self,
        _id: EffectId,
        _result: Result<(), StorageFault>,
    ) -> Result<(), Misuse> {
        unimplemented!()
    }

    /// Answers a read.
    pub fn supply(
        &mut self,
        _id: EffectId,
        _result: Result<&[u8], StorageFault>,
    ) -> Result<(), Misuse> {
        unimplemented!()
    }

    /// The last LSN given out.
    pub fn accepted_lsn(&self) -> Lsn {
        unimplemented!()
    }

    /// The last LSN handed to the host.
    pub fn submitted_lsn(&self) -> Lsn {
        unimplemented!()
    }

    /// The last LSN that is durable; tickets up to it may be acknowledged.
    pub fn durable_lsn(&self) -> Lsn {
        unimplemented!()
    }
}
