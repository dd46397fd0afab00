//! What the exported functions do: check what the host handed over, call the engine, keep the
//! answer.

use tidegate_core::engine::{
    Config, Engine, Misuse, Phase, RECORD_BYTES, WriteRequest, decode_listing, encode_effect,
    encode_executed, encode_written,
};
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{CursorId, EffectId, Lsn};

use super::buffer::Buffer;

/// The call was carried out.
pub(super) const OK: u32 = 0;
/// `fetch` only: there are more rows.
pub(super) const MORE: u32 = 1;
/// The call made no sense and changed nothing; the output says what was wrong with it.
pub(super) const MISUSE: u32 = 2;
/// `phase` only: no engine was opened.
pub(super) const NO_ENGINE: u32 = 4;

/// One engine and the three regions of memory it is spoken to through.
#[derive(Debug)]
pub(super) struct Face {
    engine: Option<Engine>,
    input: Buffer,
    params: Buffer,
    output: Vec<u8>,
    effect: [u8; RECORD_BYTES],
}

impl Face {
    /// A face without an engine.
    pub(super) const fn new() -> Self {
        Self {
            engine: None,
            input: Buffer::new(),
            params: Buffer::new(),
            output: Vec::new(),
            effect: [0; RECORD_BYTES],
        }
    }

    /// Room for `length` bytes of a body, and 64 more; stays in place until the next `input`.
    pub(super) fn input(&mut self, length: u32) -> *mut u8 {
        self.input.room(length as usize)
    }

    /// Room for `length` bytes of parameters; stays in place until the next `params`.
    pub(super) fn params(&mut self, length: u32) -> *mut u8 {
        self.params.room(length as usize)
    }

    /// The answer of the last call that has one.
    pub(super) fn output(&self) -> &[u8] {
        &self.output
    }

    /// Opens the one engine of this instance. Params: `Config::encode`, then `encode_listing`.
    pub(super) fn open(&mut self, params_len: u32) -> u32 {
        if self.engine.is_some() {
            return self.misuse("this instance has an engine already; open another instance");
        }
        let Some(bytes) = self.params.filled(params_len) else {
            return self.misuse("params_len exceeds the room asked for");
        };
        let mut at = 0;
        let config = Config::decode(bytes, &mut at);
        let listing = config.and_then(|config| Some((config, decode_listing(bytes, &mut at)?)));
        match listing {
            Some((config, files)) if at == bytes.len() => {
                self.engine = Some(Engine::open(config, &files));
                OK
            }
            _ => self.misuse("params are not a configuration and a listing of files"),
        }
    }

    /// 0 opening, 1 running, 2 poisoned, 3 refused (the output says why), 4 no engine.
    pub(super) fn phase(&mut self) -> u32 {
        let Some(engine) = &self.engine else {
            return NO_ENGINE;
        };
        match engine.phase() {
            Phase::Opening => 0,
            Phase::Running => 1,
            Phase::Poisoned => 2,
            Phase::Refused => {
                let text = engine.refusal().unwrap_or_default();
                answer(&mut self.output, |out| {
                    out.extend_from_slice(text.as_bytes())
                });
                3
            }
        }
    }

    /// Output: `RecoveryReport::encode`.
    pub(super) fn recovery(&mut self) -> u32 {
        let Some(engine) = &self.engine else {
            return self.no_engine();
        };
        answer(&mut self.output, |out| engine.recovery().encode(out));
        OK
    }

    /// Writes `body_len` bytes of the input. Params: `WriteRequest::encode`; output:
    /// `encode_written`.
    pub(super) fn write(&mut self, params_len: u32, body_len: u32) -> u32 {
        let Some(engine) = &mut self.engine else {
            return self.no_engine();
        };
        let Some(body) = self.input.filled(body_len) else {
            return self.misuse("body_len exceeds the room asked for");
        };
        let params = self.params.filled(params_len);
        let Some(request) = params.and_then(WriteRequest::decode) else {
            return self.misuse("params are not a write request");
        };
        let result = engine.write(&request, body);
        answer(&mut self.output, |out| encode_written(&result, out));
        OK
    }

