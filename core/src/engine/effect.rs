//! What the core asks of a host.

use crate::ids::{BlobId, EffectId, FileId, Lsn, SegmentId};

/// Work for the host, described. The set is closed.
///
/// The bytes of a `PersistLog` or `PutBlob` are read with
/// [`Engine::effect_bytes`](super::Engine::effect_bytes) and stay in place until the effect is
/// completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Put bytes of the log at `offset` of `segment`, and make them durable if `sync`.
    ///
    /// Offset 0 creates the segment, exclusively, together with its name (files: sync the
    /// directory too). With `sync` false nothing waits for it: a durable-end register that
    /// rides along with the next sync.
    PersistLog {
        /// To report with.
        id: EffectId,
        /// Which segment.
        segment: SegmentId,
        /// Where in it, in bytes.
        offset: u64,
        /// How many bytes.
        length: usize,
        /// What is durable once this is complete.
        up_to: Lsn,
        /// Whether completion means durable.
        sync: bool,
    },
    /// Put a part of a blob. Until its last part is complete the blob is not there: not in a
    /// listing, not after a crash (files: a temporary name). With `is_last`, make it durable as
    /// a whole and give it its name, in place of an older blob that bears it (files: sync,
    /// rename, sync the directory).
    ///
    /// Parts come one at a time, the one at offset 0 last. A part that failed ends the blob: it
    /// is deleted next.
    PutBlob {
        /// To report with.
        id: EffectId,
        /// Which blob.
        blob: BlobId,
        /// Where in it, in bytes.
        offset: u64,
        /// How many bytes.
        length: usize,
        /// Whether the blob is whole with this.
        is_last: bool,
    },
    /// Read `length` bytes at `offset` of `file` and answer with `supply`. Only while opening.
    Read {
        /// To answer with.
        id: EffectId,
        /// Which file.
        file: FileId,
        /// Where in it, in bytes.
        offset: u64,
        /// How many bytes; fewer are supplied only where the file ends.
        length: usize,
    },
    /// Remove a file, and make its absence durable. Of a blob that is not whole, remove what
    /// there is.
    Delete {
        /// To report with.
        id: EffectId,
        /// Which file.
        file: FileId,
    },
    /// Set aside a copy of a damaged range of a file, for a person to look at. The file itself
    /// is not touched.
    Quarantine {
        /// To report with.
        id: EffectId,
        /// Which file.
        file: FileId,
        /// Where in it, in bytes.
        offset: u64,
        /// How many bytes.
        length: u64,
    },
}

impl Effect {
    /// The id to report with.
    pub const fn id(&self) -> EffectId {
        match self {
            Self::PersistLog { id, .. }
            | Self::PutBlob { id, .. }
            | Self::Read { id, .. }
            | Self::Delete { id, .. }
            | Self::Quarantine { id, .. } => *id,
        }
    }
}
