//! Views of a guest's memory. Pointers and lengths come from the guest and are never trusted.

use wasmtime::{Memory, StoreContext, StoreContextMut};

use super::Died;

/// The `length` bytes at `at`. To be fetched anew after every call: memory may have grown.
pub(super) fn view<'a, T: 'static>(
    memory: Memory,
    store: impl Into<StoreContext<'a, T>>,
    at: u32,
    length: usize,
) -> Result<&'a [u8], Died> {
    let range = range(at, length)?;
    memory.data(store).get(range).ok_or_else(outside)
}

/// The `length` bytes at `at`, to be filled.
pub(super) fn view_mut<'a, T: 'static>(
    memory: Memory,
    store: impl Into<StoreContextMut<'a, T>>,
    at: u32,
    length: usize,
) -> Result<&'a mut [u8], Died> {
    let range = range(at, length)?;
    memory.data_mut(store).get_mut(range).ok_or_else(outside)
}

fn range(at: u32, length: usize) -> Result<std::ops::Range<usize>, Died> {
    let start = at as usize;
    let end = start.checked_add(length).ok_or_else(outside)?;
    Ok(start..end)
}

fn outside() -> Died {
    Died("the guest named bytes outside its memory".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::{AsContext, AsContextMut, Engine, MemoryType, Store};

    #[test]
    fn a_view_never_leaves_the_memory() {
        let mut store = Store::new(&Engine::default(), ());
        let memory = Memory::new(&mut store, MemoryType::new(1, Some(1))).expect("a memory");
        let page = 65_536;
        for (at, length, fits) in [
            (0, page, true),
            (page as u32, 0, true),
            (page as u32 - 1, 1, true),
            (1, page, false),
            (page as u32 + 1, 0, false),
            (u32::MAX, usize::MAX, false),
        ] {
            let seen = view(memory, store.as_context(), at, length).is_ok();
            assert_eq!(seen, fits, "{at}+{length}");
            let seen = view_mut(memory, store.as_context_mut(), at, length).is_ok();
            assert_eq!(seen, fits, "{at}+{length}");
        }
    }
}
