//! Strings of one column.
//!
//! ```text
//! strings    distinct varint | varint length | sequence of lengths | text of all distinct ones
//!            | sequence of which, if not all are distinct
//! ```

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{numbers, text};
use crate::model::varint;

/// Strings, each told by where it lies: equal ones may share their bytes.
#[derive(Clone, Debug, Default)]
pub struct Strings {
    spans: Vec<(u32, u32)>,
    bytes: Vec<u8>,
}

impl Strings {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The string at a place.
    pub fn get(&self, at: usize) -> Option<&[u8]> {
        let &(start, length) = self.spans.get(at)?;
        self.bytes.get(start as usize..)?.get(..length as usize)
    }

    /// Appends a string.
    pub(super) fn push(&mut self, string: &[u8]) {
        // Runs of one string, the commonest pattern, keep one copy.
        if let Some(&last) = self.spans.last()
            && self.get(self.spans.len() - 1) == Some(string)
        {
            self.spans.push(last);
            return;
        }
        let start = self.bytes.len() as u32;
        self.spans.push((start, string.len() as u32));
        self.bytes.extend_from_slice(string);
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let (mut places, mut which, mut distinct) = (BTreeMap::new(), Vec::new(), Vec::new());
        for string in self.iter() {
            let next = distinct.len() as u64;
            let &mut place = places.entry(string).or_insert(next);
            if place == next {
                distinct.push(string);
            }
            which.push(place);
        }
        varint::put(out, distinct.len() as u64);
        let (mut lengths, mut sequence) = (Vec::new(), Vec::new());
        lengths.extend(distinct.iter().map(|string| string.len() as u64));
        numbers::encode(&mut lengths, &mut sequence);
        varint::put_bytes(out, &sequence);
        text::encode(&distinct.concat(), out);
        if distinct.len() < self.len() {
            numbers::encode(&mut which, out);
        }
    }

    /// The `count` strings that `bytes` hold, all of them; `None` if they hold anything else.
    pub(super) fn decode(bytes: &[u8], count: usize) -> Option<Self> {
        let mut at = 0;
        let distinct = usize::try_from(varint::get(bytes, &mut at)?).ok()?;
        if distinct > count {
            return None;
        }
        let lengths = numbers::decode(varint::get_bytes(bytes, &mut at)?, distinct)?;
        let text = text::decode(bytes, &mut at)?;
        let (mut spans, mut end) = (Vec::with_capacity(distinct), 0u32);
        for length in lengths {
            let length = u32::try_from(length).ok()?;
            spans.push((end, length));
            end = end.checked_add(length)?;
        }
        if end as usize != text.len() {
            return None;
        }
        let rest = bytes.get(at..)?;
        if distinct < count {
            let which = numbers::decode(rest, count)?;
            let span = |place| spans.get(usize::try_from(place).ok()?).copied();
            spans = which.into_iter().map(span).collect::<Option<_>>()?;
        } else if !rest.is_empty() {
            return None;
        }
        Some(Self { spans, bytes: text })
    }
}

/// Equal strings in the same order, wherever they lie.
impl PartialEq for Strings {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn round_trip(strings: &[&[u8]]) -> usize {
        let mut all = Strings::default();
        for string in strings {
            all.push(string);
        }
        let mut out = Vec::new();
        all.encode(&mut out);
        let back = Strings::decode(&out, strings.len()).unwrap();
        assert!(back.iter().eq(strings.iter().copied()));
        assert_eq!(
            Strings::decode(&out, strings.len() + 1).filter(|b| b == &back),
            None
        );
        out.len()
    }

    #[test]
    fn few_and_many_distinct_strings_come_back() {
        round_trip(&[]);
        round_trip(&[b""]);
        round_trip(&[b"", b"", b"a", b"", b"\xff\0"]);
        round_trip(&[&[b'x'; 1 << 20], b"y", &[b'x'; 1 << 20]]);
        let states: Vec<&[u8]> = (0..8192)
            .map(|i| [&b"running"[..], b"idle"][i / 40 % 2])
            .collect();
        assert!(round_trip(&states) < 300);
        let texts: Vec<_> = (0..3000)
            .map(|i| format!("request {i} took {} ms", i * 7))
            .collect();
        let length = round_trip(&texts.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
        assert!(length < texts.concat().len() * 2 / 3, "{length}");
    }
}
