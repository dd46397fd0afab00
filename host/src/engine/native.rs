//! The engine linked into this binary: for parity tests, and to measure the price of wasm.

use std::fmt::Display;

use tidegate_core::engine::{
    Config, Effect, Engine, Executed, FileInfo, Phase, RecoveryReport, WriteError, WriteReport,
    WriteRequest,
};
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{CursorId, EffectId, Lsn};

use super::{Died, EngineFace};

/// An engine and the buffer that stands for the guest's input.
#[derive(Debug, Default)]
pub(crate) struct Native {
    engine: Option<Engine>,
    input: Vec<u8>,
}

impl Native {
    fn engine(&mut self) -> Result<&mut Engine, Died> {
        self.engine
            .as_mut()
            .ok_or_else(|| died("no engine is open"))
    }
}

fn died(why: impl Display) -> Died {
    Died(why.to_string())
}

impl EngineFace for Native {
    fn open(&mut self, config: &Config, files: &[FileInfo]) -> Result<(), Died> {
        self.engine = Some(Engine::open(config.clone(), files));
        Ok(())
    }

    fn phase(&mut self) -> Result<Phase, Died> {
        Ok(self.engine()?.phase())
    }

    fn refusal(&mut self) -> Result<String, Died> {
        Ok(self.engine()?.refusal().unwrap_or_default().to_owned())
    }

    fn recovery(&mut self) -> Result<RecoveryReport, Died> {
        Ok(self.engine()?.recovery().clone())
    }

    fn input(&mut self, length: usize) -> Result<&mut [u8], Died> {
        if self.input.len() < length {
            self.input.resize(length, 0);
        }
        Ok(&mut self.input[..length])
    }

    fn write(
        &mut self,
        request: &WriteRequest,
        length: usize,
    ) -> Result<Result<WriteReport, WriteError>, Died> {
        let engine = self.engine.as_mut();
        let engine = engine.ok_or_else(|| died("no engine is open"))?;
        Ok(engine.write(request, &self.input[..length]))
    }

    fn execute(&mut self, now_ns: i64, statement: &str) -> Result<Result<Executed, String>, Died> {
        Ok(self.engine()?.execute(now_ns, statement))
    }

    fn fetch(&mut self, cursor: CursorId, rows_max: u32, out: &mut Vec<u8>) -> Result<bool, Died> {
        self.engine()?
            .fetch(cursor, rows_max as usize, out)
            .map_err(died)
    }

    fn close(&mut self, cursor: CursorId) -> Result<(), Died> {
        self.engine()?.close(cursor).map_err(died)
    }

    fn poll(&mut self) -> Result<Option<Effect>, Died> {
        Ok(self.engine()?.poll_effect())
    }

    fn effect_bytes(&mut self, id: EffectId, length: usize, out: &mut Vec<u8>) -> Result<(), Died> {
        let bytes = self.engine()?.effect_bytes(id);
        if bytes.len() != length {
            return Err(died("an effect is not as long as its record says"));
        }
        out.extend_from_slice(bytes);
        Ok(())
    }

    fn complete(&mut self, id: EffectId, result: Result<(), StorageFault>) -> Result<(), Died> {
        self.engine()?.complete(id, result).map_err(died)
    }

    fn supply(&mut self, id: EffectId, result: Result<usize, StorageFault>) -> Result<(), Died> {
        let engine = self.engine.as_mut();
        let engine = engine.ok_or_else(|| died("no engine is open"))?;
        let bytes = result.map(|length| &self.input[..length]);
        engine.supply(id, bytes).map_err(died)
    }

    fn durable(&mut self) -> Result<Lsn, Died> {
        Ok(self.engine()?.durable_lsn())
    }
}
