//! Bytes that are asked for, range by range.

use alloc::vec::Vec;

/// Most bytes that are asked for at once.
pub const READ_BYTES_MAX: usize = 1 << 20;

/// A range of a block that is needed next. Fewer bytes are supplied only where the block ends, or
/// where it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Where in the block, in bytes.
    pub offset: u64,
    /// How many bytes, at most [`READ_BYTES_MAX`].
    pub length: usize,
}

/// A range that is read in pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Fetch {
    offset: u64,
    length: usize,
    got: Vec<u8>,
    /// Less came than was asked for: no more is.
    is_short: bool,
}

impl Fetch {
    /// Nothing is allocated beyond what comes.
    pub(super) const fn new(offset: u64, length: usize) -> Self {
        Self {
            offset,
            length,
            got: Vec::new(),
            is_short: false,
        }
    }

    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// What to ask for next; none once all is there that will be.
    pub(super) fn need(&self) -> Option<Need> {
        let missing = self.length.saturating_sub(self.got.len());
        (missing > 0 && !self.is_short).then(|| Need {
            offset: self.offset + self.got.len() as u64,
            length: missing.min(READ_BYTES_MAX),
        })
    }

    /// Takes what was asked for.
    pub(super) fn supply(&mut self, bytes: &[u8]) {
        let Some(need) = self.need() else { return };
        let bytes = bytes.get(..need.length).unwrap_or(bytes);
        self.is_short = bytes.len() < need.length;
        self.got.extend_from_slice(bytes);
    }

    /// What came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.got
    }

    /// The bytes at an offset of the block, if they came.
    pub(super) fn at(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        self.got.get(start..start.checked_add(length)?)
    }
}
