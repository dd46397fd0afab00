//! The guest in wasmtime, called as any runtime would.

use tidegate_core::engine::RECORD_BYTES;
use tidegate_tests::proof::guest::guest_bytes;
use tidegate_tests::proof::say;
use wasmtime::{Engine, Instance, Memory, Module, Store, WasmParams, WasmResults};

use crate::twin::Twin;

/// The compiled guest.
pub(crate) struct GuestModule {
    engine: Engine,
    module: Module,
}

impl GuestModule {
    pub(crate) fn compile() -> Self {
        let bytes = guest_bytes();
        say(&format!("parity: guest of {} bytes", bytes.len()));
        let engine = Engine::default();
        let module = Module::new(&engine, bytes).expect("the guest compiles");
        Self { engine, module }
    }

    /// An instance without imports: there is nothing to give it.
    pub(crate) fn instance(&self) -> Guest {
        let mut store = Store::new(&self.engine, ());
        let instance = Instance::new(&mut store, &self.module, &[]).expect("no imports");
        let memory = instance.get_memory(&mut store, "memory").expect("memory");
        Guest {
            store,
            instance,
            memory,
        }
    }
}

/// An instance.
pub(crate) struct Guest {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

impl Guest {
    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, params: P) -> R {
        let function = self
            .instance
            .get_typed_func::<P, R>(&mut self.store, name)
            .unwrap_or_else(|error| panic!("export {name}: {error}"));
        let result = function.call(&mut self.store, params);
        result.unwrap_or_else(|error| panic!("{name} trapped: {error:?}"))
    }

    fn put(&mut self, region: &str, bytes: &[u8]) -> u32 {
        let length = u32::try_from(bytes.len()).expect("short");
        let at: u32 = self.call(region, length);
        let written = self.memory.write(&mut self.store, at as usize, bytes);
        written.expect("inside memory");
        length
    }

    fn read(&self, at: u32, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let read = self.memory.read(&self.store, at as usize, &mut bytes);
        read.expect("inside memory");
        bytes
    }

    fn output(&mut self) -> Vec<u8> {
        let at: u32 = self.call("output_ptr", ());
        let length: u32 = self.call("output_len", ());
        self.read(at, length as usize)
    }

    /// The output of a call that went well.
    fn answered(&mut self, code: u32) -> Vec<u8> {
        let output = self.output();
        let text = String::from_utf8_lossy(&output);
        assert_eq!(code, 0, "misuse: {text}");
        output
    }
}

impl Twin for Guest {
    fn open(&mut self, params: &[u8]) {
        let length = self.put("params", params);
        let code = self.call("engine_open", (0_i64, length));
        if code != 0 {
            self.answered(code);
        }
    }

    fn write(&mut self, params: &[u8], body: &[u8]) -> Vec<u8> {
        let params = self.put("params", params);
        let body = self.put("input", body);
        let code = self.call("engine_write", (params, body));
        self.answered(code)
    }

    fn execute(&mut self, now_ns: i64, statement: &str) -> Vec<u8> {
        let length = self.put("params", statement.as_bytes());
        let code = self.call("engine_execute", (now_ns, length));
        self.answered(code)
    }

    fn fetch(&mut self, cursor: u32, rows_max: u32) -> (u32, Vec<u8>) {
        let code = self.call("engine_fetch", (cursor, rows_max));
        (code, self.output())
    }

    fn poll(&mut self) -> Option<[u8; RECORD_BYTES]> {
        let at: u32 = self.call("engine_poll", ());
        (at != 0).then(|| self.read(at, RECORD_BYTES).try_into().expect("a record"))
    }

    fn effect_bytes(&mut self, id: u64, length: usize) -> Vec<u8> {
        let at: u32 = self.call("engine_effect_bytes", id);
        self.read(at, length)
    }

    fn complete(&mut self, id: u64, fault: u8) -> u32 {
        self.call("engine_complete", (id, u32::from(fault)))
    }

    fn supply(&mut self, id: u64, fault: u8, bytes: &[u8]) -> u32 {
        let length = self.put("input", bytes);
        self.call("engine_supply", (id, u32::from(fault), length))
    }

    fn state(&mut self) -> (u32, [u64; 3], Vec<u8>) {
        let phase: u32 = self.call("engine_phase", ());
        let lsns = ["engine_accepted", "engine_submitted", "engine_durable"];
        let lsns = lsns.map(|name| self.call(name, ()));
        let code = self.call("engine_recovery", ());
        (phase, lsns, self.answered(code))
    }
}
