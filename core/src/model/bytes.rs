//! Comparing bytes fast where the compiler's own way is slow.

/// Whether two slices are equal, 64 bytes a step.
///
/// `==` calls `memcmp`, which in wasm is a byte loop; this one becomes vector code.
#[inline]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let (Some(a_last), Some(b_last)) = (a.last_chunk::<64>(), b.last_chunk::<64>()) else {
        return equal_short(a, b);
    };
    let (a_chunks, b_chunks) = (a.as_chunks::<64>().0, b.as_chunks::<64>().0);
    a_chunks
        .iter()
        .zip(b_chunks)
        .all(|(x, y)| differences(x, y) == 0)
        && differences(a_last, b_last) == 0
}

/// Fewer than 64 bytes: the ends overlap instead of being walked byte by byte.
#[inline]
fn equal_short(a: &[u8], b: &[u8]) -> bool {
    if let (Some(x), Some(y)) = (a.last_chunk::<16>(), b.last_chunk::<16>()) {
        let (a_chunks, b_chunks) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
        return a_chunks
            .iter()
            .zip(b_chunks)
            .all(|(x, y)| differences(x, y) == 0)
            && differences(x, y) == 0;
    }
    a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}

#[inline(always)]
fn differences<const N: usize>(a: &[u8; N], b: &[u8; N]) -> u64 {
    let words = |x: &[u8; N], i: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&x[i..i + 8]);
        u64::from_le_bytes(word)
    };
    let mut all = 0;
    let mut i = 0;
    while i < N {
        all |= words(a, i) ^ words(b, i);
        i += 8;
    }
    all
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
