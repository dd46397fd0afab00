//! What is read from a statement besides its text.

use std::string::ToString;
use std::vec::Vec;

use super::one;
use crate::influxql::{
    BindValue, CardinalityKind, CreateDatabase, Fill, FillValue, KeyFilter, Measurement, Params,
    Privilege, Requirement, RetentionOptions, Select, ShowMeasurementsOn, Source, Statement,
    parse_query, parse_query_with,
};

const HOUR: i64 = 3_600_000_000_000;

fn select(text: &str) -> Select {
    match one(text) {
        Statement::Select(select) => *select,
        other => panic!("{other}"),
    }
}

fn measurement(text: &str) -> Measurement {
    match select(&std::format!("SELECT v FROM {text}"))
        .sources
        .remove(0)
    {
        Source::Measurement(measurement) => measurement,
        Source::Subquery(_) => panic!("{text}"),
    }
}

#[test]
fn each_statement_knows_its_bytes() {
    let text = " ;; SHOW DATABASES ;\u{9}/* \u{e9} */ SELECT '\u{e9};' FROM a -- last\n";
    let statements = parse_query(text).unwrap();
    let parts: Vec<&str> = statements
        .iter()
        .map(|one| &text[one.span.clone()])
        .collect();
    assert_eq!(parts, ["SHOW DATABASES", "SELECT '\u{e9};' FROM a -- last"]);
    for (part, whole) in parts.iter().zip(&statements) {
        assert_eq!(one(part), whole.statement);
    }
}

#[test]
fn empty_texts_hold_no_statement() {
    for text in [
        "",
        " ",
        ";",
        " ; ;; ",
        "-- nothing",
        "/* nothing */",
        "\0DROP DATABASE d",
    ] {
        assert_eq!(parse_query(text), Ok(Vec::new()), "{text:?}");
    }
}

#[test]
fn keywords_have_any_case_and_comments_are_space() {
    let plain = one("SELECT v FROM m LIMIT 1");
    assert_eq!(one("sElEcT v/* c */fRoM m -- c\nlImIt 1"), plain);
}

#[test]
fn the_parts_of_a_source_are_told_apart() {
    let named = |database: &str, retention_policy: &str, name: &str| Measurement {
        database: database.into(),
        retention_policy: retention_policy.into(),
        name: name.into(),
        regex: None,
    };
    assert_eq!(measurement("m"), named("", "", "m"));
    assert_eq!(measurement("r.m"), named("", "r", "m"));
    assert_eq!(measurement("d.r.m"), named("d", "r", "m"));
    assert_eq!(measurement("d..m"), named("d", "", "m"));
    assert_eq!(measurement("\"a.b\".\"c d\""), named("", "a.b", "c d"));
    let pattern = |database: &str, retention_policy: &str| Measurement {
        regex: Some("a/b".into()),
        ..named(database, retention_policy, "")
    };
    assert_eq!(measurement("/a\\/b/"), pattern("", ""));
    assert_eq!(measurement("r./a\\/b/"), pattern("", "r"));
    assert_eq!(measurement("d.r./a\\/b/"), pattern("d", "r"));
    assert_eq!(measurement("d../a\\/b/"), pattern("d", ""));
}

#[test]
fn the_database_is_that_of_on_or_of_the_first_source_with_one() {
    for (text, database) in [
        ("SELECT v FROM m", None),
        ("SELECT v FROM m, d..m", Some("d")),
        ("SELECT v FROM (SELECT v FROM d.r.m)", Some("d")),
        ("EXPLAIN SELECT v FROM d..m", Some("d")),
        ("SHOW SERIES ON d FROM e..m", Some("d")),
        ("SHOW TAG KEYS FROM e..m", Some("e")),
        ("SHOW TAG VALUES ON d WITH KEY = k", Some("d")),
        ("SHOW MEASUREMENTS ON d", Some("d")),
        ("SHOW MEASUREMENTS ON *.*", None),
        ("SHOW RETENTION POLICIES", None),
        ("SHOW RETENTION POLICIES ON d", Some("d")),
        ("DROP RETENTION POLICY p ON d", Some("d")),
        ("SHOW SERIES CARDINALITY ON d", Some("d")),
        ("CREATE DATABASE d", None),
    ] {
        assert_eq!(one(text).database(), database, "{text}");
    }
}

#[test]
fn what_changes_nothing_is_read_only() {
    for text in [
        "SELECT v FROM m",
        "EXPLAIN SELECT v FROM m",
        "SHOW DATABASES",
        "SHOW SERIES",
        "SHOW TAG VALUES WITH KEY = k",
        "SHOW USERS",
        "SHOW STATS",
        "SHOW SERIES CARDINALITY",
    ] {
        assert!(one(text).is_read_only(), "{text}");
    }
    for text in [
        "SELECT v INTO w FROM m",
        "CREATE DATABASE d",
        "DROP MEASUREMENT m",
        "DELETE FROM m",
        "KILL QUERY 1",
        "SET PASSWORD FOR u = 'p'",
        "GRANT ALL TO u",
    ] {
        assert!(!one(text).is_read_only(), "{text}");
    }
}

