//! Why the program ends, and the exit code that tells scripts.

use std::fmt;
use std::path::Path;

/// A reason to end that a person has to act on: what happened, where, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    /// 1: the world is not as it should be; 2: we were called wrongly; 3: done, as far as it
    /// could be.
    pub code: u8,
    text: String,
}

impl Failure {
    /// Something outside is in the way: a directory, a port, a disk.
    pub(crate) fn world(text: impl Into<String>) -> Self {
        Self {
            code: 1,
            text: text.into(),
        }
    }

    /// A flag, variable or configuration key is wrong.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self {
            code: 2,
            text: text.into(),
        }
    }

    /// What was asked for is done, but not all of it could be.
    pub(crate) fn partial(text: impl Into<String>) -> Self {
        Self {
            code: 3,
            text: text.into(),
        }
    }

    /// `verb` on `path` failed: `cannot create ./x: permission denied`.
    pub(crate) fn io(verb: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::world(format!("cannot {verb} {}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
