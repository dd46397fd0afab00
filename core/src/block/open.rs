//! Opening a block: header, index, and what stands in for them when they are damaged.

use alloc::vec::Vec;

use super::chunk::{self, Head, Prelude};
use super::damage::{Damage, DamagedPart};
use super::fetch::{Fetch, Need};
use super::header::{Found, HEADER_BYTES, Header, Identity, Totals};
use super::index::Index;
use crate::hash::checksum::crc32c;
use crate::ids::ShardId;

/// An open block: what it holds, and where. Its points are read with [`Scan`](super::Scan).
#[derive(Clone, Debug)]
pub struct Block {
    pub(super) identity: Identity,
    pub(super) totals: Totals,
    pub(super) index: Index,
    damage: Vec<Damage>,
}

impl Block {
    /// Which block it is.
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// What it holds; without what is damaged, if the index had to be made again.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// What was damaged of headers and index. Chunks and pages are told when they are read.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// Logical bytes that this holds in memory.
    pub const fn memory_bytes(&self) -> u64 {
        self.index.bytes()
    }

    /// How many chunks it has.
    pub const fn chunk_count(&self) -> usize {
        self.index.entries().len()
    }
}

/// Why a block cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Written by a newer version.
    #[error("a block of format version {0}, which this version does not know; it is left alone")]
    Newer(u16),
    /// Whole, and another one than was asked for.
    #[error("a block of another database, shard or generation")]
    Foreign(Identity),
    /// Neither header, nor index, nor a single chunk can be read.
    #[error("nothing in the block can be read")]
    Unreadable,
}

/// Bytes of a window in which chunks are looked for.
const WINDOW_BYTES: usize = 64 << 10;

/// A block that is being opened. Ask [`need`](Self::need), [`supply`](Self::supply), until nothing
/// is needed; then [`finish`](Self::finish).
///
/// Bounds: holds the index, or 64 KiB and the front of a chunk while chunks are looked for. Each
/// call looks at what was supplied once.
#[derive(Clone, Debug)]
pub struct Opening {
    /// As asked for; the salt is found.
    asked: Identity,
    block_bytes: u64,
    fetch: Fetch,
    stage: Stage,
    header: Option<Header>,
    damage: Vec<Damage>,
    index: Index,
    /// Of the chunks that were found.
    found: Totals,
    salt: Option<u32>,
    result: Option<Result<(), OpenError>>,
}

#[derive(Clone, Debug)]
enum Stage {
    Header,
    Copy,
    Index,
    /// Looks for a prelude from here on; `gap` is where the last chunk ended.
    Window {
        at: u64,
        gap: u64,
    },
    Front {
        prelude: Prelude,
        gap: u64,
    },
}

impl Opening {
    /// Of the block that should be this one, and has `block_bytes` bytes.
    pub const fn new(node_id: u128, shard: ShardId, generation: u64, block_bytes: u64) -> Self {
        Self {
            asked: Identity {
                node_id,
                shard,
                generation,
                salt: 0,
            },
            block_bytes,
            fetch: Fetch::new(0, HEADER_BYTES),
            stage: Stage::Header,
            header: None,
            damage: Vec::new(),
            index: Index {
                entries: Vec::new(),
                keys: Vec::new(),
            },
            found: Totals::EMPTY,
            salt: None,
            result: None,
        }
    }

    /// What to supply next; none once there is a result.
    pub fn need(&self) -> Option<Need> {
        if self.result.is_some() {
            return None;
        }
        self.fetch.need()
    }

    /// Takes what was needed, or less where the block ends or cannot be read.
    pub fn supply(&mut self, bytes: &[u8]) {
        if self.result.is_some() {
            return;
        }
        self.fetch.supply(bytes);
        // A range of no bytes is there at once.
        while self.result.is_none() && self.fetch.need().is_none() {
            let fetch = core::mem::take(&mut self.fetch);
            self.take(&fetch);
        }
    }

