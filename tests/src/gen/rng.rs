//! The random source of every generator here.

/// A small, fast generator whose stream is fixed by its seed for ever.
///
/// Ours instead of the `rand` crate because seeds are kept in bug reports and corpora: an
/// upgrade of a dependency must never change what a seed means.
///
/// Source: xoshiro256** seeded by splitmix64, Blackman and Vigna,
/// "Scrambled linear pseudorandom number generators" (2021).
#[derive(Clone, Debug)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// A generator for `seed`; any value is a good seed, 0 included.
    pub fn new(seed: u64) -> Self {
        let mut mix = seed;
        Self {
            state: [(); 4].map(|()| splitmix64(&mut mix)),
        }
    }

    /// Sixty-four fresh bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let c2 = c ^ a;
        let d2 = d ^ b;
        self.state = [a ^ d2, b ^ c2, c2 ^ (b << 17), d2.rotate_left(45)];
        result
    }

    /// A number in `0..bound`; 0 when `bound` is 0. Bias is below 2^-32 for bounds up to 2^32.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// An index into something of `len` items; 0 when `len` is 0.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = (high.wrapping_sub(low) as u64).wrapping_add(1);
        let offset = if width == 0 {
            self.next_u64()
        } else {
            self.below(width)
        };
        low.wrapping_add(offset as i64)
    }

    /// True once in `n` times on average; never when `n` is 0.
    pub fn one_in(&mut self, n: u64) -> bool {
        n != 0 && self.below(n) == 0
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.index(items.len())]
    }

    /// One of the bytes in `set`, which must not be empty.
    pub fn byte(&mut self, set: &[u8]) -> u8 {
        set[self.index(set.len())]
    }

    /// Shuffles `items`, every order equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Rng, splitmix64};

    #[test]
    fn splitmix_equals_its_published_stream() {
        let mut state = 1_234_567;
        let first = [(); 3].map(|()| splitmix64(&mut state));
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn xoshiro_equals_its_reference_from_the_state_1_2_3_4() {
        let mut rng = Rng {
            state: [1, 2, 3, 4],
        };
        let first = [(); 4].map(|()| rng.next_u64());
        assert_eq!(first, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn bounds_hold_at_their_edges() {
        let mut rng = Rng::new(0);
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.between(7, 7), 7);
        let mut seen = [false; 5];
        for _ in 0..1_000 {
            let value = rng.between(-2, 2);
            seen[usize::try_from(value + 2).expect("in range")] = true;
            rng.between(i64::MIN, i64::MAX);
        }
        assert_eq!(seen, [true; 5]);
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Rng::new(3).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
