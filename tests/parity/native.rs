//! The core, linked into this test.

use tidegate_core::engine::{
    Config, Engine, Misuse, Phase, RECORD_BYTES, WriteRequest, decode_listing, encode_effect,
    encode_executed, encode_written,
};
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{CursorId, EffectId};

use crate::twin::Twin;

/// An engine, once it was opened.
#[derive(Default)]
pub(crate) struct Native(Option<Engine>);

impl Native {
    fn engine(&mut self) -> &mut Engine {
        self.0.as_mut().expect("open")
    }
}

impl Twin for Native {
    fn open(&mut self, params: &[u8]) {
        let mut at = 0;
        let config = Config::decode(params, &mut at).expect("configuration");
        let listing = decode_listing(params, &mut at).expect("listing");
        self.0 = Some(Engine::open(config, &listing));
    }

    fn write(&mut self, params: &[u8], body: &[u8]) -> Vec<u8> {
        let request = WriteRequest::decode(params).expect("request");
        let mut out = Vec::new();
        encode_written(&self.engine().write(&request, body), &mut out);
        out
    }

    fn execute(&mut self, now_ns: i64, statement: &str) -> Vec<u8> {
        let mut out = Vec::new();
        encode_executed(&self.engine().execute(now_ns, statement), &mut out);
        out
    }

    fn fetch(&mut self, cursor: u32, rows_max: u32) -> (u32, Vec<u8>) {
        let mut out = Vec::new();
        let fetched = self
            .engine()
            .fetch(CursorId(cursor), rows_max as usize, &mut out);
        match fetched {
            Ok(more) => (u32::from(more), out),
            Err(misuse) => (2, misuse.to_string().into_bytes()),
        }
    }

    fn poll(&mut self) -> Option<[u8; RECORD_BYTES]> {
        self.engine()
            .poll_effect()
            .map(|effect| encode_effect(&effect))
    }

    fn effect_bytes(&mut self, id: u64, length: usize) -> Vec<u8> {
        let bytes = self.engine().effect_bytes(EffectId(id)).to_vec();
        assert_eq!(
            bytes.len(),
            length,
            "an effect is as long as its record says"
        );
        bytes
    }

    fn complete(&mut self, id: u64, fault: u8) -> u32 {
        let result = result(fault);
        code(self.engine().complete(EffectId(id), result))
    }

    fn supply(&mut self, id: u64, fault: u8, bytes: &[u8]) -> u32 {
        let result = result(fault).map(|()| bytes);
        code(self.engine().supply(EffectId(id), result))
    }

    fn state(&mut self) -> (u32, [u64; 3], Vec<u8>) {
        let engine = self.engine();
        let phase = match engine.phase() {
            Phase::Opening => 0,
            Phase::Running => 1,
            Phase::Poisoned => 2,
            Phase::Refused => 3,
        };
        let lsns = [
            engine.accepted_lsn().0,
            engine.submitted_lsn().0,
            engine.durable_lsn().0,
        ];
        let mut recovery = Vec::new();
        engine.recovery().encode(&mut recovery);
        (phase, lsns, recovery)
    }
}

fn result(fault: u8) -> Result<(), StorageFault> {
    StorageFault::from_code(fault).map_or(Ok(()), Err)
}

fn code(result: Result<(), Misuse>) -> u32 {
    if result.is_ok() { 0 } else { 2 }
}
