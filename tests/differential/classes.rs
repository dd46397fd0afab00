//! Rules that say why an answer differs from InfluxDB 1.6.7's. Each names a row of
//! `docs/compatibility.md`; a rule looks at what was sent and answered, never at a case.

use crate::upstream::Seen;

/// Every class there is.
pub(crate) const IDS: [&str; 13] = [
    "v167-suffix",
    "v167-time-field",
    "v167-batch-conflict",
    "v167-utf8-names",
    "v167-tag-panic",
    "escaped-comma-value",
    "phantom-series",
    "one-cause",
    "error-text-limit",
    "doubled-backslash",
    "empty-field-key-column",
    "header-controls",
    "two-spellings",
];

/// The classes that explain all differences of a case, or what is left.
pub(crate) fn classify(
    body: &[u8],
    ours: &Seen,
    theirs: &Seen,
) -> Result<Vec<&'static str>, String> {
    let mut found = Vec::new();
    // A value that nothing checked is what ends it, or what its engine stumbles over.
    let stumbled = theirs.status == 500 && theirs.error.contains("engine: unable to parse");
    if theirs.status == 0 || stumbled && ours.status == 400 {
        let escaped = body.windows(2).any(|two| two == b"\\,");
        let reason = escaped.then(|| vec!["escaped-comma-value"]);
        return reason.ok_or_else(|| "the end of influxd".to_owned());
    }
    // Where upstream failed as a whole, nothing else can be compared.
    if let Some(id) = upstream_failed(ours, theirs) {
        return Ok(vec![id]);
    }
    if ours.error == theirs.error && ours.header != theirs.header {
        if ours.header != without_controls(&theirs.header) {
            return Err("header".to_owned());
        }
        found.push("header-controls");
    }
    let (mut error, mut status) = (ours.error.clone(), ours.status);
    if error != theirs.error
        && let Some(bare) = without_suffix(&error)
    {
        found.push("v167-suffix");
        error = bare;
    }
    // What was stripped is told before what could not be parsed, which 1.6.7 tells alone.
    let stripped = status == 400 && error.contains("has been stripped from point.");
    let parse_errors = theirs.error.contains("partial write: unable to parse");
    if stripped && (theirs.status == 204 || parse_errors) {
        found.push("v167-time-field");
        (status, error) = (theirs.status, theirs.error.clone());
    }
    if error != theirs.error && error.contains("more lines") {
        let told = error.split("\\nand ").next().unwrap_or_default();
        if theirs.error.starts_with(told) {
            found.push("error-text-limit");
            error.clone_from(&theirs.error);
        }
    }
    if error != theirs.error && error.contains(" more bytes': ") {
        let told = error.split("... and ").next().unwrap_or_default();
        if theirs.error.starts_with(told) {
            found.push("error-text-limit");
            error.clone_from(&theirs.error);
        }
    }
    // 1.6.7 tells of one shard, whichever answers first; ours of all.
    if let (Some(mine), Some(other)) = (rejected(&error), rejected(&theirs.error))
        && error != theirs.error
        && (mine > other || without_count(&error) == without_count(&theirs.error))
    {
        found.push("one-cause");
        error.clone_from(&theirs.error);
    }
    if (status, &error) != (theirs.status, &theirs.error) {
        return Err("answer".to_owned());
    }
    for (what, mine, other) in [
        ("series", &ours.series, &theirs.series),
        ("fields", &ours.fields, &theirs.fields),
        ("points", &ours.points, &theirs.points),
    ] {
        if mine != other {
            // Which type of a field is shown depends on all that the statement reads, and that
            // is more if a measurement can be read that cannot there.
            let beside = what == "points" && found.contains(&"doubled-backslash");
            let reason = stored(body, ours, mine, other);
            found.push(
                reason
                    .or(beside.then_some("doubled-backslash"))
                    .ok_or(what)?,
            );
        }
    }
    found.dedup();
    Ok(found)
}

