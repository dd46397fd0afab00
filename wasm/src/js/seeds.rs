//! Numbers that differ, from entropy that the host drew once.

/// A stream of 64-bit numbers. Not for secrets: node ids, salts and hash seeds only have to be
/// different and hard to predict from outside.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
#[derive(Debug)]
pub(super) struct Seeds {
    state: [u64; 2],
}

impl Seeds {
    /// A stream that depends on every byte of `entropy`.
    pub(super) fn new(entropy: &[u8]) -> Self {
        let mut state: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03];
        for (index, &byte) in entropy.iter().enumerate() {
            let lane = &mut state[index % 2];
            *lane = mix(lane.rotate_left(8) ^ u64::from(byte));
        }
        Self { state }
    }

    /// The next number.
    pub(super) fn draw(&mut self) -> u64 {
        let [counter, key] = &mut self.state;
        *counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(mix(*counter) ^ *key)
    }
}

const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
