//! A disk and the page cache in front of it.
//!
//! The cache is what a process sees; the durable image is what is left when power is lost.
//! Between them stand sectors of 512 bytes that nobody synced. Sizes, names and data become
//! durable independently of each other.

use std::collections::{BTreeMap, BTreeSet};

use super::hits::{Hit, Hits};
use super::plan::{Kind, Plan};
use crate::r#gen::Rng;

/// What is written as a whole.
pub(super) const SECTOR: usize = 512;
/// Sectors of a page of the cache.
const PAGE_SECTORS: usize = 8;
/// Sectors of the slots of the durable-end register (`docs/format.md`).
const REGISTERS: [usize; 2] = [8, 16];

/// Why an operation did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiskError {
    Io,
    NoSpace,
    Exists,
    Missing,
    /// The process ended within it.
    Died,
}

/// A file twice: as the cache shows it, and as it is on the medium.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) cached: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// Sectors that a sync would write.
    dirty: BTreeSet<usize>,
    /// Length at the last sync that succeeded.
    synced_bytes: usize,
    is_name_durable: bool,
    /// A sync failed: the cache calls clean what the medium lacks.
    lies: bool,
}

/// Files by number, and what may go wrong with them.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) files: BTreeMap<u64, File>,
    /// Deleted, and the deletion not yet durable.
    deleted: BTreeMap<u64, File>,
    /// Bytes that fit.
    capacity: u64,
    /// Operations left to the process; `None` is no end.
    operations_left: Option<u64>,
    /// `None` while nothing is to go wrong.
    plan: Option<Plan>,
    lots: Rng,
    pub(super) hits: Hits,
}

