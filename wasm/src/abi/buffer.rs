//! Room that the host writes into.

/// Bytes behind the end that the host may touch, so that it can receive in whole blocks.
const SLACK_BYTES: usize = 64;
/// The least room; keeps the first requests from growing it one by one.
const ROOM_BYTES_MIN: usize = 64 << 10;

/// A region of memory whose address is handed out and whose contents the host writes.
///
/// It is zeroed once, when it grows, and never per call.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
}

impl Buffer {
    /// No room yet.
    pub(super) const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Room for `length` bytes and the slack. The address holds until the next call; what was
    /// in the room does not survive growth.
    pub(super) fn room(&mut self, length: usize) -> *mut u8 {
        let needed = length.saturating_add(SLACK_BYTES);
        if needed > self.bytes.len() {
            let doubled = self.bytes.len().saturating_mul(2);
            // Free the old room before taking the new: a body can be a large part of memory.
            self.bytes = Vec::new();
            self.bytes = vec![0; needed.max(doubled).max(ROOM_BYTES_MIN)];
        }
        self.bytes.as_mut_ptr()
    }

    /// The first `length` bytes; `None` if the room was never that large.
    pub(super) fn filled(&self, length: u32) -> Option<&[u8]> {
        self.bytes.get(..usize::try_from(length).ok()?)
    }

    /// What a host does through the address.
    #[cfg(test)]
    pub(super) fn fill(&mut self, bytes: &[u8]) {
        self.bytes[..bytes.len()].copy_from_slice(bytes);
    }
}
