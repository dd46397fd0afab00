//! The header block of a segment: its header, three times, and its durable-end register.

use alloc::vec::Vec;

use crate::ids::{BlobId, FileId, Lsn, SegmentId};
use crate::planted::{Planted, planted};

use super::frame::{u32_at, u64_at};
use crate::hash::checksum::crc32c;

/// Length of the header block in bytes; the first frame begins here.
pub const HEADER_BLOCK_BYTES: u64 = 3 * PAGE_BYTES;
/// The unit that a torn write is assumed to damage.
pub(super) const PAGE_BYTES: u64 = 4096;
/// Bytes of a page that a register write covers.
pub(super) const SLOT_BYTES: usize = 512;
/// The version this code writes, and the newest it reads.
pub const FORMAT_VERSION: u16 = 1;

/// As the predecessor end: not known, since the predecessor could not be read. It ends where
/// what is whole in it ends.
pub(super) const OPEN_END: u64 = 0;

const HEADER_BYTES: usize = 128;
const REGISTER_BYTES: usize = 64;
const HEADER_MAGIC: &[u8; 8] = b"TGSEGMNT";
const REGISTER_MAGIC: &[u8; 8] = b"TGDURABL";
const CHECKSUM_CRC32C: u8 = 1;
const REPAIR: u8 = 1;
const SNAPSHOT: u8 = 2;
const SETTLED: u8 = 1;
/// Where copies of the header begin: page 0, and behind the slots of pages 1 and 2. A register
/// write never touches more than one of the three pages.
const HEADER_COPIES_AT: [usize; 3] = [0, 4096 + SLOT_BYTES, 8192 + SLOT_BYTES];
pub(super) const SLOTS_AT: [usize; 2] = [4096, 8192];

/// What a segment says of itself and of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Whether it repeats what nothing proved durable in its predecessor.
    pub(super) repair: bool,
    /// Seeds every checksum of its frames.
    pub(super) salt: u32,
    pub(super) segment: SegmentId,
    pub(super) node_id: u128,
    /// The segment before it, and where that one ends whatever follows in it; or [`OPEN_END`].
    pub(super) predecessor: Option<(SegmentId, u64)>,
    pub(super) first_lsn: Lsn,
    /// Segments below this one are garbage wherever they reappear.
    pub(super) low_watermark: SegmentId,
    /// If it is a snapshot: what is in it. `first_lsn` is then the LSN that follows what it
    /// covers, and its own frames are numbered from 1.
    pub(super) snapshot: Option<Totals>,
}

/// What a snapshot holds: told in its header, which is written last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Where its frames end, in bytes.
    pub(super) end: u64,
    pub(super) frames: u64,
    pub(super) points: u64,
}

/// What reading a header block for a header gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderFound {
    Valid(Header),
    /// Intact, but of a version or with a checksum this code does not know.
    Newer(u16),
    None,
}

impl Header {
    /// Writes all copies into a zeroed header block.
    pub(super) fn write(&self, block: &mut [u8]) {
        let bytes = self.encode();
        for at in HEADER_COPIES_AT {
            if let Some(place) = block.get_mut(at..at + HEADER_BYTES) {
                place.copy_from_slice(&bytes);
            }
        }
    }

    /// The file that it is the header of.
    pub(super) const fn file(&self) -> FileId {
        match self.snapshot {
            Some(_) => FileId::Blob(BlobId(self.segment.0)),
            None => FileId::Segment(self.segment),
        }
    }

    /// The first copy that is intact, out of as much of the block as there is; if that is the
    /// header of another file than `file`, rather one that is not: a sector written to
    /// the wrong place hides no file.
    pub(super) fn find(block: &[u8], file: FileId) -> HeaderFound {
        let intact = || {
            let read = if planted(Planted::HeaderAlone) { 1 } else { 3 };
            let copies = HEADER_COPIES_AT.into_iter().take(read);
            copies
                .filter_map(|at| block.get(at..at + HEADER_BYTES)?.first_chunk())
                .map(Self::decode)
                .filter(|found| *found != HeaderFound::None)
        };
        let is_own = |found: &HeaderFound| match found {
            HeaderFound::Valid(header) => header.file() == file,
            HeaderFound::Newer(_) | HeaderFound::None => false,
        };
        match intact().next() {
            Some(HeaderFound::Valid(first)) => {
                intact().find(is_own).unwrap_or(HeaderFound::Valid(first))
            }
            first => first.unwrap_or(HeaderFound::None),
        }
    }

