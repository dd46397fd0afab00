//! Which rows of a chunk have a value of a column.
//!
//! ```text
//! presence   0                              all
//!            1 | (gap varint, run varint)*  that many rows without, then with a value
//!            2 | bits, lowest first         a bit for each row
//! ```

use alloc::vec::Vec;

use crate::model::varint;

const ALL: u8 = 0;
const RUNS: u8 = 1;
const BITS: u8 = 2;

/// Appends which of `count` rows have a value: those in `rows`, in order.
pub(super) fn encode(rows: &[u32], count: usize, out: &mut Vec<u8>) {
    if rows.len() == count {
        out.push(ALL);
        return;
    }
    let (start, bits_bytes) = (out.len(), count.div_ceil(8));
    out.push(RUNS);
    let (mut next, mut rest) = (0, rows);
    while let Some(&first) = rest.first() {
        let run = rest
            .iter()
            .zip(first..)
            .take_while(|(row, at)| **row == *at)
            .count();
        varint::put(out, u64::from(first - next));
        varint::put(out, run as u64);
        next = first + run as u32;
        rest = rest.get(run..).unwrap_or_default();
    }
    if out.len() - start > 1 + bits_bytes {
        out.truncate(start);
        out.push(BITS);
        let bits = out.len();
        out.resize(bits + bits_bytes, 0);
        for &row in rows {
            if let Some(byte) = out.get_mut(bits + row as usize / 8) {
                *byte |= 1 << (row % 8);
            }
        }
    }
}

/// Reads at `*at` which of `count` rows have the `values` values, and moves past it. The inner
/// `None` stands for all rows; the outer one for bytes that say something else.
///
/// Bounds: allocates four bytes for each value.
pub(super) fn decode(
    bytes: &[u8],
    at: &mut usize,
    count: usize,
    values: usize,
) -> Option<Option<Vec<u32>>> {
    let &form = bytes.get(*at)?;
    *at += 1;
    if form == ALL {
        return (values == count).then_some(None);
    }
    if values >= count {
        return None;
    }
    let mut rows = Vec::with_capacity(values);
    match form {
        RUNS => {
            let mut next = 0u64;
            while rows.len() < values {
                let first = next.checked_add(varint::get(bytes, at)?)?;
                next = first.checked_add(varint::get(bytes, at)?)?;
                let room = (values - rows.len()) as u64;
                if next > count as u64 || next == first || next - first > room {
                    return None;
                }
                rows.extend((first..next).map(|row| row as u32));
            }
        }
        BITS => {
            let end = at.checked_add(count.div_ceil(8))?;
            for (byte, first) in bytes.get(*at..end)?.iter().zip((0u32..).step_by(8)) {
                let set = (0..8).filter(|bit| byte >> bit & 1 == 1);
                rows.extend(set.map(|bit| first + bit));
                if rows.len() > values {
                    return None;
                }
            }
            *at = end;
        }
        _ => return None,
    }
    let is_right = rows.len() == values && rows.last().is_none_or(|&row| (row as usize) < count);
    is_right.then_some(Some(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_rows_of_up_to_ten_comes_back() {
        for count in 0..=10u32 {
            for set in 0..1u32 << count {
                let rows: Vec<u32> = (0..count).filter(|row| set >> row & 1 == 1).collect();
                let mut out = Vec::new();
                encode(&rows, count as usize, &mut out);
                let expected = (rows.len() < count as usize).then(|| rows.clone());
                let mut at = 0;
                let found = decode(&out, &mut at, count as usize, rows.len());
                assert_eq!((found, at), (Some(expected), out.len()));
                for cut in 0..out.len() {
                    assert_eq!(
                        decode(&out[..cut], &mut 0, count as usize, rows.len()),
                        None
                    );
                }
                for values in (0..=count as usize).filter(|values| *values != rows.len()) {
                    let found = decode(&out, &mut 0, count as usize, values);
                    // Runs that end early look like fewer values; the length tells.
                    assert!(found.is_none() || out[0] == RUNS && values < rows.len());
                }
            }
        }
    }

    #[test]
    fn every_other_row_is_a_bit_and_a_stretch_is_a_few_bytes() {
        let mut out = Vec::new();
        encode(
            &(0..4000).map(|row| row * 2).collect::<Vec<_>>(),
            8192,
            &mut out,
        );
        assert_eq!((out[0], out.len()), (BITS, 1025));
        out.clear();
        encode(&(1000..5000).collect::<Vec<_>>(), 8192, &mut out);
        assert_eq!((out[0], out.len()), (RUNS, 5));
    }
}
