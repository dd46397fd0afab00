//! SELECT, clause by clause.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::cursor::Parser;
use crate::influxql::ast::{BinaryOp, Explain, Expr, Field, Fill, FillValue, Select, SortField};
use crate::influxql::error::ParseError;
use crate::influxql::time_zone;
use crate::influxql::token::{Pos, Token};

/// Whether a SELECT must have INTO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetRule {
    Required,
    Optional,
}

impl Parser<'_> {
    /// Reads what follows SELECT.
    pub(super) fn select(&mut self, rule: TargetRule) -> Result<Select, ParseError> {
        let fields = self.fields()?;
        let target = self.target(rule)?;
        self.expect(Token::From)?;
        Ok(Select {
            fields,
            target,
            sources: self.sources(true)?,
            condition: self.condition()?,
            dimensions: self.dimensions()?,
            fill: self.fill()?,
            sort: self.order_by()?,
            limit: self.optional_count(Token::Limit)?,
            offset: self.optional_count(Token::Offset)?,
            slimit: self.optional_count(Token::Slimit)?,
            soffset: self.optional_count(Token::Soffset)?,
            time_zone: self.time_zone()?,
        })
    }

    /// Reads what follows EXPLAIN.
    pub(super) fn explain(&mut self) -> Result<Explain, ParseError> {
        let analyze = self.take(Token::Analyze);
        let verbose = self.take(Token::Verbose);
        self.expect(Token::Select)?;
        Ok(Explain {
            analyze,
            verbose,
            select: self.select(TargetRule::Optional)?,
        })
    }

    fn fields(&mut self) -> Result<Vec<Field>, ParseError> {
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            if self.raw().token != Token::Comma {
                self.back();
                return Ok(fields);
            }
        }
    }

    fn field(&mut self) -> Result<Field, ParseError> {
        let expr = if let Some(pattern) = self.optional_regex()? {
            Expr::Regex(pattern)
        } else {
            let pos = self.next().pos;
            self.back();
            let expr = self.expression()?;
            refuse_condition(&expr, pos)?;
            expr
        };
        let alias = if self.take(Token::As) {
            Some(self.identifier()?)
        } else {
            None
        };
        self.skip_whitespace();
        Ok(Field {
            expr,
            alias: alias.filter(|alias| !alias.is_empty()),
        })
    }

    /// Reads WHERE and its expression, if it comes next.
    pub(super) fn condition(&mut self) -> Result<Option<Expr>, ParseError> {
        if self.take(Token::Where) {
            self.expression().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Reads GROUP BY and its dimensions, if it comes next.
    pub(super) fn dimensions(&mut self) -> Result<Vec<Expr>, ParseError> {
        let mut dimensions = Vec::new();
        if !self.take(Token::Group) {
            return Ok(dimensions);
        }
        self.expect(Token::By)?;
        loop {
            dimensions.push(match self.optional_regex()? {
                Some(pattern) => Expr::Regex(pattern),
                None => {
                    let expr = self.expression()?;
                    self.skip_whitespace();
                    expr
                }
            });
            if self.raw().token != Token::Comma {
                self.back();
                return Ok(dimensions);
            }
        }
    }

    /// Reads `fill(..)`, if it comes next.
    fn fill(&mut self) -> Result<Fill, ParseError> {
        let Some(expr) = self.optional_call("fill")? else {
            return Ok(Fill::Null);
        };
        let Expr::Call(call) = expr else {
            return Err(ParseError::rule("fill must be a function call"));
        };
        let [arg] = call.args.as_slice() else {
            return Err(ParseError::rule(
                "fill requires an argument, e.g.: 0, null, none, previous, linear",
            ));
        };
        if let Expr::Variable(_) = arg {
            match format!("{arg}").as_str() {
                "null" => return Ok(Fill::Null),
                "none" => return Ok(Fill::None),
                "previous" => return Ok(Fill::Previous),
                "linear" => return Ok(Fill::Linear),
                _ => {}
            }
        }
        match *arg {
            Expr::Integer(number) => Ok(Fill::Number(FillValue::Integer(number))),
            Expr::Number(number) => Ok(Fill::Number(FillValue::Float(number))),
            _ => Err(ParseError::rule("expected number argument in fill()")),
        }
    }

    /// Reads ORDER BY and its one field, if it comes next.
    pub(super) fn order_by(&mut self) -> Result<Vec<SortField>, ParseError> {
        if !self.take(Token::Order) {
            return Ok(Vec::new());
        }
        self.expect(Token::By)?;
        let only_time = || ParseError::rule("only ORDER BY time supported at this time");
        let found = self.next();
        let first = match found.token {
            Token::Asc | Token::Desc => SortField {
                name: String::new(),
                ascending: found.token == Token::Asc,
            },
            Token::Identifier => {
                self.back();
                let field = self.sort_field()?;
                if field.name != "time" {
                    return Err(only_time());
                }
                field
            }
            _ => return Err(ParseError::expected(&found, &["identifier", "ASC", "DESC"])),
        };
        let mut alone = true;
        while self.take(Token::Comma) {
            self.sort_field()?;
            alone = false;
        }
        if alone {
            Ok(Vec::from([first]))
        } else {
            Err(only_time())
        }
    }

    fn sort_field(&mut self) -> Result<SortField, ParseError> {
        let name = self.identifier()?;
        let ascending = self.take(Token::Asc) || !self.take(Token::Desc);
        Ok(SortField { name, ascending })
    }

    /// Reads `tz('..')`, if it comes next.
    fn time_zone(&mut self) -> Result<Option<String>, ParseError> {
        let Some(expr) = self.optional_call("tz")? else {
            return Ok(None);
        };
        let Expr::Call(call) = expr else {
            return Err(ParseError::rule("tz must be a function call"));
        };
        let [arg] = call.args.as_slice() else {
            return Err(ParseError::rule("tz requires exactly one argument"));
        };
        let Expr::String(name) = arg else {
            return Err(ParseError::rule("expected string argument in tz()"));
        };
        match time_zone::canonical(name) {
            Some(known) => Ok(Some(known.into())),
            None => Err(ParseError::rule(format!("unable to find time zone {name}"))),
        }
    }

    /// Reads an expression, if a word in any case comes next that equals `name`.
    fn optional_call(&mut self, name: &str) -> Result<Option<Expr>, ParseError> {
        let found = self.next();
        self.back();
        if found.token != Token::Identifier || found.text.to_lowercase() != name {
            return Ok(None);
        }
        self.expression().map(Some)
    }
}

/// No field may be a comparison. Of several, the last one outside of any other is told.
fn refuse_condition(expr: &Expr, pos: Pos) -> Result<(), ParseError> {
    fn last_condition(expr: &Expr) -> Option<BinaryOp> {
        match expr {
            Expr::Binary(op, ..) if op.is_condition() => Some(*op),
            Expr::Binary(_, lhs, rhs) => last_condition(rhs).or_else(|| last_condition(lhs)),
            Expr::Paren(inner) => last_condition(inner),
            Expr::Call(call) => call.args.iter().rev().find_map(last_condition),
            _ => None,
        }
    }
    let Some(op) = last_condition(expr) else {
        return Ok(());
    };
    Err(ParseError::rule(format!(
        "invalid operator {} in SELECT clause at line {}, char {}; \
         operator is intended for WHERE clause",
        op.as_str(),
        u64::from(pos.line) + 1,
        u64::from(pos.char) + 1
    )))
}
