//! A file of the simulated disk, and the numbers that files go by.

use std::collections::BTreeSet;

use tidegate_core::ids::{BlobId, FileId, SegmentId};

use super::hits::{Hit, Hits};
use crate::r#gen::Rng;

/// What is written as a whole.
pub(super) const SECTOR: usize = 512;
/// Sectors of a page of the cache.
const PAGE_SECTORS: usize = 8;
/// Sectors of the slots of the durable-end register (`docs/format.md`).
const REGISTERS: [usize; 2] = [8, 16];

/// Blobs, and parts of blobs that are not whole, are numbered apart from segments.
pub(super) const BLOBS: u64 = 1 << 61;
pub(super) const PARTS: u64 = 1 << 62;

/// The number of a file on the disk.
pub(super) const fn number_of(file: FileId) -> u64 {
    match file {
        FileId::Segment(id) => id.0,
        FileId::Blob(id) => BLOBS | id.0,
    }
}

/// The number of a blob while it is being written.
pub(super) const fn number_of_part(blob: BlobId) -> u64 {
    PARTS | blob.0
}

/// The file that has this number; a part of a blob is none.
pub(super) const fn file_of(number: u64) -> Option<FileId> {
    match number {
        PARTS.. => None,
        BLOBS.. => Some(FileId::Blob(BlobId(number - BLOBS))),
        _ => Some(FileId::Segment(SegmentId(number))),
    }
}

/// A file twice: as the cache shows it, and as it is on the medium.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) cached: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// Sectors that a sync would write.
    pub(super) dirty: BTreeSet<usize>,
    /// Length at the last sync that succeeded.
    pub(super) synced_bytes: usize,
    pub(super) is_name_durable: bool,
    /// The name it had, while that it was renamed is not durable.
    pub(super) former: Option<u64>,
    /// A sync failed: the cache calls clean what the medium lacks.
    pub(super) lies: bool,
}

impl File {
    /// Whether it begins as a segment does that was created whole.
    pub(super) fn has_header(&self) -> bool {
        self.durable.len() >= SECTOR && self.durable.starts_with(b"TGSEGMNT")
    }

    /// Decides what becomes of every dirty sector; none is dirty afterwards.
    pub(super) fn settle(&mut self, lots: &mut Rng, hits: &mut Hits, mode: u64) {
        let (held, shown) = (self.durable.len(), self.cached.len());
        let length = match mode {
            0 => shown.max(held),
            1 => held,
            _ => held + lots.index(shown.saturating_sub(held) + 1),
        };
        self.durable.resize(length, 0);
        let (mut page, mut keeps_page) = (usize::MAX, false);
        for sector in std::mem::take(&mut self.dirty) {
            if sector / PAGE_SECTORS != page {
                (page, keeps_page) = (sector / PAGE_SECTORS, lots.one_in(2));
            }
            let keeps = match mode {
                0 => true,
                1 => false,
                2 => lots.one_in(2),
                3 => !lots.one_in(8),
                _ => keeps_page,
            };
            if keeps {
                self.copy(sector);
            } else if mode > 1 && lots.one_in(6) {
                self.garble(sector, lots, hits);
            } else {
                hits.note(Hit::SectorLost);
                let is_hole = sector * SECTOR >= held && sector * SECTOR < length;
                if is_hole {
                    hits.note(Hit::GrownWithoutData);
                }
            }
        }
    }

    pub(super) fn copy(&mut self, sector: usize) {
        let start = (sector * SECTOR).min(self.durable.len());
        let end = (start + SECTOR)
            .min(self.durable.len())
            .min(self.cached.len());
        if start < end {
            self.durable[start..end].copy_from_slice(&self.cached[start..end]);
        }
    }

    /// A sector that a cut write left in no state at all. One that held synced frames keeps
    /// them: appending repeats them, and sectors are written whole.
    fn garble(&mut self, sector: usize, lots: &mut Rng, hits: &mut Hits) {
        let is_new = sector * SECTOR >= self.synced_bytes || REGISTERS.contains(&sector);
        let end = ((sector + 1) * SECTOR).min(self.durable.len());
        if let Some(place) = self.durable.get_mut(sector * SECTOR..end)
            && is_new
            && !place.is_empty()
        {
            hits.note(Hit::SectorGarbage);
            place.fill_with(|| lots.next_u64() as u8);
        }
    }
}
