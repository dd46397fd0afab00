//! Recorded answers.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One recorded row.
#[derive(Clone, Debug)]
pub struct Row(Value);

impl Row {
    /// The text at `key`; `None` if it is null or absent.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// The text at `key`.
    ///
    /// # Panics
    /// If there is none: the fixture is broken.
    pub fn need(&self, key: &str) -> &str {
        self.text(key)
            .unwrap_or_else(|| panic!("a fixture row has no {key}: {}", self.0))
    }

    /// The number at `key`.
    ///
    /// # Panics
    /// If there is none: the fixture is broken.
    pub fn number(&self, key: &str) -> u64 {
        self.0
            .get(key)
            .and_then(Value::as_u64)
            .unwrap_or_else(|| panic!("a fixture row has no number {key}: {}", self.0))
    }

    /// The pairs of the object at `key`; none if there is no object.
    pub fn pairs(&self, key: &str) -> Vec<(&str, &str)> {
        let object = self.0.get(key).and_then(Value::as_object);
        let pairs = object.into_iter().flatten();
        pairs
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
            .collect()
    }

    /// The bytes at `key`, in base64; none if it is null.
    pub fn bytes(&self, key: &str) -> Vec<u8> {
        super::base64::decode(self.text(key).unwrap_or_default())
            .unwrap_or_else(|| panic!("a fixture row has no base64 at {key}: {}", self.0))
    }
}

/// Where a recorded file is.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/conformance")
        .join(name)
}

/// A recorded file as it is.
///
/// # Panics
/// If it cannot be read.
pub fn file(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The rows of a recorded file; at least one.
///
/// # Panics
/// If it cannot be read or holds no rows.
pub fn rows(name: &str) -> Vec<Row> {
    let text = String::from_utf8(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let row = |line| serde_json::from_str(line).map(Row);
    let rows: Result<Vec<Row>, _> = text.lines().map(row).collect();
    let rows = rows.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(!rows.is_empty(), "{name} is empty");
    rows
}
