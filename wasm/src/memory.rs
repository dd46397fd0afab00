//! Linear memory grows in big steps.
//!
//! In V8 every growth of a memory wakes the garbage collector, and 64 KiB at a time is what the
//! default allocator asks for: a growing cache then costs hundreds of collections. This is the
//! same allocator with another source of pages. All `unsafe` of this crate is here, but for the
//! attribute that names the exports.
#![allow(
    unsafe_code,
    reason = "a global allocator cannot be written without it"
)]

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::UnsafeCell;
use core::ptr;

use dlmalloc::Dlmalloc;

/// A page of linear memory, fixed by the specification.
const PAGE_BYTES: usize = 64 << 10;
/// The first growth, and the least of any.
const STEP_BYTES_MIN: usize = 16 << 20;
/// The most that is taken ahead of need.
const STEP_BYTES_MAX: usize = 128 << 20;

#[global_allocator]
static ALLOCATOR: Heap = Heap(UnsafeCell::new(Dlmalloc::new_with_allocator(Pages)));

struct Heap(UnsafeCell<Dlmalloc<Pages>>);

// SAFETY: this target has no threads (the module has no shared memory), so no two calls overlap.
unsafe impl Sync for Heap {}

// SAFETY: every method hands its arguments to the allocator unchanged, which upholds the contract.
// The exclusive borrow is unique: there are no threads, and the allocator calls nothing of ours
// but `Pages`, which does not allocate.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { (*self.0.get()).malloc(layout.size(), layout.align()) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { (*self.0.get()).calloc(layout.size(), layout.align()) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { (*self.0.get()).free(at, layout.size(), layout.align()) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe { (*self.0.get()).realloc(at, layout.size(), layout.align(), size) }
    }
}

/// Where the allocator gets its memory.
struct Pages;

impl Pages {
    /// Grows the memory; `None` when the host refuses.
    fn grow(bytes: usize) -> Option<(*mut u8, usize)> {
        let pages = bytes.div_ceil(PAGE_BYTES);
        let before = memory_grow(0, pages);
        (before != usize::MAX).then(|| {
            let start = ptr::with_exposed_provenance_mut(before * PAGE_BYTES);
            (start, pages * PAGE_BYTES)
        })
    }
}

// SAFETY: `alloc` returns fresh, zeroed memory of at least the size asked for, or null; nothing
// is ever given back, and the other methods say so.
unsafe impl dlmalloc::Allocator for Pages {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let held = memory_size(0) * PAGE_BYTES;
        let step = (held / 4).clamp(STEP_BYTES_MIN, STEP_BYTES_MAX);
        // A host that limits memory may refuse the step and still grant what is needed now.
        match Self::grow(size.max(step)).or_else(|| Self::grow(size)) {
            Some((start, length)) => (start, length, 0),
            None => (ptr::null_mut(), 0, 0),
        }
    }

    fn remap(&self, _at: *mut u8, _old: usize, _new: usize, _can_move: bool) -> *mut u8 {
        ptr::null_mut()
    }

    fn free_part(&self, _at: *mut u8, _old: usize, _new: usize) -> bool {
        false
    }

    fn free(&self, _at: *mut u8, _size: usize) -> bool {
        false
    }

    fn can_release_part(&self, _flags: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        PAGE_BYTES
    }
}
