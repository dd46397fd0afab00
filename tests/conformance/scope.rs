//! What a recorded row needs that is not built yet. Rules, never lists of rows: a failure
//! cannot be hidden by naming it.

use tidegate_tests::proof::server::Face;

/// What the statement needs beyond what is built for this face, if anything.
pub(crate) fn beyond(face: Face, statement: &str) -> Option<&'static str> {
    let bare = without_quoted(statement);
    let upper = bare.to_ascii_uppercase();
    let words: Vec<&str> = upper.split_ascii_whitespace().collect();
    let starts = |with: &[&str]| words.starts_with(with);
    if upper.contains("FROM (") {
        return Some("sub-query");
    }
    if words.windows(2).any(|two| two == ["BY", "TIME"]) || upper.contains("BY TIME(") {
        return Some("GROUP BY time");
    }
    if upper.contains("FILL(") {
        return Some("fill");
    }
    if words.contains(&"SELECT") && has_call(&bare) {
        return Some("function");
    }
    let object = words.get(1).copied().unwrap_or_default();
    let about_users = ["USER", "USERS", "GRANTS"].contains(&object)
        || starts(&["SET", "PASSWORD"])
        || starts(&["GRANT"])
        || starts(&["REVOKE"]);
    // The npm package has no users: whoever embeds it decides who reaches it.
    if about_users && face == Face::Node {
        return Some("users");
    }
    if ["SUBSCRIPTION", "SUBSCRIPTIONS"].contains(&object) {
        return Some("subscriptions");
    }
    changes_data(statement).then_some("deleting points")
}

/// Whether later answers about the data depend on this statement.
pub(crate) fn changes_data(statement: &str) -> bool {
    let upper = statement.to_ascii_uppercase();
    ["DROP MEASUREMENT", "DROP SERIES", "DELETE"]
        .iter()
        .any(|start| upper.starts_with(start))
}

/// Whether the statement reads data of the default database.
pub(crate) fn reads_data(statement: &str) -> bool {
    let upper = statement.to_ascii_uppercase();
    [
        "SELECT",
        "SHOW MEASUREMENTS",
        "SHOW SERIES",
        "SHOW TAG",
        "SHOW FIELD",
    ]
    .iter()
    .any(|start| upper.starts_with(start))
}

/// A name directly followed by a parenthesis.
fn has_call(bare: &str) -> bool {
    bare.as_bytes()
        .windows(2)
        .any(|two| two[1] == b'(' && (two[0].is_ascii_alphanumeric() || two[0] == b'_'))
}

/// The statement with what is in quotes or slashes blanked out.
fn without_quoted(statement: &str) -> String {
    let mut quote = None;
    let mut escaped = false;
    let blank = |byte: char| match quote {
        Some(open) => {
            if escaped {
                escaped = false;
            } else if byte == '\\' {
                escaped = true;
            } else if byte == open {
                quote = None;
            }
            '.'
        }
        None => {
            if ['"', '\''].contains(&byte) {
                quote = Some(byte);
            }
            byte
        }
    };
    statement.chars().map(blank).collect()
}

#[cfg(test)]
mod tests {
    use super::{Face, beyond};

    #[test]
    fn rules_see_what_a_statement_needs_and_not_what_it_quotes() {
        for (statement, needs) in [
            ("SELECT mean(v) FROM m", Some("function")),
            ("SELECT DISTINCT(host) FROM cpu", Some("function")),
            ("SELECT v FROM m WHERE s = 'mean(x)'", None),
            ("SELECT \"f(x)\" FROM m", None),
            ("SELECT v FROM m WHERE (a = 1)", None),
            ("SELECT v FROM m GROUP BY time(5m)", Some("GROUP BY time")),
            ("SELECT v FROM m fill(0)", Some("fill")),
            ("SELECT a FROM (SELECT a FROM m)", Some("sub-query")),
            ("SHOW TAG VALUES WITH KEY IN (a, b)", None),
            ("SHOW USERS", Some("users")),
            ("DROP SERIES FROM m", Some("deleting points")),
            ("CREATE DATABASE users", None),
        ] {
            assert_eq!(beyond(Face::Node, statement), needs, "{statement}");
        }
        assert_eq!(beyond(Face::Guest, "SHOW USERS"), None);
    }
}