impl Disk {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            files: BTreeMap::new(),
            deleted: BTreeMap::new(),
            capacity: u64::MAX,
            operations_left: None,
            plan: Some(plan.clone()),
            lots: Rng::new(plan.seed ^ 0xd15c),
            hits: Hits::default(),
        }
    }

    /// Nothing goes wrong from here on.
    pub(super) fn calm(&mut self) {
        self.plan = None;
        self.capacity = u64::MAX;
        self.operations_left = None;
    }

    /// The process ends within its `operations`-th operation from now on.
    pub(super) fn die_after(&mut self, operations: Option<u64>) {
        self.operations_left = operations;
    }

    /// Leaves room for so many bytes more, or takes the bound away.
    pub(super) fn bound(&mut self, room: Option<u64>) {
        self.capacity = room.map_or(u64::MAX, |room| self.used() + room);
    }

    pub(super) fn is_bounded(&self) -> bool {
        self.capacity != u64::MAX
    }

    fn used(&self) -> u64 {
        let lengths = self.files.values().map(|file| file.cached.len() as u64);
        lengths.sum()
    }

    fn fails(&mut self, kind: Kind) -> bool {
        let one_in = self.plan.as_ref().map_or(0, |plan| plan.one_in(kind));
        self.lots.one_in(one_in)
    }

    /// Counts an operation; true if the process ends within it.
    fn ends_here(&mut self) -> bool {
        match &mut self.operations_left {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                *left == 0
            }
        }
    }

    pub(super) fn create(&mut self, id: u64) -> Result<(), DiskError> {
        if self.ends_here() {
            return Err(DiskError::Died);
        }
        if self.files.contains_key(&id) {
            return Err(DiskError::Exists);
        }
        if self.is_bounded() && self.lots.one_in(4) {
            self.hits.note(Hit::CreateNoSpace);
            return Err(DiskError::NoSpace);
        }
        self.files.insert(id, File::default());
        Ok(())
    }

    /// Puts bytes into the cache: how many, which may be fewer than asked for.
    pub(super) fn write(&mut self, id: u64, at: usize, bytes: &[u8]) -> Result<usize, DiskError> {
        let (mut part, mut error) = (bytes.len(), None);
        if self.ends_here() {
            self.hits.note(Hit::DiedInWrite);
            (part, error) = (self.lots.index(part + 1), Some(DiskError::Died));
        } else if self.fails(Kind::WriteError) {
            self.hits.note(Hit::WriteError);
            (part, error) = (self.lots.index(part + 1), Some(DiskError::Io));
        } else if part > 1 && self.fails(Kind::ShortWrite) {
            self.hits.note(Hit::ShortWrite);
            part = 1 + self.lots.index(part - 1);
        }
        let room = self.capacity.saturating_sub(self.used()) as usize;
        let file = self.files.get_mut(&id).ok_or(DiskError::Missing)?;
        let grown = (at + part).saturating_sub(file.cached.len());
        if grown > room {
            self.hits.note(Hit::NoSpace);
            part = part.saturating_sub(grown - room);
            if part == 0 {
                return Err(error.unwrap_or(DiskError::NoSpace));
            }
        }
        let end = at + part;
        if file.cached.len() < end {
            file.cached.resize(end, 0);
        }
        file.cached[at..end].copy_from_slice(&bytes[..part]);
        file.dirty.extend(at / SECTOR..end.div_ceil(SECTOR));
        error.map_or(Ok(part), Err)
    }

    pub(super) fn sync(&mut self, id: u64) -> Result<(), DiskError> {
        let dies = self.ends_here();
        let error = !dies && self.fails(Kind::SyncError);
        let file = self.files.get_mut(&id).ok_or(DiskError::Missing)?;
        if dies {
            self.hits.note(Hit::DiedInSync);
            let sectors: Vec<usize> = file.dirty.iter().copied().collect();
            for sector in sectors {
                if self.lots.one_in(2) {
                    file.durable
                        .resize(file.durable.len().max((sector + 1) * SECTOR), 0);
                    file.durable.truncate(file.cached.len());
                    file.copy(sector);
                }
            }
            return Err(DiskError::Died);
        }
        if error {
            file.settle(&mut self.lots, &mut self.hits, 5);
            file.lies = true;
            let no_space = self.lots.one_in(5);
            self.hits.note(if no_space {
                Hit::SyncNoSpace
            } else {
                Hit::SyncError
            });
            return Err(if no_space {
                DiskError::NoSpace
            } else {
                DiskError::Io
            });
        }
        file.synced_bytes = file.cached.len();
        file.durable
            .resize(file.cached.len().max(file.durable.len()), 0);
        for sector in std::mem::take(&mut file.dirty) {
            file.copy(sector);
        }
        Ok(())
    }

    /// Makes creations and deletions durable.
    pub(super) fn sync_names(&mut self) -> Result<(), DiskError> {
        if self.ends_here() {
            self.hits.note(Hit::DiedInCreate);
            return Err(DiskError::Died);
        }
        if self.fails(Kind::NamesError) {
            self.hits.note(Hit::NamesError);
            return Err(DiskError::Io);
        }
        self.deleted.clear();
        let files = self.files.values_mut();
        files.for_each(|file| file.is_name_durable = true);
        Ok(())
    }

    pub(super) fn remove(&mut self, id: u64) -> Result<(), DiskError> {
        if self.ends_here() {
            return Err(DiskError::Died);
        }
        if let Some(file) = self.files.remove(&id) {
            self.deleted.insert(id, file);
        }
        Ok(())
    }

    pub(super) fn read(&mut self, id: u64, at: usize, length: usize) -> Result<&[u8], DiskError> {
        if self.fails(Kind::ReadError) {
            self.hits.note(Hit::ReadError);
            return Err(DiskError::Io);
        }
        let file = self.files.get(&id).ok_or(DiskError::Missing)?;
        let start = at.min(file.cached.len());
        let end = start.saturating_add(length).min(file.cached.len());
        Ok(&file.cached[start..end])
    }

    /// Whether the cache shows what a power loss would take away after a failed sync.
    pub(super) fn lies(&self) -> bool {
        let mut files = self.files.values();
        files.any(|file| file.lies && file.cached != file.durable)
    }

    /// What was not synced arrives or not, in any order, or as garbage; the same for names.
    pub(super) fn lose_power(&mut self) {
        self.hits.note(Hit::Power);
        if self.lies() {
            self.hits.note(Hit::CacheLied);
        }
        let mode = self.lots.below(6);
        self.hits.note(match mode {
            0 => Hit::KeepAll,
            1 => Hit::KeepNone,
            2 => Hit::KeepHalf,
            3 => Hit::KeepMost,
            _ => Hit::KeepPages,
        });
        for file in self.files.values_mut() {
            file.settle(&mut self.lots, &mut self.hits, mode);
            file.cached.clone_from(&file.durable);
            (file.lies, file.synced_bytes) = (false, file.durable.len());
        }
        let names: Vec<u64> = self.files.keys().copied().collect();
        for id in names {
            let is_new = self
                .files
                .get(&id)
                .is_some_and(|file| !file.is_name_durable);
            if is_new && self.lots.one_in(2) {
                self.hits.note(Hit::NameLost);
                self.files.remove(&id);
            }
        }
        for (id, mut file) in std::mem::take(&mut self.deleted) {
            if !self.files.contains_key(&id) && self.lots.one_in(2) {
                self.hits.note(Hit::DeleteUndone);
                file.settle(&mut self.lots, &mut self.hits, mode);
                file.cached.clone_from(&file.durable);
                self.files.insert(id, file);
            }
        }
        let files = self.files.values_mut();
        files.for_each(|file| file.is_name_durable = true);
    }

    /// Time passes: all that is written reaches the medium.
    pub(super) fn write_back(&mut self) {
        for file in self.files.values_mut() {
            file.durable.clone_from(&file.cached);
            file.dirty.clear();
            (file.lies, file.is_name_durable) = (false, true);
        }
        self.deleted.clear();
    }
}

