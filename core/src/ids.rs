//! Numbers that name things. Each has its own type, so that none stands in for another.

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl $name {
            /// The one after this. Running out of 64 bits is not a case; 32-bit users check
            /// against their limit first.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A shard: the unit of schema, index and cache. Starts at 1, unique within an engine.
    ShardId(u64)
}
id! {
    /// A shard group: a half-open time range of a retention policy. Starts at 1.
    ShardGroupId(u64)
}
id! {
    /// A series within its shard, dense from 0 in order of first arrival.
    SeriesId(u32)
}
id! {
    /// A layout within its shard: an ordered list of fields that rows of a measurement have.
    LayoutId(u32)
}
id! {
    /// A segment of the log. Starts at 1; also the order of segments.
    SegmentId(u64)
}
id! {
    /// A blob: written in parts, there only once it is whole. A snapshot bears the id of the
    /// first segment that it does not cover.
    BlobId(u64)
}
id! {
    /// A frame of the log. Starts at 1, never resets; a writer's ticket is the LSN of the
    /// last frame of its record.
    Lsn(u64)
}
id! {
    /// An effect the host has been given and will report on.
    EffectId(u64)
}
id! {
    /// A query whose rows are being fetched.
    CursorId(u32)
}

/// A file of a database, whatever stands for files where it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileId {
    /// A segment of the log.
    Segment(SegmentId),
    /// A blob.
    Blob(BlobId),
}

impl FileId {
    /// The pair that crosses the guest boundary: kind (1 segment, 2 blob) and number.
    pub const fn to_pair(self) -> (u8, u64) {
        match self {
            Self::Segment(id) => (1, id.0),
            Self::Blob(id) => (2, id.0),
        }
    }

    /// The inverse of [`to_pair`](Self::to_pair); `None` for a kind this version does not know.
    pub const fn from_pair(kind: u8, number: u64) -> Option<Self> {
        match kind {
            1 => Some(Self::Segment(SegmentId(number))),
            2 => Some(Self::Blob(BlobId(number))),
            _ => None,
        }
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(id) => write!(f, "segment {id}"),
            Self::Blob(id) => write!(f, "blob {id}"),
        }
    }
}
