//! Why a query text is refused.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::token::{Lexeme, Pos};

/// A text that is not InfluxQL. `Display` is what follows `error parsing query: `.
///
/// Source: influxql 1.4 `ParseError` and the plain errors beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Another token was due.
    Expected {
        /// The token that is there.
        found: String,
        /// What could have been there, in upstream's order.
        expected: Vec<&'static str>,
        /// Where it is.
        pos: Pos,
    },
    /// A token of the right kind with a wrong value.
    Invalid {
        /// What is wrong.
        message: String,
        /// Where it is.
        pos: Pos,
    },
    /// A rule of the whole statement is broken; no position is printed.
    Rule(String),
}

impl ParseError {
    pub(super) fn expected(found: &Lexeme, expected: &[&'static str]) -> Self {
        Self::Expected {
            found: found.found(),
            expected: expected.to_vec(),
            pos: found.pos,
        }
    }

    pub(super) fn invalid(message: impl Into<String>, pos: Pos) -> Self {
        Self::Invalid {
            message: message.into(),
            pos,
        }
    }

    pub(super) fn rule(message: impl Into<String>) -> Self {
        Self::Rule(message.into())
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pos = match self {
            Self::Expected {
                found,
                expected,
                pos,
            } => {
                write!(f, "found {found}, expected ")?;
                for (i, one) in expected.iter().enumerate() {
                    let separator = if i == 0 { "" } else { ", " };
                    write!(f, "{separator}{one}")?;
                }
                pos
            }
            Self::Invalid { message, pos } => {
                f.write_str(message)?;
                pos
            }
            Self::Rule(message) => return f.write_str(message),
        };
        let (line, char) = (u64::from(pos.line) + 1, u64::from(pos.char) + 1);
        write!(f, " at line {line}, char {char}")
    }
}

impl core::error::Error for ParseError {}
