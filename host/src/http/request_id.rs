//! Names for requests that come without one: UUIDs of version 1, as upstream's.

use std::sync::atomic::{AtomicU64, Ordering};

/// Hands out ids; no two are equal within a process.
#[derive(Debug)]
pub(super) struct RequestIds {
    last: AtomicU64,
    node: u64,
}

/// From the start of the Gregorian calendar to 1970, in units of 100 ns.
const EPOCH_OFFSET: u64 = 0x01b2_1dd2_1381_4000;

impl RequestIds {
    /// `seed` is random; it stands in for a network address.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            last: AtomicU64::new(0),
            node: seed,
        }
    }

    /// The id of a request that came at `now_ns`.
    pub(super) fn next(&self, now_ns: i64) -> String {
        let clock = now_ns.unsigned_abs() / 100 + EPOCH_OFFSET;
        let step = |last: u64| Some(clock.max(last + 1));
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
        let time = clock.max(last.unwrap_or(0) + 1);
        let (sequence, node) = (self.node >> 48 & 0x3fff, self.node & 0xffff_ffff_ffff);
        format!(
            "{:08x}-{:04x}-1{:03x}-{:04x}-{:012x}",
            time & 0xffff_ffff,
            time >> 32 & 0xffff,
            time >> 48 & 0xfff,
            sequence | 0x8000,
            // The bit that says it is no real network address.
            node | 0x0100_0000_0000,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinct_uuids_even_within_a_tick() {
        let ids = RequestIds::new(u64::MAX);
        let mut seen: Vec<String> = (0..3)
            .map(|_| ids.next(1_700_000_000_000_000_000))
            .collect();
        seen.push(ids.next(0));
        for id in &seen {
            let lengths: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(&id[14..15], "1");
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 4);
    }
}
