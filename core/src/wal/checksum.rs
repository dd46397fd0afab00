//! CRC-32C, the one checksum of format version 1.

/// CRC-32C of `bytes`, continued from `seed`.
///
/// The seed is the salt of a segment: bytes of another segment then fail the check whatever
/// they hold. Equal on every target; a test ties the two implementations together.
///
/// Source: Castagnoli polynomial, RFC 3720 appendix B.4 (with seed 0).
#[inline]
pub fn crc32c(seed: u32, bytes: &[u8]) -> u32 {
    #[cfg(not(target_arch = "wasm32"))]
    return ::crc32c::crc32c_append(seed, bytes);
    #[cfg(target_arch = "wasm32")]
    return table::crc32c(seed, bytes);
}

/// Sixteen bytes a step out of tables: wasm has no instruction for it, and the crate's own
/// fallback takes eight.
#[cfg(any(target_arch = "wasm32", test))]
mod table {
    const POLYNOMIAL_REVERSED: u32 = 0x82f6_3b78;

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
