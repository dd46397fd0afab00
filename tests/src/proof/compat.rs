//! The list of differences that are on purpose: the rows of `docs/compatibility.md`.

use std::collections::BTreeSet;
use std::path::Path;

/// The ids in the first column of the tables of `docs/compatibility.md`.
///
/// # Panics
/// If the page cannot be read or an id stands there twice.
pub fn row_ids() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility.md");
    let page = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("docs/compatibility.md: {error}"));
    ids_of(&page)
        .unwrap_or_else(|twice| panic!("docs/compatibility.md: {twice} stands there twice"))
}

/// Requires that every id is a row of the page.
///
/// # Panics
/// Naming those that are not.
pub fn require_rows<'a>(ids: impl IntoIterator<Item = &'a str>) {
    let known = row_ids();
    let unknown: Vec<&str> = ids.into_iter().filter(|id| !known.contains(*id)).collect();
    assert!(
        unknown.is_empty(),
        "differences that docs/compatibility.md does not list: {unknown:?}"
    );
}

/// An id is the first cell of a table row, in backticks.
fn ids_of(page: &str) -> Result<BTreeSet<String>, String> {
    let mut ids = BTreeSet::new();
    for line in page.lines() {
        let id = line
            .strip_prefix("| `")
            .and_then(|rest| rest.split_once("` |"));
        if let Some((id, _)) = id
            && !ids.insert(id.to_owned())
        {
            return Err(id.to_owned());
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::ids_of;

    #[test]
    fn ids_are_first_cells_in_backticks_and_unique() {
        let page = "# T\n| id | what |\n| --- | --- |\n| `one` | `not-this` |\n| `two` | x |\n";
        let ids: Vec<String> = ids_of(page).expect("unique").into_iter().collect();
        assert_eq!(ids, ["one", "two"]);
        assert_eq!(ids_of("| `a` | x |\n| `a` | y |\n"), Err("a".to_owned()));
    }
}
