//! Tokens to statements, by recursive descent.
//!
//! What is accepted, and which error wins, follows upstream token by token: clauses come in a
//! fixed order, a token that fits nowhere is left for the caller, and the caller's error tells
//! of it.
//!
//! Source: influxql 1.4 `Parser` and `ParseTree`.

mod admin;
mod cursor;
mod expr;
mod retention;
mod select;
mod show;
mod source;
mod statement;

use alloc::vec::Vec;

use super::ast::ParsedStatement;
use super::error::ParseError;
use super::params::Params;
use super::token::Token;
use cursor::Parser;

pub use cursor::NESTING_MAX;
pub use expr::EXPR_DEPTH_MAX;

/// Parses a query: statements separated by semicolons, empty ones skipped.
///
/// # Errors
///
/// The first thing in `text` that is not InfluxQL; then nothing of it is returned.
pub fn parse_query(text: &str) -> Result<Vec<ParsedStatement>, ParseError> {
    parse_query_with(text, &Params::new())
}

/// Parses a query in which `$name` stands for the value of that name in `params`.
///
/// # Errors
///
/// As [`parse_query`], and `missing parameter: name` for a name without a value.
pub fn parse_query_with(text: &str, params: &Params) -> Result<Vec<ParsedStatement>, ParseError> {
    let mut parser = Parser::new(text, params);
    let mut statements: Vec<ParsedStatement> = Vec::new();
    let mut separated = true;
    loop {
        let next = parser.next();
        if !separated && let Some(last) = statements.last_mut() {
            // A statement ends where the token after it starts, less the space between.
            let end = text
                .get(last.span.start..next.start)
                .unwrap_or("")
                .trim_end()
                .len();
            last.span.end = last.span.start + end;
        }
        match next.token {
            Token::Eof => return Ok(statements),
            Token::Semicolon => separated = true,
            _ if !separated => return Err(ParseError::expected(&next, &[";"])),
            _ => {
                parser.back();
                let statement = parser.statement()?;
                statements.push(ParsedStatement {
                    statement,
                    span: next.start..next.start,
                });
                separated = false;
            }
        }
    }
}
