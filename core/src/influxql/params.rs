//! Values for `$name` placeholders.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use super::duration::format_duration;
use super::token::{Lexeme, Token};

/// The values by name, without the dollar sign.
pub type Params = BTreeMap<String, BindValue>;

/// A value that takes the place of `$name`. It is put in as one token, so it can never
/// change the shape of the statement.
///
/// Source: influxql 1.4 `Value`.
#[derive(Clone, Debug, PartialEq)]
pub enum BindValue {
    /// A name.
    Identifier(String),
    /// A string.
    String(String),
    /// A pattern, without slashes.
    Regex(String),
    /// A number with a fraction.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Boolean(bool),
    /// A length of time in nanoseconds.
    Duration(i64),
    /// A value that could not be used: the parser answers this text.
    Error(String),
}

impl BindValue {
    /// Turns `lexeme`, a placeholder, into the token of this value.
    pub(super) fn replace(&self, lexeme: &mut Lexeme) {
        let (token, text) = match self {
            Self::Identifier(name) => (Token::Identifier, name.clone()),
            Self::String(text) => (Token::String, text.clone()),
            Self::Regex(pattern) => (Token::Regex, pattern.clone()),
            Self::Number(number) => (Token::Number, format!("{number}")),
            Self::Integer(number) => (Token::Integer, number.to_string()),
            Self::Boolean(true) => (Token::True, String::new()),
            Self::Boolean(false) => (Token::False, String::new()),
            Self::Duration(ns) => (Token::DurationValue, format_duration(*ns)),
            Self::Error(_) => return,
        };
        lexeme.token = token;
        lexeme.text = text;
    }
}
