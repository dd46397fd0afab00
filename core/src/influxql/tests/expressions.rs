//! Expressions: their trees against a naive twin, and the limits of their depth.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::condition;
use super::generator::Random;
use crate::influxql::{BinaryOp, DataType, EXPR_DEPTH_MAX, Expr, NESTING_MAX, VarRef, parse_query};

/// Prints every operation in brackets, chains of AND and OR flat.
fn shape(expr: &Expr) -> String {
    fn flat<'a>(op: BinaryOp, expr: &'a Expr, into: &mut Vec<&'a Expr>) {
        match expr {
            Expr::Binary(inner, lhs, rhs) if *inner == op => {
                flat(op, lhs, into);
                flat(op, rhs, into);
            }
            other => into.push(other),
        }
    }
    match expr {
        Expr::Binary(op @ (BinaryOp::And | BinaryOp::Or), ..) => {
            let mut parts = Vec::new();
            flat(*op, expr, &mut parts);
            let parts: Vec<_> = parts.into_iter().map(shape).collect();
            format!("[{}]", parts.join(&format!(" {} ", op.as_str())))
        }
        Expr::Binary(op, lhs, rhs) => {
            format!("[{} {} {}]", shape(lhs), op.as_str(), shape(rhs))
        }
        other => other.to_string(),
    }
}

/// The naive twin: splits a flat list at its last operator of the lowest precedence, or at
/// all of them if they are AND or OR.
fn naive_shape(operands: &[String], ops: &[BinaryOp]) -> String {
    let Some(lowest) = ops.iter().map(|op| op.precedence()).min() else {
        return operands[0].clone();
    };
    if lowest <= 2 {
        let mut parts = Vec::new();
        let mut from = 0;
        for at in (0..ops.len()).filter(|at| ops[*at].precedence() == lowest) {
            parts.push(naive_shape(&operands[from..=at], &ops[from..at]));
            from = at + 1;
        }
        parts.push(naive_shape(&operands[from..], &ops[from..]));
        let word = if lowest == 1 { " OR " } else { " AND " };
        return format!("[{}]", parts.join(word));
    }
    let at = ops
        .iter()
        .rposition(|op| op.precedence() == lowest)
        .unwrap();
    let lhs = naive_shape(&operands[..=at], &ops[..at]);
    let rhs = naive_shape(&operands[at + 1..], &ops[at + 1..]);
    format!("[{lhs} {} {rhs}]", ops[at].as_str())
}

#[test]
fn trees_follow_precedence_as_the_naive_twin_does() {
    use BinaryOp::{
        Add, And, BitAnd, BitOr, BitXor, Divide, Equal, Greater, In, Less, Modulo, Multiply,
        NotEqual, Or, Subtract,
    };
    let all = [
        Add, And, BitAnd, BitOr, BitXor, Divide, Equal, Greater, In, Less, Modulo, Multiply,
        NotEqual, Or, Subtract,
    ];
    let mut random = Random::new(7);
    for _ in 0..3000 {
        let count = random.below(12);
        let operands: Vec<_> = (0..=count).map(|i| format!("v{i}")).collect();
        let ops: Vec<_> = (0..count).map(|_| all[random.below(all.len())]).collect();
        let mut text = operands[0].clone();
        for (op, operand) in ops.iter().zip(&operands[1..]) {
            text = format!("{text} {} {operand}", op.as_str());
        }
        let expr = condition(&text);
        assert_eq!(shape(&expr), naive_shape(&operands, &ops), "{text}");
        assert_eq!(expr.to_string(), text);
    }
}

#[test]
fn signs_belong_to_literals_and_multiply_the_rest() {
    for (text, printed) in [
        ("a = -5", "a = -5"),
        ("a = +5", "a = 5"),
        ("a = -1.5", "a = -1.500"),
        ("a = -1h", "a = -1h"),
        ("a = -b", "a = -1 * b"),
        ("a = +b", "a = 1 * b"),
        ("a = -(b)", "a = -1 * (b)"),
        ("a = -f(b)", "a = -1 * f(b)"),
        ("a = -9223372036854775808", "a = -9223372036854775808"),
        ("a = 9223372036854775808", "a = 9223372036854775808"),
    ] {
        assert_eq!(condition(text).to_string(), printed, "{text}");
    }
}

#[test]
fn names_have_dots_quotes_and_types() {
    let variable = |name: &str, data_type| {
        Expr::Variable(VarRef {
            name: name.into(),
            data_type,
        })
    };
    for (text, expected) in [
        ("a", variable("a", None)),
        ("a.b", variable("a.b", None)),
        ("\"a b\"::float", variable("a b", Some(DataType::Float))),
        ("a::TAG", variable("a", Some(DataType::Tag))),
        ("a::field", variable("a", Some(DataType::AnyField))),
        ("a::Unsigned", variable("a", Some(DataType::Unsigned))),
        ("\"q\\\"\\\\\\n\"", variable("q\"\\\n", None)),
        // Upstream's scanner drops what stands before a quote.
        ("ab\"c\"", variable("c", None)),
    ] {
        assert_eq!(condition(text), expected, "{text}");
    }
}

#[test]
fn long_chains_of_conditions_are_shallow_and_keep_their_order() {
    let parts: Vec<_> = (0..20_000).map(|i| format!("host = 'h{i}'")).collect();
    for word in [" OR ", " AND "] {
        let text = parts.join(word);
        assert_eq!(condition(&text).to_string(), text);
    }
}

#[test]
fn too_deep_an_expression_is_an_error() {
    let nested = |open: &str, close: &str, times: usize| {
        let text = format!("{}v{}", open.repeat(times), close.repeat(times));
        parse_query(&format!("SELECT {text} FROM m"))
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let deep = "expression is nested too deeply: at most 255 levels are allowed".to_string();
    for (open, close) in [("(", ")"), ("f(", ")"), ("-(", ")")] {
        assert_eq!(nested(open, close, NESTING_MAX as usize), Ok(()), "{open}");
        assert_eq!(
            nested(open, close, NESTING_MAX as usize + 1),
            Err(deep.clone()),
            "{open}"
        );
        assert_eq!(nested(open, close, 200_000), Err(deep.clone()), "{open}");
    }
    let sum = |terms: usize| {
        let text = format!("SELECT v{} FROM m", " + v".repeat(terms - 1));
        parse_query(&text)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(sum(EXPR_DEPTH_MAX), Ok(()));
    let tall = "expression is too deep: at most 512 levels of operators are allowed";
    assert_eq!(sum(EXPR_DEPTH_MAX + 1), Err(tall.to_string()));
    assert_eq!(sum(100_000), Err(tall.to_string()));
    let query = |times: usize| {
        let (open, close) = ("SELECT v FROM (".repeat(times), ")".repeat(times));
        parse_query(&format!("{open}SELECT v FROM m{close}")).map(|_| ())
    };
    assert!(query(31).is_ok());
    assert!(query(32).is_err());
    assert!(query(50_000).is_err());
}
