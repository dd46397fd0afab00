//! The position in the token stream, and the small parts every clause is made of.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::influxql::duration::parse_duration;
use crate::influxql::error::ParseError;
use crate::influxql::params::Params;
use crate::influxql::scanner::{Scanner, is_whitespace};
use crate::influxql::token::{Lexeme, Token};

/// Levels of parentheses, calls and sub-queries (each of which counts as
/// [`Parser::SUBQUERY_LEVELS`]) that are followed. Ours: upstream recurses until its stack
/// is full.
pub const NESTING_MAX: u32 = 255;

pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    params: &'a Params,
    /// The last three tokens, so that up to two can be taken back.
    window: [Lexeme; 3],
    last: usize,
    unread: usize,
    nesting: u32,
}

impl<'a> Parser<'a> {
    /// How many levels a sub-query counts for: its frames are that much larger.
    pub(super) const SUBQUERY_LEVELS: u32 = 8;

    pub(super) const fn new(text: &'a str, params: &'a Params) -> Self {
        Self {
            scanner: Scanner::new(text),
            params,
            window: [Lexeme::EMPTY; 3],
            last: 0,
            unread: 0,
            nesting: 0,
        }
    }

    /// Reads the next token, white space and comments included.
    pub(super) fn raw(&mut self) -> Lexeme {
        self.advance(Scanner::scan)
    }

    /// Reads the next token that is neither white space nor a comment.
    pub(super) fn next(&mut self) -> Lexeme {
        loop {
            let lexeme = self.raw();
            if !matches!(lexeme.token, Token::Whitespace | Token::Comment) {
                return lexeme;
            }
        }
    }

    /// Takes back the last token, of whatever kind.
    pub(super) fn back(&mut self) {
        self.unread += 1;
    }

    /// Reads the next token if it is `token`.
    pub(super) fn take(&mut self, token: Token) -> bool {
        let found = self.next().token == token;
        if !found {
            self.back();
        }
        found
    }

    /// Reads `token`, which must come next.
    pub(super) fn expect(&mut self, token: Token) -> Result<(), ParseError> {
        let found = self.next();
        if found.token != token {
            return Err(ParseError::expected(&found, &[token.as_str()]));
        }
        Ok(())
    }

    /// The character after the last token *read*, whether that one was taken back or not.
    pub(super) fn peek_char(&mut self) -> char {
        self.scanner.peek()
    }

    /// Skips one run of white space, but no comment.
    pub(super) fn skip_whitespace(&mut self) {
        if self.raw().token != Token::Whitespace {
            self.back();
        }
    }

    /// Reads a name.
    pub(super) fn identifier(&mut self) -> Result<String, ParseError> {
        let found = self.next();
        if found.token != Token::Identifier {
            return Err(ParseError::expected(&found, &["identifier"]));
        }
        Ok(found.text)
    }

    /// Reads names separated by commas.
    pub(super) fn identifiers(&mut self) -> Result<Vec<String>, ParseError> {
        let mut names = Vec::from([self.identifier()?]);
        while self.take(Token::Comma) {
            names.push(self.identifier()?);
        }
        Ok(names)
    }

