//! The first frame that is left of a segment, and the salt that it proves.

use super::super::frame::{FRAME_HEAD_BYTES, FrameKind, Head, PAYLOAD_BYTES_MAX, u32_at};
use super::super::header::HEADER_BLOCK_BYTES;
use crate::hash::checksum::{crc32c, seed_of};

/// The first whole frame behind the header block, and the salt that it proves.
pub(super) fn first_frame(bytes: &[u8], salt: Option<u32>) -> Option<(u64, Head, u32)> {
    let mut at = HEADER_BLOCK_BYTES as usize;
    while let Some(head) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let found = frame_at(bytes, at, head, salt);
        if found.is_some() {
            return found;
        }
        at += 8;
    }
    None
}

fn frame_at(
    bytes: &[u8],
    at: usize,
    head: &[u8; FRAME_HEAD_BYTES],
    salt: Option<u32>,
) -> Option<(u64, Head, u32)> {
    // Cheap first: this is asked at every eighth byte.
    let length = u32_at(head, 4) as usize;
    if head[38] != 0 || head[39] != 0 || length > PAYLOAD_BYTES_MAX {
        return None;
    }
    FrameKind::from_code(head[36])?;
    let salt = salt.unwrap_or_else(|| seed_of(u32_at(head, 0), &head[4..]));
    let head = Head::decode(head, salt)?;
    let from = at + FRAME_HEAD_BYTES;
    let payload = bytes.get(from..from + length)?;
    // Any head has a salt that fits it; only the right one fits the payload as well.
    (crc32c(salt, payload) == head.payload_crc).then_some((at as u64, head, salt))
}
