//! The exported functions. The list is frozen: `tests/artifact.rs` compares it.
//!
//! Bodies are one line each: every check is in [`Face`], which the tests call directly.
#![allow(
    unsafe_code,
    reason = "naming an export is an unsafe attribute; there is no other unsafe here"
)]

use core::cell::RefCell;

use super::face::Face;

/// The version of this list and of the forms that cross it.
const ABI_VERSION: u32 = 1;

thread_local! {
    // Without threads this is a plain static; the cell turns re-entry into a trap.
    static FACE: RefCell<Face> = const { RefCell::new(Face::new()) };
}

fn with<R>(call: impl FnOnce(&mut Face) -> R) -> R {
    FACE.with_borrow_mut(call)
}

/// The version of the ABI.
#[unsafe(no_mangle)]
extern "C" fn abi_version() -> u32 {
    ABI_VERSION
}

/// Room for a body or for supplied bytes; see [`Face::input`].
#[unsafe(no_mangle)]
extern "C" fn input(length: u32) -> *mut u8 {
    with(|face| face.input(length))
}

/// Room for the parameters of a call; see [`Face::params`].
#[unsafe(no_mangle)]
extern "C" fn params(length: u32) -> *mut u8 {
    with(|face| face.params(length))
}

/// Where the answer of the last call lies.
#[unsafe(no_mangle)]
extern "C" fn output_ptr() -> *const u8 {
    with(|face| face.output().as_ptr())
}

/// How long the answer of the last call is, in bytes.
#[unsafe(no_mangle)]
extern "C" fn output_len() -> u32 {
    with(|face| face.output().len() as u32)
}

/// See [`Face::open`]. Opening decides nothing by the clock so far; the reading is part of the
/// frozen list so that it may.
#[unsafe(no_mangle)]
extern "C" fn engine_open(_now_ns: i64, params_len: u32) -> u32 {
    with(|face| face.open(params_len))
}

/// See [`Face::phase`].
#[unsafe(no_mangle)]
extern "C" fn engine_phase() -> u32 {
    with(Face::phase)
}

/// See [`Face::recovery`].
#[unsafe(no_mangle)]
extern "C" fn engine_recovery() -> u32 {
    with(Face::recovery)
}

/// See [`Face::write`].
#[unsafe(no_mangle)]
extern "C" fn engine_write(params_len: u32, body_len: u32) -> u32 {
    with(|face| face.write(params_len, body_len))
}

/// See [`Face::execute`].
#[unsafe(no_mangle)]
extern "C" fn engine_execute(now_ns: i64, params_len: u32) -> u32 {
    with(|face| face.execute(now_ns, params_len))
}

/// See [`Face::fetch`].
#[unsafe(no_mangle)]
extern "C" fn engine_fetch(cursor: u32, rows_max: u32) -> u32 {
    with(|face| face.fetch(cursor, rows_max))
}

/// See [`Face::close`].
#[unsafe(no_mangle)]
extern "C" fn engine_close(cursor: u32) -> u32 {
    with(|face| face.close(cursor))
}

/// Where the record of the next effect lies; null if there is none.
#[unsafe(no_mangle)]
extern "C" fn engine_poll() -> *const u8 {
    with(|face| {
        face.poll()
            .map_or(core::ptr::null(), |record| record.as_ptr())
    })
}

/// Where the bytes of a persist or of a part in flight lie; their length is in its record.
#[unsafe(no_mangle)]
extern "C" fn engine_effect_bytes(id: u64) -> *const u8 {
    with(|face| face.effect_bytes(id).as_ptr())
}

/// See [`Face::complete`].
#[unsafe(no_mangle)]
extern "C" fn engine_complete(id: u64, fault: u32) -> u32 {
    with(|face| face.complete(id, fault))
}

/// See [`Face::supply`].
#[unsafe(no_mangle)]
extern "C" fn engine_supply(id: u64, fault: u32, length: u32) -> u32 {
    with(|face| face.supply(id, fault, length))
}

/// The last LSN given out; 0 before the first.
#[unsafe(no_mangle)]
extern "C" fn engine_accepted() -> u64 {
    with(|face| face.accepted())
}

/// The last LSN handed to the host; 0 before the first.
#[unsafe(no_mangle)]
extern "C" fn engine_submitted() -> u64 {
    with(|face| face.submitted())
}

/// The last LSN that is durable; 0 before the first.
#[unsafe(no_mangle)]
extern "C" fn engine_durable() -> u64 {
    with(|face| face.durable())
}