    /// Reads ON and a name, if ON comes next.
    pub(super) fn on_database(&mut self) -> Result<Option<String>, ParseError> {
        if self.take(Token::On) {
            self.identifier().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Reads a string.
    pub(super) fn string(&mut self) -> Result<String, ParseError> {
        let found = self.next();
        if found.token != Token::String {
            return Err(ParseError::expected(&found, &["string"]));
        }
        Ok(found.text)
    }

    /// Reads strings separated by commas.
    pub(super) fn strings(&mut self) -> Result<Vec<String>, ParseError> {
        let mut strings = Vec::from([self.string()?]);
        while self.take(Token::Comma) {
            strings.push(self.string()?);
        }
        Ok(strings)
    }

    /// Reads a whole number from 1 to `i32::MAX`.
    pub(super) fn replication(&mut self) -> Result<u32, ParseError> {
        let found = self.next();
        if found.token != Token::Integer {
            return Err(ParseError::expected(&found, &["integer"]));
        }
        let Ok(number) = found.text.parse::<i64>() else {
            return Err(out_of_range("Atoi", &found));
        };
        match u32::try_from(number) {
            Ok(number @ 1..=0x7fff_ffff) => Ok(number),
            _ => Err(ParseError::invalid(
                format!("invalid value {number}: must be 1 <= n <= 2147483647"),
                found.pos,
            )),
        }
    }

    /// Reads a whole number of 64 bits.
    pub(super) fn uint64(&mut self) -> Result<u64, ParseError> {
        let found = self.next();
        if found.token != Token::Integer {
            return Err(ParseError::expected(&found, &["integer"]));
        }
        found
            .text
            .parse()
            .map_err(|_| out_of_range("ParseUint", &found))
    }

    /// Reads `token` and a whole number, if `token` comes next; else it is 0. Too large a
    /// number counts as the largest.
    pub(super) fn optional_count(&mut self, token: Token) -> Result<u64, ParseError> {
        if !self.take(token) {
            return Ok(0);
        }
        let found = self.next();
        if found.token != Token::Integer {
            return Err(ParseError::expected(&found, &["integer"]));
        }
        let largest = if found.text.starts_with('-') {
            i64::MIN
        } else {
            i64::MAX
        };
        let number = found.text.parse::<i64>().unwrap_or(largest);
        // Only a bound parameter can be negative here.
        u64::try_from(number)
            .map_err(|_| ParseError::invalid(format!("{} must be >= 0", token.as_str()), found.pos))
    }

    /// Reads a duration or INF, which is 0.
    pub(super) fn duration_or_inf(&mut self) -> Result<i64, ParseError> {
        let found = self.next();
        match found.token {
            Token::Inf => Ok(0),
            Token::DurationValue => {
                parse_duration(&found.text).map_err(|text| ParseError::invalid(text, found.pos))
            }
            _ => Err(ParseError::expected(&found, &["duration"])),
        }
    }

    /// Reads `/pattern/`, or a bound parameter that is one, if it comes next.
    pub(super) fn optional_regex(&mut self) -> Result<Option<String>, ParseError> {
        if is_whitespace(self.peek_char()) {
            self.skip_whitespace();
        }
        match self.peek_char() {
            '/' => {}
            '$' => {
                let bound = self.raw().token;
                self.back();
                if bound != Token::Regex {
                    return Ok(None);
                }
            }
            _ => return Ok(None),
        }
        let found = self.advance(Scanner::scan_regex);
        match found.token {
            Token::Regex => {}
            Token::BadRegex => {
                return Err(ParseError::invalid(
                    format!("bad regex: {}", found.text),
                    found.pos,
                ));
            }
            _ => return Err(ParseError::expected(&found, &["regex"])),
        }
        crate::influxql::regex::check(&found.text)
            .map_err(|text| ParseError::invalid(text, found.pos))?;
        Ok(Some(found.text))
    }

    /// Enters `levels` of nesting for the time of `parse`.
    pub(super) fn nested<T>(
        &mut self,
        levels: u32,
        parse: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        self.nesting += levels;
        if self.nesting > NESTING_MAX {
            return Err(ParseError::rule(format!(
                "expression is nested too deeply: at most {NESTING_MAX} levels are allowed"
            )));
        }
        let result = parse(self);
        self.nesting -= levels;
        result
    }

    /// The value of a placeholder as an error: it was no use as a token.
    pub(super) fn parameter_error(&self, found: &Lexeme) -> ParseError {
        use crate::influxql::params::BindValue;
        let name = found.text.strip_prefix('$').unwrap_or(&found.text);
        if name.is_empty() {
            return ParseError::rule("empty bound parameter");
        }
        match self.params.get(name) {
            Some(BindValue::Error(text)) => ParseError::rule(text.as_str()),
            _ => ParseError::rule(format!("missing parameter: {name}")),
        }
    }

    fn advance(&mut self, scan: fn(&mut Scanner<'a>) -> Lexeme) -> Lexeme {
        if self.unread > 0 {
            self.unread -= 1;
        } else {
            self.last = (self.last + 1) % self.window.len();
            self.window[self.last] = scan(&mut self.scanner);
        }
        let len = self.window.len();
        let mut lexeme = self.window[(self.last + len - self.unread % len) % len].clone();
        if lexeme.token == Token::BoundParameter
            && let Some(value) = lexeme.text.get(1..).and_then(|name| self.params.get(name))
        {
            value.replace(&mut lexeme);
        }
        lexeme
    }
}

fn out_of_range(function: &str, found: &Lexeme) -> ParseError {
    let text = format!(
        "strconv.{function}: parsing \"{}\": value out of range",
        found.text
    );
    ParseError::invalid(text, found.pos)
}
