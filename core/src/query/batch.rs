//! Query answers in the compact form that crosses the guest boundary.
//!
//! A stream of events, each a tag byte and its content; numbers are the varints of
//! [`crate::model::varint`], bytes are a length and the bytes. Rows belong to the last series,
//! also when that came with an earlier batch, so a long series may be cut anywhere between rows.
//!
//! | tag | event | content |
//! | --- | --- | --- |
//! | 1 | series | name length plus 1 and name, or 0; count of tags, key and value each; count of columns, name each |
//! | 2 | row | count of cells, cell each |
//! | 3 | message | level, text |
//! | 4 | error | text; the statement ends here |
//!
//! | cell | type | content |
//! | --- | --- | --- |
//! | 0 | null | |
//! | 1 | time | nanoseconds since the epoch, 8 bytes little-endian |
//! | 2 | float | its bits, 8 bytes little-endian |
//! | 3 | integer | zigzag varint |
//! | 4 | unsigned | varint |
//! | 5, 6 | false, true | |
//! | 7 | string | bytes |
//! | 8 | list of strings | count, bytes each |
//!
//! Source: ours.

use alloc::vec::Vec;

use crate::model::varint;

const SERIES: u8 = 1;
const ROW: u8 = 2;
const MESSAGE: u8 = 3;
const ERROR: u8 = 4;

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing there.
    Null,
    /// Nanoseconds since the epoch.
    Time(i64),
    /// A double.
    Float(f64),
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A boolean.
    Boolean(bool),
    /// Bytes, not necessarily UTF-8.
    String(&'a [u8]),
    /// Strings, as in the destinations of a subscription.
    List(Strings<'a>),
}

/// Appends events to a buffer.
///
/// A row is written in three steps: [`row`](Self::row), its cells, nothing else; the number of
/// cells is stated first and has to be kept.
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Writer<'o> {
    /// Appends to `out`.
    pub const fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Begins a series. `name` is `None` where upstream prints none; tags in order of their keys.
    pub fn series<'a>(
        &mut self,
        name: Option<&[u8]>,
        tags: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])>,
        columns: impl ExactSizeIterator<Item = &'a [u8]>,
    ) {
        self.out.push(SERIES);
        varint::put(self.out, name.map_or(0, |name| name.len() as u64 + 1));
        self.out.extend_from_slice(name.unwrap_or_default());
        varint::put(self.out, tags.len() as u64);
        for (key, value) in tags {
            varint::put_bytes(self.out, key);
            varint::put_bytes(self.out, value);
        }
        varint::put(self.out, columns.len() as u64);
        for column in columns {
            varint::put_bytes(self.out, column);
        }
    }

    /// Begins a row of `cells` cells, which have to follow.
    pub fn row(&mut self, cells: usize) {
        self.out.push(ROW);
        varint::put(self.out, cells as u64);
    }

    /// A cell without a value.
    pub fn null(&mut self) {
        self.out.push(0);
    }

    /// A time cell, in nanoseconds since the epoch.
    pub fn time(&mut self, time_ns: i64) {
        self.out.push(1);
        self.out.extend_from_slice(&time_ns.to_le_bytes());
    }

    /// A float cell.
    pub fn float(&mut self, value: f64) {
        self.out.push(2);
        self.out.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    /// An integer cell.
    pub fn integer(&mut self, value: i64) {
        self.out.push(3);
        varint::put(self.out, varint::zigzag(value));
    }

    /// An unsigned cell.
    pub fn unsigned(&mut self, value: u64) {
        self.out.push(4);
        varint::put(self.out, value);
    }

    /// A boolean cell.
    pub fn boolean(&mut self, value: bool) {
        self.out.push(5 + u8::from(value));
    }

    /// A string cell.
    pub fn string(&mut self, value: &[u8]) {
        self.out.push(7);
        varint::put_bytes(self.out, value);
    }

    /// A cell that lists strings.
    pub fn list<'a>(&mut self, values: impl ExactSizeIterator<Item = &'a [u8]>) {
        self.out.push(8);
        varint::put(self.out, values.len() as u64);
        for value in values {
            varint::put_bytes(self.out, value);
        }
    }

    /// Any cell.
    pub fn cell(&mut self, cell: &Cell<'_>) {
        match cell {
            Cell::Null => self.null(),
            Cell::Time(time) => self.time(*time),
            Cell::Float(value) => self.float(*value),
            Cell::Integer(value) => self.integer(*value),
            Cell::Unsigned(value) => self.unsigned(*value),
            Cell::Boolean(value) => self.boolean(*value),
            Cell::String(value) => self.string(value),
            Cell::List(values) => self.list(values.clone().collect::<Vec<_>>().into_iter()),
        }
    }

    /// A message beside the rows, such as a warning.
    pub fn message(&mut self, level: &str, text: &[u8]) {
        self.out.push(MESSAGE);
        varint::put_bytes(self.out, level.as_bytes());
        varint::put_bytes(self.out, text);
    }

    /// The statement failed after it had begun; nothing may follow.
    pub fn error(&mut self, text: &[u8]) {
        self.out.push(ERROR);
        varint::put_bytes(self.out, text);
    }
}

