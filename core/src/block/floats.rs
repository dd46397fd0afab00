//! Floats as bytes, bit for bit.
//!
//! ```text
//! floats    form u8 | sequence of numbers
//! form      0 to 22: integers, each divided by that power of ten
//!           64 + n: bits in the order of the numbers, without n zeros at the end
//! ```
//!
//! What people measure has few decimal digits, and as an integer it costs a fraction of what its
//! bits do. The first form is taken only if it gives back every bit; one value that it does not
//! (a NaN, a negative zero, a third) makes the page take the second.

use alloc::vec::Vec;

use super::numbers;

const FORM_BITS: u8 = 64;
const POWERS: usize = 23;

/// Integers beyond this are not all doubles.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The powers of ten that are doubles.
const TENS: [f64; POWERS] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Appends `values`.
pub(super) fn encode(values: &[f64], out: &mut Vec<u8>) {
    if let Some((power, mut integers)) = as_decimals(values) {
        out.push(power as u8);
        return numbers::encode(&mut integers, out);
    }
    let all = values.iter().fold(0, |all, value| all | value.to_bits());
    let shift = all.trailing_zeros().min(63);
    out.push(FORM_BITS + shift as u8);
    let bits = values.iter().map(|value| to_number(value.to_bits(), shift));
    numbers::encode(&mut bits.collect::<Vec<_>>(), out);
}

/// The `count` floats that `bytes` hold; see [`numbers::decode`].
pub(super) fn decode(bytes: &[u8], count: usize) -> Option<Vec<f64>> {
    let (&form, sequence) = bytes.split_first()?;
    let numbers = numbers::decode(sequence, count)?;
    if let Some(&ten) = TENS.get(usize::from(form)) {
        let float = |number| numbers::to_signed(number) as f64 / ten;
        return Some(numbers.into_iter().map(float).collect());
    }
    let shift = u32::from(form.checked_sub(FORM_BITS)?);
    let float = |number| f64::from_bits(from_number(number, shift));
    (shift < 64).then(|| numbers.into_iter().map(float).collect())
}

/// The least power of ten that makes all values integers, and those.
fn as_decimals(values: &[f64]) -> Option<(usize, Vec<u64>)> {
    let mut power = 0;
    for &value in values {
        while scaled(value, TENS.get(power)?).is_none() {
            power += 1;
        }
    }
    let ten = TENS.get(power)?;
    let integers = values
        .iter()
        .map(|&value| scaled(value, ten).map(numbers::from_signed));
    Some((power, integers.collect::<Option<_>>()?))
}

/// The integer which divided by `ten` is `value`, to the bit.
#[inline]
fn scaled(value: f64, ten: &f64) -> Option<i64> {
    let scaled = value * ten;
    let rounded = (scaled + if scaled < 0.0 { -0.5 } else { 0.5 }) as i64;
    let float = rounded as f64;
    let is_same = (float / ten).to_bits() == value.to_bits();
    (is_same && (-EXACT_MAX..=EXACT_MAX).contains(&float)).then_some(rounded)
}

/// Bits that end in `shift` zeros, so that numbers follow each other as the floats do.
#[inline]
const fn to_number(bits: u64, shift: u32) -> u64 {
    let sign = 1 << (63 - shift);
    let bits = bits >> shift;
    if bits & sign == 0 {
        bits | sign
    } else {
        !bits & (sign | (sign - 1))
    }
}

/// The inverse of [`to_number`].
#[inline]
const fn from_number(number: u64, shift: u32) -> u64 {
    let sign = 1 << (63 - shift);
    let bits = if number & sign == 0 {
        !number
    } else {
        number ^ sign
    };
    bits << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(values: &[f64]) -> (u8, usize) {
        let mut out = Vec::new();
        encode(values, &mut out);
        let back = decode(&out, values.len()).unwrap();
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(values));
        (out[0], out.len())
    }

    #[test]
    fn every_bit_comes_back() {
        let odd = [
            0.0,
            -0.0,
            f64::NAN,
            -f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            -5e-324,
            1.0 / 3.0,
            f64::from_bits(0x7ff0_0000_0000_0001),
        ];
        round_trip(&odd);
        for value in odd {
            for length in [1, 2, 100] {
                round_trip(&[value].repeat(length));
                round_trip(&[&[1.5, -2.25][..], &[value].repeat(length)].concat());
            }
        }
        let mut state = 3u64;
        let draw = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(99);
            f64::from_bits(state)
        };
        round_trip(&(0..3000).map(draw).collect::<Vec<_>>());
    }

    #[test]
    fn decimals_become_integers_and_halves_lose_their_zeros() {
        let tenths: Vec<f64> = (0..500)
            .map(|i| f64::from(i * 7 % 300 - 100) / 10.0)
            .collect();
        let (form, length) = round_trip(&tenths);
        assert!(form == 1 && length < 700, "{form} {length}");
        assert_eq!(round_trip(&[9_007_199_254_740_992.0, 1.0]).0, 0);
        assert_eq!(round_trip(&[1e22, 2e22]).0, FORM_BITS + 1);
        let singles: Vec<f64> = (1..500u16).map(|i| f64::from(1.0 / f32::from(i))).collect();
        let (form, length) = round_trip(&singles);
        assert!(
            form >= FORM_BITS + 29 && length < 500 * 4,
            "{form} {length}"
        );
    }

    #[test]
    fn numbers_have_the_order_of_the_floats() {
        let floats = [
            f64::NEG_INFINITY,
            -2.0,
            -0.5,
            -0.0,
            0.0,
            0.5,
            2.0,
            f64::INFINITY,
        ];
        for shift in [0, 20, 51] {
            for pair in floats.windows(2) {
                let [a, b] = [pair[0], pair[1]].map(|v| to_number(v.to_bits(), shift));
                assert!(a < b, "{pair:?} {shift}");
                assert_eq!(from_number(a, shift), pair[0].to_bits());
            }
        }
    }
}
