//! A decimal of few digits to the nearest double, without a second look at its text.

/// Most digits behind the point that [`to_double`] takes: the product below decides the
/// rounding up to here, and 5^27 fits 64 bits.
const FRACTION_DIGITS_MAX: usize = 27;

/// Integers up to this are exact as doubles.
const EXACT_MAX: u64 = 1 << 53;

/// The powers of ten that are exact as doubles.
const EXACT_TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The double nearest to `digits` / 10^`fraction`, ties to even; `None` beyond
/// [`FRACTION_DIGITS_MAX`].
///
/// Source: W. D. Clinger, How to read floating point numbers accurately (one exact division);
/// D. Lemire, Number parsing at a gigabyte per second (one 128-bit product otherwise).
#[inline]
pub(super) fn to_double(digits: u64, fraction: usize) -> Option<f64> {
    if fraction == 0 || digits == 0 {
        return Some(digits as f64);
    }
    if digits <= EXACT_MAX
        && let Some(ten) = EXACT_TENS.get(fraction)
    {
        return Some(digits as f64 / ten);
    }
    Some(rounded_product(
        digits,
        fraction,
        *RECIPROCALS.get(fraction)?,
    ))
}

/// `digits` times `reciprocal`, that of 5^`fraction`, rounded once to 53 bits.
#[inline]
fn rounded_product(digits: u64, fraction: usize, reciprocal: u128) -> f64 {
    let shift = digits.leading_zeros();
    let (low, high) = product(digits << shift, reciprocal);

    // 64 bits of the product, of which the top one may be zero; keep 54, the last for rounding.
    let upper = (high >> 63) as u32;
    let cut = upper + 9;
    let mut mantissa = high >> cut;
    // Exactly half way, which only small powers of five allow: round down to the even one.
    let is_half_way = fraction <= 4 && low <= 1 && mantissa & 3 == 1 && mantissa << cut == high;
    if is_half_way {
        mantissa &= !1;
    }
    mantissa = (mantissa + (mantissa & 1)) >> 1;

    // 2^63 <= digits << shift, and floor(-fraction * log2(10)) from a fixed-point log.
    let power = (-(fraction as i64) * 217_706) >> 16;
    let mut exponent = power + 63 + 1023 + i64::from(upper) - i64::from(shift);
    if mantissa >= EXACT_MAX {
        mantissa = EXACT_MAX >> 1;
        exponent += 1;
    }
    f64::from_bits((mantissa & (EXACT_MAX / 2 - 1)) | (exponent as u64) << 52)
}

/// The upper 128 of the 192 bits of `a * b`, low half first; the lowest bits only where they
/// can change the rounding.
#[inline]
fn product(a: u64, b: u128) -> (u64, u64) {
    const UNDECIDED: u64 = u64::MAX >> 55;
    let first = u128::from(a) * (b >> 64);
    let (mut low, mut high) = (first as u64, (first >> 64) as u64);
    if high & UNDECIDED == UNDECIDED {
        let second = ((u128::from(a) * u128::from(b as u64)) >> 64) as u64;
        let (sum, carry) = low.overflowing_add(second);
        low = sum;
        high += u64::from(carry);
    }
    (low, high)
}

/// 2^k / 5^n rounded up, with k such that the top bit of 128 is set.
const RECIPROCALS: [u128; FRACTION_DIGITS_MAX + 1] = {
    let mut table = [0; FRACTION_DIGITS_MAX + 1];
    let mut n = 1;
    while n <= FRACTION_DIGITS_MAX {
        table[n] = reciprocal(5u64.pow(n as u32));
        n += 1;
    }
    table
};

const fn reciprocal(divisor: u64) -> u128 {
    let (mut quotient, mut remainder) = (0u128, 1u64);
    while quotient >> 127 == 0 {
        remainder *= 2;
        quotient *= 2;
        if remainder >= divisor {
            remainder -= divisor;
            quotient += 1;
        }
    }
    quotient + 1
}
