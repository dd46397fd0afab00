//! Constant folding: arithmetic of literals, with `now()` known.
//!
//! Source: influxql 1.4 `Reduce`. Whole-number arithmetic wraps, as in Go; division by zero
//! gives zero.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::ast::{BinaryOp, Call, Expr};
use super::time::{is_time_literal, parse_time};

/// Folds what can be folded in `expr`. With `now_ns`, `now()` becomes that time. Parentheses
/// around the whole are taken off.
pub fn fold(expr: Expr, now_ns: Option<i64>) -> Expr {
    match fold_inner(expr, now_ns) {
        Expr::Paren(inner) => *inner,
        other => other,
    }
}

/// As [`fold`], but parentheses around an operation stay.
pub(super) fn fold_inner(expr: Expr, now_ns: Option<i64>) -> Expr {
    match expr {
        Expr::Binary(op, lhs, rhs) => {
            let lhs = fold_inner(*lhs, now_ns);
            let rhs = fold_inner(*rhs, now_ns);
            fold_binary(op, lhs, rhs)
        }
        Expr::Paren(inner) => fold_paren(fold_inner(*inner, now_ns)),
        Expr::Call(Call { name, args }) => match now_ns {
            Some(now_ns) if name == "now" && args.is_empty() => Expr::Time(now_ns.into()),
            _ => {
                let args = args
                    .into_iter()
                    .map(|arg| fold_inner(arg, now_ns))
                    .collect::<Vec<_>>();
                Expr::Call(Call { name, args })
            }
        },
        other => other,
    }
}

/// Puts parentheses around an expression that is folded, if it still needs them.
pub(super) fn fold_paren(inner: Expr) -> Expr {
    match inner {
        Expr::Binary(..) => Expr::Paren(Box::new(inner)),
        other => other,
    }
}

/// Joins two expressions that are folded.
pub(super) fn fold_binary(op: BinaryOp, lhs: Expr, rhs: Expr) -> Expr {
    match (op, &lhs, &rhs) {
        (BinaryOp::And, Expr::Boolean(false), _) | (BinaryOp::And, _, Expr::Boolean(false)) => {
            return Expr::Boolean(false);
        }
        (BinaryOp::Or, Expr::Boolean(true), _) | (BinaryOp::Or, _, Expr::Boolean(true)) => {
            return Expr::Boolean(true);
        }
        (BinaryOp::And, Expr::Boolean(true), _) | (BinaryOp::Or, Expr::Boolean(false), _) => {
            return rhs;
        }
        (BinaryOp::And, _, Expr::Boolean(true)) | (BinaryOp::Or, _, Expr::Boolean(false)) => {
            return lhs;
        }
        _ => {}
    }
    match literals(op, &lhs, &rhs) {
        Some(folded) => folded,
        None => Expr::binary(op, lhs, rhs),
    }
}

/// The value of `lhs op rhs`, if both are literals that the operator joins.
fn literals(op: BinaryOp, lhs: &Expr, rhs: &Expr) -> Option<Expr> {
    use Expr::{Boolean, Duration, Integer, Nil, Number, String, Time, Unsigned};
    match (lhs, rhs) {
        (&Boolean(a), &Boolean(b)) => booleans(op, a, b),
        (&Duration(a), &Duration(b)) => durations(op, a, b),
        (&Duration(a), &Number(b)) => scale(op, a, b as i64),
        (&Duration(a), &Integer(b)) => scale(op, a, b),
        (&Duration(a), &Time(b)) => (op == BinaryOp::Add).then(|| Time(b.saturating_add(a.into()))),
        (&Integer(a), &Number(b)) => numbers(op, a as f64, b),
        (&Integer(a), &Integer(b)) => integers(op, a, b),
        (&Integer(a), &Unsigned(b)) => integer_unsigned(op, a, b),
        // A whole number beside a duration is a time, beside a time it is a duration.
        (&Integer(a), &Duration(b)) => shift(op, a.into(), b),
        (&Integer(a), Time(_)) => literals(op, &Duration(a), rhs),
        (Duration(_), String(text)) => literals(op, lhs, &Time(parse_time(text)?)),
        (&Integer(a), String(text)) => literals(op, &Duration(a), &Time(parse_time(text)?)),
        (&Unsigned(a), &Number(b)) => numbers(op, a as f64, b),
        (&Unsigned(a), &Integer(b)) => unsigned_integer(op, a, b),
        (&Unsigned(a), &Unsigned(b)) => unsigneds(op, a, b),
        (&Number(a), &Number(b)) => numbers(op, a, b),
        (&Number(a), &Integer(b)) => numbers(op, a, b as f64),
        (&Number(a), &Unsigned(b)) => numbers(op, a, b as f64),
        (String(a), String(b)) => strings(op, a, b),
        (String(text), Duration(_) | Integer(_) | Time(_)) => {
            literals(op, &Time(parse_time(text)?), rhs)
        }
        (&Time(a), &Duration(b) | &Integer(b)) => shift(op, a, b),
        (&Time(a), &Time(b)) => times(op, a, b),
        (Time(_), String(text)) => literals(op, lhs, &Time(parse_time(text)?)),
        (Nil, _) | (String(_), Nil) => {
            matches!(op, BinaryOp::Equal | BinaryOp::NotEqual).then_some(Boolean(false))
        }
        (Boolean(_) | Duration(_) | Integer(_) | Number(_) | Time(_), Nil) => Some(Boolean(false)),
        _ => None,
    }
}

