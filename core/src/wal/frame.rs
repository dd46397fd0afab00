//! The head of a frame: what it holds, and when it is to be believed.

use crate::limits::{FRAME_BYTES_MAX, KEY_BYTES_MAX, STRING_BYTES_MAX};
use crate::planted::{Planted, planted};

use crate::hash::checksum::crc32c;

/// Length of a frame head in bytes; the payload follows at once.
pub const FRAME_HEAD_BYTES: usize = 40;

/// Longest payload of a frame in bytes, a property of the format. Ours: writers close a frame
/// at `limits::FRAME_BYTES_MAX`; what does not fit below that alone still fits here: a row that
/// is one string of the longest size with its head, or one definition entry with the longest key.
pub const PAYLOAD_BYTES_MAX: usize = FRAME_BYTES_MAX + (128 << 10);

const _: () = assert!(STRING_BYTES_MAX + KEY_BYTES_MAX < PAYLOAD_BYTES_MAX);

/// What a frame carries. The log itself never looks into a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameKind {
    /// Series, fields and catalog facts that rows of the same segment refer to.
    Definitions,
    /// Rows of points.
    Rows,
    /// Nothing: distance between two copies of definitions.
    Pad,
    /// Everything that nothing proved durable has been written again into this segment.
    RepairComplete,
}

impl FrameKind {
    /// The byte in the frame head. 0 is never used, so that zeros are not a frame.
    pub const fn code(self) -> u8 {
        match self {
            Self::Definitions => 1,
            Self::Rows => 2,
            Self::Pad => 3,
            Self::RepairComplete => 4,
        }
    }

    /// The inverse of [`code`](Self::code); `None` for a kind this version does not know.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Definitions,
            2 => Self::Rows,
            3 => Self::Pad,
            4 => Self::RepairComplete,
            _ => return None,
        })
    }

    /// Whether one damaged frame of this kind would make others unusable.
    pub(super) const fn is_written_twice(self) -> bool {
        matches!(self, Self::Definitions | Self::RepairComplete)
    }
}

/// The record goes on with the next frame.
pub(super) const MORE: u8 = 1;
/// The second copy of a frame that is written twice.
pub(super) const COPY: u8 = 2;

/// A frame head, decoded. Offsets are in `docs/format.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) payload_bytes: u32,
    pub(super) lsn: u64,
    /// Offset in the segment that was known durable when the frame was built; 0 for none.
    pub(super) synced_up_to: u64,
    /// Payload checksum of the frame before, 0 for the first of a segment.
    pub(super) chain: u32,
    pub(super) points: u32,
    pub(super) payload_crc: u32,
    pub(super) kind: FrameKind,
    pub(super) flags: u8,
}

impl Head {
    pub(super) fn encode(&self, salt: u32) -> [u8; FRAME_HEAD_BYTES] {
        let mut bytes = [0; FRAME_HEAD_BYTES];
        bytes[4..8].copy_from_slice(&self.payload_bytes.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.lsn.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.synced_up_to.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.chain.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.points.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.payload_crc.to_le_bytes());
        bytes[36] = self.kind.code();
        bytes[37] = self.flags;
        let crc = crc32c(salt, &bytes[4..]);
        bytes[..4].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// `None` unless every bit of it is believable. The cheap checks come first, because a scan
    /// through garbage asks at every eighth byte.
    #[inline]
    pub(super) fn decode(bytes: &[u8; FRAME_HEAD_BYTES], salt: u32) -> Option<Self> {
        let payload_bytes = u32_at(bytes, 4);
        let kind = FrameKind::from_code(bytes[36])?;
        let flags = bytes[37];
        if payload_bytes as usize > PAYLOAD_BYTES_MAX
            || flags & !(MORE | COPY) != 0
            || bytes[38] != 0
            || bytes[39] != 0
            || u32_at(bytes, 0) != crc32c(salt, &bytes[4..]) && !planted(Planted::HeadUnchecked)
        {
            return None;
        }
        Some(Self {
            payload_bytes,
            lsn: u64_at(bytes, 8),
            synced_up_to: u64_at(bytes, 16),
            chain: u32_at(bytes, 24),
            points: u32_at(bytes, 28),
            payload_crc: u32_at(bytes, 32),
            kind,
            flags,
        })
    }

    /// Bytes of the whole frame, with the zeros that align the next one.
    pub(super) const fn frame_bytes(&self) -> u64 {
        (FRAME_HEAD_BYTES as u64 + self.payload_bytes as u64).next_multiple_of(8)
    }

    pub(super) const fn has_more(&self) -> bool {
        self.flags & MORE != 0
    }

    pub(super) const fn is_copy(&self) -> bool {
        self.flags & COPY != 0
    }
}

/// No more frames than this fit into so many bytes, and one.
pub(super) const fn frames_max(bytes: u64) -> u64 {
    bytes / FRAME_HEAD_BYTES as u64 + 1
}

/// Little-endian number at `at`; zero bytes stand in for what is not there.
#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let part = bytes.get(at..).and_then(<[u8]>::first_chunk);
    part.map_or(0, |part| u32::from_le_bytes(*part))
}

/// As [`u32_at`], for 64 bits.
#[inline]
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let part = bytes.get(at..).and_then(<[u8]>::first_chunk);
    part.map_or(0, |part| u64::from_le_bytes(*part))
}
