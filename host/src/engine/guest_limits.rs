//! What an instance may take of memory, and whether it wanted more.

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

/// The limits of one instance.
pub(super) struct Limits {
    limits: StoreLimits,
    is_exhausted: bool,
}

impl Limits {
    pub(super) fn new(memory_bytes_max: usize) -> Self {
        let limits = StoreLimitsBuilder::new()
            .memory_size(memory_bytes_max)
            .memories(1)
            .tables(1)
            .instances(1)
            .build();
        Self {
            limits,
            is_exhausted: false,
        }
    }

    /// Whether memory was refused: what trapped since then is not to blame.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grows = self.limits.memory_growing(current, desired, maximum)?;
        self.is_exhausted |= !grows;
        Ok(grows)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.is_exhausted = true;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.limits.table_growing(current, desired, maximum)
    }
}
