//! Sequences of numbers as bytes.
//!
//! ```text
//! sequence   tag u8 | base varint | step varint | body
//! number     base + step * quotient, in 64 bits that wrap
//! tag        0 no quotients, all are zero; 1 to 8 that many bytes each;
//!            16 + order of deltas: pco of 64 bits; 32 + order: pco of 32 bits
//! ```
//!
//! The step is the greatest common divisor of the distances from the base, which is the least:
//! times of whole seconds and multiples of a thousand become small before they are compressed.
//!
//! Which order of deltas pco takes is decided here, by trying. What it would find out by itself
//! depends on the order of a hash map, and the same numbers have to give the same bytes.

use alloc::vec;
use alloc::vec::Vec;

use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec, PagingSpec};

use crate::model::varint;

/// pco's version of its format. It is not stored: a page has the version of its block.
const PCO_VERSION: [u8; 2] = [4, 1];

const TAG_PCO: u8 = 16;
const TAG_PCO_NARROW: u8 = 32;
const ORDER_MAX: u8 = 2;

/// Fewer numbers than this are not worth pco's own head.
const PCO_NUMBERS_MIN: usize = 24;

/// How many numbers are compressed to find the best order.
const SAMPLE_NUMBERS: usize = 1 << 9;

/// Of 0 to 12. Ours: 8 saves a fifth of a percent and takes half as long again, 3 loses up to a
/// third of short series.
const PCO_LEVEL: usize = 5;

/// Appends `numbers`, which are used up.
pub(super) fn encode(numbers: &mut [u64], out: &mut Vec<u8>) {
    let base = numbers.iter().copied().min().unwrap_or_default();
    let (mut step, mut all) = (0, 0);
    for number in numbers.iter_mut() {
        *number -= base;
        all |= *number;
        if step != 1 {
            step = greatest_common_divisor(step, *number);
        }
    }
    if step > 1 {
        all = 0;
        for number in numbers.iter_mut() {
            *number /= step;
            all |= *number;
        }
    }
    let width = 8 - (all.leading_zeros() / 8) as usize;
    let packed = width * numbers.len();
    let squeezed = match width {
        0 => None,
        1..=4 => {
            let narrow: Vec<u32> = numbers.iter().map(|&number| number as u32).collect();
            squeeze_best(&narrow).map(|(order, bytes)| (TAG_PCO_NARROW + order, bytes))
        }
        _ => squeeze_best(numbers).map(|(order, bytes)| (TAG_PCO + order, bytes)),
    };
    let squeezed = squeezed.filter(|(_, bytes)| bytes.len() < packed);
    out.push(squeezed.as_ref().map_or(width as u8, |(tag, _)| *tag));
    varint::put(out, base);
    varint::put(out, step);
    if let Some((_, bytes)) = squeezed {
        out.extend_from_slice(&bytes);
    } else {
        for number in numbers {
            out.extend_from_slice(&number.to_le_bytes()[..width]);
        }
    }
}

/// The `count` numbers that `bytes` hold, all of them; `None` if they hold anything else.
///
/// Bounds: allocates eight bytes for each number, and what pco needs for its tables, some 300 KiB.
/// The caller has bounded `count`, and has checked that the bytes are those that were written: what
/// pco does with others is not ours to promise.
pub(super) fn decode(bytes: &[u8], count: usize) -> Option<Vec<u64>> {
    let (&tag, _) = bytes.split_first()?;
    let mut at = 1;
    let (base, step) = (varint::get(bytes, &mut at)?, varint::get(bytes, &mut at)?);
    let body = bytes.get(at..)?;
    if tag == 0 {
        return body.is_empty().then(|| vec![base; count]);
    }
    let mut numbers = match tag {
        1..=8 => unpack(body, usize::from(tag), count)?,
        TAG_PCO..TAG_PCO_NARROW => expand(body, tag - TAG_PCO, count)?,
        _ => {
            let narrow: Vec<u32> = expand(body, tag.checked_sub(TAG_PCO_NARROW)?, count)?;
            narrow.into_iter().map(u64::from).collect()
        }
    };
    for number in &mut numbers {
        *number = number.wrapping_mul(step).wrapping_add(base);
    }
    Some(numbers)
}

fn unpack(body: &[u8], width: usize, count: usize) -> Option<Vec<u64>> {
    if body.len() != width.checked_mul(count)? {
        return None;
    }
    let number = |chunk: &[u8]| {
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(chunk);
        u64::from_le_bytes(bytes)
    };
    Some(body.chunks_exact(width).map(number).collect())
}

fn squeeze_best<T: Number>(numbers: &[T]) -> Option<(u8, Vec<u8>)> {
    if numbers.len() < PCO_NUMBERS_MIN {
        return None;
    }
    let sample = numbers.get(..SAMPLE_NUMBERS).unwrap_or(numbers);
    let mut best: Option<(u8, Vec<u8>)> = None;
    for order in 0..=ORDER_MAX {
        let bytes = squeeze(sample, order)?;
        // Where one order more does not pay, two do not either.
        if best
            .as_ref()
            .is_some_and(|(_, least)| bytes.len() >= least.len())
        {
            break;
        }
        best = Some((order, bytes));
    }
    let (order, bytes) = best?;
    let is_whole = sample.len() == numbers.len();
    Some((
        order,
        if is_whole {
            bytes
        } else {
            squeeze(numbers, order)?
        },
    ))
}

