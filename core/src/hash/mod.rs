//! The two hashes, one that is part of the contract and one that is only fast; the checksum.

pub mod checksum;

use core::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

/// FNV-1a, 64 bit: the hash that maps a series key to a shard of its group.
///
/// Source: influxdb 1.12 `models/inline_fnv.go`.
pub fn fnv1a_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A fast hash for tables in memory, seeded by the host against collision flooding.
///
/// Its values differ between wasm32 and x86-64: never persist them, never order by them.
#[derive(Clone, Debug)]
pub struct TableHasher(FixedState);

impl TableHasher {
    /// A hasher with the engine's seed.
    pub fn new(seed: u64) -> Self {
        Self(FixedState::with_seed(seed))
    }

    /// The hash of a key's bytes.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::fnv1a_64;

    #[test]
    fn fnv_equals_upstream() {
        assert_eq!(fnv1a_64(b"cpu"), 0xf5a8_fa19_0cb3_14c9);
        assert_eq!(fnv1a_64(b"cpu,host=a"), 0xff71_6a83_b04e_6ac7);
        assert_eq!(fnv1a_64(b"c\\ pu,a=1,b=2"), 0x55da_4bff_a5a6_bf9d);
        assert_eq!(fnv1a_64(b"m,a=1"), 0x681b_8d93_90a9_f0ed);
    }
}
