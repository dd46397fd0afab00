//! Tapes in wasmtime.

use tidegate_tests::trace::{Call, Calls, Fold, Outcome, Recorded};
use wasmtime::{Engine, Error, Instance, InstancePre, Linker, Memory, Module, Store, TypedFunc};

use crate::player::{Played, Player};

const OK: u32 = 0;
const MISUSE: u32 = 2;
const REFUSED: u32 = 3;

/// The guest, compiled; every engine on a tape has an instance of its own.
#[derive(Clone)]
pub(crate) struct Wasmtime {
    engine: Engine,
    pre: InstancePre<()>,
    show: Option<u32>,
}

impl Wasmtime {
    pub(crate) fn compile(bytes: &[u8]) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, bytes).expect("the guest compiles");
        let pre = Linker::new(&engine).instantiate_pre(&module);
        let pre = pre.expect("the guest imports nothing");
        Self {
            engine,
            pre,
            show: None,
        }
    }

    fn play(&self, tape: &[u8]) -> Result<Played, (u32, Error)> {
        let mut calls = Calls::new(tape);
        let record_bytes = calls.record_bytes;
        let (mut fold, mut guest) = (Fold::default(), None);
        for (at, (call, hash)) in calls.by_ref().enumerate() {
            let at = at as u32;
            if let Call::Open { .. } = call {
                guest = Some(Guest::new(self).map_err(|error| (at, error))?);
            }
            let guest = guest.as_mut().expect("a tape begins with an open");
            let raw = guest
                .call(&call, record_bytes)
                .map_err(|error| (at, error))?;
            let outcome = raw.outcome(guest);
            if self.show == Some(at) {
                return Ok(Played::Shown(outcome.dump()));
            }
            outcome.fold_into(&mut fold);
            if fold.value() != hash {
                return Ok(Played::Differs(at));
            }
        }
        Ok(Played::Same(fold.value()))
    }
}

impl Player for Wasmtime {
    fn name(&self) -> &'static str {
        "wasmtime"
    }

    fn begin(&mut self, _: &Recorded, show: Option<u32>) {
        self.show = show;
    }

    fn end(&mut self, recorded: &Recorded) -> Played {
        self.play(&recorded.tape)
            .unwrap_or_else(|(at, error)| Played::Trapped(at, format!("{error:?}")))
    }
}

/// What came out of a call, partly still in the guest's memory.
struct Raw {
    code: u32,
    /// Copied: asking for the phase may replace it.
    output: Vec<u8>,
    bytes: (u32, u32),
    phase: u32,
    lsns: [u64; 3],
}

impl Raw {
    fn outcome<'a>(&'a self, guest: &'a Guest) -> Outcome<'a> {
        Outcome {
            code: self.code,
            output: &self.output,
            bytes: guest.view(self.bytes.0, self.bytes.1),
            phase: self.phase,
            lsns: self.lsns,
        }
    }
}

/// An instance and its exports.
struct Guest {
    store: Store<()>,
    memory: Memory,
    input: TypedFunc<u32, u32>,
    params: TypedFunc<u32, u32>,
    output_ptr: TypedFunc<(), u32>,
    output_len: TypedFunc<(), u32>,
    open: TypedFunc<(i64, u32), u32>,
    phase: TypedFunc<(), u32>,
    recovery: TypedFunc<(), u32>,
    write: TypedFunc<(u32, u32), u32>,
    execute: TypedFunc<(i64, u32), u32>,
    fetch: TypedFunc<(u32, u32), u32>,
    close: TypedFunc<u32, u32>,
    poll: TypedFunc<(), u32>,
    effect_bytes: TypedFunc<u64, u32>,
    complete: TypedFunc<(u64, u32), u32>,
    supply: TypedFunc<(u64, u32, u32), u32>,
    lsns: [TypedFunc<(), u64>; 3],
}

impl Guest {
    fn new(module: &Wasmtime) -> Result<Self, Error> {
        let mut store = Store::new(&module.engine, ());
        let instance = module.pre.instantiate(&mut store)?;
        let memory = instance.get_memory(&mut store, "memory");
        let s = &mut store;
        Ok(Self {
            memory: memory.expect("a memory"),
            input: find(s, instance, "input")?,
            params: find(s, instance, "params")?,
            output_ptr: find(s, instance, "output_ptr")?,
            output_len: find(s, instance, "output_len")?,
            open: find(s, instance, "engine_open")?,
            phase: find(s, instance, "engine_phase")?,
            recovery: find(s, instance, "engine_recovery")?,
            write: find(s, instance, "engine_write")?,
            execute: find(s, instance, "engine_execute")?,
            fetch: find(s, instance, "engine_fetch")?,
            close: find(s, instance, "engine_close")?,
            poll: find(s, instance, "engine_poll")?,
            effect_bytes: find(s, instance, "engine_effect_bytes")?,
            complete: find(s, instance, "engine_complete")?,
            supply: find(s, instance, "engine_supply")?,
            lsns: [
                find(s, instance, "engine_accepted")?,
                find(s, instance, "engine_submitted")?,
                find(s, instance, "engine_durable")?,
            ],
            store,
        })
    }

