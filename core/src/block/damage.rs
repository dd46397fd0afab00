//! What could not be read of a block.

use alloc::vec::Vec;

/// Which part of a block is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamagedPart {
    /// One of the two headers. Nothing is lost.
    Header,
    /// The index. It was made again from the chunks, and nothing is lost.
    Index,
    /// A chunk with all its rows.
    Chunk,
    /// The values that the rows of a chunk have of a field.
    Page {
        /// The field's name.
        field: Vec<u8>,
    },
}

/// A part of a block that could not be read, and what is known of what it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which part.
    pub part: DamagedPart,
    /// Where in the block, in bytes.
    pub offset: u64,
    /// How many bytes.
    pub bytes: u64,
    /// The first and the last series of which rows are concerned.
    pub series: Option<(Vec<u8>, Vec<u8>)>,
    /// The earliest and the latest time of them.
    pub times: Option<(i64, i64)>,
    /// Points of which values are lost; `None` if nothing tells.
    pub points: Option<u64>,
    /// Values that are lost; `None` if nothing tells.
    pub values: Option<u64>,
}

impl Damage {
    /// Of something that holds no points.
    pub(super) const fn harmless(part: DamagedPart, offset: u64, bytes: u64) -> Self {
        Self {
            part,
            offset,
            bytes,
            series: None,
            times: None,
            points: Some(0),
            values: Some(0),
        }
    }
}