#[test]
fn requirements_are_those_of_the_sources_and_targets() {
    let statement = one("SELECT v INTO e..w FROM m, (SELECT v FROM d..m)");
    let expected = [
        Requirement::Database(Privilege::Read, ""),
        Requirement::Database(Privilege::Read, "d"),
        Requirement::Database(Privilege::Write, "e"),
    ];
    assert_eq!(statement.requirements(), expected);
    assert_eq!(one("SHOW USERS").requirements(), [Requirement::Admin]);
    assert_eq!(one("SHOW DATABASES").requirements(), []);
    let write = [Requirement::Database(Privilege::Write, "")];
    assert_eq!(one("DELETE FROM m").requirements(), write);
    let counted = [Requirement::Database(Privilege::Read, "d")];
    assert_eq!(one("SHOW TAG KEY CARDINALITY ON d").requirements(), counted);
}

#[test]
fn options_of_a_database_come_in_one_order() {
    let text = "CREATE DATABASE d WITH DURATION 2d REPLICATION 3 SHARD DURATION 1h \
                FUTURE LIMIT 4h PAST LIMIT 5h NAME \"r p\"";
    let options = RetentionOptions {
        duration_ns: Some(48 * HOUR),
        replication: Some(3),
        shard_duration_ns: Some(HOUR),
        future_limit_ns: Some(4 * HOUR),
        past_limit_ns: Some(5 * HOUR),
        name: Some("r p".into()),
        default: false,
    };
    let create = CreateDatabase {
        name: "d".into(),
        retention: Some(options),
    };
    assert_eq!(one(text), Statement::CreateDatabase(create));
    assert_eq!(
        one(text).to_string(),
        "CREATE DATABASE d WITH DURATION 48h0m0s REPLICATION 3 SHARD DURATION 1h0m0s \
         FUTURE LIMIT 4h PAST LIMIT 5h NAME \"r p\""
    );
    let error = parse_query("CREATE DATABASE d WITH NAME n DURATION 1d").unwrap_err();
    assert_eq!(
        error.to_string(),
        "found DURATION, expected ; at line 1, char 31"
    );
    let error = parse_query("CREATE DATABASE d WITH")
        .unwrap_err()
        .to_string();
    let expected = "found EOF, expected DURATION, NAME, REPLICATION, SHARD, FUTURE, PAST \
                    at line 1, char 24";
    assert_eq!(error, expected);
}

#[test]
fn write_limits_belong_to_retention_policies() {
    for text in [
        "CREATE RETENTION POLICY p ON d DURATION 1d REPLICATION 1 DEFAULT FUTURE LIMIT 1h \
         PAST LIMIT 2h",
        "ALTER RETENTION POLICY p ON d DURATION 0s FUTURE LIMIT 1h PAST LIMIT 2h",
    ] {
        assert_eq!(one(text).to_string(), text);
    }
    let error = parse_query("ALTER RETENTION POLICY p ON d FUTURE 1h").unwrap_err();
    assert_eq!(
        error.to_string(),
        "found 1h, expected LIMIT at line 1, char 38"
    );
    // They are keywords now, so a column of that name needs quotes.
    assert!(parse_query("SELECT past FROM m").is_err());
    assert_eq!(
        one("SELECT \"past\" FROM m").to_string(),
        "SELECT \"past\" FROM m"
    );
}

#[test]
fn fill_takes_a_word_or_a_number() {
    for (text, fill) in [
        ("", Fill::Null),
        ("fill(null)", Fill::Null),
        ("FILL(none)", Fill::None),
        ("fill(previous)", Fill::Previous),
        ("fill(linear)", Fill::Linear),
        ("fill(-3)", Fill::Number(FillValue::Integer(-3))),
        ("fill(0.5)", Fill::Number(FillValue::Float(0.5))),
    ] {
        let text = std::format!("SELECT mean(v) FROM m GROUP BY time(1m) {text}");
        assert_eq!(select(&text).fill, fill, "{text}");
    }
}

#[test]
fn the_name_of_a_column_comes_from_its_expression() {
    let text = "SELECT a AS b, f(a), a + f(b) * (c - 1), (a), 5, \"x y\" FROM m";
    let names: Vec<_> = select(text)
        .fields
        .iter()
        .map(crate::influxql::Field::name)
        .collect();
    assert_eq!(names, ["b", "f", "a_f_c", "a", "", "x y"]);
}

