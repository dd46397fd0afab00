//! What may become of bytes at rest.

use std::collections::BTreeSet;

use tidegate_core::ids::FileId;

use super::disk::Disk;
use super::file::{File, SECTOR, file_of};
use super::hits::Hit;
use crate::r#gen::Rng;

const PAGE: usize = 8 * SECTOR;
/// See `docs/format.md`.
const HEADER_BLOCK: usize = 12_288;

/// Earlier contents of the files, for sectors that come back.
#[derive(Debug, Default)]
pub(super) struct Past {
    files: Vec<(u64, Vec<u8>)>,
    damaged: BTreeSet<u64>,
}

impl Past {
    /// Remembers what is there now.
    pub(super) fn remember(&mut self, disk: &Disk, lots: &mut Rng) {
        // The newest is the one that will change.
        let back = lots.index(disk.files.len().min(3));
        if let Some((id, file)) = disk.files.iter().rev().nth(back) {
            self.files.push((*id, file.durable.clone()));
        }
        if self.files.len() > 6 {
            self.files.remove(0);
        }
    }
}

/// Damages one segment, on the medium as in the cache; `None` if there is none that may be.
/// Says what it did and how many records of the log that may cost.
///
/// Each segment is damaged once at most: a register and what it vouches for, both gone, leave
/// a log that nobody can judge (`docs/format.md`, what stays uncertain). For the same reason
/// none is cut within its header block, and the newest is never taken away; nor is a snapshot
/// behind which nothing was begun, whatever is left of what it stands for.
pub(super) fn damage(disk: &mut Disk, past: &mut Past, lots: &mut Rng) -> Option<(String, usize)> {
    let is_whole = |id: &&u64| file_of(**id).is_some();
    let ids: Vec<u64> = disk.files.keys().filter(is_whole).copied().collect();
    let id = *ids.get(lots.index(ids.len()))?;
    let other = *ids.get(lots.index(ids.len()))?;
    // What came after it and has no header was never created whole, and vouches for nothing.
    let is_later = |(other, file): (u64, &File)| other > id && file.has_header();
    let is_segment = matches!(file_of(id), Some(FileId::Segment(_)));
    let is_newest = is_segment && !disk.segments().any(is_later);
    let behind = match file_of(id) {
        Some(FileId::Blob(blob)) => blob.0,
        _ => 0,
    };
    let is_behind = |(other, file): (u64, &File)| other >= behind && file.has_header();
    let is_alone = !disk.segments().any(is_behind);
    let elsewhere = disk.files.get(&other)?.durable.clone();
    let before = past.files.iter().find(|(past, _)| *past == id);
    let before = before.map(|(_, bytes)| bytes.clone());
    let file = disk.files.get_mut(&id)?;
    if file.durable.len() <= HEADER_BLOCK || !past.damaged.insert(id) {
        return None;
    }
    let frames = file.durable.len() - HEADER_BLOCK;
    let at = match lots.below(4) {
        0 => lots.index(file.durable.len()),
        _ => HEADER_BLOCK + lots.index(frames),
    };
    let mut hit = choose(lots, is_newest, at, before.is_some());
    // Nothing is left to miss it.
    if is_alone && hit == Hit::Missing {
        hit = Hit::Flip;
    }
    let size = match hit {
        Hit::Flip => 1,
        Hit::ZeroPage => PAGE,
        _ => SECTOR,
    };
    let start = at / size * size;
    let end = (start + size).min(file.durable.len());
    let place = &mut file.durable[start..end];
    match hit {
        Hit::Flip => file.durable[at] ^= 1 << lots.below(8),
        Hit::ZeroSector | Hit::ZeroPage => place.fill(0),
        Hit::Stale => overlay(place, before.as_deref()?, start),
        Hit::Misdirected => {
            let from = lots.index(elsewhere.len()) / SECTOR * SECTOR;
            overlay(place, &elsewhere, from);
        }
        Hit::Cut => file.durable.truncate(at),
        Hit::Renamed => file.durable = elsewhere,
        _ => {}
    }
    file.cached.clone_from(&file.durable);
    if hit == Hit::Missing {
        disk.files.remove(&id);
    }
    disk.hits.note(hit);
    if !is_segment {
        disk.hits.note(Hit::BlobDamaged);
    }
    // A record has a frame at least, and a frame 40 bytes.
    let records = match hit {
        // Rows are in order of their series there.
        _ if !is_segment => usize::MAX,
        Hit::Flip => 1,
        Hit::Cut | Hit::Missing | Hit::Renamed => usize::MAX,
        _ => size / 40 + 2,
    };
    Some((format!("damage: {hit:?} in segment {id} at {at}"), records))
}

fn choose(lots: &mut Rng, is_newest: bool, at: usize, has_past: bool) -> Hit {
    match lots.below(10) {
        3 => Hit::ZeroSector,
        4 => Hit::ZeroPage,
        5 | 6 if has_past => Hit::Stale,
        7 => Hit::Misdirected,
        8 if at >= HEADER_BLOCK => Hit::Cut,
        9 if !is_newest && lots.one_in(2) => Hit::Missing,
        9 if lots.one_in(2) => Hit::Renamed,
        _ => Hit::Flip,
    }
}

/// Puts `from[at..]` over a place, as far as it reaches.
fn overlay(place: &mut [u8], from: &[u8], at: usize) {
    let part = from.get(at..).unwrap_or_default();
    let length = part.len().min(place.len());
    place[..length].copy_from_slice(&part[..length]);
}
