//! Calls across the guest's boundary, with any numbers and any bytes.

use tidegate_core::engine::{Config, WriteRequest, encode_listing};
use tidegate_tests::fuzz::Target;
use tidegate_tests::r#gen::Rng;
use tidegate_tests::proof::guest::guest_bytes;
use wasmtime::{Engine, Instance, Memory, Module, Store, WasmParams, WasmResults};

/// An input is a list of calls: a byte that names one, a number, bytes.
pub(crate) struct Guest {
    engine: Engine,
    module: Module,
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    calls: u64,
}

/// Calls before an instance is replaced; its memory grows but never shrinks.
const LIFE: u64 = 2_000;

impl Guest {
    pub(crate) fn new() -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, guest_bytes()).expect("the guest compiles");
        let (store, instance, memory) = instance(&engine, &module);
        Self {
            engine,
            module,
            store,
            instance,
            memory,
            calls: 0,
        }
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, params: P) -> R {
        let function = self
            .instance
            .get_typed_func::<P, R>(&mut self.store, name)
            .expect("exported");
        let result = function.call(&mut self.store, params);
        result.unwrap_or_else(|error| panic!("{name} trapped: {error:?}"))
    }

    fn put(&mut self, region: &str, bytes: &[u8]) -> u32 {
        let at: u32 = self.call(region, bytes.len() as u32);
        let memory = self.memory;
        memory
            .write(&mut self.store, at as usize, bytes)
            .expect("inside memory");
        bytes.len() as u32
    }

    /// One call; whether it was understood.
    fn act(&mut self, kind: u8, number: u64, bytes: &[u8]) -> bool {
        let low = number as u32;
        let code: u32 = match kind % 12 {
            0 => {
                let length = self.put("params", bytes);
                // Now and then a length that was never asked for.
                let length = if number % 16 == 1 { low } else { length };
                self.call("engine_open", (0_i64, length))
            }
            1 | 2 => {
                let request = WriteRequest::default();
                let mut params = Vec::new();
                request.encode(&mut params);
                let params = self.put("params", &params);
                let body = self.put("input", bytes);
                let body = if number % 16 == 1 { low } else { body };
                self.call("engine_write", (params, body))
            }
            3 => {
                let params = self.put("params", bytes);
                self.call("engine_write", (params, low % 64))
            }
            4 | 5 => {
                let length = self.put("params", bytes);
                self.call("engine_execute", (number as i64, length))
            }
            6 => self.call("engine_fetch", (low % 4, (number >> 32) as u32)),
            7 => self.call("engine_close", low % 4),
            8 => {
                let at: u32 = self.call("engine_poll", ());
                u32::from(at == 0)
            }
            9 => self.call("engine_complete", (number % 64, low % 8)),
            10 => {
                let length = self.put("input", bytes);
                self.call("engine_supply", (number % 64, low % 8, length))
            }
            _ => {
                let _: u32 = self.call("engine_effect_bytes", number % 64);
                self.call("engine_phase", ())
            }
        };
        let at: u32 = self.call("output_ptr", ());
        let length: u32 = self.call("output_len", ());
        let end = u64::from(at) + u64::from(length);
        let size = self.memory.data_size(&self.store) as u64;
        assert!(end <= size, "the answer lies outside of memory");
        code == 0
    }
}

fn instance(engine: &Engine, module: &Module) -> (Store<()>, Instance, Memory) {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[]).expect("no imports");
    let memory = instance.get_memory(&mut store, "memory").expect("memory");
    (store, instance, memory)
}

/// A call in the form of an input: kind, number, length, bytes.
fn call(kind: u8, number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    out.extend_from_slice(bytes);
    out
}

impl Target for Guest {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let mut open = Vec::new();
        Config::new("d", 7, 1).encode(&mut open);
        encode_listing(&[], &mut open);
        let mut request = Vec::new();
        WriteRequest::default().encode(&mut request);
        let day = [
            call(0, 0, &open),
            call(8, 0, b""),
            call(9, 0, b""),
            call(4, 0, b"CREATE DATABASE d"),
            call(8, 0, b""),
            call(9, 8, b""),
            call(1, 0, b"cpu,host=a v=1,w=2i,s=\"x\" 1\ncpu v=2 2\nbad"),
            call(3, 0, &request),
            call(4, 0, b"SELECT * FROM cpu"),
            call(6, 5 << 32, b""),
            call(7, 0, b""),
            call(10, 0, &request),
        ];
        let mut corpus: Vec<Vec<u8>> = (2..=day.len()).map(|end| day[..end].concat()).collect();
        corpus.extend(day);
        corpus
    }

    fn tokens(&self) -> &'static [&'static [u8]] {
        &[
            b"\0\0\0\0\0\0\0\0\0\0\0",
            b"\xff\xff\xff\xff\xff\xff\xff\xff",
            b"SHOW SERIES",
            b"cpu v=1 1\n",
        ]
    }

    fn read(&mut self, _: &mut Rng, input: &[u8]) -> bool {
        let (mut rest, mut understood) = (input, true);
        while let Some((&kind, after)) = rest.split_first() {
            let Some((number, after)) = after.split_first_chunk::<8>() else {
                break;
            };
            let Some((length, after)) = after.split_first_chunk::<2>() else {
                break;
            };
            let length = usize::from(u16::from_le_bytes(*length)).min(after.len());
            let (bytes, after) = after.split_at(length);
            understood &= self.act(kind, u64::from_le_bytes(*number), bytes);
            self.calls += 1;
            rest = after;
        }
        if self.calls > LIFE {
            self.calls = 0;
            (self.store, self.instance, self.memory) = instance(&self.engine, &self.module);
        }
        understood
    }
}