/// What a batch says next.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
    /// The rows that follow belong to this series.
    Series(Series<'a>),
    /// A row of the last series.
    Row(Cells<'a>),
    /// A message: level and text.
    Message(&'a [u8], &'a [u8]),
    /// The statement failed.
    Error(&'a [u8]),
}

/// What is said about a series before its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Series<'a> {
    /// The measurement, or what upstream calls the series instead.
    pub name: Option<&'a [u8]>,
    /// Keys and values in turn.
    tags: Strings<'a>,
    /// The names of the columns.
    pub columns: Strings<'a>,
}

impl<'a> Series<'a> {
    /// The tags it is grouped by.
    pub fn tags(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut strings = self.tags.clone();
        core::iter::from_fn(move || Some((strings.next()?, strings.next()?)))
    }
}

/// Strings that were checked to be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Strings<'a> {
    bytes: &'a [u8],
    left: usize,
}

impl<'a> Strings<'a> {
    fn check(bytes: &'a [u8], at: &mut usize, count: u64) -> Option<Self> {
        let from = *at;
        for _ in 0..count {
            varint::get_bytes(bytes, at)?;
        }
        Some(Self {
            bytes: bytes.get(from..*at)?,
            left: usize::try_from(count).ok()?,
        })
    }
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut at = 0;
        let string = varint::get_bytes(self.bytes, &mut at)?;
        self.bytes = self.bytes.get(at..)?;
        Some(string)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Strings<'_> {}

/// The cells of a row, which were checked to be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Cells<'a> {
    bytes: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cell<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut at = 0;
        let cell = read_cell(self.bytes, &mut at)?;
        self.bytes = self.bytes.get(at..)?;
        Some(cell)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Cells<'_> {}

/// The bytes are not a batch. A bug, or a guest of another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed batch at byte {0}")]
pub struct Malformed(pub usize);

/// Reads a batch event by event, borrowing from it.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from their beginning.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn event(&mut self) -> Option<Event<'a>> {
        let (bytes, at) = (self.bytes, &mut self.at);
        let tag = *bytes.get(*at)?;
        *at += 1;
        Some(match tag {
            SERIES => {
                let name = match varint::get(bytes, at)?.checked_sub(1) {
                    None => None,
                    Some(length) => Some(take(bytes, at, length)?),
                };
                let tags = varint::get(bytes, at)?.checked_mul(2)?;
                let tags = Strings::check(bytes, at, tags)?;
                let columns = varint::get(bytes, at)?;
                let columns = Strings::check(bytes, at, columns)?;
                Event::Series(Series {
                    name,
                    tags,
                    columns,
                })
            }
            ROW => {
                let left = usize::try_from(varint::get(bytes, at)?).ok()?;
                let from = *at;
                for _ in 0..left {
                    read_cell(bytes, at)?;
                }
                Event::Row(Cells {
                    bytes: bytes.get(from..*at)?,
                    left,
                })
            }
            MESSAGE => Event::Message(varint::get_bytes(bytes, at)?, varint::get_bytes(bytes, at)?),
            ERROR => Event::Error(varint::get_bytes(bytes, at)?),
            _ => return None,
        })
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Event<'a>, Malformed>;

    /// The next event. After [`Malformed`] there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let from = self.at;
        Some(self.event().ok_or_else(|| {
            self.at = self.bytes.len();
            Malformed(from)
        }))
    }
}

