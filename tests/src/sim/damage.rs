//! What may become of bytes at rest.

use super::disk::{Disk, SECTOR};
use super::hits::Hit;
use crate::r#gen::Rng;

const PAGE: usize = 8 * SECTOR;

/// Earlier contents of the files, for sectors that come back.
#[derive(Debug, Default)]
pub(super) struct Past {
    files: Vec<(u64, Vec<u8>)>,
}

impl Past {
    /// Remembers what is there now.
    pub(super) fn remember(&mut self, disk: &Disk, lots: &mut Rng) {
        let at = lots.index(disk.files.len());
        if let Some((id, file)) = disk.files.iter().nth(at) {
            self.files.push((*id, file.durable.clone()));
        }
        if self.files.len() > 6 {
            self.files.remove(0);
        }
    }
}

/// Damages one segment, on the medium as in the cache; `None` if there is none.
pub(super) fn damage(disk: &mut Disk, past: &Past, lots: &mut Rng) -> Option<String> {
    let ids: Vec<u64> = disk.files.keys().copied().collect();
    let id = *ids.get(lots.index(ids.len()))?;
    let other = *ids.get(lots.index(ids.len()))?;
    let elsewhere = disk.files.get(&other)?.durable.clone();
    let before = past.files.iter().rev().find(|(past, _)| *past == id);
    let before = before.map(|(_, bytes)| bytes.clone());
    let file = disk.files.get_mut(&id)?;
    if file.durable.is_empty() {
        return None;
    }
    let at = lots.index(file.durable.len());
    let from = lots.index(elsewhere.len().max(1));
    let (hit, size) = match lots.below(10) {
        0..4 => (Hit::Flip, 1),
        4 => (Hit::ZeroSector, SECTOR),
        5 => (Hit::ZeroPage, PAGE),
        6 if before.is_some() => (Hit::Stale, SECTOR),
        6 | 7 => (Hit::Misdirected, SECTOR),
        8 => (Hit::Cut, 0),
        _ if lots.one_in(3) => (Hit::Missing, 0),
        _ if lots.one_in(3) => (Hit::Renamed, 0),
        _ => (Hit::Flip, 1),
    };
    let start = at / size.max(1) * size.max(1);
    let end = (start + size).min(file.durable.len());
    match hit {
        Hit::Flip => file.durable[at] ^= 1 << lots.below(8),
        Hit::ZeroSector | Hit::ZeroPage => file.durable[start..end].fill(0),
        Hit::Stale => overlay(&mut file.durable[start..end], before.as_deref()?, start),
        Hit::Misdirected => {
            overlay(&mut file.durable[start..end], &elsewhere, from / SECTOR * SECTOR);
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
    Some(format!("{hit:?} in segment {id} at {at}"))
}

/// Puts `from[at..]` over a place, as far as it reaches.
fn overlay(place: &mut [u8], from: &[u8], at: usize) {
    let part = from.get(at..).unwrap_or_default();
    let length = part.len().min(place.len());
    place[..length].copy_from_slice(&part[..length]);
}