/// The answer of a comparison.
fn compare<T: PartialOrd>(op: BinaryOp, a: &T, b: &T) -> Option<Expr> {
    Some(Expr::Boolean(match op {
        BinaryOp::Equal => a == b,
        BinaryOp::NotEqual => a != b,
        BinaryOp::Less => a < b,
        BinaryOp::LessEqual => a <= b,
        BinaryOp::Greater => a > b,
        BinaryOp::GreaterEqual => a >= b,
        _ => return None,
    }))
}

fn booleans(op: BinaryOp, a: bool, b: bool) -> Option<Expr> {
    Some(Expr::Boolean(match op {
        BinaryOp::Equal => a == b,
        BinaryOp::NotEqual | BinaryOp::BitXor => a != b,
        BinaryOp::And | BinaryOp::BitAnd => a && b,
        BinaryOp::Or | BinaryOp::BitOr => a || b,
        _ => return None,
    }))
}

fn durations(op: BinaryOp, a: i64, b: i64) -> Option<Expr> {
    match op {
        BinaryOp::Add => Some(Expr::Duration(a.wrapping_add(b))),
        BinaryOp::Subtract => Some(Expr::Duration(a.wrapping_sub(b))),
        _ => compare(op, &a, &b),
    }
}

/// A duration times or over a whole number. Upstream cuts the fraction off the factor first,
/// and dies of one below 1.
fn scale(op: BinaryOp, ns: i64, factor: i64) -> Option<Expr> {
    match op {
        BinaryOp::Multiply => Some(Expr::Duration(ns.wrapping_mul(factor))),
        BinaryOp::Divide if factor == 0 => Some(Expr::Duration(0)),
        BinaryOp::Divide => Some(Expr::Duration(ns.wrapping_div(factor))),
        _ => None,
    }
}

/// A time plus or minus a duration.
fn shift(op: BinaryOp, time_ns: i128, ns: i64) -> Option<Expr> {
    match op {
        BinaryOp::Add => Some(Expr::Time(time_ns.saturating_add(ns.into()))),
        BinaryOp::Subtract => Some(Expr::Time(time_ns.saturating_sub(ns.into()))),
        _ => None,
    }
}

fn times(op: BinaryOp, a: i128, b: i128) -> Option<Expr> {
    if op != BinaryOp::Subtract {
        return compare(op, &a, &b);
    }
    let between = a.saturating_sub(b).clamp(i64::MIN.into(), i64::MAX.into());
    Some(Expr::Duration(i64::try_from(between).unwrap_or(i64::MAX)))
}

fn numbers(op: BinaryOp, a: f64, b: f64) -> Option<Expr> {
    Some(Expr::Number(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide if b == 0.0 => 0.0,
        BinaryOp::Divide => a / b,
        BinaryOp::Modulo => a % b,
        _ => return compare(op, &a, &b),
    }))
}

fn integers(op: BinaryOp, a: i64, b: i64) -> Option<Expr> {
    Some(Expr::Integer(match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Subtract => a.wrapping_sub(b),
        BinaryOp::Multiply => a.wrapping_mul(b),
        // Two whole numbers divide to a number with a fraction.
        BinaryOp::Divide => return numbers(op, a as f64, b as f64),
        BinaryOp::Modulo if b == 0 => 0,
        BinaryOp::Modulo => a.wrapping_rem(b),
        BinaryOp::BitAnd => a & b,
        BinaryOp::BitOr => a | b,
        BinaryOp::BitXor => a ^ b,
        _ => return compare(op, &a, &b),
    }))
}

fn unsigneds(op: BinaryOp, a: u64, b: u64) -> Option<Expr> {
    Some(Expr::Unsigned(match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Subtract => a.wrapping_sub(b),
        BinaryOp::Multiply => a.wrapping_mul(b),
        BinaryOp::Divide => a.checked_div(b).unwrap_or(0),
        BinaryOp::Modulo => a.checked_rem(b).unwrap_or(0),
        _ => return compare(op, &a, &b),
    }))
}

fn integer_unsigned(op: BinaryOp, a: i64, b: u64) -> Option<Expr> {
    match op {
        BinaryOp::Less | BinaryOp::LessEqual if a < 0 => Some(Expr::Boolean(true)),
        BinaryOp::Greater | BinaryOp::GreaterEqual if a < 0 => Some(Expr::Boolean(false)),
        _ => unsigneds(op, a.cast_unsigned(), b),
    }
}

fn unsigned_integer(op: BinaryOp, a: u64, b: i64) -> Option<Expr> {
    match op {
        BinaryOp::Less | BinaryOp::LessEqual if b < 0 => Some(Expr::Boolean(false)),
        BinaryOp::Greater | BinaryOp::GreaterEqual if b < 0 => Some(Expr::Boolean(true)),
        _ => unsigneds(op, a, b.cast_unsigned()),
    }
}

/// Strings compare as times if both are, since one time has many spellings.
fn strings(op: BinaryOp, a: &str, b: &str) -> Option<Expr> {
    let as_times = || {
        let (a, b) = (parse_time(a)?, parse_time(b)?);
        times(op, a, b)
    };
    match op {
        BinaryOp::Equal | BinaryOp::NotEqual => {
            let both = is_time_literal(a) && is_time_literal(b);
            both.then(as_times)
                .flatten()
                .or_else(|| compare(op, &a, &b))
        }
        BinaryOp::Add => Some(Expr::String(String::from_iter([a, b]))),
        _ => as_times(),
    }
}
