//! Operators on the values of a row; a missing value is `None`.
//!
//! Source: influxql 1.4 `ValuerEval.evalBinaryExpr`.

use crate::influxql::BinaryOp;
use crate::model::Value;

/// The value of `lhs op rhs`; `None` where upstream has nil.
///
/// Selected expressions differ from conditions: a division of whole numbers gives a float and
/// is not cut off, and a missing value beside a boolean is false. Upstream's conditions see
/// missing values as typed nil pointers, which are never false. A division by zero gives zero;
/// whole numbers wrap.
pub(super) fn binary<'a>(
    op: BinaryOp,
    lhs: Option<Value<'a>>,
    rhs: Option<Value<'a>>,
    selected: bool,
) -> Option<Value<'a>> {
    let (lhs, rhs) = match (lhs, rhs) {
        (None, Some(Value::Boolean(_))) if selected => (Some(Value::Boolean(false)), rhs),
        (Some(Value::Boolean(_)), None) if selected => (lhs, Some(Value::Boolean(false))),
        both => both,
    };
    let known = match (lhs, rhs) {
        (Some(Value::Boolean(a)), Some(Value::Boolean(b))) => booleans(op, a, b),
        (Some(Value::String(a)), Some(Value::String(b))) => strings(op, a, b),
        (Some(Value::Integer(a)), Some(Value::Integer(b))) => integers(op, a, b, selected),
        (Some(Value::Unsigned(a)), Some(Value::Unsigned(b))) => unsigneds(op, a, b, selected),
        (Some(Value::Integer(a)), Some(Value::Unsigned(b))) => match signs(op, a < 0, true) {
            Some(known) => Some(known),
            None => unsigneds(op, a.cast_unsigned(), b, selected),
        },
        (Some(Value::Unsigned(a)), Some(Value::Integer(b))) => match signs(op, b < 0, false) {
            Some(known) => Some(known),
            None => unsigneds(op, a, b.cast_unsigned(), selected),
        },
        (Some(a), Some(b)) => match (float(a), float(b)) {
            (Some(a), Some(b)) => floats(op, a, b),
            _ => None,
        },
        _ => None,
    };
    // Incomparable values are neither equal nor unequal.
    known.or_else(|| is_comparison(op).then_some(Value::Boolean(false)))
}

const fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    matches!(
        op,
        Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual
    )
}

/// A number as a float.
const fn float(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Float(value) => Some(value),
        Value::Integer(value) => Some(value as f64),
        Value::Unsigned(value) => Some(value as f64),
        _ => None,
    }
}

fn compare<'a, T: PartialOrd>(op: BinaryOp, a: &T, b: &T) -> Option<Value<'a>> {
    Some(Value::Boolean(match op {
        BinaryOp::Equal => a == b,
        BinaryOp::NotEqual => a != b,
        BinaryOp::Less => a < b,
        BinaryOp::LessEqual => a <= b,
        BinaryOp::Greater => a > b,
        BinaryOp::GreaterEqual => a >= b,
        _ => return None,
    }))
}

fn booleans<'a>(op: BinaryOp, a: bool, b: bool) -> Option<Value<'a>> {
    Some(Value::Boolean(match op {
        BinaryOp::And | BinaryOp::BitAnd => a && b,
        BinaryOp::Or | BinaryOp::BitOr => a || b,
        BinaryOp::BitXor | BinaryOp::NotEqual => a != b,
        BinaryOp::Equal => a == b,
        _ => return None,
    }))
}

fn strings<'a>(op: BinaryOp, a: &[u8], b: &[u8]) -> Option<Value<'a>> {
    let equality = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual);
    equality.then(|| compare(op, &a, &b)).flatten()
}

fn floats<'a>(op: BinaryOp, a: f64, b: f64) -> Option<Value<'a>> {
    Some(Value::Float(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide if b == 0.0 => 0.0,
        BinaryOp::Divide => a / b,
        BinaryOp::Modulo => a % b,
        _ => return compare(op, &a, &b),
    }))
}

fn integers<'a>(op: BinaryOp, a: i64, b: i64, selected: bool) -> Option<Value<'a>> {
    Some(Value::Integer(match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Subtract => a.wrapping_sub(b),
        BinaryOp::Multiply => a.wrapping_mul(b),
        BinaryOp::Divide if selected => return floats(op, a as f64, b as f64),
        BinaryOp::Divide | BinaryOp::Modulo if b == 0 => 0,
        BinaryOp::Divide => a.wrapping_div(b),
        BinaryOp::Modulo => a.wrapping_rem(b),
        BinaryOp::BitAnd => a & b,
        BinaryOp::BitOr => a | b,
        BinaryOp::BitXor => a ^ b,
        _ => return compare(op, &a, &b),
    }))
}

fn unsigneds<'a>(op: BinaryOp, a: u64, b: u64, selected: bool) -> Option<Value<'a>> {
    Some(Value::Unsigned(match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Subtract => a.wrapping_sub(b),
        BinaryOp::Multiply => a.wrapping_mul(b),
        BinaryOp::Divide if selected => return floats(op, a as f64, b as f64),
        BinaryOp::Divide | BinaryOp::Modulo if b == 0 => 0,
        BinaryOp::Divide => a / b,
        BinaryOp::Modulo => a % b,
        BinaryOp::BitAnd => a & b,
        BinaryOp::BitOr => a | b,
        BinaryOp::BitXor => a ^ b,
        _ => return compare(op, &a, &b),
    }))
}

/// The order of a negative number, which stands left or right, and an unsigned one.
fn signs<'a>(op: BinaryOp, negative: bool, left: bool) -> Option<Value<'a>> {
    let less = matches!(op, BinaryOp::Less | BinaryOp::LessEqual);
    let ordered = less || matches!(op, BinaryOp::Greater | BinaryOp::GreaterEqual);
    (negative && ordered).then_some(Value::Boolean(less == left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_follow_upstream() {
        use BinaryOp::{Add, Divide, Equal, Less, Modulo, NotEqual};
        let (int, float) = (Value::Integer, Value::Float);
        let eval = |op, a, b, division| binary(op, Some(a), Some(b), division);
        assert_eq!(eval(Divide, int(7), int(2), true), Some(float(3.5)));
        assert_eq!(eval(Divide, int(7), int(2), false), Some(int(3)));
        assert_eq!(eval(Divide, int(7), int(0), true), Some(float(0.0)));
        assert_eq!(eval(Modulo, int(7), int(0), true), Some(int(0)));
        assert_eq!(
            eval(Divide, int(i64::MIN), int(-1), false),
            Some(int(i64::MIN))
        );
        assert_eq!(eval(Add, int(1), float(0.5), true), Some(float(1.5)));
        let (string, truth) = (Value::String(b"x"), Value::Boolean);
        assert_eq!(eval(Equal, int(1), string, true), Some(truth(false)));
        assert_eq!(eval(NotEqual, int(1), string, true), Some(truth(false)));
        assert_eq!(eval(Add, int(1), string, true), None);
        assert_eq!(
            eval(Less, int(-1), Value::Unsigned(0), true),
            Some(truth(true))
        );
        assert_eq!(
            eval(Less, Value::Unsigned(0), int(-1), true),
            Some(truth(false))
        );
        assert_eq!(
            binary(NotEqual, None, Some(truth(true)), true),
            Some(truth(true))
        );
        assert_eq!(
            binary(NotEqual, None, Some(truth(true)), false),
            Some(truth(false))
        );
        assert_eq!(binary(Add, None, Some(int(1)), true), None);
        assert_eq!(binary(Equal, None, None, true), Some(truth(false)));
    }
}