    /// Carries out a call and reads what there is to see.
    fn call(&mut self, call: &Call<'_>, record_bytes: usize) -> Result<Raw, Error> {
        let mut bytes = (0, 0);
        let (code, output) = match *call {
            Call::Poll { id, length } => {
                let at = self.poll.call(&mut self.store, ())?;
                let mut record = Vec::new();
                if at != 0 {
                    record.extend_from_slice(self.view(at, record_bytes as u32));
                    bytes = (self.effect_bytes.call(&mut self.store, id)?, length);
                }
                (u32::from(at != 0), record)
            }
            Call::Open { .. } | Call::Complete { .. } | Call::Supply { .. } => {
                let code = self.begin(call)?;
                if code == OK {
                    self.recovery.call(&mut self.store, ())?;
                }
                (code, self.output()?)
            }
            Call::Close { .. } => {
                let code = self.begin(call)?;
                let has_text = code == MISUSE;
                (code, if has_text { self.output()? } else { Vec::new() })
            }
            _ => (self.begin(call)?, self.output()?),
        };
        let phase = self.phase.call(&mut self.store, ())?;
        if phase == REFUSED {
            let at = self.output_ptr.call(&mut self.store, ())?;
            bytes = (at, self.output_len.call(&mut self.store, ())?);
        }
        let mut lsns = [0; 3];
        for (lsn, get) in lsns.iter_mut().zip(&self.lsns) {
            *lsn = get.call(&mut self.store, ())?;
        }
        Ok(Raw {
            code,
            output,
            bytes,
            phase,
            lsns,
        })
    }

    /// Hands over the arguments and calls.
    fn begin(&mut self, call: &Call<'_>) -> Result<u32, Error> {
        match *call {
            Call::Open { params } => {
                let length = self.put_params(params)?;
                self.open.call(&mut self.store, (0, length))
            }
            Call::Write { params, body } => {
                let args = (self.put_params(params)?, self.put_input(body)?);
                self.write.call(&mut self.store, args)
            }
            Call::Execute { now_ns, text } => {
                let length = self.put_params(text)?;
                self.execute.call(&mut self.store, (now_ns, length))
            }
            Call::Fetch { cursor, rows_max } => {
                self.fetch.call(&mut self.store, (cursor, rows_max))
            }
            Call::Close { cursor } => self.close.call(&mut self.store, cursor),
            Call::Poll { .. } => self.poll.call(&mut self.store, ()),
            Call::Complete { id, fault } => self.complete.call(&mut self.store, (id, fault)),
            Call::Supply { id, fault, bytes } => {
                let length = self.put_input(bytes)?;
                self.supply.call(&mut self.store, (id, fault, length))
            }
        }
    }

    fn put_params(&mut self, bytes: &[u8]) -> Result<u32, Error> {
        let at = self.params.call(&mut self.store, bytes.len() as u32)?;
        self.memory.write(&mut self.store, at as usize, bytes)?;
        Ok(bytes.len() as u32)
    }

    fn put_input(&mut self, bytes: &[u8]) -> Result<u32, Error> {
        let at = self.input.call(&mut self.store, bytes.len() as u32)?;
        self.memory.write(&mut self.store, at as usize, bytes)?;
        Ok(bytes.len() as u32)
    }

    fn output(&mut self) -> Result<Vec<u8>, Error> {
        let at = self.output_ptr.call(&mut self.store, ())?;
        let length = self.output_len.call(&mut self.store, ())?;
        Ok(self.view(at, length).to_vec())
    }

    fn view(&self, at: u32, length: u32) -> &[u8] {
        let bytes = self.memory.data(&self.store);
        &bytes[at as usize..][..length as usize]
    }
}

fn find<P: wasmtime::WasmParams, R: wasmtime::WasmResults>(
    store: &mut Store<()>,
    instance: Instance,
    name: &str,
) -> Result<TypedFunc<P, R>, Error> {
    instance.get_typed_func(store, name)
}
