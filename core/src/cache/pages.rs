//! Memory in pages, out of which chunks are carved.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// Where a chunk starts: the page in the upper twelve bits, the offset in the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address(pub(super) u32);

impl Address {
    /// No chunk.
    pub(super) const NONE: Self = Self(u32::MAX);

    const fn page(self) -> usize {
        (self.0 >> OFFSET_BITS) as usize
    }

    const fn offset(self) -> usize {
        (self.0 & ((1 << OFFSET_BITS) - 1)) as usize
    }
}

const OFFSET_BITS: u32 = 20;
const PAGES_MAX: usize = (1 << (32 - OFFSET_BITS)) - 1;

/// A small shard must stay small, a large one must not carve a page a minute.
const PAGE_BYTES_FIRST: usize = 1 << 10;
const PAGE_BYTES_MAX: usize = 1 << OFFSET_BITS;

/// Growing memory that never moves what it holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    pages: Vec<Box<[u8]>>,
    used: usize,
}

impl Pages {
    /// Carves `length` bytes. A chunk larger than a page gets one of its own.
    ///
    /// # Panics
    ///
    /// When the address space is used up, rather than hand out what is in use. The limit on the
    /// cache keeps it from happening.
    pub(super) fn carve(&mut self, length: usize) -> Address {
        let room = self.pages.last().map_or(0, |page| page.len());
        if self.used + length > room {
            assert!(
                self.pages.len() < PAGES_MAX,
                "cache beyond its address space"
            );
            let grown = (room * 2).clamp(PAGE_BYTES_FIRST, PAGE_BYTES_MAX);
            self.pages
                .push(vec![0; grown.max(length)].into_boxed_slice());
            self.used = 0;
        }
        let page = self.pages.len() - 1;
        let address = Address((page as u32) << OFFSET_BITS | self.used as u32);
        // Beyond the addressable part of an oversized page nothing is carved again.
        self.used += length;
        if self.used >= PAGE_BYTES_MAX {
            self.used = usize::MAX / 2;
        }
        address
    }

    #[inline]
    pub(super) fn slice(&self, at: Address, start: usize, length: usize) -> &[u8] {
        let start = at.offset() + start;
        let page = self.pages.get(at.page());
        page.and_then(|page| page.get(start..start + length))
            .unwrap_or_default()
    }

    #[inline]
    pub(super) fn slice_mut(&mut self, at: Address, start: usize, length: usize) -> &mut [u8] {
        let start = at.offset() + start;
        let page = self.pages.get_mut(at.page());
        page.and_then(|page| page.get_mut(start..start + length))
            .unwrap_or_default()
    }

    #[inline]
    pub(super) fn word(&self, at: Address, start: usize) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.slice(at, start, 4));
        u32::from_le_bytes(bytes)
    }

    #[inline]
    pub(super) fn set_word(&mut self, at: Address, start: usize, word: u32) {
        self.slice_mut(at, start, 4)
            .copy_from_slice(&word.to_le_bytes());
    }
}
