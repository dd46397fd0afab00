//! What plays tapes.

use tidegate_tests::trace::{Dump, Recorded};

/// How a tape ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Played {
    /// With this hash; after every call it was the one on the tape.
    Same(u64),
    /// At the first call after which the hash is another one.
    Differs(u32),
    /// In a call that trapped.
    Trapped(u32, String),
    /// At the call that was to be shown.
    Shown(Dump),
}

/// A tape is handed over first, so that several players can be at it at once.
pub(crate) trait Player {
    /// The runtime.
    fn name(&self) -> &'static str;

    /// Begins to play, up to the call that is to be shown if there is one.
    fn begin(&mut self, recorded: &Recorded, show: Option<u32>);

    /// How it ended.
    fn end(&mut self, recorded: &Recorded) -> Played;
}
