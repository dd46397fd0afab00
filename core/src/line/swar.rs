//! Eight bytes a step: loads, digits, searches.
//!
//! Byte loops are what wasm punishes most; everything here compiles to plain 64-bit
//! arithmetic there.

const ASCII_ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Powers of ten that fit 64 bits.
pub(super) const TENS: [u64; 20] = {
    let mut tens = [1u64; 20];
    let mut i = 1;
    while i < 20 {
        tens[i] = tens[i - 1] * 10;
        i += 1;
    }
    tens
};

/// The eight bytes at `at`, first byte lowest; `None` near the end.
#[inline(always)]
pub(super) fn load(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..)?
        .first_chunk::<8>()
        .map(|chunk| u64::from_le_bytes(*chunk))
}

/// How many of the eight bytes are digits before the first that is none.
#[inline(always)]
pub(super) const fn digit_count(word: u64) -> u32 {
    let offset = word ^ ASCII_ZEROS;
    // Exact in each byte: 0x7f + 0x76 carries into no neighbour.
    let others = ((offset & !HIGH_BITS) + 0x7676_7676_7676_7676) | offset;
    (others & HIGH_BITS).trailing_zeros() >> 3
}

/// The number that eight digits spell. A zero byte counts as the digit 0.
#[inline(always)]
pub(super) const fn eight_digits(word: u64) -> u64 {
    const PAIR_MASK: u64 = 0x0000_00ff_0000_00ff;
    let digits = word & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let upper = (pairs & PAIR_MASK).wrapping_mul(100 + (1_000_000 << 32));
    let lower = ((pairs >> 16) & PAIR_MASK).wrapping_mul(1 + (10_000 << 32));
    upper.wrapping_add(lower) >> 32
}

/// Reads the run of digits at `at` on top of `value` and gives the offset behind it.
///
/// The value is right if the whole number has at most 19 digits; beyond, it wraps.
#[inline(always)]
pub(super) fn read_digits(bytes: &[u8], mut at: usize, value: &mut u64) -> usize {
    while let Some(word) = load(bytes, at) {
        let count = digit_count(word);
        if count == 8 {
            *value = value
                .wrapping_mul(100_000_000)
                .wrapping_add(eight_digits(word));
            at += 8;
            continue;
        }
        if count > 0 {
            let run = eight_digits(word << (64 - 8 * count));
            *value = value.wrapping_mul(TENS[count as usize]).wrapping_add(run);
        }
        return at + count as usize;
    }
    while let Some(digit) = bytes
        .get(at)
        .map(|b| b.wrapping_sub(b'0'))
        .filter(|&d| d < 10)
    {
        *value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    at
}

/// The offset of the first of `needles` at or after `at`, or the end.
///
/// For names of a few bytes, where setting up a vector search costs more than the search.
#[inline(always)]
pub(super) fn find<const N: usize>(bytes: &[u8], mut at: usize, needles: [u8; N]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    while let Some(word) = load(bytes, at) {
        let found = needles.iter().fold(0, |found, &needle| {
            let zero_where_found = word ^ (ONES * u64::from(needle));
            // Exact up to the first hit: a borrow only runs upwards from there.
            found | (zero_where_found.wrapping_sub(ONES) & !zero_where_found)
        }) & HIGH_BITS;
        if found != 0 {
            return at + (found.trailing_zeros() >> 3) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !needles.contains(byte)) {
        at += 1;
    }
    at
}

/// The end of the series key that starts at `at`: the offset of the first space, if neither a
/// backslash nor a newline stands before it. Such a key may be looked up as it stands.
#[inline]
pub fn key_end(body: &[u8], at: usize) -> Option<usize> {
    let rest = body.get(at..)?;
    let found = memchr::memchr3(b' ', b'\\', b'\n', rest)?;
    (rest.get(found) == Some(&b' ')).then_some(at + found)
}
