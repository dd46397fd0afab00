//! What storage can answer instead of success.

/// A storage failure, as reported by a host through `complete` or `supply`.
///
/// A fault comes from outside; an *error* is what the core returns. Retrying is the
/// adapter's business: what reaches the core is final for that effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageFault {
    /// No space left, or a quota was reached. Clears when space returns.
    #[error("no space left")]
    NoSpace,
    /// Somebody else owns the store now.
    #[error("the store is owned by another writer")]
    Fenced,
    /// The bytes asked for are not there or cannot be read.
    #[error("unreadable")]
    Unreadable,
    /// Anything else, an I/O error or a failed sync. Nothing is known of what was written.
    #[error("input/output error")]
    Io,
}

impl StorageFault {
    /// The byte that crosses the guest boundary; 0 is success.
    pub const fn code(self) -> u8 {
        match self {
            Self::NoSpace => 1,
            Self::Fenced => 2,
            Self::Unreadable => 3,
            Self::Io => 4,
        }
    }

    /// The inverse of [`code`](Self::code); an unknown byte is the least specific fault.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => None,
            1 => Some(Self::NoSpace),
            2 => Some(Self::Fenced),
            3 => Some(Self::Unreadable),
            _ => Some(Self::Io),
        }
    }
}
