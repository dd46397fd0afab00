//! FROM and INTO: measurements and sub-queries.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::cursor::Parser;
use super::select::TargetRule;
use crate::influxql::ast::{Measurement, Source};
use crate::influxql::error::ParseError;
use crate::influxql::quote::Segments;
use crate::influxql::token::{Pos, Token};

impl Parser<'_> {
    /// Reads FROM and its sources, if it comes next. No sub-queries.
    pub(super) fn optional_from(&mut self) -> Result<Vec<Source>, ParseError> {
        if self.take(Token::From) {
            self.sources(false)
        } else {
            Ok(Vec::new())
        }
    }

    /// Reads sources separated by commas.
    pub(super) fn sources(&mut self, subqueries: bool) -> Result<Vec<Source>, ParseError> {
        let mut sources = Vec::from([self.source(subqueries)?]);
        while self.take(Token::Comma) {
            sources.push(self.source(subqueries)?);
        }
        Ok(sources)
    }

    /// Reads one source: a pattern, a sub-query where allowed, or a dotted name.
    pub(super) fn source(&mut self, subqueries: bool) -> Result<Source, ParseError> {
        if let Some(pattern) = self.optional_regex()? {
            let regex = Some(pattern);
            return Ok(Source::Measurement(Measurement {
                regex,
                ..Measurement::default()
            }));
        }
        if subqueries && self.take(Token::LeftParen) {
            self.expect(Token::Select)?;
            let select = self.nested(Self::SUBQUERY_LEVELS, |parser| {
                parser.select(TargetRule::Optional).map(Box::new)
            })?;
            self.expect(Token::RightParen)?;
            return Ok(Source::Subquery(select));
        }
        let mut segments = self.segments()?;
        let regex = if segments.len() < 3 {
            self.optional_regex()?
        } else {
            None
        };
        if regex.is_some() {
            segments.push(String::new());
        }
        Ok(Source::Measurement(Measurement {
            regex,
            ..measurement(segments)
        }))
    }

    /// Reads INTO and its target, if it comes next. `:MEASUREMENT` becomes an empty name.
    pub(super) fn target(&mut self, rule: TargetRule) -> Result<Option<Measurement>, ParseError> {
        let found = self.next();
        if found.token != Token::Into {
            if rule == TargetRule::Required {
                return Err(ParseError::expected(&found, &["INTO"]));
            }
            self.back();
            return Ok(None);
        }
        let mut segments = self.segments()?;
        if segments.len() < 3 && self.peek_char() == ':' {
            self.expect(Token::Colon)?;
            self.expect(Token::Measurement)?;
            segments.push(String::new());
        }
        Ok(Some(measurement(segments)))
    }

    /// Reads up to three names with dots directly between them. A name before `..` may be
    /// followed by an empty one; before `./` and `.:` the dot is read and the rest left.
    pub(super) fn segments(&mut self) -> Result<Vec<String>, ParseError> {
        let mut segments = Vec::from([self.identifier()?]);
        loop {
            if self.raw().token != Token::Dot {
                self.back();
                break;
            }
            match self.peek_char() {
                '/' | ':' => break,
                '.' => segments.push(String::new()),
                _ => segments.push(self.identifier()?),
            }
        }
        if segments.len() > 3 {
            let text = format!("too many segments in {}", Segments(&segments));
            // Upstream gives this error no position, and prints the first one.
            return Err(ParseError::invalid(text, Pos::default()));
        }
        Ok(segments)
    }
}

/// The last of up to three segments is the name.
fn measurement(segments: Vec<String>) -> Measurement {
    let mut from_last = segments.into_iter().rev();
    let mut part = || from_last.next().unwrap_or_default();
    let (name, retention_policy, database) = (part(), part(), part());
    Measurement {
        database,
        retention_policy,
        name,
        regex: None,
    }
}
