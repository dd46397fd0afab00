//! Comparing bytes fast where the compiler's own way is slow.

/// Whether two slices are equal, 64 bytes a step.
///
/// `==` calls `memcmp`, which in wasm is a byte loop; this one becomes vector code.
#[inline]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let (a_blocks, b_blocks) = (a.chunks_exact(64), b.chunks_exact(64));
    let (a_words, b_words) = (a_blocks.remainder(), b_blocks.remainder());
    for (x, y) in a_blocks.zip(b_blocks) {
        let mut difference = 0;
        for (x, y) in x.chunks_exact(8).zip(y.chunks_exact(8)) {
            difference |= word(x) ^ word(y);
        }
        if difference != 0 {
            return false;
        }
    }
    let (x, y) = (a_words.chunks_exact(8), b_words.chunks_exact(8));
    let tails = tail(x.remainder()) ^ tail(y.remainder());
    x.zip(y)
        .fold(tails, |difference, (x, y)| difference | (word(x) ^ word(y)))
        == 0
}

#[inline]
fn word(chunk: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(chunk);
    u64::from_le_bytes(bytes)
}

#[inline]
fn tail(rest: &[u8]) -> u64 {
    rest.iter()
        .fold(0, |word, &byte| word << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn agrees_with_the_operator_at_every_length_and_position() {
        for length in 0..200 {
            let a: std::vec::Vec<u8> = (0..length).map(|i| i as u8).collect();
            assert!(equal(&a, &a.clone()));
            for position in 0..length {
                let mut b = a.clone();
                b[position] ^= 0x80;
                assert!(!equal(&a, &b));
            }
            assert!(!equal(&a, &a[..length.saturating_sub(1)]) || length == 0);
        }
    }
}
