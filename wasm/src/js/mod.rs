//! The JavaScript face: many engines in one instance, and the decisions about requests.
//!
//! Everything is synchronous. What has to be made durable is returned beside the answer, and
//! TypeScript (`wasm/ts`) does it before the answer is sent. Bytes are copied on their way out:
//! a view would be void as soon as the memory grows.

mod convert;
mod engines;
mod figures;
mod handle;
mod request_databases;
mod seeds;

use js_sys::{Object, Uint8Array};
use tidegate_core::engine::{FileInfo, Phase, encode_effect};
use tidegate_core::fault::StorageFault;
use tidegate_core::http::{AckLevel, Site};
use tidegate_core::ids::{EffectId, FileId};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

use engines::Engines;
use figures::Counts;

/// The engines of one server.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Server {
    engines: Engines,
    site: Site,
    counts: Counts,
}

#[wasm_bindgen]
impl Server {
    /// A server without databases. `entropy` is at least 16 random bytes; `ack` tells what the
    /// stores promise, `durable` or `memory`; `snapshot_log_bytes` as in
    /// [`Config`](tidegate_core::engine::Config), with a default of its own.
    #[wasm_bindgen(constructor)]
    pub fn new(entropy: &[u8], ack: &str, snapshot_log_bytes: Option<u64>) -> Self {
        // A request is answered when its tickets are complete: the weaker levels are not told apart
        // from what the stores give.
        let (ack, ack_levels) = if ack == "durable" {
            (AckLevel::Durable, &[AckLevel::Durable])
        } else {
            (AckLevel::Memory, &[AckLevel::Memory])
        };
        Self {
            engines: Engines::new(entropy, snapshot_log_bytes),
            site: Site {
                ack,
                ack_levels,
                ..Site::default()
            },
            counts: Counts::default(),
        }
    }

    /// Whether writes are read strictly unless they say otherwise, and the origins of pages that
    /// may send requests; `*` for all.
    pub fn configure(&mut self, strict: bool, cors_origins: Vec<String>) {
        self.site.strict = strict;
        self.site.cors_origins = cors_origins;
    }

    /// Answers a request; see [`handle`].
    pub fn handle(
        &mut self,
        method: &str,
        url: &str,
        headers: Vec<String>,
        body: &[u8],
        now_ns: i64,
        request_id: &str,
    ) -> Object {
        let request = handle::Request {
            method,
            url,
            headers: &headers,
            body,
            now_ns,
            request_id,
        };
        handle::handle(&mut self.engines, &self.site, &mut self.counts, &request)
    }

    /// Opens a database from its files and returns the number of its engine, which replaces one
    /// of the same name. `listing`: kind (1 segment, 2 blob), number and length of each file.
    pub fn open(
        &mut self,
        database: &str,
        node_id: &[u8],
        listing: &[u64],
    ) -> Result<u32, JsError> {
        let node_id: [u8; 16] = node_id
            .try_into()
            .map_err(|_| JsError::new("a node id is 16 bytes"))?;
        let files = files(listing)
            .ok_or_else(|| JsError::new("a listing is kind, number and length of each file"))?;
        Ok(self
            .engines
            .open(database, u128::from_le_bytes(node_id), &files))
    }

    /// Forgets an engine. Its log stays.
    pub fn release(&mut self, engine: u32) {
        self.engines.release(engine);
    }

    /// `opening`, `running`, `poisoned` or `refused`.
    pub fn phase(&mut self, engine: u32) -> Result<String, JsError> {
        Ok(match self.engines.get(engine)?.phase() {
            Phase::Opening => "opening",
            Phase::Running => "running",
            Phase::Poisoned => "poisoned",
            Phase::Refused => "refused",
        }
        .into())
    }

    /// What opening found that an operator should know: a refusal, damage.
    pub fn notice(&mut self, engine: u32) -> Result<Option<String>, JsError> {
        Ok(convert::notice(self.engines.get(engine)?))
    }

    /// What opening found, for `recovery.json`, if there is more to tell than that the log was
    /// read.
    pub fn recovery(&mut self, engine: u32, at_ns: i64) -> Result<Option<String>, JsError> {
        let found = self.engines.get(engine)?.recovery();
        Ok(found.is_notable().then(|| found.to_json(at_ns)))
    }

    /// The record of the next effect.
    pub fn poll(&mut self, engine: u32) -> Result<Option<Uint8Array>, JsError> {
        let effect = self.engines.get(engine)?.poll_effect();
        Ok(effect.map(|effect| Uint8Array::from(&encode_effect(&effect)[..])))
    }

    /// A copy of the bytes of a persist or of a part in flight.
    #[wasm_bindgen(js_name = effectBytes)]
    pub fn effect_bytes(&mut self, engine: u32, id: u64) -> Result<Uint8Array, JsError> {
        Ok(Uint8Array::from(
            self.engines.get(engine)?.effect_bytes(EffectId(id)),
        ))
    }

    /// Reports a persist, part, delete or quarantine; `fault` is 0 or the code of a fault.
    pub fn complete(&mut self, engine: u32, id: u64, fault: u8) -> Result<(), JsError> {
        let result = StorageFault::from_code(fault).map_or(Ok(()), Err);
        Ok(self.engines.get(engine)?.complete(EffectId(id), result)?)
    }

    /// Answers a read.
    pub fn supply(&mut self, engine: u32, id: u64, fault: u8, bytes: &[u8]) -> Result<(), JsError> {
        let result = StorageFault::from_code(fault).map_or(Ok(bytes), Err);
        Ok(self.engines.get(engine)?.supply(EffectId(id), result)?)
    }

    /// The last LSN that is durable.
    pub fn durable(&mut self, engine: u32) -> Result<u64, JsError> {
        Ok(self.engines.get(engine)?.durable_lsn().0)
    }
}

fn files(listing: &[u64]) -> Option<Vec<FileInfo>> {
    let (triples, []) = listing.as_chunks() else {
        return None;
    };
    let file = |&[kind, number, length]: &[u64; 3]| {
        let file = FileId::from_pair(u8::try_from(kind).ok()?, number)?;
        Some(FileInfo { file, length })
    };
    triples.iter().map(file).collect()
}