    /// The block.
    pub fn finish(self) -> Result<Block, OpenError> {
        self.result.unwrap_or(Err(OpenError::Unreadable))?;
        Ok(Block {
            identity: Identity {
                salt: self.salt.unwrap_or_default(),
                ..self.asked
            },
            totals: self.found,
            index: self.index,
            damage: self.damage,
        })
    }

    fn take(&mut self, fetch: &Fetch) {
        match core::mem::replace(&mut self.stage, Stage::Index) {
            Stage::Header => self.take_header(fetch, true),
            Stage::Copy => self.take_header(fetch, false),
            Stage::Index => self.take_index(fetch),
            Stage::Window { at, gap } => self.take_window(fetch, at, gap),
            Stage::Front { prelude, gap } => self.take_front(fetch, &prelude, gap),
        }
    }

    fn take_header(&mut self, fetch: &Fetch, is_first: bool) {
        match Header::find(fetch.bytes()) {
            Found::Newer(version) => self.result = Some(Err(OpenError::Newer(version))),
            Found::Header(header) => {
                let identity = header.identity;
                let salt = identity.salt;
                if identity != (Identity { salt, ..self.asked }) {
                    self.result = Some(Err(OpenError::Foreign(identity)));
                    return;
                }
                (self.header, self.salt) = (Some(header), Some(identity.salt));
                self.stage = Stage::Index;
                let there = self.block_bytes.saturating_sub(header.index_offset);
                let length = u64::from(header.index_bytes).min(there);
                self.fetch = Fetch::new(header.index_offset, length as usize);
            }
            Found::Nothing => {
                let bytes = HEADER_BYTES as u64;
                let damage = Damage::harmless(DamagedPart::Header, fetch.offset(), bytes);
                self.damage.push(damage);
                let copy = self.block_bytes.saturating_sub(bytes);
                if is_first && copy > 0 {
                    self.stage = Stage::Copy;
                    self.fetch = Fetch::new(copy, HEADER_BYTES);
                } else {
                    self.look_from(bytes, bytes);
                }
            }
        }
    }

    fn take_index(&mut self, fetch: &Fetch) {
        let Some(header) = self.header else { return };
        let bytes = fetch.bytes();
        let is_whole = bytes.len() == header.index_bytes as usize
            && crc32c(header.identity.salt, bytes) == header.index_crc;
        let index = is_whole
            .then(|| Index::decode(bytes, header.chunks))
            .flatten();
        if let Some(index) = index {
            self.index = index;
            self.found = header.totals;
            self.result = Some(Ok(()));
            return;
        }
        let length = u64::from(header.index_bytes);
        let damage = Damage::harmless(DamagedPart::Index, header.index_offset, length);
        self.damage.push(damage);
        let start = HEADER_BYTES as u64;
        self.look_from(start, start);
    }

    /// Looks for chunks from `at` on.
    fn look_from(&mut self, at: u64, gap: u64) {
        let end = self.chunks_end();
        if at + chunk::PRELUDE_BYTES as u64 > end {
            let told = self.header.map(|header| header.index_offset);
            self.report_gap(gap, told.unwrap_or(self.block_bytes));
            return self.end_search();
        }
        // Where the last chunk ended there should be the next, so little is enough.
        let length = if at == gap {
            chunk::PRELUDE_BYTES
        } else {
            WINDOW_BYTES.min((end - at) as usize)
        };
        self.stage = Stage::Window { at, gap };
        self.fetch = Fetch::new(at, length);
    }

    /// Where chunks end, as far as is known.
    fn chunks_end(&self) -> u64 {
        let told = self.header.map(|header| header.index_offset);
        told.unwrap_or(self.block_bytes).min(self.block_bytes)
    }

