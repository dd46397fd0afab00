//! The hash that Rust and JavaScript agree on.

const A: u32 = 0x9e37_79b1;
const B: u32 = 0x85eb_ca77;

/// Folds what came out into two lanes of 32 bits: JavaScript multiplies no wider integers without
/// `BigInt`. Each step is a bijection of each lane, so that a single different word always shows.
/// Not for storage, not against an adversary.
///
/// Source: ours, after the multiply-and-rotate of xxHash32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fold {
    a: u32,
    b: u32,
}

impl Fold {
    /// Everything so far as one number.
    pub const fn value(self) -> u64 {
        (self.a as u64) << 32 | self.b as u64
    }

    /// Folds a word in.
    pub const fn word(&mut self, word: u32) {
        self.a = (self.a ^ word).wrapping_mul(A).rotate_left(15);
        let mixed = (self.b.rotate_left(13) ^ self.a).wrapping_add(word);
        self.b = mixed.wrapping_mul(B);
    }

    /// Folds a number in, its low half first.
    pub const fn number(&mut self, number: u64) {
        self.word(number as u32);
        self.word((number >> 32) as u32);
    }

    /// Folds bytes in, their length first; the last word is filled up with zeros.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u32);
        let (words, rest) = bytes.as_chunks::<4>();
        words
            .iter()
            .for_each(|&word| self.word(u32::from_le_bytes(word)));
        if !rest.is_empty() {
            let mut word = [0; 4];
            word[..rest.len()].copy_from_slice(rest);
            self.word(u32::from_le_bytes(word));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fold;

    fn of(bytes: &[u8]) -> u64 {
        let mut fold = Fold::default();
        fold.bytes(bytes);
        fold.value()
    }

    #[test]
    fn every_byte_its_place_and_the_length_matter() {
        let bytes: Vec<u8> = (0..99).collect();
        let whole = of(&bytes);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0x80;
            assert_ne!(of(&other), whole, "byte {at}");
        }
        assert_ne!(of(b""), of(b"\0"));
        assert_ne!(of(b"a\0"), of(b"a"));
        assert_ne!(of(b"abcdefgh"), of(b"efghabcd"));
    }
}