fn squeeze<T: Number>(numbers: &[T], order: u8) -> Option<Vec<u8>> {
    let deltas = match order {
        0 => DeltaSpec::NoOp,
        _ => DeltaSpec::TryConsecutive(usize::from(order)),
    };
    let config = ChunkConfig::default()
        .with_compression_level(PCO_LEVEL)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(deltas)
        .with_paging_spec(PagingSpec::Exact(vec![numbers.len()]));
    let mut chunk = FileCompressor::default()
        .chunk_compressor(numbers, &config)
        .ok()?;
    chunk.write_page(0, chunk.write_meta(Vec::new()).ok()?).ok()
}

fn expand<T: Number>(body: &[u8], order: u8, count: usize) -> Option<Vec<T>> {
    // Classic mode, no deltas or consecutive ones: all that we write. The others would allocate
    // what a few bits ask for.
    let head = *body.first()?;
    if order > ORDER_MAX || !matches!(head, 0x00 | 0x10) {
        return None;
    }
    let (file, _) = FileDecompressor::new(&PCO_VERSION[..]).ok()?;
    let (mut chunk, rest) = file.chunk_decompressor::<T, _>(body).ok()?;
    let mut numbers = vec![T::default(); count];
    let mut page = chunk.page_decompressor(rest, count).ok()?;
    let progress = page.read(&mut numbers).ok()?;
    let is_all = progress.finished && progress.n_processed == count;
    (is_all && page.into_src().is_empty()).then_some(numbers)
}

/// Of zero and a number it is the number.
const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// An integer among numbers: the order stays the same.
#[inline]
pub(super) const fn from_signed(value: i64) -> u64 {
    value as u64 ^ 1 << 63
}

/// The inverse of [`from_signed`].
#[inline]
pub(super) const fn to_signed(number: u64) -> i64 {
    (number ^ 1 << 63) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(numbers: &[u64]) -> usize {
        let mut out = Vec::new();
        encode(&mut numbers.to_vec(), &mut out);
        assert!(decode(&out, numbers.len()).is_some_and(|back| back == numbers));
        out.len()
    }

    #[test]
    fn numbers_of_every_width_and_count_come_back() {
        let mut state = 1u64;
        for count in 0..70usize {
            for shift in 0..64 {
                let draw = |_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    state >> shift
                };
                round_trip(&(0..count).map(draw).collect::<Vec<_>>());
            }
        }
        round_trip(&[0, u64::MAX, 1 << 63, (1 << 63) - 1]);
    }

    #[test]
    fn regular_times_cost_next_to_nothing() {
        let start = from_signed(1_767_225_600_000_000_000);
        let times: Vec<u64> = (0..8192).map(|i| start + i * 10_000_000_000).collect();
        assert!(round_trip(&times) < 40);
        let of_many: Vec<u64> = (0..8192).map(|i| start + i % 3 * 10_000_000_000).collect();
        assert!(round_trip(&of_many) < 8192 / 4);
    }

    #[test]
    fn what_pco_begins_with_is_what_we_take_it_for() {
        assert_eq!(
            FileCompressor::default().write_header(Vec::new()).unwrap(),
            PCO_VERSION
        );
        for order in 0..=ORDER_MAX {
            let numbers: Vec<u64> = (0..100).map(|i| i * i % 37).collect();
            let mut bytes = squeeze(&numbers, order).unwrap();
            assert_eq!(bytes[0], u8::from(order > 0) << 4);
            assert_eq!(expand(&bytes, order, 100), Some(numbers.clone()));
            assert!(expand::<u32>(&bytes, order, 100).is_none_or(|other| other.len() == 100));
            bytes[0] |= 4;
            assert_eq!(expand::<u64>(&bytes, order, 100), None);
        }
    }

    #[test]
    fn modes_of_pco_that_are_never_written_are_not_read() {
        let numbers: Vec<u64> = (0..300).map(|i| i % 7 * 1000).collect();
        let file = FileCompressor::default();
        let deltas = |deltas| ChunkConfig::default().with_delta_spec(deltas);
        for config in [
            deltas(DeltaSpec::NoOp).with_mode_spec(ModeSpec::TryDict),
            deltas(DeltaSpec::NoOp).with_mode_spec(ModeSpec::TryIntMult(1000)),
            deltas(DeltaSpec::TryLookback).with_mode_spec(ModeSpec::Classic),
        ] {
            let mut chunk = file.chunk_compressor(&numbers, &config).unwrap();
            let bytes = chunk
                .write_page(0, chunk.write_meta(Vec::new()).unwrap())
                .unwrap();
            assert_eq!(expand::<u64>(&bytes, 0, numbers.len()), None);
        }
    }

    #[test]
    fn signed_numbers_keep_their_order() {
        for pair in [i64::MIN, -1, 0, 1, i64::MAX].windows(2) {
            assert!(from_signed(pair[0]) < from_signed(pair[1]));
            assert_eq!(to_signed(from_signed(pair[0])), pair[0]);
        }
    }
}
