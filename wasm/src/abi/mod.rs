//! The raw face: one engine behind exported functions, zero imports.
//!
//! Calls are made one at a time. A caller asks for room (`input`, `params`), puts bytes there,
//! calls, and reads the answer at `output_ptr`, `output_len`. Every pointer is an offset into
//! the exported memory and must be read again after a call that may have grown the memory.
//! A trap poisons the instance: drop it and open a new one from the log.

mod buffer;
#[cfg(feature = "abi")]
mod exports;
mod face;

#[cfg(test)]
mod tests;
