//! A disk and the page cache in front of it.
//!
//! The cache is what a process sees; the durable image is what is left when power is lost.
//! Between them stand sectors of 512 bytes that nobody synced. Sizes, names and data become
//! durable independently of each other.

use std::collections::BTreeMap;

use tidegate_core::ids::FileId;

use super::file::{BLOBS, File, PARTS, SECTOR, file_of};
use super::hits::{Hit, Hits};
use super::plan::{Kind, Plan};
use crate::r#gen::Rng;

/// Sectors of the header block of a segment and of its first frame.
const HEAD_SECTORS: usize = 25;

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

/// What a power loss leaves of what was not synced; each more than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Keep {
    Nothing,
    /// Names of new files.
    Names,
    /// How long files are; what they grew by is zero.
    Lengths,
    /// The beginning of a new segment, as far as its first frame.
    Heads,
}

/// Files by number, and what may go wrong with them.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) files: BTreeMap<u64, File>,
    /// Deleted, and the deletion not yet durable.
    deleted: BTreeMap<u64, File>,
    /// Bytes that fit.
    capacity: u64,
    /// Operations left to the process; `None` is no end.
    operations_left: Option<u64>,
    /// Operations that are still carried out, of those that end with the process.
    operations_whole: Option<u64>,
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
            operations_whole: None,
            plan: Some(plan.clone()),
            lots: Rng::new(plan.seed ^ 0xd15c),
            hits: Hits::default(),
        }
    }

    /// A disk on which nothing happens but what is asked for.
    pub(super) fn calm_and_empty() -> Self {
        let mut disk = Self::new(&Plan::draw(0));
        disk.calm();
        disk
    }

    /// The process ends before it carries out anything of its operation number so many from now
    /// on, counted from 0; `None`: it goes on.
    pub(super) fn end_before(&mut self, operation: Option<u64>) {
        self.operations_whole = operation;
    }

    /// Counts an operation; true if the process ended before it.
    fn is_over(&mut self) -> bool {
        match &mut self.operations_whole {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        }
    }

    /// Power is lost, and what is left is told.
    pub(super) fn lose_power_exactly(&mut self, keep: Keep) {
        for file in self.files.values_mut() {
            if keep >= Keep::Lengths {
                let length = file.durable.len().max(file.cached.len());
                file.durable.resize(length, 0);
            }
            if keep >= Keep::Heads {
                let heads = file.dirty.range(..HEAD_SECTORS).copied();
                heads
                    .collect::<Vec<_>>()
                    .into_iter()
                    .for_each(|at| file.copy(at));
            }
            file.cached.clone_from(&file.durable);
            file.dirty.clear();
            file.is_name_durable |= keep >= Keep::Names;
        }
        if keep < Keep::Names {
            self.undo_renames(|| true);
        }
        self.files.retain(|_, file| file.is_name_durable);
        for (id, mut file) in std::mem::take(&mut self.deleted) {
            file.cached.clone_from(&file.durable);
            self.files.entry(id).or_insert(file);
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
        if self.is_over() || self.ends_here() {
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
        if self.is_over() {
            return Err(DiskError::Died);
        }
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
        if self.is_over() {
            return Err(DiskError::Died);
        }
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
        if self.is_over() {
            return Err(DiskError::Died);
        }
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
        files.for_each(|file| (file.is_name_durable, file.former) = (true, None));
        Ok(())
    }

    /// Gives a file another name, as one step.
    pub(super) fn rename(&mut self, from: u64, to: u64) -> Result<(), DiskError> {
        if self.is_over() || self.ends_here() {
            return Err(DiskError::Died);
        }
        if self.fails(Kind::NamesError) {
            self.hits.note(Hit::NamesError);
            return Err(DiskError::Io);
        }
        let mut file = self.files.remove(&from).ok_or(DiskError::Missing)?;
        file.former = Some(from);
        self.files.insert(to, file);
        Ok(())
    }

    /// The segments.
    pub(super) fn segments(&self) -> impl DoubleEndedIterator<Item = (u64, &File)> {
        let segments = self.files.range(..BLOBS);
        segments.map(|(&number, file)| (number, file))
    }

    /// The blobs that are whole, by their own numbers.
    pub(super) fn blobs(&self) -> impl DoubleEndedIterator<Item = (u64, &File)> {
        let blobs = self.files.range(BLOBS..PARTS);
        blobs.map(|(&number, file)| (number - BLOBS, file))
    }

    /// Numbers of parts of blobs that are not whole.
    pub(super) fn parts(&self) -> Vec<u64> {
        self.files
            .range(PARTS..)
            .map(|(&number, _)| number)
            .collect()
    }

    pub(super) fn remove(&mut self, id: u64) -> Result<(), DiskError> {
        if self.is_over() || self.ends_here() {
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
        let mut lots = self.lots.clone();
        self.undo_renames(|| lots.one_in(2));
        self.lots = lots;
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
                self.hits.note(match file_of(id) {
                    Some(FileId::Blob(_)) => Hit::BlobBack,
                    _ => Hit::DeleteUndone,
                });
                file.settle(&mut self.lots, &mut self.hits, mode);
                file.cached.clone_from(&file.durable);
                self.files.insert(id, file);
            }
        }
        let files = self.files.values_mut();
        files.for_each(|file| (file.is_name_durable, file.former) = (true, None));
    }

    /// Names that are not durable may be the former ones again.
    fn undo_renames(&mut self, mut is_undone: impl FnMut() -> bool) {
        let renamed = self.files.iter();
        let renamed = renamed.filter_map(|(&to, file)| Some((to, file.former?)));
        for (to, from) in renamed.collect::<Vec<_>>() {
            if is_undone()
                && let Some(mut file) = self.files.remove(&to)
            {
                self.hits.note(Hit::BlobUnnamed);
                file.former = None;
                self.files.insert(from, file);
            }
        }
    }

    /// Time passes: all that is written reaches the medium.
    pub(super) fn write_back(&mut self) {
        for file in self.files.values_mut() {
            file.durable.clone_from(&file.cached);
            file.dirty.clear();
            (file.lies, file.is_name_durable, file.former) = (false, true, None);
        }
        self.deleted.clear();
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
