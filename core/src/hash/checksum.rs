//! CRC-32C, the one checksum of what is stored.

/// CRC-32C of `bytes`, continued from `seed`.
///
/// The seed is the salt of a file: bytes of another file then fail the check whatever they
/// hold. Equal on every target; a test ties the two implementations together.
///
/// Source: Castagnoli polynomial, RFC 3720 appendix B.4 (with seed 0).
#[inline]
pub fn crc32c(seed: u32, bytes: &[u8]) -> u32 {
    #[cfg(not(target_arch = "wasm32"))]
    return ::crc32c::crc32c_append(seed, bytes);
    #[cfg(target_arch = "wasm32")]
    return table::crc32c(seed, bytes);
}

/// The seed that gives `bytes` the checksum `crc`. There is exactly one: each step of the sum can
/// be undone.
pub fn seed_of(crc: u32, bytes: &[u8]) -> u32 {
    let undo = |sum: u32, &byte: &u8| {
        let sum = (0..8).fold(sum, |sum, _| {
            let bit = sum >> 31;
            ((sum ^ (POLYNOMIAL_REVERSED * bit)) << 1) | bit
        });
        sum ^ u32::from(byte)
    };
    !bytes.iter().rev().fold(!crc, undo)
}

const POLYNOMIAL_REVERSED: u32 = 0x82f6_3b78;

/// Sixteen bytes a step out of tables: wasm has no instruction for it, and the crate's own
/// fallback takes eight.
#[cfg(any(target_arch = "wasm32", test))]
mod table {
    use super::POLYNOMIAL_REVERSED;

    /// `TABLES[k][b]`: what byte `b` adds when `k` more bytes follow it.
    static TABLES: [[u32; 256]; 16] = tables();

    const fn tables() -> [[u32; 256]; 16] {
        let mut tables = [[0; 256]; 16];
        let mut byte = 0;
        while byte < 256 {
            let mut crc = byte as u32;
            let mut bit = 0;
            while bit < 8 {
                crc = (crc >> 1) ^ (POLYNOMIAL_REVERSED * (crc & 1));
                bit += 1;
            }
            tables[0][byte] = crc;
            byte += 1;
        }
        let mut row = 1;
        while row < 16 {
            let mut byte = 0;
            while byte < 256 {
                let crc = tables[row - 1][byte];
                tables[row][byte] = (crc >> 8) ^ tables[0][(crc & 0xff) as usize];
                byte += 1;
            }
            row += 1;
        }
        tables
    }

    #[inline]
    fn word(row: usize, value: u32) -> u32 {
        let [a, b, c, d] = value.to_le_bytes();
        TABLES[row + 3][usize::from(a)]
            ^ TABLES[row + 2][usize::from(b)]
            ^ TABLES[row + 1][usize::from(c)]
            ^ TABLES[row][usize::from(d)]
    }

    pub(super) fn crc32c(seed: u32, bytes: &[u8]) -> u32 {
        let (steps, rest) = bytes.as_chunks::<16>();
        let mut crc = !seed;
        for step in steps {
            let value = u128::from_le_bytes(*step);
            let words = [0, 32, 64, 96].map(|shift| (value >> shift) as u32);
            crc = word(12, words[0] ^ crc)
                ^ word(8, words[1])
                ^ word(4, words[2])
                ^ word(0, words[3]);
        }
        for &byte in rest {
            crc = (crc >> 8) ^ TABLES[0][usize::from(crc as u8 ^ byte)];
        }
        !crc
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_published_check_value_comes_out() {
        assert_eq!(crc32c(0, b"123456789"), 0xe306_9283);
        assert_eq!(table::crc32c(0, b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(0, &[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn the_seed_of_a_checksum_is_found_again() {
        let bytes: Vec<u8> = (0..77u32).map(|i| (i * 31) as u8).collect();
        for seed in [0, 1, 0xdead_beef, u32::MAX] {
            for length in 0..bytes.len() {
                let part = &bytes[..length];
                assert_eq!(seed_of(crc32c(seed, part), part), seed);
            }
        }
    }

    #[test]
    fn both_implementations_agree_on_every_length_and_alignment() {
        let bytes: Vec<u8> = (0..300u32).map(|i| (i * i * 31 + i / 7) as u8).collect();
        for from in 0..17 {
            for to in from..bytes.len() {
                let part = &bytes[from..to];
                let seed = (from * to) as u32 ^ 0xdead_beef;
                assert_eq!(table::crc32c(seed, part), crc32c(seed, part));
            }
        }
    }
}
