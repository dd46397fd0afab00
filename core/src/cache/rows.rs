//! Walking the rows of a series.

use super::pages::{Address, Pages};
use super::store::CHUNK_HEAD;
use crate::ids::LayoutId;
use crate::model::row::Class;
use crate::model::varint;

/// A row as it lies in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The point's time.
    pub time: i64,
    /// What gives the values names and types.
    pub layout: LayoutId,
    /// How its integers are written.
    pub class: Class,
    /// The values, in the form of `model::row`.
    pub values: &'a [u8],
}

/// A place between the rows of a series, from where to go on later.
///
/// It stays valid while its cache lives: rows are only appended, and never move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    chunk: Address,
    at: u32,
    taken: u32,
    layout: LayoutId,
}

/// Rows of one series, in order of arrival.
///
/// It borrows the cache; to go on later, remember [`Rows::position`].
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    pages: &'a Pages,
    chunk: Address,
    at: usize,
    left: u32,
    taken: u32,
    layout: LayoutId,
}

impl<'a> Rows<'a> {
    pub(super) fn new(pages: &'a Pages, first: Address, count: u32) -> Self {
        let layout = LayoutId(u32::MAX);
        Self {
            pages,
            chunk: first,
            at: CHUNK_HEAD,
            left: count,
            taken: 0,
            layout,
        }
    }

    /// The first `count` rows of the series `position` was taken of, from there on.
    pub(super) const fn resume(pages: &'a Pages, position: Position, count: u32) -> Self {
        Self {
            pages,
            chunk: position.chunk,
            at: position.at as usize,
            left: count.saturating_sub(position.taken),
            taken: position.taken,
            layout: position.layout,
        }
    }

    /// Where the next row lies.
    pub const fn position(&self) -> Position {
        Position {
            chunk: self.chunk,
            at: self.at as u32,
            taken: self.taken,
            layout: self.layout,
        }
    }

    /// Rows walked so far.
    pub const fn taken(&self) -> u32 {
        self.taken
    }

    fn read(&mut self) -> Option<Row<'a>> {
        let used = self.pages.word(self.chunk, 4) as usize;
        let bytes = self.pages.slice(self.chunk, 0, used);
        let length = usize::try_from(varint::get(bytes, &mut self.at)?).ok()?;
        let head = *bytes.get(self.at)?;
        self.at += 1;
        if head & 2 != 0 {
            self.layout = LayoutId(u32::try_from(varint::get(bytes, &mut self.at)?).ok()?);
        }
        let time = i64::from_le_bytes(bytes.get(self.at..self.at + 8)?.try_into().ok()?);
        let values = bytes.get(self.at + 8..self.at + 8 + length)?;
        self.at += 8 + length;
        Some(Row {
            time,
            layout: self.layout,
            class: Class::from_code(head),
            values,
        })
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        if self.left == 0 {
            return None;
        }
        if self.at >= self.pages.word(self.chunk, 4) as usize {
            self.chunk = Address(self.pages.word(self.chunk, 0));
            self.at = CHUNK_HEAD;
        }
        self.left -= 1;
        self.taken += 1;
        self.read()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left as usize))
    }
}
