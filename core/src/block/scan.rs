//! Reading ranges of a block: of some series, some fields, some time.

use alloc::vec::Vec;
use core::ops::Range;

use super::chunk::{Field, Head, Prelude};
use super::column::{self, Column};
use super::damage::{Damage, DamagedPart};
use super::erased::{self, Erased};
use super::fetch::{Fetch, Need, READ_BYTES_MAX};
use super::index::Entry;
use super::numbers;
use super::open::Block;
use super::rows::Rows;
use crate::hash::checksum::crc32c;

/// Pages with less than this between them are read at once, in bytes.
const GAP_BYTES: u64 = 4 << 10;

/// What to read of a block.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Keys of the series, ascending; `None` for all.
    pub keys: Option<Vec<Vec<u8>>>,
    /// Names of the fields; `None` for all.
    pub fields: Option<Vec<Vec<u8>>>,
    /// The earliest time.
    pub time_min: i64,
    /// The latest time, included.
    pub time_max: i64,
    /// What to leave out.
    pub erased: Vec<Erased>,
}

impl Default for Wanted {
    /// Everything.
    fn default() -> Self {
        Self {
            keys: None,
            fields: None,
            time_min: i64::MIN,
            time_max: i64::MAX,
            erased: Vec::new(),
        }
    }
}

/// What a step of a scan came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Supply this, then go on.
    Read(Need),
    /// Nothing yet: go on.
    More,
    /// Rows of a series, in [`Scan::rows`] until the next step.
    Rows,
    /// There are no more.
    End,
}

/// What a scan has touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Reads that were answered.
    pub reads: u64,
    /// Bytes that were supplied.
    pub bytes: u64,
    /// Chunks whose front was read.
    pub chunks: u64,
    /// Pages of fields that were decoded.
    pub pages: u64,
}

/// A scan under way. It borrows nothing, so it may rest between two steps.
///
/// Bounds: holds one chunk, and a step decodes one page of it at most.
#[derive(Clone, Debug)]
pub struct Scan {
    wanted: Wanted,
    chunk: usize,
    /// The first of the keys that is still to come.
    key: usize,
    stage: Stage,
    fetch: Fetch,
    head: Head,
    salt: u32,
    times: Vec<i64>,
    columns: Vec<Column>,
    /// Fields whose pages are read now, and those that are read later, the next one last.
    pages: Vec<Field>,
    later: Vec<Field>,
    /// Series by place, and their rows, the next one last.
    parts: Vec<(usize, Range<usize>)>,
    damage: Vec<Damage>,
    touched: Touched,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Looks for the next chunk.
    Seek,
    Front,
    Pages,
    Rows,
    /// The rows at the end of the parts are shown.
    Shown,
}

