//! A disk that forgets what was not synced.

use alloc::collections::BTreeSet;

use super::super::*;
use super::Lots;

const SECTOR: usize = 512;

/// A segment as the page cache shows it, and as the medium has it.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) cached: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// Sectors that the next sync writes.
    pub(super) dirty: BTreeSet<usize>,
    /// Length at the last sync.
    pub(super) synced_bytes: usize,
    pub(super) is_name_durable: bool,
}

#[derive(Debug, Default)]
pub(super) struct Disk {
    pub(super) files: BTreeMap<u64, File>,
    /// Deleted, the deletion not yet durable.
    pub(super) deleted: BTreeMap<u64, File>,
}

impl Disk {
    /// Into the cache, as far as `part` of the bytes.
    pub(super) fn write(&mut self, persist: &Persist, bytes: &[u8], part: usize) {
        let file = self.files.entry(persist.segment.0).or_default();
        let (start, end) = (persist.offset as usize, persist.offset as usize + part);
        if file.cached.len() < end {
            file.cached.resize(end, 0);
        }
        file.cached[start..end].copy_from_slice(&bytes[..part]);
        file.dirty.extend(start / SECTOR..end.div_ceil(SECTOR));
    }

    pub(super) fn sync(&mut self, segment: u64) {
        let file = self.files.get_mut(&segment).unwrap();
        let length = file.cached.len();
        file.is_name_durable = true;
        file.synced_bytes = length;
        file.durable.resize(length.max(file.durable.len()), 0);
        for sector in core::mem::take(&mut file.dirty) {
            file.copy(sector);
        }
        self.deleted.clear();
    }

    /// What a failed sync does: some sectors arrive, and all count as clean.
    pub(super) fn fail_sync(&mut self, segment: u64, lots: &mut Lots) {
        self.files.get_mut(&segment).unwrap().settle(lots);
    }

    /// Sectors that were not synced arrive or not, in any order, or as garbage; the same for
    /// names and deletions.
    pub(super) fn lose_power(&mut self, lots: &mut Lots) {
        for (id, file) in core::mem::take(&mut self.deleted) {
            if lots.draw(2) == 0 {
                self.files.entry(id).or_insert(file);
            }
        }
        for file in self.files.values_mut() {
            file.settle(lots);
            file.cached = file.durable.clone();
        }
        self.files
            .retain(|_, file| file.is_name_durable || lots.draw(2) == 0);
        self.files
            .values_mut()
            .for_each(|file| file.is_name_durable = true);
    }

    /// A file that is written, synced and named as one step.
    pub(super) fn keep(&mut self, key: u64, bytes: Vec<u8>) {
        let file = File {
            cached: bytes.clone(),
            synced_bytes: bytes.len(),
            durable: bytes,
            is_name_durable: true,
            ..File::default()
        };
        self.files.insert(key, file);
    }

    pub(super) fn delete(&mut self, segment: u64) {
        if let Some(file) = self.files.remove(&segment) {
            self.deleted.insert(segment, file);
        }
    }

    pub(super) fn store(&self) -> Store {
        self.files
            .iter()
            .map(|(id, file)| (*id, file.cached.clone()))
            .collect()
    }
}

impl File {
    pub(super) fn settle(&mut self, lots: &mut Lots) {
        let grown = self.cached.len().saturating_sub(self.durable.len());
        if lots.draw(3) > 0 {
            let length = self.durable.len() + lots.draw(grown as u64 + 1) as usize;
            self.durable.resize(length, 0);
        }
        let mode = lots.draw(4);
        for sector in core::mem::take(&mut self.dirty) {
            match (mode, lots.draw(8)) {
                (0, _) => {}
                (1, 0..6) | (2, 0..4) | (3, 0..1) => self.copy(sector),
                (3, 1) => self.garbage(sector, lots),
                _ => {}
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

    /// A sector that a cut write left in no state at all. One of frames that held synced bytes
    /// keeps them: appending repeats them, and the model's disk writes sectors whole.
    pub(super) fn garbage(&mut self, sector: usize, lots: &mut Lots) {
        let range = sector * SECTOR..((sector + 1) * SECTOR).min(self.durable.len());
        let is_register = [8, 16].contains(&sector);
        if let Some(place) = self.durable.get_mut(range)
            && (is_register || sector * SECTOR >= self.synced_bytes)
        {
            place.fill_with(|| lots.draw(256) as u8);
        }
    }
}
