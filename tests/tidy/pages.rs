//! Pages, and what any file must not hold.

use std::path::Path;

use tidegate_tests::proof::server::root;

use crate::tree::Source;

/// A page has exactly one title, and its links to files lead somewhere.
pub(crate) fn faults(file: &Source) -> Vec<String> {
    let text = without_code(&file.text);
    let titles = text.lines().filter(|line| line.starts_with("# ")).count();
    let mut faults = Vec::new();
    if titles != 1 {
        faults.push(format!("{titles} titles"));
    }
    let folder = Path::new(&file.path)
        .parent()
        .unwrap_or_else(|| Path::new(""));
    for link in links(&text) {
        if !root().join(folder).join(link).exists() {
            faults.push(format!("there is no {link}"));
        }
    }
    faults
}

/// Targets of links that are files of the tree.
fn links(text: &str) -> Vec<&str> {
    let after = text.split("](").skip(1);
    let targets = after.filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    local
        .map(|target| target.split_once('#').map_or(target, |(path, _)| path))
        .collect()
}

/// Without what stands between code fences: a comment there begins as a title does.
fn without_code(text: &str) -> String {
    let mut fenced = false;
    let outside = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    });
    outside.collect::<Vec<_>>().join("\n")
}

/// Places that exist on one machine only.
pub(crate) fn machine_paths(file: &Source) -> Vec<String> {
    // Spelled in pieces, or this file would be its own fault.
    let places = [
        concat!("/wor", "k/main"),
        concat!("/wor", "k/shared"),
        concat!("/tm", "p/wt"),
        concat!("/tm", "p/target-"),
        concat!("/hom", "e/"),
        concat!("/roo", "t/"),
    ];
    let found = places.iter().filter(|place| file.text.contains(**place));
    found.map(|place| format!("names {place}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{faults, machine_paths};
    use crate::tree::Source;

    #[test]
    fn titles_links_and_machine_paths_are_checked() {
        let page = |text: &str| faults(&Source::new("x.md", text)).len();
        assert_eq!(page("# T\n\n```sh\n# a comment\n```\n"), 0);
        assert_eq!(page("no title\n"), 1);
        assert_eq!(page("# T\n# T\n"), 1);
        assert_eq!(
            page("# T\n[a](core/Cargo.toml) [b](https://localhost/x)\n"),
            0
        );
        assert_eq!(page("# T\n[a](core/nowhere.md#part)\n"), 1);
        let place = concat!("see /wor", "k/main/x");
        assert_eq!(machine_paths(&Source::new("x", place)).len(), 1);
        assert!(machine_paths(&Source::new("x", "see tests/x")).is_empty());
    }
}