impl Scan {
    /// A scan of a block.
    pub fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            chunk: 0,
            key: 0,
            stage: Stage::Seek,
            fetch: Fetch::default(),
            head: Head::default(),
            salt: 0,
            times: Vec::new(),
            columns: Vec::new(),
            pages: Vec::new(),
            later: Vec::new(),
            parts: Vec::new(),
            damage: Vec::new(),
            touched: Touched::default(),
        }
    }

    /// Goes on. `block` is the same each time.
    pub fn step(&mut self, block: &Block) -> Step {
        if let Some(need) = self.fetch.need() {
            return Step::Read(need);
        }
        match self.stage {
            Stage::Seek => self.seek(block),
            Stage::Front => {
                self.take_front(block);
                Step::More
            }
            Stage::Pages => {
                self.take_page(block);
                Step::More
            }
            Stage::Rows | Stage::Shown => {
                if self.stage == Stage::Shown {
                    self.parts.pop();
                }
                self.stage = Stage::Shown;
                if !self.parts.is_empty() {
                    return Step::Rows;
                }
                self.chunk += 1;
                self.stage = Stage::Seek;
                Step::More
            }
        }
    }

    /// Takes what was to be read.
    pub fn supply(&mut self, bytes: &[u8]) {
        self.touched.reads += 1;
        self.touched.bytes += bytes.len() as u64;
        self.fetch.supply(bytes);
    }

    /// The rows that the last step came to; none if it did not.
    pub fn rows(&self) -> Option<Rows<'_>> {
        let (series, rows) = self.parts.last().filter(|_| self.stage == Stage::Shown)?;
        Some(Rows {
            key: self.head.series.key(*series),
            times: &self.times,
            columns: &self.columns,
            rows: rows.clone(),
        })
    }

    /// Which chunk is under way: columns stay the same while it does.
    pub const fn chunk(&self) -> usize {
        self.chunk
    }

    /// What could not be read so far. It is missing in the rows.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// What was touched so far.
    pub const fn touched(&self) -> Touched {
        self.touched
    }

    /// Finds the next chunk that may hold something wanted.
    fn seek(&mut self, block: &Block) -> Step {
        while let Some(entry) = block.index.entries().get(self.chunk) {
            if self.is_wanted(block, entry) {
                self.fetch = Fetch::new(entry.offset, entry.front_bytes as usize);
                self.stage = Stage::Front;
                self.touched.chunks += 1;
                // A front of no bytes is no front, and told as damage there.
                return self.fetch.need().map_or(Step::More, Step::Read);
            }
            self.chunk += 1;
        }
        Step::End
    }

    fn is_wanted(&mut self, block: &Block, entry: &Entry) -> bool {
        if entry.time_max < self.wanted.time_min || entry.time_min > self.wanted.time_max {
            return false;
        }
        let (first, last) = block.index.keys(self.chunk);
        let Some(keys) = &self.wanted.keys else {
            return true;
        };
        let rest = keys.get(self.key..).unwrap_or_default();
        self.key += rest.partition_point(|key| key.as_slice() < first);
        keys.get(self.key).is_some_and(|key| key.as_slice() <= last)
    }

    /// Reads series and times, and finds out which pages to read.
    fn take_front(&mut self, block: &Block) {
        let Some(entry) = block.index.entries().get(self.chunk) else {
            return;
        };
        let front = core::mem::take(&mut self.fetch);
        let decoded = decode_front(front.bytes(), entry, block.identity.salt);
        let Some((head, times)) = decoded else {
            let (first, last) = block.index.keys(self.chunk);
            self.damage.push(Damage {
                part: DamagedPart::Chunk,
                offset: entry.offset,
                bytes: u64::from(entry.bytes),
                series: Some((first.to_vec(), last.to_vec())),
                times: Some((entry.time_min, entry.time_max)),
                points: Some(u64::from(entry.rows)),
                values: Some(entry.values),
            });
            self.chunk += 1;
            self.stage = Stage::Seek;
            return;
        };
        (self.head, self.times, self.salt) = (head, times, block.identity.salt);
        self.columns.clear();
        self.parts.clear();
        self.select_rows();
        self.parts.reverse();
        if !self.parts.is_empty() {
            let is_named = |field: &Field| {
                let names = self.wanted.fields.as_ref();
                names.is_none_or(|names| names.contains(&field.name))
            };
            self.later = core::mem::take(&mut self.head.fields);
            self.later.retain(is_named);
            self.later.reverse();
        }
        self.stage = Stage::Pages;
    }

    /// The rows of wanted series in wanted time that no delete concerns.
    fn select_rows(&mut self) {
        let wanted = &self.wanted;
        let mut ranges = Vec::new();
        let mut select = |place: usize| {
            let rows = self.head.series.rows(place);
            let times = self.times.get(rows.clone()).unwrap_or_default();
            let from = rows.start + times.partition_point(|&time| time < wanted.time_min);
            let to = rows.start + times.partition_point(|&time| time <= wanted.time_max);
            if from < to {
                let key = self.head.series.key(place);
                erased::remaining(&wanted.erased, key, &self.times, from..to, &mut ranges);
                self.parts
                    .extend(ranges.drain(..).map(|range| (place, range)));
            }
        };
        let Some(keys) = &wanted.keys else {
            return (0..self.head.series.len()).for_each(select);
        };
        let last = self
            .head
            .series
            .key(self.head.series.len().saturating_sub(1));
        for key in keys.get(self.key..).unwrap_or_default() {
            if key.as_slice() > last {
                break;
            }
            if let Ok(place) = self.head.series.find(key) {
                select(place);
            }
        }
    }

    /// Decodes a page of those that were read, or asks for the next ones.
    fn take_page(&mut self, block: &Block) {
        let Some(entry) = block.index.entries().get(self.chunk) else {
            return;
        };
        if let Some(field) = self.pages.pop() {
            self.touched.pages += 1;
            return self.decode_page(&field, entry);
        }
        let Some(first) = self.later.pop() else {
            self.fetch = Fetch::default();
            self.stage = Stage::Rows;
            return;
        };
        let start = first.page_offset;
        let mut end = start + u64::from(first.page_bytes);
        self.pages.push(first);
        while let Some(next) = self.later.last() {
            let next_end = next.page_offset + u64::from(next.page_bytes);
            if next.page_offset > end + GAP_BYTES || next_end - start > READ_BYTES_MAX as u64 {
                break;
            }
            end = next_end;
            self.pages.extend(self.later.pop());
        }
        self.pages.reverse();
        self.fetch = Fetch::new(entry.offset + start, (end - start) as usize);
    }

    fn decode_page(&mut self, field: &Field, entry: &Entry) {
        let offset = entry.offset + field.page_offset;
        let page = self.fetch.at(offset, field.page_bytes as usize);
        let page = page.filter(|page| crc32c(self.salt, page) == field.page_crc);
        let (count, values) = (self.times.len(), field.values as usize);
        let decoded =
            page.and_then(|page| column::decode_page(page, field.field_type, values, count));
        if let Some((rows, values)) = decoded {
            self.columns.push(Column {
                name: field.name.clone(),
                field_type: field.field_type,
                rows,
                values,
            });
            return;
        }
        let series = &self.head.series;
        let last = series.key(series.len().saturating_sub(1));
        self.damage.push(Damage {
            part: DamagedPart::Page {
                field: field.name.clone(),
            },
            offset,
            bytes: u64::from(field.page_bytes),
            series: Some((series.key(0).to_vec(), last.to_vec())),
            times: Some((entry.time_min, entry.time_max)),
            points: Some(u64::from(field.values)),
            values: Some(u64::from(field.values)),
        });
    }
}

/// The series and times of a chunk, if its front is the one that the index tells of.
fn decode_front(front: &[u8], entry: &Entry, salt: u32) -> Option<(Head, Vec<i64>)> {
    let prelude = Prelude::decode(front, entry.offset)?;
    let told = (
        prelude.salt,
        prelude.bytes,
        prelude.rows,
        prelude.front_bytes(),
    );
    if told != (salt, entry.bytes, entry.rows, u64::from(entry.front_bytes)) {
        return None;
    }
    let (head, times) = prelude.split(front)?;
    let head = Head::decode(head, &prelude)?;
    let times = numbers::decode(times, prelude.rows as usize)?;
    Some((head, times.into_iter().map(numbers::to_signed).collect()))
}
