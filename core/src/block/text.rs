//! Bytes that repeat themselves, compressed.
//!
//! ```text
//! text      varint length | pieces
//! piece     varint length of what is stored, twice, plus 1 if it is stored as it is | bytes
//! ```
//!
//! A piece stands for 60,000 bytes, the last one for what is left: up to 64 KiB the compressor
//! works alike whatever the width of a pointer.

use alloc::vec;
use alloc::vec::Vec;

use crate::model::varint;

const PIECE_BYTES: usize = 60_000;

/// LZ4 makes at most this many bytes out of one.
const EXPANSION_MAX: usize = 255;

/// Appends `text`.
pub(super) fn encode(text: &[u8], out: &mut Vec<u8>) {
    varint::put(out, text.len() as u64);
    for piece in text.chunks(PIECE_BYTES) {
        let packed = lz4_flex::block::compress(piece);
        let is_plain = packed.len() >= piece.len();
        let stored = if is_plain { piece } else { &packed };
        varint::put(out, (stored.len() as u64) << 1 | u64::from(is_plain));
        out.extend_from_slice(stored);
    }
}

/// Reads a text at `*at` and moves past it; `None` if there is none.
///
/// Bounds: allocates at most 255 times the bytes that are there.
pub(super) fn decode(bytes: &[u8], at: &mut usize) -> Option<Vec<u8>> {
    let length = usize::try_from(varint::get(bytes, at)?).ok()?;
    let there = bytes.len().checked_sub(*at)?;
    if length > there.saturating_mul(EXPANSION_MAX) {
        return None;
    }
    let mut text = vec![0; length];
    for piece in text.chunks_mut(PIECE_BYTES) {
        let head = varint::get(bytes, at)?;
        let end = at.checked_add(usize::try_from(head >> 1).ok()?)?;
        let stored = bytes.get(*at..end)?;
        *at = end;
        if head & 1 == 0 {
            let made = lz4_flex::block::decompress_into(stored, piece).ok()?;
            if made != piece.len() {
                return None;
            }
        } else if stored.len() == piece.len() {
            piece.copy_from_slice(stored);
        } else {
            return None;
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_kind_come_back() {
        let mut state = 5u64;
        let mut draw = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(7);
            (state >> 40) as u8
        };
        for length in [0, 1, 7, 100, 59_999, 60_000, 60_001, 200_000] {
            let noise: Vec<u8> = (0..length).map(|_| draw()).collect();
            for text in [vec![b'a'; length], noise] {
                let mut out = vec![9];
                encode(&text, &mut out);
                assert!(out.len() <= text.len() + 20);
                let mut at = 1;
                assert_eq!(decode(&out, &mut at), Some(text));
                assert_eq!(at, out.len());
                for cut in (1..out.len()).step_by(1 + length / 50) {
                    assert_eq!(decode(&out[..cut], &mut 1), None);
                }
            }
        }
    }

    #[test]
    fn a_length_that_the_bytes_cannot_hold_allocates_nothing() {
        let mut out = Vec::new();
        varint::put(&mut out, u64::from(u32::MAX));
        out.extend_from_slice(&[0; 100]);
        assert_eq!(decode(&out, &mut 0), None);
    }
}
