//! Two thin faces of `tidegate-core`; neither decides anything.
//!
//! * `abi`: exported C functions over one engine, zero imports. For wasmtime and any runtime.
//! * `js`: a server of many databases for JavaScript, through wasm-bindgen.
//!
//! The bytes that cross the boundary are the core's own forms (`engine::encode_*`).

#[cfg(all(feature = "abi", feature = "js", target_family = "wasm"))]
compile_error!("choose one face: feature `abi` or feature `js`");

// What makes mistakes on purpose serves nobody.
const _: () = assert!(!tidegate_core::planted::IS_PLANTED);

#[cfg(any(feature = "abi", test))]
mod abi;
#[cfg(feature = "js")]
mod js;
#[cfg(target_family = "wasm")]
mod memory;
