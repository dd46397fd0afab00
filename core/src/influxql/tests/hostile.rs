//! No text makes the parser panic, loop or overflow its stack.

use std::string::{String, ToString};
use std::vec::Vec;

use super::generator::{Random, statement};
use crate::influxql::{Statement, parse_query, time_range};

/// Parses a text, and does with the answer what a server does.
fn exercise(text: &str) {
    match parse_query(text) {
        Ok(statements) => {
            for parsed in statements {
                assert!(text.get(parsed.span.clone()).is_some(), "{text:?}");
                let _ = (parsed.statement.to_string(), parsed.statement.database());
                if let Statement::Select(select) = &parsed.statement {
                    let _ = time_range(select.condition.as_ref(), 0);
                }
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[test]
fn random_bytes_are_answered() {
    let mut random = Random::new(2);
    for _ in 0..20_000 {
        let length = random.below(40);
        let bytes: Vec<u8> = (0..length)
            .map(|_| random.next().to_le_bytes()[0])
            .collect();
        exercise(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn random_tokens_are_answered() {
    let tokens = [
        "SELECT",
        "FROM",
        "WHERE",
        "GROUP",
        "BY",
        "ORDER",
        "LIMIT",
        "INTO",
        "SHOW",
        "TAG",
        "KEY",
        "VALUES",
        "WITH",
        "IN",
        "CREATE",
        "DATABASE",
        "RETENTION",
        "POLICY",
        "ON",
        "DURATION",
        "CONTINUOUS",
        "QUERY",
        "BEGIN",
        "END",
        "a",
        "\"b c\"",
        "'s'",
        "5",
        "1.5",
        "1h",
        "/r/",
        "/",
        "(",
        ")",
        ",",
        ";",
        ".",
        "..",
        ":",
        "::",
        "*",
        "-",
        "+",
        "=",
        "=~",
        "!~",
        "<",
        "<>",
        "!",
        "AND",
        "OR",
        "$p",
        "$",
        "time",
        "now()",
        "'2026-01-01'",
        "fill(",
        "tz('UTC')",
        "\n",
        "\r",
        "\0",
        "--",
        "/*",
        "*/",
        "'",
        "\"",
        "\\",
        "\u{e9}",
        "true",
        "DISTINCT",
        "AS",
    ];
    let mut random = Random::new(3);
    for _ in 0..50_000 {
        let mut text = String::from(random.pick(&["SELECT ", "SELECT a FROM ", "SHOW ", ""]));
        for _ in 0..random.below(16) {
            text += random.pick(&tokens);
            text += random.pick(&[" ", " ", ""]);
        }
        exercise(&text);
    }
}

#[test]
fn damaged_statements_are_answered() {
    let mut random = Random::new(4);
    for _ in 0..20_000 {
        let mut chars: Vec<char> = statement(&mut random).chars().collect();
        for _ in 0..=random.below(3) {
            let at = random.below(chars.len());
            match random.below(3) {
                0 if chars.len() > 1 => drop(chars.remove(at)),
                1 => chars.truncate(at.max(1)),
                _ => chars.insert(at, char::from(random.next().to_le_bytes()[0])),
            }
        }
        exercise(&chars.into_iter().collect::<String>());
    }
}

#[test]
fn long_texts_take_no_longer_than_their_length() {
    for part in [
        "(",
        "a.",
        "'\\'",
        "/* ",
        "-",
        "SELECT a FROM (",
        "a,",
        "f(",
        ";",
        "a AND ",
        "$",
    ] {
        exercise(&part.repeat(100_000));
        exercise(&std::format!("SELECT {}", part.repeat(100_000)));
        exercise(&std::format!(
            "SELECT a FROM b WHERE {}",
            part.repeat(100_000)
        ));
    }
}