fn take<'a>(bytes: &'a [u8], at: &mut usize, length: u64) -> Option<&'a [u8]> {
    let end = at.checked_add(usize::try_from(length).ok()?)?;
    let slice = bytes.get(*at..end)?;
    *at = end;
    Some(slice)
}

fn read_cell<'a>(bytes: &'a [u8], at: &mut usize) -> Option<Cell<'a>> {
    let tag = *bytes.get(*at)?;
    *at += 1;
    let eight = |at: &mut usize| {
        let slice = take(bytes, at, 8)?;
        Some(u64::from_le_bytes(slice.try_into().ok()?))
    };
    Some(match tag {
        0 => Cell::Null,
        1 => Cell::Time(eight(at)? as i64),
        2 => Cell::Float(f64::from_bits(eight(at)?)),
        3 => Cell::Integer(varint::unzigzag(varint::get(bytes, at)?)),
        4 => Cell::Unsigned(varint::get(bytes, at)?),
        5 => Cell::Boolean(false),
        6 => Cell::Boolean(true),
        7 => Cell::String(varint::get_bytes(bytes, at)?),
        8 => {
            let count = varint::get(bytes, at)?;
            Cell::List(Strings::check(bytes, at, count)?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        let tags: [(&[u8], &[u8]); 2] = [(b"a", b"1"), (b"b", b"")];
        let columns: [&[u8]; 2] = [b"time", b"v"];
        writer.series(Some(b""), tags.into_iter(), columns.into_iter());
        writer.series(None, [].into_iter(), columns.into_iter());
        writer.row(9);
        writer.null();
        writer.time(i64::MIN);
        writer.float(-0.5);
        writer.integer(-3);
        writer.unsigned(u64::MAX);
        writer.boolean(false);
        writer.boolean(true);
        writer.string(b"\xff");
        writer.list(columns.into_iter());
        writer.row(0);
        writer.message("warning", b"m");
        writer.error(b"e");
        out
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bytes = sample();
        let mut events = Reader::new(&bytes).map(Result::unwrap);
        let Some(Event::Series(series)) = events.next() else {
            panic!()
        };
        assert_eq!(series.name, Some(&b""[..]));
        let tags: Vec<_> = series.tags().collect();
        assert_eq!(tags, [(&b"a"[..], &b"1"[..]), (b"b", b"")]);
        let Some(Event::Series(series)) = events.next() else {
            panic!()
        };
        assert_eq!((series.name, series.columns.len()), (None, 2));
        let Some(Event::Row(cells)) = events.next() else {
            panic!()
        };
        let mut again = Vec::new();
        let mut writer = Writer::new(&mut again);
        writer.row(cells.len());
        cells.clone().for_each(|cell| writer.cell(&cell));
        assert_eq!(
            Reader::new(&again).next(),
            Some(Ok(Event::Row(cells.clone())))
        );
        assert_eq!(cells.clone().nth(3), Some(Cell::Integer(-3)));
        assert_eq!(
            cells.last().map(|cell| matches!(cell, Cell::List(_))),
            Some(true)
        );
        assert!(matches!(events.next(), Some(Event::Row(cells)) if cells.len() == 0));
        assert_eq!(events.next(), Some(Event::Message(b"warning", b"m")));
        assert_eq!(events.next(), Some(Event::Error(b"e")));
        assert_eq!(events.next(), None);
    }

    #[test]
    fn damaged_bytes_end_in_malformed_and_never_panic() {
        let bytes = sample();
        for cut in 0..bytes.len() {
            for event in Reader::new(&bytes[..cut]) {
                drain(event);
            }
            for flip in 0..=255 {
                let mut damaged = bytes.clone();
                damaged[cut] = flip;
                Reader::new(&damaged).for_each(drain);
            }
        }
        assert_eq!(Reader::new(&[9]).next(), Some(Err(Malformed(0))));
    }

    fn drain(event: Result<Event<'_>, Malformed>) {
        match event {
            Ok(Event::Row(cells)) => assert_eq!(cells.len(), cells.count()),
            Ok(Event::Series(series)) => assert_eq!(series.columns.len(), series.columns.count()),
            _ => {}
        }
    }
}