/// Why what is stored differs, although the answers agree.
fn stored(body: &[u8], ours: &Seen, mine: &str, other: &str) -> Option<&'static str> {
    if named_empty(other) == *mine {
        return Some("empty-field-key-column");
    }
    if rejected(&ours.error).is_some() && contains_rows(other, mine) {
        return Some("phantom-series");
    }
    // The error of the shard with such a name was hidden behind that of another shard.
    if rejected(&ours.error).is_some()
        && std::str::from_utf8(body).is_err()
        && contains_rows(mine, other)
    {
        return Some("v167-utf8-names");
    }
    let spelled = [&b"\\\""[..], b"\\="];
    let spelled = |two: &[u8]| spelled.contains(&two);
    if body.windows(2).any(spelled)
        && mine.len() > other.len()
        && ours.series.contains("values")
        && contains_rows(mine, other)
        && contains_rows(other, mine)
    {
        return Some("two-spellings");
    }
    let doubled = body
        .windows(3)
        .any(|three| three.starts_with(b"\\\\") && b" ,=\"".contains(&three[2]));
    let (mine, other) = (single_backslashes(mine), single_backslashes(other));
    (doubled && contains_rows(&mine, &other)).then_some("doubled-backslash")
}

/// Runs of backslashes made one.
fn single_backslashes(answer: &str) -> String {
    let mut out = String::new();
    for letter in answer.chars() {
        if letter != '\\' || !out.ends_with('\\') {
            out.push(letter);
        }
    }
    out
}

/// A header as HTTP allows it.
fn without_controls(header: &str) -> String {
    let clean = |letter: char| match letter {
        '\t' => letter,
        _ if letter.is_ascii_control() => ' ',
        _ => letter,
    };
    let cleaned: String = header.chars().map(clean).collect();
    cleaned.trim().to_owned()
}

/// How many points the shards rejected, if the answer tells of any.
fn rejected(error: &str) -> Option<u64> {
    let (_, count) = error.rsplit_once(" dropped=")?;
    let digits = count
        .split(|letter: char| !letter.is_ascii_digit())
        .next()?;
    digits.parse().ok().filter(|&count| count > 0)
}

fn without_count(error: &str) -> Option<&str> {
    error.rsplit_once(" dropped=").map(|(text, _)| text)
}

/// The answer with columns called `val0` and so on called nothing.
fn named_empty(answer: &str) -> String {
    let mut out = answer.to_owned();
    for number in 0..20 {
        out = out.replace(&format!("\"val{number}\""), "\"\"");
    }
    out
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
    if conflict && rejected(&ours.error).is_some() {
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

/// Whether `more` holds every text of `fewer`, wherever it stands: a phantom adds columns.
fn contains_rows(more: &str, fewer: &str) -> bool {
    let cells = fewer.split([',', '[', ']']);
    cells
        .filter(|cell| cell.starts_with('"'))
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
            header: error.to_owned(),
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
    fn a_header_may_lack_controls_and_nothing_else() {
        let with = |header: &str| Seen {
            header: header.to_owned(),
            ..seen(400, "{\"error\":\"x\"}\n", "")
        };
        let case = |mine, other| classify(b"", &with(mine), &with(other));
        assert_eq!(case("a b\tc", "a\0b\tc"), Ok(vec!["header-controls"]));
        assert!(case("a b", "a  b").is_err());
    }

    #[test]
    fn more_rows_of_one_name_are_another_spelling_of_it() {
        let points = |rows: &str| Seen {
            points: format!("\"c=pu\",\"v\",\"values\":[{rows}]"),
            ..seen(204, "", "\"values\":[[\"c=pu\"]]")
        };
        let (two, one) = (points("[1,1],[1,2]"), points("[1,1]"));
        let body = b"c\\=pu v=1 1\nc=pu v=2 1";
        assert_eq!(classify(body, &two, &one), Ok(vec!["two-spellings"]));
        assert!(classify(body, &one, &two).is_err());
        assert!(classify(b"c=pu v=1 1", &two, &one).is_err());
    }

    #[test]
    fn fewer_rejections_of_theirs_are_another_shard_and_more_are_not() {
        let told = |count| format!("{{\"error\":\"partial write: x dropped={count}\"}}\n");
        let case = |mine, other| {
            classify(
                b"",
                &seen(400, &told(mine), ""),
                &seen(400, &told(other), ""),
            )
        };
        assert_eq!(case(2, 1), Ok(vec!["one-cause"]));
        assert!(case(0, 1).is_err());
    }

    #[test]
    fn phantoms_are_more_rows_never_fewer() {
        assert!(contains_rows("[[\"a\"],[\"b\"]]", "[[\"a\"]]"));
        assert!(!contains_rows("[[\"a\"]]", "[[\"a\"],[\"b\"]]"));
    }
}
