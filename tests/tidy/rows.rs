//! The import rows of the core.

use crate::strip::strip;
use crate::tree::Source;

const VOCABULARY: &[&str] = &["model", "ids", "hash", "limits", "fault", "planted"];

/// What each module of the core may import beside the vocabulary and itself. A module that is
/// not listed here is a fault: it has to be given a row first.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("line", &[]),
    ("meta", &[]),
    ("index", &[]),
    ("cache", &[]),
    ("wal", &[]),
    ("block", &[]),
    ("influxql", &[]),
    ("route", &["meta"]),
    ("shard", &["index", "cache"]),
    ("snapshot", &["cache", "block"]),
    ("query", &["index", "cache", "block", "influxql"]),
    ("forward", &["wal"]),
    (
        "engine",
        &[
            "line", "meta", "index", "cache", "wal", "block", "influxql", "route", "shard",
            "snapshot", "query", "forward",
        ],
    ),
    ("http", &["engine", "influxql", "query"]),
    ("storage", &["engine"]),
];

/// Imports of the file that its row does not allow.
pub(crate) fn faults(file: &Source) -> Vec<String> {
    let inside = file.path.strip_prefix("core/src/").unwrap_or(&file.path);
    let module = inside.split(['/', '.']).next().unwrap_or_default();
    // Tests may use what they need to set a scene.
    if module == "lib" || inside.contains("/tests/") || inside.ends_with("tests.rs") {
        return Vec::new();
    }
    let vocabulary = VOCABULARY.contains(&module);
    let row = MAY_IMPORT.iter().find(|(name, _)| *name == module);
    let Some(allowed) = row
        .map(|&(_, allowed)| allowed)
        .or_else(|| vocabulary.then_some(&[]))
    else {
        return vec![format!(
            "{module} has no row; give it one in tests/tidy/rows.rs"
        )];
    };
    let code = strip(&file.text);
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let seen = imported(code).into_iter();
    seen.filter(|name| {
        name != module && !VOCABULARY.contains(&name.as_str()) && !allowed.contains(&name.as_str())
    })
    .map(|name| format!("{module} must not see {name}"))
    .collect()
}

/// The modules that follow `crate::`, alone or in braces.
fn imported(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (_, rest) in code
        .match_indices("crate::")
        .map(|(at, _)| code.split_at(at + 7))
    {
        match rest.strip_prefix('{') {
            Some(list) => names.extend(heads(list)),
            None => names.push(name(rest)),
        }
    }
    // What starts with a capital is an item of the crate's root, not a module.
    names.retain(|name| name.starts_with(|letter: char| letter.is_ascii_lowercase()));
    names.sort();
    names.dedup();
    names
}

/// The first names of the comma separated paths up to the closing brace.
fn heads(list: &str) -> Vec<String> {
    let (mut depth, mut fresh, mut names) = (0, true, Vec::new());
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if fresh && !letter.is_whitespace() => {
                names.push(name(&list[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn name(path: &str) -> String {
    let letters = path.chars();
    letters
        .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{faults, imported};
    use crate::tree::Source;

    #[test]
    fn an_import_of_a_sibling_or_a_higher_row_is_found() {
        for (path, text) in [
            ("core/src/line/scan.rs", "use crate::wal::Log;"),
            ("core/src/model/key.rs", "fn f() { crate::line::g() }"),
            ("core/src/shard/mod.rs", "use crate::{ids::X, wal::{A, B}};"),
            ("core/src/new/mod.rs", ""),
        ] {
            assert_eq!(faults(&Source::new(path, text)).len(), 1, "{path}");
        }
        for (path, text) in [
            (
                "core/src/shard/mod.rs",
                "use crate::{cache::{A, B}, ids::X};",
            ),
            ("core/src/line/scan.rs", "// use crate::wal::Log;"),
            ("core/src/line/tests/x.rs", "use crate::wal::Log;"),
            (
                "core/src/line/scan.rs",
                "#[cfg(test)]\nuse crate::wal::Log;",
            ),
        ] {
            assert!(faults(&Source::new(path, text)).is_empty(), "{path}");
        }
    }

    #[test]
    fn braces_give_the_heads_of_their_paths() {
        assert_eq!(imported("use crate::{a::{x, y}, b, C};"), ["a", "b"]);
    }
}