    /// Carries out a statement. Params: its text; output: `encode_executed`.
    pub(super) fn execute(&mut self, now_ns: i64, params_len: u32) -> u32 {
        let Some(engine) = &mut self.engine else {
            return self.no_engine();
        };
        let params = self.params.filled(params_len);
        let Some(statement) = params.and_then(|bytes| str::from_utf8(bytes).ok()) else {
            return self.misuse("params are not a statement in UTF-8");
        };
        let result = engine.execute(now_ns, statement);
        answer(&mut self.output, |out| encode_executed(&result, out));
        OK
    }

    /// The next rows of a cursor: 1 if there are more, 0 if these were the last. Output: a batch.
    pub(super) fn fetch(&mut self, cursor: u32, rows_max: u32) -> u32 {
        let Some(engine) = &mut self.engine else {
            return self.no_engine();
        };
        self.output.clear();
        match engine.fetch(CursorId(cursor), rows_max as usize, &mut self.output) {
            Ok(true) => MORE,
            Ok(false) => OK,
            Err(misuse) => self.report(Err(misuse)),
        }
    }

    /// Closes a cursor before its end.
    pub(super) fn close(&mut self, cursor: u32) -> u32 {
        let Some(engine) = &mut self.engine else {
            return self.no_engine();
        };
        let result = engine.close(CursorId(cursor));
        self.report(result)
    }

    /// The record of the next effect, which stays in place until the next `poll`.
    pub(super) fn poll(&mut self) -> Option<&[u8; RECORD_BYTES]> {
        let effect = self.engine.as_mut()?.poll_effect()?;
        self.effect = encode_effect(&effect);
        Some(&self.effect)
    }

    /// The bytes of a persist or of a part in flight; empty for anything else.
    pub(super) fn effect_bytes(&self, id: u64) -> &[u8] {
        let engine = self.engine.as_ref();
        engine.map_or(&[], |engine| engine.effect_bytes(EffectId(id)))
    }

    /// Reports a persist, part, delete or quarantine; `fault` is `StorageFault::code`, 0 success.
    pub(super) fn complete(&mut self, id: u64, fault: u32) -> u32 {
        let Some(engine) = &mut self.engine else {
            return self.no_engine();
        };
        let result = engine.complete(EffectId(id), success_or(fault));
        self.report(result)
    }

    /// Answers a read with `length` bytes of the input, or with a fault.
    pub(super) fn supply(&mut self, id: u64, fault: u32, length: u32) -> u32 {
        let Some(engine) = &mut self.engine else {
            return self.no_engine();
        };
        let Some(bytes) = self.input.filled(length) else {
            return self.misuse("length exceeds the room asked for");
        };
        let result = engine.supply(EffectId(id), success_or(fault).map(|()| bytes));
        self.report(result)
    }

    /// The last LSN given out.
    pub(super) fn accepted(&self) -> u64 {
        self.lsn(Engine::accepted_lsn)
    }

    /// The last LSN handed to the host.
    pub(super) fn submitted(&self) -> u64 {
        self.lsn(Engine::submitted_lsn)
    }

    /// The last LSN that is durable.
    pub(super) fn durable(&self) -> u64 {
        self.lsn(Engine::durable_lsn)
    }

    #[cfg(test)]
    pub(super) fn fill_params(&mut self, bytes: &[u8]) {
        self.params.fill(bytes);
    }

    #[cfg(test)]
    pub(super) fn fill_input(&mut self, bytes: &[u8]) {
        self.input.fill(bytes);
    }

    fn lsn(&self, get: impl Fn(&Engine) -> Lsn) -> u64 {
        self.engine.as_ref().map_or(0, |engine| get(engine).0)
    }

    fn report(&mut self, result: Result<(), Misuse>) -> u32 {
        match result {
            Ok(()) => OK,
            Err(misuse) => self.misuse(&misuse.to_string()),
        }
    }

    fn no_engine(&mut self) -> u32 {
        self.misuse("no engine is open; call engine_open first")
    }

    fn misuse(&mut self, what: &str) -> u32 {
        answer(&mut self.output, |out| {
            out.extend_from_slice(what.as_bytes())
        });
        MISUSE
    }
}

/// The forms append; an answer starts afresh and keeps the room.
fn answer(output: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>)) {
    output.clear();
    put(output);
}

/// A code wider than a byte is none we know, hence the least specific fault.
fn success_or(fault: u32) -> Result<(), StorageFault> {
    match StorageFault::from_code(u8::try_from(fault).unwrap_or(u8::MAX)) {
        None => Ok(()),
        Some(fault) => Err(fault),
    }
}
