//! DatabaseList: an engine each, behind a mutex that request threads take themselves, and a thread
//! each that carries out what the engine asks of storage.

mod ack;
mod commit;
mod drive;
mod instance;
mod life;
mod list;
mod past;
mod progress;
mod recovered;
mod space;
#[cfg(test)]
mod tests;

pub(crate) use ack::Ack;
pub(crate) use instance::{Database, Unavailable};
pub(crate) use list::{CreateError, DatabaseList};

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use tidegate_core::engine::Config as EngineConfig;

use crate::config::Data;
use crate::engine::Maker;
use crate::store::{Identity, Reserve, random};

/// What all databases share.
#[derive(Debug)]
pub(crate) struct Context {
    /// Makes instances.
    pub maker: Maker,
    /// Budgets.
    pub data: Data,
    /// Largest body in bytes; 0 for no limit.
    pub body_bytes_max: u64,
    /// Most points of a write; 0 for no limit.
    pub points_max: u64,
    /// What a full disk is met with.
    pub reserve: Arc<Reserve>,
    /// How long a request waits for its database to open.
    pub open_timeout: Duration,
    /// Points of all databases that were acknowledged before they were durable, and whose write
    /// then failed.
    pub late_failures: AtomicU64,
}

impl Context {
    /// What is accepted and not yet durable must fit the reserve.
    fn pending_bytes_max(&self) -> u64 {
        let wanted = self.data.wal_pending_size.0;
        match self.reserve.bytes() {
            0 => wanted,
            reserve => wanted.min(reserve),
        }
    }

    /// The configuration of an engine, with a fresh seed.
    fn engine_config(&self, identity: &Identity) -> std::io::Result<EngineConfig> {
        let seed = u64::from_le_bytes(random()?);
        let defaults = EngineConfig::new(&identity.name, identity.node_id, seed);
        let body_bytes_max = match self.body_bytes_max {
            0 => u64::from(u32::MAX),
            bytes => bytes,
        };
        Ok(EngineConfig {
            segment_bytes_roll: self.data.wal_segment_size.0,
            snapshot_log_bytes: self.data.wal_snapshot_size.0,
            pending_bytes_max: self.pending_bytes_max(),
            cache_bytes_max: self.data.cache_max_memory_size.0,
            body_bytes_max,
            points_max: self.points_max,
            validate_keys: self.data.validate_keys,
            unsigned_support: self.data.unsigned_support,
            series_max: self.data.max_series_per_database,
            tag_values_max: self.data.max_values_per_tag,
            line_bytes_max: self.data.max_line_size.0,
            tags_max: self.data.max_tags_per_line,
            fields_max: self.data.max_fields_per_line,
            ..defaults
        })
    }
}

/// The wall clock, in nanoseconds since the epoch.
pub(crate) fn now_ns() -> i64 {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}