    fn encode(&self) -> [u8; HEADER_BYTES] {
        let (predecessor, end) = self.predecessor.unwrap_or_default();
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(HEADER_MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[10] = CHECKSUM_CRC32C;
        let repair = if self.repair { REPAIR } else { 0 };
        let snapshot = self.snapshot.map_or(0, |_| SNAPSHOT);
        bytes[11] = repair | snapshot;
        bytes[12..16].copy_from_slice(&self.salt.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.segment.0.to_le_bytes());
        bytes[24..40].copy_from_slice(&self.node_id.to_le_bytes());
        bytes[40..48].copy_from_slice(&predecessor.0.to_le_bytes());
        bytes[48..56].copy_from_slice(&end.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.first_lsn.0.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.low_watermark.0.to_le_bytes());
        let Totals {
            end,
            frames,
            points,
        } = self.snapshot.unwrap_or_default();
        bytes[72..80].copy_from_slice(&end.to_le_bytes());
        bytes[80..88].copy_from_slice(&frames.to_le_bytes());
        bytes[88..96].copy_from_slice(&points.to_le_bytes());
        let crc = crc32c(0, &bytes[..124]);
        bytes[124..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; HEADER_BYTES]) -> HeaderFound {
        if &bytes[..8] != HEADER_MAGIC || u32_at(bytes, 124) != crc32c(0, &bytes[..124]) {
            return HeaderFound::None;
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != FORMAT_VERSION || bytes[10] != CHECKSUM_CRC32C {
            return HeaderFound::Newer(version);
        }
        // No writer gets there, and sums of two such numbers cannot overflow.
        if (16..96)
            .step_by(8)
            .any(|at| !(24..40).contains(&at) && u64_at(bytes, at) >> 62 != 0)
        {
            return HeaderFound::None;
        }
        let predecessor = SegmentId(u64_at(bytes, 40));
        let node_id = u128::from(u64_at(bytes, 24)) | u128::from(u64_at(bytes, 32)) << 64;
        HeaderFound::Valid(Self {
            repair: bytes[11] & REPAIR != 0,
            salt: u32_at(bytes, 12),
            segment: SegmentId(u64_at(bytes, 16)),
            node_id,
            predecessor: (predecessor.0 != 0).then(|| (predecessor, u64_at(bytes, 48))),
            first_lsn: Lsn(u64_at(bytes, 56)),
            low_watermark: SegmentId(u64_at(bytes, 64)),
            snapshot: (bytes[11] & SNAPSHOT != 0).then(|| Totals {
                end: u64_at(bytes, 72),
                frames: u64_at(bytes, 80),
                points: u64_at(bytes, 88),
            }),
        })
    }
}

/// How far a segment was known durable when this was written. Two slots take turns, so one
/// that is torn leaves the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Register {
    pub(super) segment: SegmentId,
    pub(super) salt: u32,
    pub(super) durable_end: u64,
    pub(super) durable_lsn: Lsn,
    /// Counts register writes of a segment; the higher one is the newer.
    pub(super) counter: u64,
    /// Whether the durable part of a repair segment holds its completion mark.
    pub(super) settled: bool,
}

impl Register {
    /// Where in the segment it goes.
    pub(super) const fn offset(&self) -> u64 {
        SLOTS_AT[(self.counter % 2) as usize] as u64
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut bytes = [0; SLOT_BYTES];
        bytes[..8].copy_from_slice(REGISTER_MAGIC);
        bytes[8..16].copy_from_slice(&self.segment.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.durable_end.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.durable_lsn.0.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.counter.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.salt.to_le_bytes());
        bytes[44] = if self.settled { SETTLED } else { 0 };
        let crc = crc32c(0, &bytes[..REGISTER_BYTES - 4]);
        bytes[REGISTER_BYTES - 4..REGISTER_BYTES].copy_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&bytes);
    }

    /// The newest intact slot of a segment's header block.
    pub(super) fn find(block: &[u8], segment: SegmentId) -> Option<Self> {
        let order = if planted(Planted::RegisterOld) {
            u64::MAX
        } else {
            0
        };
        let slots = SLOTS_AT.into_iter();
        slots
            .filter_map(|at| Self::decode(block.get(at..at + REGISTER_BYTES)?))
            .filter(|found| found.segment == segment)
            .max_by_key(|found| found.counter ^ order)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let covered = bytes.get(..REGISTER_BYTES - 4)?;
        let crc = u32_at(bytes, REGISTER_BYTES - 4);
        if !bytes.starts_with(REGISTER_MAGIC) || crc != crc32c(0, covered) {
            return None;
        }
        let durable_end = u64_at(bytes, 16);
        let durable_lsn = Lsn(u64_at(bytes, 24));
        let is_boundary = durable_end > HEADER_BLOCK_BYTES && durable_end.is_multiple_of(8);
        let is_sane = is_boundary && (durable_end | durable_lsn.0) >> 62 == 0;
        is_sane.then(|| Self {
            segment: SegmentId(u64_at(bytes, 8)),
            salt: u32_at(bytes, 40),
            durable_end,
            durable_lsn,
            counter: u64_at(bytes, 32),
            settled: bytes[44] & SETTLED != 0,
        })
    }
}

/// The salt of a segment.
///
/// Source: splitmix64 (Steele, Lea, Flood 2014), its upper half.
pub(super) const fn salt(seed: u64, segment: SegmentId) -> u32 {
    let mut z = seed.wrapping_add(segment.0.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 32) as u32
}
