//! The header of a block, at both of its ends.

use alloc::vec::Vec;

use super::chunk::{u32_at, u64_at};
use crate::hash::checksum::crc32c;
use crate::ids::ShardId;

/// Version of the format that this code writes.
pub const BLOCK_VERSION: u16 = 1;

/// Bytes of the header, and of its copy at the end.
pub const HEADER_BYTES: usize = 128;

const MAGIC: &[u8; 8] = b"TGBLOCK\0";
const CHECKSUM_CRC32C: u8 = 1;

/// Which block it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The database's.
    pub node_id: u128,
    /// Whose points it holds.
    pub shard: ShardId,
    /// Blocks of a shard by age: of two values of the same field and time, the one in the block
    /// with the higher generation counts.
    pub generation: u64,
    /// Seeds every checksum behind the header, so that bytes of another block never pass.
    pub salt: u32,
}

impl Identity {
    /// What chunks bear of it, beside the salt.
    pub(super) fn owner(&self) -> u32 {
        let names = [self.shard.0, self.generation].map(u64::to_le_bytes);
        let crc = crc32c(0, &self.node_id.to_le_bytes());
        names.iter().fold(crc, |crc, name| crc32c(crc, name))
    }
}

/// What a block holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Series.
    pub series: u64,
    /// Points: one for each series and time.
    pub points: u64,
    /// Field values.
    pub values: u64,
    /// Earliest time; without points it is later than the latest.
    pub time_min: i64,
    /// Latest time.
    pub time_max: i64,
}

impl Totals {
    /// Of nothing.
    pub(super) const EMPTY: Self = Self {
        series: 0,
        points: 0,
        values: 0,
        time_min: i64::MAX,
        time_max: i64::MIN,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) identity: Identity,
    pub(super) totals: Totals,
    pub(super) chunks: u32,
    pub(super) index_offset: u64,
    pub(super) index_bytes: u32,
    pub(super) index_crc: u32,
    /// Bytes of the block, with both headers.
    pub(super) bytes: u64,
}

/// What 128 bytes turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Header(Header),
    /// Of a version that this code does not know.
    Newer(u16),
    Nothing,
}

impl Header {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&BLOCK_VERSION.to_le_bytes());
        out.extend_from_slice(&[CHECKSUM_CRC32C, 0]);
        out.extend_from_slice(&self.identity.salt.to_le_bytes());
        out.extend_from_slice(&self.identity.node_id.to_le_bytes());
        let totals = &self.totals;
        for number in [
            self.identity.shard.0,
            self.identity.generation,
            self.index_offset,
            u64::from(self.index_crc) << 32 | u64::from(self.index_bytes),
            totals.series,
            totals.points,
            totals.values,
            totals.time_min as u64,
            totals.time_max as u64,
            self.bytes,
            u64::from(self.chunks),
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.resize(start + HEADER_BYTES - 4, 0);
        let crc = crc32c(0, out.get(start..).unwrap_or_default());
        out.extend_from_slice(&crc.to_le_bytes());
    }

    pub(super) fn find(bytes: &[u8]) -> Found {
        match Self::decode(bytes) {
            Some((BLOCK_VERSION, header)) => Found::Header(header),
            Some((version, _)) => Found::Newer(version),
            None => Found::Nothing,
        }
    }

    /// The version, and the header as version 1 has it.
    fn decode(bytes: &[u8]) -> Option<(u16, Self)> {
        let bytes = bytes.get(..HEADER_BYTES)?;
        let (covered, crc) = bytes.split_at(HEADER_BYTES - 4);
        if !bytes.starts_with(MAGIC) || u32_at(crc, 0)? != crc32c(0, covered) {
            return None;
        }
        let number = |place: usize| u64_at(bytes, 32 + 8 * place);
        let header = Self {
            identity: Identity {
                node_id: u128::from(u64_at(bytes, 24)?) << 64 | u128::from(u64_at(bytes, 16)?),
                shard: ShardId(number(0)?),
                generation: number(1)?,
                salt: u32_at(bytes, 12)?,
            },
            index_offset: number(2)?,
            index_bytes: number(3)? as u32,
            index_crc: (number(3)? >> 32) as u32,
            totals: Totals {
                series: number(4)?,
                points: number(5)?,
                values: number(6)?,
                time_min: number(7)? as i64,
                time_max: number(8)? as i64,
            },
            bytes: number(9)?,
            chunks: number(10)? as u32,
        };
        Some((u16::from_le_bytes([*bytes.get(8)?, *bytes.get(9)?]), header))
    }
}
