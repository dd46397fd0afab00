//! Rules that say why an answer differs from InfluxDB 1.6.7's. Each names a row of
//! `docs/compatibility.md`; a rule looks at what was sent and answered, never at a case.

use crate::upstream::Seen;

/// Every class there is.
pub(crate) const IDS: [&str; 8] = [
    "v167-suffix",
    "v167-time-field",
    "v167-batch-conflict",
    "v167-utf8-names",
    "v167-tag-panic",
    "escaped-comma-value",
    "phantom-series",
    "error-text-limit",
];

/// The classes that explain all differences of a case, or what is left.
pub(crate) fn classify(
    body: &[u8],
    ours: &Seen,
    theirs: &Seen,
) -> Result<Vec<&'static str>, String> {
    let mut found = Vec::new();
    // Where upstream failed as a whole, nothing else can be compared.
    if let Some(id) = upstream_failed(ours, theirs) {
        return Ok(vec![id]);
    }
    let (mut error, mut status) = (ours.error.clone(), ours.status);
    if error != theirs.error
        && let Some(bare) = without_suffix(&error)
    {
        found.push("v167-suffix");
        error = bare;
    }
    let stripped = "has been stripped from point.";
    if status == 400 && error.contains(stripped) && theirs.status == 204 {
        found.push("v167-time-field");
        (status, error) = (204, String::new());
    }
    if error != theirs.error && error.contains("more lines") {
        let told = error.split("\\nand ").next().unwrap_or_default();
        if theirs.error.starts_with(told) {
            found.push("error-text-limit");
            error.clone_from(&theirs.error);
        }
    }
    if (status, &error) != (theirs.status, &theirs.error) {
        return Err("answer".to_owned());
    }
    let rejected = ours.error.contains("dropped=") && !ours.error.contains("dropped=0");
    let phantom = |mine: &str, other: &str| rejected && contains_rows(other, mine);
    for (what, mine, other) in [
        ("series", &ours.series, &theirs.series),
        ("fields", &ours.fields, &theirs.fields),
        ("points", &ours.points, &theirs.points),
    ] {
        if mine != other {
            // A phantom field shows as a column without a value as well.
            if !phantom(mine, other) && !(what == "points" && rejected) {
                return Err(what.to_owned());
            }
            found.push("phantom-series");
        }
    }
    let _ = body;
    found.dedup();
    Ok(found)
}

/// InfluxDB 1.6.7 refused or crashed where 1.12 does not.
fn upstream_failed(ours: &Seen, theirs: &Seen) -> Option<&'static str> {
    if theirs.error.contains("contains invalid UTF-8") {
        return Some("v167-utf8-names");
    }
    if theirs.status == 500 && theirs.error.contains("Internal Server Error") {
        return Some("v167-tag-panic");
    }
    let conflict = theirs
        .error
        .starts_with("{\"error\":\"field type conflict\"");
    if conflict && ours.error.contains("field type conflict: input field") {
        return Some("v167-batch-conflict");
    }
    None
}

/// The answer without what 1.6.7 does not yet say.
fn without_suffix(error: &str) -> Option<String> {
    let (before, after) = error.split_once(" for database: DB")?;
    let after = after
        .strip_prefix(" for retention policy: autogen")
        .unwrap_or(after);
    Some(format!("{before}{after}"))
}

/// Whether `more` holds every cell of `fewer`.
fn contains_rows(more: &str, fewer: &str) -> bool {
    let cells = fewer.split("],[").flat_map(|row| row.split(['[', ']']));
    cells
        .filter(|cell| cell.starts_with('"') && !cell.contains("statement_id"))
        .all(|cell| more.contains(cell))
}

#[cfg(test)]
mod tests {
    use super::{classify, contains_rows};
    use crate::upstream::Seen;

    fn seen(status: u16, error: &str, series: &str) -> Seen {
        Seen {
            status,
            error: error.to_owned(),
            series: series.to_owned(),
            fields: String::new(),
            points: String::new(),
        }
    }

    #[test]
    fn a_difference_without_a_rule_is_left_over() {
        let ours = seen(400, "{\"error\":\"a dropped=0 for database: DB\"}\n", "");
        let theirs = seen(400, "{\"error\":\"a dropped=0\"}\n", "");
        assert_eq!(classify(b"", &ours, &theirs), Ok(vec!["v167-suffix"]));
        let theirs = seen(400, "{\"error\":\"b dropped=0\"}\n", "");
        assert!(classify(b"", &ours, &theirs).is_err());
        let ours = seen(204, "", "[[\"cpu\"]]");
        let theirs = seen(204, "", "[[\"cpu\"],[\"mem\"]]");
        assert!(
            classify(b"", &ours, &theirs).is_err(),
            "nothing was rejected"
        );
    }

    #[test]
    fn phantoms_are_more_rows_never_fewer() {
        assert!(contains_rows("[[\"a\"],[\"b\"]]", "[[\"a\"]]"));
        assert!(!contains_rows("[[\"a\"]]", "[[\"a\"],[\"b\"]]"));
    }
}
