//! The rules of the source tree, checked by walking it. Each rule has a test of its own that
//! shows it can fail.

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/machine.rs"]
mod machine;
#[path = "tidy/manifests.rs"]
mod manifests;
#[path = "tidy/pages.rs"]
mod pages;
#[path = "tidy/rows.rs"]
mod rows;
#[path = "tidy/strip.rs"]
mod strip;
#[path = "tidy/tree.rs"]
mod tree;

use tidegate_tests::proof::say;
use tree::Source;

/// Holds every file to a rule, which gives what it has against one.
fn check(what: &str, files: &[Source], rule: impl Fn(&Source) -> Vec<String>) {
    assert!(!files.is_empty(), "{what}: nothing was checked");
    let faults: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let faults = rule(file);
            faults
                .into_iter()
                .map(|fault| format!("{}: {fault}", file.path))
        })
        .collect();
    assert!(faults.is_empty(), "{what}:\n  {}", faults.join("\n  "));
    say(&format!("tidy, {what}: {} files", files.len()));
}

#[test]
fn lower_rows_of_the_core_never_see_higher_ones() {
    check("import rows", &tree::rust("core/src"), rows::faults);
}

#[test]
fn crates_import_only_what_they_may() {
    check(
        "crates in sources",
        &tree::rust(""),
        manifests::foreign_crates,
    );
    check(
        "crates in manifests",
        &tree::named("Cargo.toml"),
        manifests::foreign_crates,
    );
}

#[test]
fn files_have_at_most_five_hundred_lines() {
    let files = tree::rust("");
    check("file length", &files, code::length);
    let long = |file: &&Source| file.text.lines().count() > code::FILE_LINES_WARN;
    let long: Vec<String> = files
        .iter()
        .filter(long)
        .map(|file| format!("{} ({})", file.path, file.text.lines().count()))
        .collect();
    say(&format!(
        "tidy: {} files have more than {} lines: {}",
        long.len(),
        code::FILE_LINES_WARN,
        long.join(", ")
    ));
}

#[test]
fn functions_fit_a_screen() {
    check("function length", &tree::rust(""), code::functions);
}

#[test]
fn lines_have_at_most_a_hundred_columns() {
    check("line length", &tree::rust(""), code::columns);
}

#[test]
fn nothing_is_left_undone() {
    check("left undone", &tree::rust(""), code::undone);
}

#[test]
fn the_core_prints_nothing() {
    check("prints", &tree::rust("core/src"), code::prints);
}

#[test]
fn what_the_core_computes_depends_on_no_machine() {
    check("machines", &tree::rust("core/src"), machine::faults);
}

#[test]
fn every_page_has_one_title_and_its_links_lead_somewhere() {
    check("pages", &tree::ending(".md"), pages::faults);
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    check("machine paths", &tree::all(), pages::machine_paths);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    check(
        "dependencies",
        &tree::named("Cargo.toml"),
        manifests::unexplained,
    );
}
