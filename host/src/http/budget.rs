//! How many bytes of bodies may be in memory at the same time, over all connections.

use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes there are, and how many of them are taken.
#[derive(Debug)]
pub(super) struct Budget {
    taken: AtomicU64,
    /// 0 for no limit.
    max: u64,
}

/// What one request has taken; given back when dropped.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(max: u64) -> Self {
        Self {
            taken: AtomicU64::new(0),
            max,
        }
    }

    pub(super) fn begin(&self) -> Taken<'_> {
        Taken {
            budget: self,
            bytes: 0,
        }
    }
}

impl Taken<'_> {
    /// Takes as much as makes `bytes` in all; whether there was so much.
    pub(super) fn grow_to(&mut self, bytes: usize) -> bool {
        let more = (bytes as u64).saturating_sub(self.bytes);
        let before = self.budget.taken.fetch_add(more, Ordering::Relaxed);
        self.bytes += more;
        self.budget.max == 0 || before + more <= self.budget.max
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_has_taken_is_missing_to_others_until_it_ends() {
        let budget = Budget::new(100);
        let mut first = budget.begin();
        assert!(first.grow_to(60) && first.grow_to(40) && first.grow_to(70));
        let mut second = budget.begin();
        assert!(second.grow_to(30) && !second.grow_to(31));
        drop(second);
        drop(first);
        assert!(budget.begin().grow_to(100));
        assert_eq!(budget.taken.load(Ordering::Relaxed), 0);
    }
}