#[test]
fn a_select_knows_its_kind_and_window() {
    assert!(select("SELECT a, b + 1 FROM m").is_raw());
    assert!(!select("SELECT a, b + max(c) FROM m").is_raw());
    assert_eq!(
        select("SELECT a FROM m GROUP BY h").group_by_interval(),
        Ok(0)
    );
    let text = "SELECT max(a) FROM m GROUP BY h, time(2h, 1m)";
    assert_eq!(select(text).group_by_interval(), Ok(2 * HOUR));
    for (call, error) in [
        ("time()", "time dimension expected 1 or 2 arguments"),
        ("time(5)", "time dimension must have duration argument"),
    ] {
        let text = std::format!("SELECT max(a) FROM m GROUP BY {call}");
        assert_eq!(select(&text).group_by_interval(), Err(error));
    }
}

#[test]
fn counts_too_large_are_the_largest() {
    let parsed = select("SELECT a FROM m LIMIT 99999999999999999999 OFFSET 2 SLIMIT 3 SOFFSET 4");
    let counts = (parsed.limit, parsed.offset, parsed.slimit, parsed.soffset);
    assert_eq!(counts, (i64::MAX.unsigned_abs(), 2, 3, 4));
}

#[test]
fn keys_are_filtered_in_five_ways() {
    for (text, keys) in [
        ("= \"a b\"", KeyFilter::Equal("a b".into())),
        ("!= a", KeyFilter::NotEqual("a".into())),
        ("=~ /a\\/b/", KeyFilter::Matches("a/b".into())),
        ("!~ /a/", KeyFilter::NotMatches("a".into())),
        (
            "IN (a, \"select\")",
            KeyFilter::In(Vec::from(["a".into(), "select".into()])),
        ),
    ] {
        let text = std::format!("SHOW TAG VALUES WITH KEY {text}");
        let Statement::ShowTagValues(show) = one(&text) else {
            panic!("{text}")
        };
        assert_eq!(show.keys, keys);
        assert_eq!(Statement::ShowTagValues(show).to_string(), text);
    }
    let Statement::ShowTagKeys { keys, .. } = one("SHOW TAG KEYS WITH KEY = a") else {
        panic!("no tag keys")
    };
    assert_eq!(keys, Some(KeyFilter::Equal("a".into())));
}

#[test]
fn measurements_are_shown_of_any_database_and_policy() {
    let on = |text: &str| match one(&std::format!("SHOW MEASUREMENTS {text}")) {
        Statement::ShowMeasurements(show) => show.on,
        other => panic!("{other}"),
    };
    let some = |database: Option<&str>, retention_policy: Option<Option<&str>>| {
        Some(ShowMeasurementsOn {
            database: database.map(Into::into),
            retention_policy: retention_policy.map(|name| name.map(Into::into)),
        })
    };
    assert_eq!(on(""), None);
    assert_eq!(on("ON d"), some(Some("d"), None));
    assert_eq!(on("ON d.r"), some(Some("d"), Some(Some("r"))));
    assert_eq!(on("ON *.*"), some(None, Some(None)));
    assert_eq!(
        one("SHOW MEASUREMENTS ON *.r").to_string(),
        "SHOW MEASUREMENTS ON *.r"
    );
}

#[test]
fn cardinality_is_of_five_things() {
    for (text, kind, exact) in [
        ("SHOW SERIES CARDINALITY", CardinalityKind::Series, false),
        (
            "SHOW SERIES EXACT CARDINALITY ON d",
            CardinalityKind::Series,
            true,
        ),
        (
            "SHOW MEASUREMENT EXACT CARDINALITY",
            CardinalityKind::Measurement,
            true,
        ),
        (
            "SHOW TAG KEY CARDINALITY FROM m",
            CardinalityKind::TagKey,
            false,
        ),
        (
            "SHOW FIELD KEY EXACT CARDINALITY",
            CardinalityKind::FieldKey,
            true,
        ),
        (
            "SHOW TAG VALUES EXACT CARDINALITY WITH KEY = k",
            CardinalityKind::TagValues(KeyFilter::Equal("k".into())),
            true,
        ),
    ] {
        let Statement::ShowCardinality(show) = one(text) else {
            panic!("{text}")
        };
        assert_eq!((&show.kind, show.exact), (&kind, exact), "{text}");
        assert_eq!(Statement::ShowCardinality(show).to_string(), text);
    }
}

#[test]
fn passwords_are_read_and_never_printed() {
    let Statement::CreateUser(user) = one("CREATE USER u WITH PASSWORD 'it\\'s'") else {
        panic!("no user")
    };
    assert_eq!(user.password, "it's");
    assert_eq!(user.to_string(), "CREATE USER u WITH PASSWORD [REDACTED]");
}

#[test]
fn a_statement_without_its_end_names_the_next_word() {
    let with = parse_query_with(
        "SHOW $x",
        &Params::from([("x".into(), BindValue::Integer(1))]),
    );
    assert!(
        with.unwrap_err()
            .to_string()
            .starts_with("found 1, expected CONTINUOUS")
    );
    let error = parse_query("SHOW DATABASES SHOW USERS")
        .unwrap_err()
        .to_string();
    assert_eq!(error, "found SHOW, expected ; at line 1, char 16");
}
