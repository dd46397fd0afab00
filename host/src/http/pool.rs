//! Buffers for bodies, reused: a fresh one costs a page fault every four kilobytes.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers kept; more than these are in use only under load.
const KEPT_MAX: usize = 16;
/// Larger buffers are given back to the system.
const BYTES_MAX: usize = 4 << 20;

/// Where buffers wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool(Arc<Mutex<Vec<Vec<u8>>>>);

/// An empty buffer that returns to its pool. Dereferences to what was put into it.
#[derive(Debug)]
pub(super) struct Pooled {
    /// Its length is what was ever initialised, so that nothing is zeroed twice.
    bytes: Vec<u8>,
    filled: usize,
    pool: Pool,
}

impl Pool {
    pub(super) fn take(&self) -> Pooled {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Pooled {
            bytes: kept.unwrap_or_default(),
            filled: 0,
            pool: self.clone(),
        }
    }
}

impl Pooled {
    /// Expects `count` bytes in all; what is never put costs no memory.
    pub(super) fn expect(&mut self, count: usize) {
        self.bytes
            .reserve_exact(count.saturating_sub(self.bytes.len()));
    }

    /// Appends bytes.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let room = self.bytes.get_mut(self.filled..).unwrap_or_default();
        let (over, beyond) = bytes.split_at(bytes.len().min(room.len()));
        room[..over.len()].copy_from_slice(over);
        self.bytes.extend_from_slice(beyond);
        self.filled += bytes.len();
    }

    /// At least `count` bytes to write to, behind what is there.
    pub(super) fn room(&mut self, count: usize) -> &mut [u8] {
        if self.bytes.len() < self.filled + count {
            self.bytes.resize(self.filled + count, 0);
        }
        &mut self.bytes[self.filled..]
    }

    /// Takes in the first `count` bytes of the room.
    pub(super) fn advance(&mut self, count: usize) {
        self.filled = (self.filled + count).min(self.bytes.len());
    }
}

impl Deref for Pooled {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut kept = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX && bytes.capacity() <= BYTES_MAX {
            kept.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_buffer_shows_nothing_of_its_past() {
        let pool = Pool::default();
        let mut first = pool.take();
        first.put(b"something long");
        let room = first.room(4);
        room[..2].copy_from_slice(b"er");
        first.advance(2);
        assert_eq!(*first, *b"something longer");
        let at = first.as_ptr();
        drop(first);
        let mut second = pool.take();
        assert!(second.is_empty());
        second.expect(10);
        second.put(b"ab");
        assert_eq!(*second, *b"ab");
        assert_eq!(second.as_ptr(), at, "reused");
        second.put(&[b'x'; 100]);
        assert_eq!(second.len(), 102);
        assert!(second[2..].iter().all(|&byte| byte == b'x'));
    }
}