impl File {
    /// Whether it begins as a segment does that was created whole.
    pub(super) fn has_header(&self) -> bool {
        self.durable.len() >= SECTOR && self.durable.starts_with(b"TGSEGMNT")
    }

    /// Decides what becomes of every dirty sector; none is dirty afterwards.
    fn settle(&mut self, lots: &mut Rng, hits: &mut Hits, mode: u64) {
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

    fn copy(&mut self, sector: usize) {
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

#[cfg(test)]
mod tests {
    use super::{Disk, DiskError, Kind, Plan, SECTOR};

    fn disk() -> Disk {
        let mut disk = Disk::new(&Plan::draw(1));
        disk.plan = None;
        disk
    }

    #[test]
    fn what_was_synced_with_its_name_survives_and_nothing_else_must() {
        let mut lost = 0;
        let mut disk = disk();
        for id in 0..60 {
            disk.create(id).expect("new");
            disk.write(id, 0, &[1; 3 * SECTOR]).expect("room");
            disk.sync(id).expect("calm");
            disk.sync_names().expect("calm");
            disk.write(id, 3 * SECTOR, &[2; SECTOR]).expect("room");
            disk.lose_power();
            let bytes = disk.read(id, 0, 9 * SECTOR).expect("there");
            assert!(bytes.starts_with(&[1; 3 * SECTOR]));
            lost += usize::from(bytes[3 * SECTOR..] != [2; SECTOR]);
        }
        assert!((10..60).contains(&lost), "{lost}");
    }

    #[test]
    fn a_failed_sync_shows_the_new_bytes_until_power_is_lost() {
        let mut disk = Disk::new(&Plan::draw(1));
        let mut dropped = 0;
        for id in 0..2_000 {
            disk.plan = None;
            disk.create(id).expect("new");
            disk.write(id, 0, &[7; SECTOR]).expect("room");
            disk.sync_names().expect("calm");
            disk.plan = Some(Plan::draw(9).with_mask(1 << Kind::SyncError as u32));
            let Err(error) = disk.sync(id) else { continue };
            assert!(matches!(error, DiskError::Io | DiskError::NoSpace));
            disk.plan = None;
            disk.sync(id).expect("it believes itself clean");
            assert_eq!(disk.read(id, 0, SECTOR), Ok(&[7; SECTOR][..]));
            disk.lose_power();
            dropped += usize::from(disk.read(id, 0, SECTOR) != Ok(&[7; SECTOR][..]));
        }
        assert!(dropped > 0);
    }

    #[test]
    fn a_bounded_disk_takes_what_fits() {
        let mut disk = disk();
        disk.create(1).expect("new");
        disk.bound(Some(10));
        assert_eq!(disk.write(1, 0, &[0; 25]), Ok(10));
        assert_eq!(disk.write(1, 10, &[0; 15]), Err(DiskError::NoSpace));
        assert_eq!(disk.write(1, 0, &[1; 10]), Ok(10));
        disk.bound(None);
        assert_eq!(disk.write(1, 10, &[0; 15]), Ok(15));
    }
}
