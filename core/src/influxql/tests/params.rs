//! Placeholders.

use std::string::ToString;
use std::vec::Vec;

use crate::influxql::{BindValue, Params, ParsedStatement, parse_query, parse_query_with};

fn with(text: &str, value: BindValue) -> Vec<ParsedStatement> {
    let params = Params::from([("p".into(), value)]);
    parse_query_with(text, &params).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_value_takes_the_place_of_one_token() {
    let text = "SELECT v FROM m WHERE a = $p";
    for (value, expected) in [
        (BindValue::String("x' OR 1 = 1".into()), "'x\\' OR 1 = 1'"),
        (BindValue::Identifier("a b".into()), "\"a b\""),
        (BindValue::Number(1.5), "1.500"),
        (BindValue::Integer(-7), "-7"),
        (BindValue::Boolean(true), "true"),
        (BindValue::Duration(60_000_000_000), "1m"),
    ] {
        let statements = with(text, value);
        let printed = statements[0].statement.to_string();
        assert_eq!(printed, text.replace("$p", expected));
    }
}

#[test]
fn a_pattern_can_be_a_value() {
    let pattern = BindValue::Regex("a/b".into());
    for text in [
        "SELECT v FROM m WHERE a =~ $p",
        "SELECT v FROM $p",
        "SHOW SERIES FROM $p",
    ] {
        let statements = with(text, pattern.clone());
        assert_eq!(
            statements[0].statement.to_string(),
            text.replace("$p", "/a\\/b/")
        );
    }
}

#[test]
fn a_value_that_is_missing_or_wrong_is_told() {
    let error = parse_query("SELECT v FROM m WHERE a = $p")
        .unwrap_err()
        .to_string();
    assert_eq!(error, "missing parameter: p");
    let params = Params::from([("p".into(), BindValue::Error("no value".into()))]);
    let error = parse_query_with("SELECT v FROM m WHERE a = $p", &params).unwrap_err();
    assert_eq!(error.to_string(), "no value");
    let params = Params::from([("p".into(), BindValue::Integer(-1))]);
    let error = parse_query_with("SELECT v FROM m LIMIT $p", &params).unwrap_err();
    assert_eq!(error.to_string(), "LIMIT must be >= 0 at line 1, char 23");
    let error = parse_query("SELECT v FROM m LIMIT $p")
        .unwrap_err()
        .to_string();
    assert_eq!(error, "found $p, expected integer at line 1, char 23");
}
