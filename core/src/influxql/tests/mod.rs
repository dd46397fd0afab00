//! Tests of the whole module.

mod conditions;
mod errors;
mod expressions;
mod folding;
mod generator;
mod hostile;
mod params;
mod printed;
mod round_trip;
mod statements;

use super::{Expr, Statement, parse_query};

/// The only statement of a text that is right.
fn one(text: &str) -> Statement {
    let mut statements = parse_query(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(statements.len(), 1, "{text}");
    statements.remove(0).statement
}

/// A text as the condition of a SELECT.
fn condition(text: &str) -> Expr {
    match one(&std::format!("SELECT v FROM m WHERE {text}")) {
        Statement::Select(select) => select.condition.expect(text),
        other => panic!("{other}"),
    }
}
