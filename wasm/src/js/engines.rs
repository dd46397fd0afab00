//! The engines of a server, by number and by name.

use std::collections::BTreeMap;

use tidegate_core::engine::{Config, Engine, FileInfo};
use wasm_bindgen::JsError;

use super::seeds::Seeds;

/// Less than a native server's: a trap has every database of the process read again, and browsers
/// grant little storage. In bytes.
const SNAPSHOT_LOG_BYTES: u64 = 64 << 20;

/// Open engines. A number is never given out twice, so that a report that comes late, for an
/// engine that was dropped meanwhile, cannot reach its successor.
#[derive(Debug)]
pub(super) struct Engines {
    open: BTreeMap<u32, Engine>,
    numbers: BTreeMap<String, u32>,
    /// Names in the order of creation.
    order: Vec<String>,
    next: u32,
    seeds: Seeds,
    snapshot_log_bytes: u64,
}

impl Engines {
    /// None yet; `snapshot_log_bytes` as in [`Config`], for all of them.
    pub(super) fn new(entropy: &[u8], snapshot_log_bytes: Option<u64>) -> Self {
        Self {
            open: BTreeMap::new(),
            numbers: BTreeMap::new(),
            order: Vec::new(),
            next: 0,
            seeds: Seeds::new(entropy),
            snapshot_log_bytes: snapshot_log_bytes.unwrap_or(SNAPSHOT_LOG_BYTES),
        }
    }

    /// Opens an engine, in place of one of the same name.
    pub(super) fn open(&mut self, database: &str, node_id: u128, files: &[FileInfo]) -> u32 {
        let config = Config {
            snapshot_log_bytes: self.snapshot_log_bytes,
            ..Config::new(database, node_id, self.seeds.draw())
        };
        let number = self.next;
        self.next += 1;
        if let Some(before) = self.numbers.insert(database.into(), number) {
            self.open.remove(&before);
        } else {
            self.order.push(database.into());
        }
        self.open.insert(number, Engine::open(config, files));
        number
    }

    /// Opens an engine of a new database, with a node id of its own.
    pub(super) fn create(&mut self, database: &str) -> (u32, u128) {
        let node_id = u128::from(self.seeds.draw()) << 64 | u128::from(self.seeds.draw());
        (self.open(database, node_id, &[]), node_id)
    }

    /// Forgets an engine.
    pub(super) fn release(&mut self, number: u32) {
        self.open.remove(&number);
        let numbers = &mut self.numbers;
        numbers.retain(|_, &mut held| held != number);
        self.order.retain(|name| numbers.contains_key(name));
    }

    /// The engine of that number; an error if it was released.
    pub(super) fn get(&mut self, number: u32) -> Result<&mut Engine, JsError> {
        let engine = self.open.get_mut(&number);
        engine.ok_or_else(|| JsError::new(&format!("engine {number} is not open")))
    }

    /// The number and the engine of a database.
    pub(super) fn named(&mut self, database: &str) -> Option<(u32, &mut Engine)> {
        let number = *self.numbers.get(database)?;
        Some((number, self.open.get_mut(&number)?))
    }

    /// Names of all databases, in the order of creation.
    pub(super) fn names(&self) -> &[String] {
        &self.order
    }
}
