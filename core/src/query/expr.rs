//! Expressions over the values of a row.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::pattern::Pattern;
use super::value::binary;
use crate::influxql::{BinaryOp, Expr, VarRef};
use crate::model::Value;

/// A compiled expression. Variables are slots: places in the list of a row's values.
#[derive(Debug)]
pub(super) enum Node {
    Slot(usize),
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    String(Vec<u8>),
    /// What no row has a value for.
    Nothing,
    Binary(BinaryOp, Box<Self>, Box<Self>),
    /// `expr =~ pattern` if true, else `expr !~ pattern`.
    Matches(Box<Self>, Pattern, bool),
}

impl Node {
    /// Compiles `expr`; `slot` gives each variable its place.
    ///
    /// # Errors
    ///
    /// Function calls and patterns that cannot run.
    pub(super) fn compile(
        expr: &Expr,
        slot: &mut dyn FnMut(&VarRef) -> usize,
    ) -> Result<Self, String> {
        Ok(match expr {
            Expr::Paren(inner) => Self::compile(inner, slot)?,
            Expr::Variable(var) => Self::Slot(slot(var)),
            Expr::Number(number) => Self::Float(*number),
            Expr::Integer(number) => Self::Integer(*number),
            Expr::Unsigned(number) => Self::Unsigned(*number),
            Expr::Boolean(truth) => Self::Boolean(*truth),
            Expr::String(text) => Self::String(text.as_bytes().to_vec()),
            Expr::Call(call) => return Err(format!("{}() is not supported yet", call.name)),
            Expr::Binary(op, lhs, rhs) => {
                let lhs = Box::new(Self::compile(lhs, slot)?);
                match &**rhs {
                    Expr::Regex(text) if op.takes_regex() => {
                        Self::Matches(lhs, Pattern::new(text)?, *op == BinaryOp::Matches)
                    }
                    rhs => Self::Binary(*op, lhs, Box::new(Self::compile(rhs, slot)?)),
                }
            }
            _ => Self::Nothing,
        })
    }

    /// The value for a row. `selected` as in [`binary`].
    pub(super) fn eval<'a>(
        &'a self,
        row: &[Option<Value<'a>>],
        selected: bool,
    ) -> Option<Value<'a>> {
        match self {
            Self::Slot(slot) => row.get(*slot).copied().flatten(),
            Self::Float(value) => Some(Value::Float(*value)),
            Self::Integer(value) => Some(Value::Integer(*value)),
            Self::Unsigned(value) => Some(Value::Unsigned(*value)),
            Self::Boolean(value) => Some(Value::Boolean(*value)),
            Self::String(value) => Some(Value::String(value)),
            Self::Nothing => None,
            Self::Binary(op, lhs, rhs) => {
                let (lhs, rhs) = (lhs.eval(row, selected), rhs.eval(row, selected));
                binary(*op, lhs, rhs, selected)
            }
            Self::Matches(text, pattern, wanted) => match text.eval(row, selected)? {
                Value::String(text) => Some(Value::Boolean(pattern.is_match(text) == *wanted)),
                _ => None,
            },
        }
    }

    /// Whether the condition holds for a row: anything but true does not.
    pub(super) fn holds(&self, row: &[Option<Value<'_>>]) -> bool {
        matches!(self.eval(row, false), Some(Value::Boolean(true)))
    }
}
