//! The only place where stages meet; holds no algorithms.
//!
//! An engine is a database. The contract with a host, in order:
//!
//! 1. [`Engine::open`] with the listing of files. An empty listing makes a new database.
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

mod cardinality;
mod config;
mod effect;
mod effects;
mod explained;
mod fast;
mod open;
mod record;
mod recorder;
mod recovery;
mod report;
mod request;
mod slot;
mod snapshot;
mod statements;
#[cfg(test)]
mod tests;
mod write;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::AtomicU64;

pub use config::{Config, FileInfo, decode_listing, encode_listing};
pub use effect::Effect;
pub use explained::{Explained, LineFate, RejectedLine};
pub use record::{RECORD_BYTES, decode_effect, encode_effect};
pub use recovery::RecoveryReport;
pub use report::{
    Executed, Outcome, WriteError, WriteReport, WriteRequest, decode_executed, decode_written,
    encode_executed, encode_written,
};

pub use crate::wal::LogDamage as Damage;

use crate::ids::{CursorId, FileId, Lsn, ShardId};
use crate::index::FieldSlot;
use crate::limits;
use crate::line::Scanner;
use crate::meta::Catalog;
use crate::query::Cursor;
use crate::shard::{Admitted, Shard};
use crate::wal::Log;
use cardinality::{Cardinality, CardinalityMax};
use effects::InFlight;
use open::Opening;
use recorder::Recorder;
use slot::Slot;
use snapshot::Snapshots;

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
pub struct Engine {
    config: Config,
    state: State,
    catalog: Catalog,
    /// In order of shard ids.
    slots: Vec<Slot>,
    /// The slot written to last.
    current: usize,
    cardinality: Cardinality,
    /// What points of a shard that does not exist yet are judged against.
    blank: Shard,
    /// Absent while opening.
    log: Option<Log>,
    recorder: Recorder,
    recovery: RecoveryReport,
    /// Effects other than the log's own persists.
    queue: VecDeque<Effect>,
    in_flight: InFlight,
    /// See [`applying`](Self::applying).
    applying: Arc<AtomicU64>,
    /// The last LSN of earlier runs.
    opened_at: Lsn,
    /// To delete once this run has made something durable.
    obsolete: Vec<FileId>,
    snapshots: Snapshots,
    cursors: BTreeMap<CursorId, Cursor>,
    cursors_opened: u32,
    // Buffers that are used again from line to line.
    scanner: Scanner,
    admitted: Admitted,
    field_slots: Vec<FieldSlot>,
    values: Vec<u8>,
    bits: Vec<u64>,
}

#[derive(Debug)]
enum State {
    Opening(Box<Opening>),
    Running,
    Refused(String),
}

impl Engine {
    /// Begins to open a database from its files; an empty listing makes a new one.
    pub fn open(config: Config, files: &[FileInfo]) -> Self {
        let opening = Opening::new(config.node_id, files);
        let cache_bytes_max = config.cache_bytes_max.min(limits::CACHE_BYTES_MAX);
        let config = Config {
            cache_bytes_max,
            ..config
        };
        let cardinality_max = CardinalityMax {
            series: config.series_max,
            tag_values: config.tag_values_max,
        };
        let mut engine = Self {
            cardinality: Cardinality::new(cardinality_max, config.seed),
            blank: Shard::new(ShardId(0), config.seed),
            config,
            state: State::Opening(Box::new(opening)),
            catalog: Catalog::default(),
            slots: Vec::new(),
            current: 0,
            log: None,
            recorder: Recorder::default(),
            recovery: RecoveryReport::default(),
            queue: VecDeque::new(),
            in_flight: InFlight::default(),
            applying: Arc::default(),
            opened_at: Lsn(0),
            obsolete: Vec::new(),
            snapshots: Snapshots::default(),
            cursors: BTreeMap::new(),
            cursors_opened: 0,
            scanner: Scanner::new(),
            admitted: Admitted::default(),
            field_slots: Vec::new(),
            values: Vec::new(),
            bits: Vec::new(),
        };
        engine.advance_opening();
        engine
    }

    /// Where the engine is in its life.
    pub fn phase(&self) -> Phase {
        match (&self.state, &self.log) {
            (State::Refused(_), _) => Phase::Refused,
            (State::Opening(_), _) | (_, None) => Phase::Opening,
            (State::Running, Some(log)) if log.fault().is_some() => Phase::Poisoned,
            (State::Running, Some(_)) => Phase::Running,
        }
    }

    /// Why opening was refused, if it was: what is wrong with which segment, and what to do.
    pub fn refusal(&self) -> Option<&str> {
        match &self.state {
            State::Refused(text) => Some(text),
            _ => None,
        }
    }

    /// What opening found. Complete once the phase is `Running`.
    pub const fn recovery(&self) -> &RecoveryReport {
        &self.recovery
    }

    /// The LSN of the frame that opening is applying; 0 while it is not. To be looked at when the
    /// engine ended in the midst of that, and can no longer be called.
    pub fn applying(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.applying)
    }

    /// Logical bytes of cache and index.
    pub fn bytes(&self) -> u64 {
        self.cardinality.bytes() + self.slots.iter().map(Slot::bytes).sum::<u64>()
    }

    #[cfg(test)]
    pub(crate) fn slots_for_tests(&self) -> Vec<&Shard> {
        self.slots.iter().map(|slot| &slot.shard).collect()
    }

    /// The last LSN given out.
    pub fn accepted_lsn(&self) -> Lsn {
        self.log.as_ref().map_or(Lsn(0), Log::accepted)
    }

    /// The last LSN handed to the host.
    pub fn submitted_lsn(&self) -> Lsn {
        self.log.as_ref().map_or(Lsn(0), Log::submitted)
    }

    /// The last LSN that is durable; tickets up to it may be acknowledged.
    pub fn durable_lsn(&self) -> Lsn {
        self.log.as_ref().map_or(Lsn(0), Log::durable)
    }
}
