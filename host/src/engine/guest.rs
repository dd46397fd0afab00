//! The engine in wasmtime: one module, compiled at start, one instance per database.
//!
//! The guest imports nothing, so it can reach nothing; guard pages bound its memory accesses,
//! a limit bounds its memory. There is no fuel and no epoch: every call is bounded by the body
//! it gets, and both would cost about a tenth of the speed.

use tidegate_core::engine::{
    Config, Effect, Executed, FileInfo, Phase, RECORD_BYTES, RecoveryReport, WriteError,
    WriteReport, WriteRequest, decode_effect, decode_executed, decode_written, encode_listing,
};
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{CursorId, EffectId, Lsn};
use wasmtime::{
    AsContext, AsContextMut, Engine, InstanceAllocationStrategy, InstancePre, Linker, Module,
    PoolingAllocationConfig, Store, StoreLimits, StoreLimitsBuilder, TypedFunc, WasmParams,
    WasmResults,
};

use super::guest_exports::{Exports, trapped};
use super::guest_memory::{view, view_mut};
use super::{Died, EngineFace};
use crate::config::Guest as GuestConfig;
use crate::log::log;

/// Built by `build.rs` from the very sources this binary links natively.
static GUEST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"));

/// Answers of the calls that have no other.
const OK: u32 = 0;
const MORE: u32 = 1;

/// The compiled guest.
pub(crate) struct GuestModule {
    engine: Engine,
    pre: InstancePre<StoreLimits>,
    memory_bytes_max: usize,
}

impl std::fmt::Debug for GuestModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestModule").finish_non_exhaustive()
    }
}

impl GuestModule {
    /// Compiles the guest that is part of this binary.
    pub(crate) fn compile(config: &GuestConfig) -> Result<Self, String> {
        let memory_bytes_max = config.memory_max.bytes().min(1 << 32);
        let engine = engine(config, memory_bytes_max)?;
        let module = Module::new(&engine, GUEST)
            .map_err(|error| format!("the guest does not compile: {error:#}"))?;
        let pre = Linker::new(&engine)
            .instantiate_pre(&module)
            .map_err(|error| format!("the guest wants what the host does not give: {error:#}"))?;
        Ok(Self {
            engine,
            pre,
            memory_bytes_max,
        })
    }

    /// A fresh instance; tens of microseconds.
    pub(crate) fn instance(&self) -> Result<Guest, Died> {
        let limits = StoreLimitsBuilder::new()
            .memory_size(self.memory_bytes_max)
            .memories(1)
            .tables(1)
            .instances(1)
            .build();
        let mut store = Store::new(&self.engine, limits);
        store.limiter(|limits| limits);
        let instance = self.pre.instantiate(&mut store).map_err(|error| {
            let hint = "raise [guest] instances-max if too many databases are in use";
            Died(format!("no instance of the guest ({hint}): {error:#}"))
        })?;
        let exports = Exports::find(&mut store, instance)?;
        Ok(Guest { store, exports })
    }
}

/// Pooled, so that the memory of a closed database serves the next one without page faults.
fn engine(config: &GuestConfig, memory_bytes_max: usize) -> Result<Engine, String> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(config.instances_max)
        .total_memories(config.instances_max)
        .total_tables(config.instances_max)
        .max_memory_size(memory_bytes_max)
        .linear_memory_keep_resident(config.keep_resident.bytes());
    let mut settings = wasmtime::Config::new();
    settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&settings).or_else(|error| {
        // The pool reserves address space for all instances at once, which a ulimit may forbid.
        log!("no pool of guest memories, allocating them one by one: {error:#}");
        Engine::new(&wasmtime::Config::new()).map_err(|error| format!("wasmtime: {error:#}"))
    })
}

/// An instance.
pub(crate) struct Guest {
    store: Store<StoreLimits>,
    exports: Exports,
}

impl Guest {
    fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        export: impl FnOnce(&Exports) -> &TypedFunc<P, R>,
        args: P,
    ) -> Result<R, Died> {
        export(&self.exports)
            .call(&mut self.store, args)
            .map_err(trapped)
    }

    /// Puts bytes where the guest expects parameters; their length, to be passed on.
    fn put_params(&mut self, bytes: &[u8]) -> Result<u32, Died> {
        let length = short(bytes.len())?;
        let at = self.call(|exports| &exports.params, length)?;
        let memory = self.exports.memory;
        view_mut(memory, self.store.as_context_mut(), at, bytes.len())?.copy_from_slice(bytes);
        Ok(length)
    }

    /// What the last call left as its output.
    fn output(&mut self) -> Result<&[u8], Died> {
        let at = self.call(|exports| &exports.output_ptr, ())?;
        let length = self.call(|exports| &exports.output_len, ())?;
        view(
            self.exports.memory,
            self.store.as_context(),
            at,
            length as usize,
        )
    }

    /// Turns anything but success into the text the guest left.
    fn expect_ok(&mut self, code: u32) -> Result<(), Died> {
        if code == OK {
            return Ok(());
        }
        let text = String::from_utf8_lossy(self.output()?).into_owned();
        Err(Died(format!("the host called out of turn: {text}")))
    }
}

