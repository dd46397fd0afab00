//! Which crates see which, and why a dependency is there.

use crate::strip::strip;
use crate::tree::Source;

/// (folder, crates of ours that must not be named in it).
const FOREIGN: [(&str, &[&str]); 4] = [
    (
        "core/",
        &["tidegate-wasm", "tidegate-tests", "tidegate-core"],
    ),
    ("wasm/src/", &["tidegate-tests", "tidegate-host"]),
    ("wasm/Cargo.toml", &["tidegate-tests", "path = \"../host\""]),
    ("host/", &["tidegate-wasm", "tidegate-tests"]),
];

/// Crates of ours that the file names and must not.
pub(crate) fn foreign_crates(file: &Source) -> Vec<String> {
    let manifest = file.path.ends_with(".toml");
    // The guest comes to the host as bytes that its build script makes.
    if file.path == "host/build.rs" {
        return Vec::new();
    }
    let code = if manifest {
        without_own_name(&file.text)
    } else {
        // An example and a test of a crate name it as everybody does.
        if !file.path.contains("/src/") {
            return Vec::new();
        }
        strip(&file.text)
    };
    let foreign = FOREIGN
        .iter()
        .filter(|(folder, _)| file.path.starts_with(folder));
    let names = foreign.flat_map(|(_, names)| names.iter());
    names
        .filter(|name| code.contains(**name) || code.contains(&name.replace('-', "_")))
        .map(|name| format!("must not know {name}"))
        .collect()
}

fn without_own_name(manifest: &str) -> String {
    let lines = manifest.lines();
    lines
        .filter(|line| !line.starts_with("name =") && !line.starts_with('#'))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Dependencies of a manifest that no comment explains. A comment covers the lines right
/// below it, up to an empty one.
pub(crate) fn unexplained(file: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut inside, mut explained, mut open) = (false, false, false);
    for line in file.text.lines() {
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if line.is_empty() {
            explained = false;
        } else if inside && !open && !explained && !is_ours(line) {
            faults.push(format!("no word on why: {line}"));
        }
        // A dependency may go on over several lines.
        open = open && !line.starts_with(']') && !line.ends_with("] }") || line.ends_with('[');
    }
    faults
}

/// Of this workspace, or explained where the workspace lists it.
fn is_ours(line: &str) -> bool {
    line.contains("workspace = true") || line.starts_with("tidegate-")
}

#[cfg(test)]
mod tests {
    use super::{foreign_crates, unexplained};
    use crate::tree::Source;

    #[test]
    fn a_crate_that_must_not_be_known_is_found() {
        for (path, text) in [
            ("core/src/a.rs", "use tidegate_wasm::x;"),
            ("core/Cargo.toml", "[dependencies]\ntidegate-wasm = \"1\""),
            ("host/src/a.rs", "use tidegate_wasm::x;"),
            ("wasm/src/a.rs", "use tidegate_tests::x;"),
        ] {
            assert_eq!(foreign_crates(&Source::new(path, text)).len(), 1, "{path}");
        }
        for (path, text) in [
            ("core/Cargo.toml", "[package]\nname = \"tidegate-core\""),
            ("host/src/a.rs", "use tidegate_core::x; // tidegate_wasm"),
        ] {
            assert!(
                foreign_crates(&Source::new(path, text)).is_empty(),
                "{path}"
            );
        }
    }

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let faults = |text: &str| unexplained(&Source::new("Cargo.toml", text)).len();
        assert_eq!(faults("[dependencies]\na = \"1\"\n"), 1);
        assert_eq!(
            faults("[dependencies]\n# Why.\na = \"1\"\nb = \"1\"\n\nc = \"1\"\n"),
            1
        );
        assert_eq!(
            faults("[dependencies]\n# Why.\na = { features = [\n  \"x\",\n] }\n"),
            0
        );
        assert_eq!(faults("[dev-dependencies]\na.workspace = true\n"), 0);
        assert_eq!(faults("[package]\nname = \"x\"\n"), 0);
    }
}
