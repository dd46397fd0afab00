//! Series keys as clients spell them, and which usually comes next.
//!
//! Agents send the same series in the same order. Each spelling remembers its successor, so
//! that the common case is one comparison with the key that is expected; only a miss hashes.

use alloc::vec::Vec;

use hashbrown::HashTable;

use super::arena::{Arena, Span};
use crate::hash::TableHasher;
use crate::ids::{LayoutId, SeriesId};

/// A remembered spelling, dense from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrivalId(pub u32);

/// What is known of a spelling.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    key: Span,
    /// The series it stands for.
    pub series: SeriesId,
    /// The layout of its latest row.
    pub layout: LayoutId,
    /// What came after it the last time; itself until something did.
    pub next: ArrivalId,
}

/// All spellings of a shard's series.
#[derive(Clone, Debug)]
pub struct Arrivals {
    hasher: TableHasher,
    keys: Arena,
    arrivals: Vec<Arrival>,
    by_key: HashTable<ArrivalId>,
    spellings: Vec<u8>,
    bytes: u64,
}

impl Arrivals {
    /// None known yet; tables hash with `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            hasher: TableHasher::new(seed),
            keys: Arena::default(),
            arrivals: Vec::new(),
            by_key: HashTable::new(),
            spellings: Vec::new(),
            bytes: 0,
        }
    }

    /// Logical bytes held.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A spelling by its id.
    #[inline]
    pub fn get(&self, id: ArrivalId) -> Option<&Arrival> {
        self.arrivals.get(id.0 as usize)
    }

    /// The bytes of a spelling.
    #[inline]
    pub fn key(&self, arrival: &Arrival) -> &[u8] {
        self.keys.get(arrival.key)
    }

    /// Looks a spelling up.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<ArrivalId> {
        let hash = self.hasher.hash(key);
        let same = |id: &ArrivalId| {
            self.get(*id)
                .is_some_and(|arrival| crate::model::equal(self.key(arrival), key))
        };
        self.by_key.find(hash, same).copied()
    }

    /// Remembers that `next` came after `previous`.
    #[inline]
    pub fn follow(&mut self, previous: ArrivalId, next: ArrivalId) {
        if let Some(arrival) = self.arrivals.get_mut(previous.0 as usize) {
            arrival.next = next;
        }
    }

    /// Remembers a spelling of `series` and the layout of its latest row. `None` if the series
    /// has as many spellings as are worth remembering.
    pub fn learn(&mut self, key: &[u8], series: SeriesId, layout: LayoutId) -> Option<ArrivalId> {
        if let Some(id) = self.find(key) {
            self.arrivals.get_mut(id.0 as usize)?.layout = layout;
            return Some(id);
        }
        if self.spellings.len() <= series.0 as usize {
            self.spellings.resize(series.0 as usize + 1, 0);
        }
        let spellings = self.spellings.get_mut(series.0 as usize)?;
        if *spellings >= crate::limits::ALIASES_PER_SERIES_MAX {
            return None;
        }
        *spellings += 1;
        let id = ArrivalId(self.arrivals.len() as u32);
        let span = self.keys.push(key);
        self.arrivals.push(Arrival {
            key: span,
            series,
            layout,
            next: id,
        });
        let (hasher, keys, arrivals) = (&self.hasher, &self.keys, &self.arrivals);
        let hash = |id: &ArrivalId| hasher.hash(keys.get(arrivals[id.0 as usize].key));
        self.by_key.insert_unique(hasher.hash(key), id, hash);
        self.bytes += key.len() as u64 + 32;
        Some(id)
    }
}
