//! What the core asks of a host.

use crate::ids::{EffectId, Lsn, SegmentId};

/// Work for the host, described. The set is closed.
///
/// The bytes of a `PersistLog` are read with [`Engine::effect_bytes`](super::Engine::effect_bytes)
/// and stay in place until the effect is completed.
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
    /// Read `length` bytes at `offset` of `segment` and answer with `supply`. Only while opening.
    ReadLog {
        /// To answer with.
        id: EffectId,
        /// Which segment.
        segment: SegmentId,
        /// Where in it, in bytes.
        offset: u64,
        /// How many bytes; fewer are supplied only where the segment ends.
        length: usize,
    },
    /// Remove a segment, and make its absence durable.
    DeleteLog {
        /// To report with.
        id: EffectId,
        /// Which segment.
        segment: SegmentId,
    },
    /// Set aside a copy of a damaged range of a segment, for a person to look at. The segment
    /// itself is not touched.
    Quarantine {
        /// To report with.
        id: EffectId,
        /// Which segment.
        segment: SegmentId,
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
            | Self::ReadLog { id, .. }
            | Self::DeleteLog { id, .. }
            | Self::Quarantine { id, .. } => *id,
        }
    }
}