    fn take_window(&mut self, fetch: &Fetch, at: u64, gap: u64) {
        let bytes = fetch.bytes();
        let places = (0..bytes.len()).step_by(chunk::ALIGNMENT);
        for place in places {
            let rest = bytes.get(place..).unwrap_or_default();
            let prelude = Prelude::decode(rest, at + place as u64);
            let is_ours = |prelude: &Prelude| {
                let is_salt = self.salt.is_none_or(|salt| salt == prelude.salt);
                is_salt && prelude.owner == self.asked.owner()
            };
            if let Some(prelude) = prelude.filter(is_ours) {
                self.salt = Some(prelude.salt);
                self.report_gap(gap, prelude.offset);
                self.fetch = Fetch::new(prelude.offset, prelude.front_bytes() as usize);
                self.stage = Stage::Front {
                    prelude,
                    gap: prelude.offset,
                };
                return;
            }
        }
        // A prelude may lie across the end of the window.
        let beyond = bytes
            .len()
            .saturating_sub(chunk::PRELUDE_BYTES - chunk::ALIGNMENT);
        let next = at + (beyond.max(chunk::ALIGNMENT) / chunk::ALIGNMENT * chunk::ALIGNMENT) as u64;
        let is_short = bytes.len() < chunk::PRELUDE_BYTES;
        self.look_from(if is_short { self.chunks_end() } else { next }, gap);
    }

    fn take_front(&mut self, fetch: &Fetch, prelude: &Prelude, gap: u64) {
        let split = prelude.split(fetch.bytes());
        let head = split.and_then(|(head, _)| Head::decode(head, prelude));
        if let Some(head) = head {
            let last = head.series.len().saturating_sub(1);
            let (first, last) = (head.series.key(0), head.series.key(last));
            self.count(prelude, first);
            self.index.push(prelude, first, last);
        } else {
            self.damage.push(Damage {
                part: DamagedPart::Chunk,
                offset: prelude.offset,
                bytes: u64::from(prelude.bytes),
                series: None,
                times: Some((prelude.time_min, prelude.time_max)),
                points: Some(u64::from(prelude.rows)),
                values: Some(prelude.values),
            });
        }
        let end = gap + u64::from(prelude.bytes);
        self.look_from(end, end);
    }

    fn count(&mut self, prelude: &Prelude, first: &[u8]) {
        let before = self.index.entries().len().checked_sub(1);
        let is_continued = before.is_some_and(|at| self.index.keys(at).1 == first);
        let found = &mut self.found;
        found.series += u64::from(prelude.series) - u64::from(is_continued);
        found.points += u64::from(prelude.rows);
        found.values += prelude.values;
        found.time_min = found.time_min.min(prelude.time_min);
        found.time_max = found.time_max.max(prelude.time_max);
    }

    fn report_gap(&mut self, from: u64, to: u64) {
        if from < to {
            self.damage.push(Damage {
                part: DamagedPart::Chunk,
                offset: from,
                bytes: to - from,
                series: None,
                times: None,
                points: None,
                values: None,
            });
        }
    }

    /// All chunks that there are were found. What is missing is the difference to the header.
    fn end_search(&mut self) {
        let is_nothing = self.header.is_none() && self.index.entries().is_empty();
        if let Some(header) = self.header {
            let told = self.damage.iter().fold((0, 0), |(points, values), damage| {
                let (of_it, more) = (damage.points.unwrap_or(0), damage.values.unwrap_or(0));
                (points + of_it, values + more)
            });
            let (all, found) = (header.totals, self.found);
            let mut unknown = self
                .damage
                .iter_mut()
                .filter(|damage| damage.points.is_none());
            if let (Some(damage), None) = (unknown.next(), unknown.next()) {
                damage.points = Some(all.points.saturating_sub(found.points + told.0));
                damage.values = Some(all.values.saturating_sub(found.values + told.1));
            }
        }
        self.result = Some(if is_nothing {
            Err(OpenError::Unreadable)
        } else {
            Ok(())
        });
    }
}
