//! Splits WHERE into a range of time and the rest.
//!
//! Source: influxql 1.4 `ConditionExpr` and `getTimeRange`.

use alloc::format;
use alloc::string::String;
use core::fmt;

use super::ast::{BinaryOp, Expr};
use super::fold::{fold, fold_binary, fold_inner, fold_paren};
use super::time::{format_rfc3339, is_time_literal, parse_time};
use crate::model::{TIME_MAX_NS, TIME_MIN_NS};

/// A range of time; both ends belong to it. What is not bounded is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The first moment, nanoseconds.
    pub min_ns: Option<i64>,
    /// The last moment, nanoseconds.
    pub max_ns: Option<i64>,
}

impl TimeRange {
    /// The first moment, or the first one there is.
    pub fn min(self) -> i64 {
        self.min_ns.unwrap_or(TIME_MIN_NS)
    }

    /// The last moment, or the last one there is.
    pub fn max(self) -> i64 {
        self.max_ns.unwrap_or(TIME_MAX_NS)
    }

    /// What both ranges have in common.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        let both = |a: Option<i64>, b: Option<i64>, pick: fn(i64, i64) -> i64| match (a, b) {
            (Some(a), Some(b)) => Some(pick(a, b)),
            (one, other) => one.or(other),
        };
        Self {
            min_ns: both(self.min_ns, other.min_ns, i64::max),
            max_ns: both(self.max_ns, other.max_ns, i64::min),
        }
    }
}

/// A condition that is none, or a time that cannot be compared. `Display` is upstream's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionError(String);

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ConditionError {}

/// Splits `condition` into what does not speak of time, folded, and the range of time it
/// allows. Times joined with OR are intersected all the same: there is no union of ranges.
///
/// # Errors
///
/// An operand of AND or OR that is no condition; a time compared with something that is none,
/// with an operator for something else, or outside of what can be stored.
pub fn time_range(
    condition: Option<&Expr>,
    now_ns: i64,
) -> Result<(Option<Expr>, TimeRange), ConditionError> {
    let Some(condition) = condition else {
        return Ok((None, TimeRange::default()));
    };
    let (rest, range) = split(condition, now_ns)?;
    let rest = match rest {
        Some(Expr::Paren(inner)) => Some(*inner),
        other => other,
    };
    Ok((rest.filter(|rest| *rest != Expr::Boolean(true)), range))
}

fn split(condition: &Expr, now_ns: i64) -> Result<(Option<Expr>, TimeRange), ConditionError> {
    match condition {
        Expr::Binary(op @ (BinaryOp::And | BinaryOp::Or), lhs, rhs) => {
            let (lhs, lhs_range) = split(lhs, now_ns)?;
            let (rhs, rhs_range) = split(rhs, now_ns)?;
            let rest = match (lhs, rhs) {
                (Some(lhs), Some(rhs)) => Some(fold_binary(*op, lhs, rhs)),
                (one, other) => one.or(other),
            };
            Ok((rest, lhs_range.intersect(rhs_range)))
        }
        Expr::Binary(op, lhs, rhs) if lhs.is_time() => {
            Ok((None, compared_with(*op, (**rhs).clone(), now_ns)?))
        }
        Expr::Binary(op, lhs, rhs) if rhs.is_time() => {
            Ok((None, compared_with(swapped(*op), (**lhs).clone(), now_ns)?))
        }
        Expr::Binary(..) => Ok((
            Some(fold_inner(condition.clone(), Some(now_ns))),
            TimeRange::default(),
        )),
        Expr::Paren(inner) => {
            let (rest, range) = split(inner, now_ns)?;
            Ok((rest.map(fold_paren), range))
        }
        Expr::Boolean(_) => Ok((Some(condition.clone()), TimeRange::default())),
        other => Err(ConditionError(format!(
            "invalid condition expression: {other}"
        ))),
    }
}

/// The operator with its sides swapped.
const fn swapped(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::GreaterEqual => BinaryOp::LessEqual,
        BinaryOp::LessEqual => BinaryOp::GreaterEqual,
        other => other,
    }
}

/// The range of `time op operand`.
fn compared_with(op: BinaryOp, operand: Expr, now_ns: i64) -> Result<TimeRange, ConditionError> {
    let operand = match operand {
        Expr::String(text) if is_time_literal(&text) => match parse_time(&text) {
            Some(ns) => Expr::Time(ns),
            None => return Err(ConditionError("invalid timestamp string".into())),
        },
        other => fold(other, Some(now_ns)),
    };
    let value = match operand {
        Expr::Time(ns) => storable(ns)?,
        Expr::Duration(ns) | Expr::Integer(ns) => ns,
        Expr::Number(number) => number as i64,
        other => {
            let text = format!(
                "invalid operation: time and {} are not compatible",
                other.go_type()
            );
            return Err(ConditionError(text));
        }
    };
    let (min_ns, max_ns) = match op {
        BinaryOp::Greater => (Some(value.saturating_add(1)), None),
        BinaryOp::GreaterEqual => (Some(value), None),
        BinaryOp::Less => (None, Some(value.saturating_sub(1))),
        BinaryOp::LessEqual => (None, Some(value)),
        BinaryOp::Equal => (Some(value), Some(value)),
        other => {
            let text = format!("invalid time comparison operator: {}", other.as_str());
            return Err(ConditionError(text));
        }
    };
    Ok(TimeRange { min_ns, max_ns })
}

fn storable(ns: i128) -> Result<i64, ConditionError> {
    // The least storable time means "no bound" to upstream, so it is no literal either.
    let flows = if ns > TIME_MAX_NS.into() {
        "overflows"
    } else if ns <= TIME_MIN_NS.into() {
        "underflows"
    } else {
        return Ok(i64::try_from(ns).unwrap_or(TIME_MAX_NS));
    };
    Err(ConditionError(format!(
        "time {} {flows} time literal",
        format_rfc3339(ns)
    )))
}