fn short(length: usize) -> Result<u32, Died> {
    u32::try_from(length).map_err(|_| Died("more bytes than a guest can address".into()))
}

fn garbled(what: &str) -> Died {
    Died(format!("the guest's {what} cannot be read"))
}

fn code(fault: Option<StorageFault>) -> u32 {
    fault.map_or(OK, |fault| u32::from(fault.code()))
}

impl EngineFace for Guest {
    fn open(&mut self, config: &Config, files: &[FileInfo]) -> Result<(), Died> {
        let mut params = Vec::new();
        config.encode(&mut params);
        encode_listing(files, &mut params);
        let length = self.put_params(&params)?;
        // Opening reads no clock; the interface has kept the place for one.
        let code = self.call(|exports| &exports.open, (0, length))?;
        self.expect_ok(code)
    }

    fn phase(&mut self) -> Result<Phase, Died> {
        Ok(match self.call(|exports| &exports.phase, ())? {
            0 => Phase::Opening,
            1 => Phase::Running,
            2 => Phase::Poisoned,
            3 => Phase::Refused,
            _ => return Err(Died("no engine is open".into())),
        })
    }

    fn refusal(&mut self) -> Result<String, Died> {
        self.phase()?;
        Ok(String::from_utf8_lossy(self.output()?).into_owned())
    }

    fn recovery(&mut self) -> Result<RecoveryReport, Died> {
        let code = self.call(|exports| &exports.recovery, ())?;
        self.expect_ok(code)?;
        RecoveryReport::decode(self.output()?).ok_or_else(|| garbled("recovery report"))
    }

    fn input(&mut self, length: usize) -> Result<&mut [u8], Died> {
        let at = self.call(|exports| &exports.input, short(length)?)?;
        view_mut(self.exports.memory, self.store.as_context_mut(), at, length)
    }

    fn write(
        &mut self,
        request: &WriteRequest,
        length: usize,
    ) -> Result<Result<WriteReport, WriteError>, Died> {
        let mut params = Vec::with_capacity(64);
        request.encode(&mut params);
        let args = (self.put_params(&params)?, short(length)?);
        let code = self.call(|exports| &exports.write, args)?;
        self.expect_ok(code)?;
        decode_written(self.output()?).ok_or_else(|| garbled("answer to a write"))
    }

    fn execute(&mut self, now_ns: i64, statement: &str) -> Result<Result<Executed, String>, Died> {
        let length = self.put_params(statement.as_bytes())?;
        let code = self.call(|exports| &exports.execute, (now_ns, length))?;
        self.expect_ok(code)?;
        decode_executed(self.output()?).ok_or_else(|| garbled("answer to a statement"))
    }

    fn fetch(&mut self, cursor: CursorId, rows_max: u32, out: &mut Vec<u8>) -> Result<bool, Died> {
        let code = self.call(|exports| &exports.fetch, (cursor.0, rows_max))?;
        if code != MORE {
            self.expect_ok(code)?;
        }
        out.extend_from_slice(self.output()?);
        Ok(code == MORE)
    }

    fn close(&mut self, cursor: CursorId) -> Result<(), Died> {
        let code = self.call(|exports| &exports.close, cursor.0)?;
        self.expect_ok(code)
    }

    fn poll(&mut self) -> Result<Option<Effect>, Died> {
        let at = self.call(|exports| &exports.poll, ())?;
        if at == 0 {
            return Ok(None);
        }
        let record = view(
            self.exports.memory,
            self.store.as_context(),
            at,
            RECORD_BYTES,
        )?;
        let effect = record.first_chunk().and_then(decode_effect);
        effect.map(Some).ok_or_else(|| garbled("effect"))
    }

    fn effect_bytes(&mut self, id: EffectId, length: usize, out: &mut Vec<u8>) -> Result<(), Died> {
        let at = self.call(|exports| &exports.effect_bytes, id.0)?;
        out.extend_from_slice(view(
            self.exports.memory,
            self.store.as_context(),
            at,
            length,
        )?);
        Ok(())
    }

    fn complete(&mut self, id: EffectId, result: Result<(), StorageFault>) -> Result<(), Died> {
        let code = self.call(|exports| &exports.complete, (id.0, code(result.err())))?;
        self.expect_ok(code)
    }

    fn supply(&mut self, id: EffectId, result: Result<usize, StorageFault>) -> Result<(), Died> {
        let length = short(*result.as_ref().unwrap_or(&0))?;
        let args = (id.0, code(result.err()), length);
        let code = self.call(|exports| &exports.supply, args)?;
        self.expect_ok(code)
    }

    fn durable(&mut self) -> Result<Lsn, Died> {
        self.call(|exports| &exports.durable, ()).map(Lsn)
    }
}
