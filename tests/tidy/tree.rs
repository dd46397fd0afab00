//! Walking the source tree.

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_tests::proof::server::root;

/// What is not ours, or not source.
const SKIPPED: [&str; 6] = [
    "target",
    "node_modules",
    "dist",
    ".git",
    ".venv",
    "tidegate-data",
];

/// A text file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// From the top of the tree, with slashes.
    pub path: String,
    pub text: String,
}

impl Source {
    /// A file for the tests of a rule.
    #[cfg(test)]
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }
}

/// Every text file.
pub(crate) fn all() -> Vec<Source> {
    under("")
}

/// Rust sources below a folder.
pub(crate) fn rust(folder: &str) -> Vec<Source> {
    let mut files = under(folder);
    files.retain(|file| file.path.ends_with(".rs"));
    files
}

/// Files whose name ends so.
pub(crate) fn ending(end: &str) -> Vec<Source> {
    let mut files = under("");
    files.retain(|file| file.path.ends_with(end));
    files
}

/// Files of that name.
pub(crate) fn named(name: &str) -> Vec<Source> {
    let mut files = under("");
    files.retain(|file| {
        Path::new(&file.path)
            .file_name()
            .is_some_and(|file| file == name)
    });
    files
}

fn under(folder: &str) -> Vec<Source> {
    let root = root();
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(directory) = open.pop() {
        let entries = fs::read_dir(&directory)
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        for entry in entries {
            let entry = entry.expect("an entry");
            let name = entry.file_name();
            if SKIPPED.iter().any(|skipped| name == *skipped) {
                continue;
            }
            let kind = entry.file_type().expect("a type");
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                paths.push(entry.path());
            }
        }
    }
    paths.sort();
    let source = |path: PathBuf| {
        // Not text: nothing these rules are about.
        let text = fs::read_to_string(&path).ok()?;
        let path = path
            .strip_prefix(&root)
            .ok()?
            .to_string_lossy()
            .into_owned();
        Some(Source { path, text })
    };
    paths.into_iter().filter_map(source).collect()
}
