//! What both sides of the comparison can do, in the bytes that cross the guest boundary.

use tidegate_core::engine::RECORD_BYTES;

/// An engine behind bytes.
pub(crate) trait Twin {
    /// `Config::encode` and `encode_listing`.
    fn open(&mut self, params: &[u8]);
    /// `WriteRequest::encode`; gives `encode_written`.
    fn write(&mut self, params: &[u8], body: &[u8]) -> Vec<u8>;
    /// Gives `encode_executed`.
    fn execute(&mut self, now_ns: i64, statement: &str) -> Vec<u8>;
    /// Gives whether there is more, or what was wrong, and the batch.
    fn fetch(&mut self, cursor: u32, rows_max: u32) -> (u32, Vec<u8>);
    /// The record of the next effect.
    fn poll(&mut self) -> Option<[u8; RECORD_BYTES]>;
    /// The bytes of a persist in flight.
    fn effect_bytes(&mut self, id: u64, length: usize) -> Vec<u8>;
    /// Reports an effect; 0 if it was in flight.
    fn complete(&mut self, id: u64, fault: u8) -> u32;
    /// Answers a read; 0 if it was in flight.
    fn supply(&mut self, id: u64, fault: u8, bytes: &[u8]) -> u32;
    /// Phase, accepted, submitted and durable LSN, and `RecoveryReport::encode`.
    fn state(&mut self) -> (u32, [u64; 3], Vec<u8>);
}
