//! The rejected lines of a request, one by one, for a client that asked for them.

use alloc::vec::Vec;

use crate::model::varint;

/// Bytes of the list at the guest boundary; what does not fit is counted. Ours: a client may ask
/// for the list of a body of which every second byte is a bad line.
const LIST_BYTES_MAX: usize = 1 << 20;

/// What a reason may add to that, in bytes; the rest is cut off.
const REASON_BYTES_MAX: usize = 4 << 10;

/// What became of a line that is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFate {
    /// It is no point.
    Unparsed,
    /// Its point conflicts with the schema or a limit.
    Rejected,
    /// The retention policy does not take its time.
    Outside,
    /// It is stored, but for its field `time`.
    Stripped,
}

impl LineFate {
    const ALL: [Self; 4] = [
        Self::Unparsed,
        Self::Rejected,
        Self::Outside,
        Self::Stripped,
    ];

    /// As answers name it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unparsed => "unparsed",
            Self::Rejected => "rejected",
            Self::Outside => "outside",
            Self::Stripped => "stripped",
        }
    }
}

/// A line that was not stored as it is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedLine {
    /// The line of the body, from 1, on which it starts; strings may hold newlines.
    pub line: u32,
    /// The byte column of the fault, from 1, counted from the start of that line on, also across
    /// newlines in strings.
    pub column: u32,
    /// What became of it.
    pub fate: LineFate,
    /// Upstream's text for this one line. Names stand in it as they came.
    pub reason: Vec<u8>,
}

/// A list of lines that stays bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// In the order of the body.
    pub lines: Vec<RejectedLine>,
    /// Further lines, for which there was no room.
    pub left_out: u64,
    bytes: usize,
}

impl Explained {
    /// Adds a line.
    pub(super) fn add(&mut self, mut line: RejectedLine) {
        line.reason.truncate(REASON_BYTES_MAX);
        let bytes = line.reason.len() + 16;
        if self.bytes + bytes > LIST_BYTES_MAX {
            // No shorter one after it either: what is listed is the beginning.
            self.bytes = LIST_BYTES_MAX;
            self.left_out += 1;
            return;
        }
        self.bytes += bytes;
        self.lines.push(line);
    }

    /// Appends the form that crosses the guest boundary; nothing for an empty list.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        if self.lines.is_empty() {
            return;
        }
        varint::put(out, self.left_out);
        for line in &self.lines {
            out.push(line.fate as u8);
            varint::put(out, u64::from(line.line));
            varint::put(out, u64::from(line.column));
            varint::put_bytes(out, &line.reason);
        }
    }

    /// The inverse of [`encode`](Self::encode); the list is all of `bytes` from `at`.
    pub(super) fn decode(bytes: &[u8], mut at: usize) -> Option<Self> {
        let mut explained = Self::default();
        if at == bytes.len() {
            return Some(explained);
        }
        explained.left_out = varint::get(bytes, &mut at)?;
        while let Some(&fate) = bytes.get(at) {
            at += 1;
            let fate = *LineFate::ALL.get(usize::from(fate))?;
            let line = u32::try_from(varint::get(bytes, &mut at)?).ok()?;
            let column = u32::try_from(varint::get(bytes, &mut at)?).ok()?;
            let reason = varint::get_bytes(bytes, &mut at)?.to_vec();
            explained.bytes += reason.len() + 16;
            explained.lines.push(RejectedLine {
                line,
                column,
                fate,
                reason,
            });
        }
        if explained.left_out > 0 {
            explained.bytes = LIST_BYTES_MAX;
        }
        Some(explained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u32, reason: &[u8]) -> RejectedLine {
        RejectedLine {
            line: number,
            column: number + 1,
            fate: LineFate::ALL[number as usize % 4],
            reason: reason.to_vec(),
        }
    }

    #[test]
    fn the_list_comes_back_equal_and_is_bounded_however_long_the_reasons_are() {
        for reason in [0, 10, 5_000] {
            let mut explained = Explained::default();
            for number in 0..100_000 {
                explained.add(line(number, &alloc::vec![b'x'; reason]));
            }
            assert!(explained.left_out > 0);
            let all = explained.lines.len() as u64 + explained.left_out;
            assert_eq!(all, 100_000);
            assert!(
                explained
                    .lines
                    .iter()
                    .map(|line| line.line)
                    .eq(0..explained.lines.len() as u32)
            );
            let mut out = Vec::new();
            explained.encode(&mut out);
            assert!(out.len() < 2 * LIST_BYTES_MAX);
            assert_eq!(Explained::decode(&out, 0), Some(explained));
            assert_eq!(Explained::decode(&out[..out.len() - 1], 0), None);
        }
        let mut out = Vec::new();
        Explained::default().encode(&mut out);
        assert!(out.is_empty());
        assert_eq!(Explained::decode(&out, 0), Some(Explained::default()));
    }
}
