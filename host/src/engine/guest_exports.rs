//! What the guest exports, found by name and checked by type when an instance is made.

use wasmtime::{Instance, Memory, Store, TypedFunc, WasmParams, WasmResults};

use super::Died;
use super::guest_limits::Limits;

/// The list of exports we know how to call.
const ABI_VERSION: u32 = 2;

/// The guest's functions and its memory; `wasm/src/abi` says what each does.
pub(super) struct Exports {
    pub(super) memory: Memory,
    pub(super) input: TypedFunc<u32, u32>,
    pub(super) params: TypedFunc<u32, u32>,
    pub(super) output_ptr: TypedFunc<(), u32>,
    pub(super) output_len: TypedFunc<(), u32>,
    pub(super) open: TypedFunc<(i64, u32), u32>,
    pub(super) phase: TypedFunc<(), u32>,
    pub(super) recovery: TypedFunc<(), u32>,
    pub(super) write: TypedFunc<(u32, u32), u32>,
    pub(super) execute: TypedFunc<(i64, u32), u32>,
    pub(super) fetch: TypedFunc<(u32, u32), u32>,
    pub(super) close: TypedFunc<u32, u32>,
    pub(super) poll: TypedFunc<(), u32>,
    pub(super) effect_bytes: TypedFunc<u64, u32>,
    pub(super) complete: TypedFunc<(u64, u32), u32>,
    pub(super) supply: TypedFunc<(u64, u32, u32), u32>,
    pub(super) durable: TypedFunc<(), u64>,
    pub(super) applying: TypedFunc<(), u64>,
}

impl Exports {
    pub(super) fn find(store: &mut Store<Limits>, instance: Instance) -> Result<Self, Died> {
        let memory = instance.get_memory(&mut *store, "memory");
        let memory = memory.ok_or_else(|| Died("the guest exports no memory".into()))?;
        let version = find::<(), u32>(store, instance, "abi_version")?
            .call(&mut *store, ())
            .map_err(trapped)?;
        if version != ABI_VERSION {
            return Err(Died(format!(
                "the guest speaks version {version} of the interface, the host {ABI_VERSION}"
            )));
        }
        Ok(Self {
            memory,
            input: find(store, instance, "input")?,
            params: find(store, instance, "params")?,
            output_ptr: find(store, instance, "output_ptr")?,
            output_len: find(store, instance, "output_len")?,
            open: find(store, instance, "engine_open")?,
            phase: find(store, instance, "engine_phase")?,
            recovery: find(store, instance, "engine_recovery")?,
            write: find(store, instance, "engine_write")?,
            execute: find(store, instance, "engine_execute")?,
            fetch: find(store, instance, "engine_fetch")?,
            close: find(store, instance, "engine_close")?,
            poll: find(store, instance, "engine_poll")?,
            effect_bytes: find(store, instance, "engine_effect_bytes")?,
            complete: find(store, instance, "engine_complete")?,
            supply: find(store, instance, "engine_supply")?,
            durable: find(store, instance, "engine_durable")?,
            applying: find(store, instance, "engine_applying")?,
        })
    }
}

fn find<P: WasmParams, R: WasmResults>(
    store: &mut Store<Limits>,
    instance: Instance,
    name: &str,
) -> Result<TypedFunc<P, R>, Died> {
    instance
        .get_typed_func(store, name)
        .map_err(|error| Died(format!("the guest's export {name}: {error:#}")))
}

pub(super) fn trapped(error: wasmtime::Error) -> Died {
    Died(format!("the guest trapped: {error:#}"))
}
