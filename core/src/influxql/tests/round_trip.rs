//! Printing and parsing undo each other.

use std::mem::discriminant;
use std::string::ToString;
use std::vec::Vec;

use super::generator::{Random, statement};
use super::one;

#[test]
fn printed_statements_read_back_the_same() {
    let mut random = Random::new(1);
    let mut kinds = Vec::new();
    for _ in 0..20_000 {
        let text = statement(&mut random);
        let parsed = one(&text);
        assert_eq!(parsed.to_string(), text);
        if !kinds.contains(&discriminant(&parsed)) {
            kinds.push(discriminant(&parsed));
        }
    }
    assert!(
        kinds.len() >= 30,
        "only {} kinds of statements",
        kinds.len()
    );
}

#[test]
fn names_of_functions_are_quoted_where_they_would_be_read_as_something_else() {
    for text in [
        "SELECT \"as\"(v) FROM cpu",
        "SELECT \"a b\"(v), mean(v) FROM cpu",
        "SELECT count(distinct(v)) FROM cpu",
        "SELECT count(DISTINCT v) FROM cpu",
    ] {
        assert_eq!(one(text).to_string(), text);
    }
}
