//! Bytes of many keys in one allocation.

use alloc::vec::Vec;

/// Where a key lies in its arena.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: u32,
    length: u32,
}

/// Append-only storage of keys, addressed by [`Span`].
///
/// Bounds: 4 GiB in all, which a 32-bit guest cannot reach.
#[derive(Clone, Debug, Default)]
pub(super) struct Arena(Vec<u8>);

impl Arena {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Span {
        let start = self.0.len() as u32;
        self.0.extend_from_slice(bytes);
        Span {
            start,
            length: bytes.len() as u32,
        }
    }

    #[inline]
    pub(super) fn get(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        self.0
            .get(start..start + span.length as usize)
            .unwrap_or_default()
    }
}
