//! Names of databases and retention policies.

use super::is_printable;
use crate::limits;

/// Why a name is refused, in upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, `.`, `..`, or with a slash or an unprintable character.
    #[error("invalid name")]
    Invalid,
    /// More than 255 bytes.
    #[error("name too long")]
    TooLong,
}

/// Checks the name of a database or a retention policy.
///
/// Source: influxdb 1.12 `services/meta.ValidName`, `Data.CreateDatabase`.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let bad = |c: char| c == '/' || c == '\\' || !is_printable(c);
    if matches!(name, "" | "." | "..") || name.chars().any(bad) {
        return Err(NameError::Invalid);
    }
    if name.len() > limits::NAME_BYTES_MAX {
        return Err(NameError::TooLong);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{NameError, check_name};

    #[test]
    fn names_are_judged_as_upstream_does() {
        for bad in ["", ".", "..", "a/b", "a\\b", "a\nb", "a\u{200b}b"] {
            assert_eq!(check_name(bad), Err(NameError::Invalid), "{bad:?}");
        }
        let long = "x".repeat(256);
        assert_eq!(check_name(&long), Err(NameError::TooLong));
        assert_eq!(check_name(&long[..255]), Ok(()));
        assert_eq!(check_name("h\u{f6}he m"), Ok(()));
    }
}
