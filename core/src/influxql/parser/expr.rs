//! Expressions.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::cursor::Parser;
use crate::influxql::ast::{BinaryOp, Call, DataType, Expr, VarRef, WildcardKind};
use crate::influxql::duration::parse_duration;
use crate::influxql::error::ParseError;
use crate::influxql::regex;
use crate::influxql::token::{Lexeme, Token};

/// Deepest tree of operators, parentheses and calls. Chains of AND and of OR are balanced and
/// cost next to nothing; a sum of this many terms is refused. Ours.
pub const EXPR_DEPTH_MAX: usize = 512;

/// An expression with the depth of its tree.
struct Deep {
    expr: Expr,
    depth: usize,
}

impl Parser<'_> {
    /// Reads an expression.
    pub(super) fn expression(&mut self) -> Result<Expr, ParseError> {
        Ok(self.deep_expression()?.expr)
    }

    /// Reads operands and operators to the end of the expression, then builds the tree: the
    /// same as upstream's, except that chains of AND and OR are balanced.
    fn deep_expression(&mut self) -> Result<Deep, ParseError> {
        let mut operands = Vec::from([self.operand()?]);
        let mut ops = Vec::new();
        loop {
            let Some(op) = BinaryOp::of(self.next().token) else {
                self.back();
                break;
            };
            let operand = if op.takes_regex() {
                match self.optional_regex()? {
                    Some(pattern) => leaf(Expr::Regex(pattern)),
                    None => return Err(ParseError::expected(&self.next(), &["regex"])),
                }
            } else {
                self.operand()?
            };
            ops.push(op);
            operands.push(operand);
        }
        let mut operands = operands.into_iter();
        let Some(first) = operands.next() else {
            return Err(ParseError::rule("empty expression"));
        };
        build(first, ops.into_iter().zip(operands))
    }

    /// Reads one operand: a literal, a name, a call, or something in parentheses.
    fn operand(&mut self) -> Result<Deep, ParseError> {
        let found = self.next();
        let expr = match found.token {
            Token::LeftParen => return self.parenthesized(),
            Token::Identifier => {
                if self.raw().token == Token::LeftParen {
                    return self.call(&found.text);
                }
                self.back();
                self.back();
                self.variable()?
            }
            Token::Distinct => return self.distinct(),
            Token::String => Expr::String(found.text),
            Token::Number => number(&found)?,
            Token::Integer => integer(&found)?,
            Token::True => Expr::Boolean(true),
            Token::False => Expr::Boolean(false),
            Token::DurationValue => {
                Expr::Duration(parse_duration(&found.text).map_err(ParseError::rule)?)
            }
            Token::Multiply => self.wildcard()?,
            Token::Regex => {
                regex::check(&found.text).map_err(|text| ParseError::invalid(text, found.pos))?;
                Expr::Regex(found.text)
            }
            Token::BoundParameter => return Err(self.parameter_error(&found)),
            Token::Add | Token::Subtract => return self.signed(found.token == Token::Subtract),
            _ => {
                let expected = ["identifier", "string", "number", "bool"];
                return Err(ParseError::expected(&found, &expected));
            }
        };
        Ok(leaf(expr))
    }

    fn parenthesized(&mut self) -> Result<Deep, ParseError> {
        let Deep { expr, depth } = self.nested(1, Self::deep_expression)?;
        self.expect(Token::RightParen)?;
        check_depth(Deep {
            expr: Expr::Paren(Box::new(expr)),
            depth: depth + 1,
        })
    }

    /// Reads what follows a sign. Literals take it; the rest is multiplied by 1 or -1.
    fn signed(&mut self, negative: bool) -> Result<Deep, ParseError> {
        let found = self.next();
        if !matches!(
            found.token,
            Token::Number
                | Token::Integer
                | Token::DurationValue
                | Token::LeftParen
                | Token::Identifier
        ) {
            let expected = ["identifier", "number", "duration", "("];
            return Err(ParseError::expected(&found, &expected));
        }
        self.back();
        let Deep { expr, depth } = self.operand()?;
        if !negative && !matches!(expr, Expr::Variable(_) | Expr::Call(_) | Expr::Paren(_)) {
            return Ok(Deep { expr, depth });
        }
        let expr = match expr {
            Expr::Number(number) => Expr::Number(-number),
            Expr::Integer(number) => Expr::Integer(number.wrapping_neg()),
            Expr::Duration(ns) => Expr::Duration(ns.wrapping_neg()),
            // The one number that fits i64 only with its sign.
            Expr::Unsigned(number) if number == 1 << 63 => Expr::Integer(i64::MIN),
            Expr::Unsigned(number) => {
                return Err(ParseError::rule(format!(
                    "constant -{number} underflows int64"
                )));
            }
            other => {
                let factor = Expr::Integer(if negative { -1 } else { 1 });
                let expr = Expr::binary(BinaryOp::Multiply, factor, other);
                return check_depth(Deep {
                    expr,
                    depth: depth + 1,
                });
            }
        };
        Ok(leaf(expr))
    }

    fn wildcard(&mut self) -> Result<Expr, ParseError> {
        if self.raw().token != Token::DoubleColon {
            self.back();
            return Ok(Expr::Wildcard(None));
        }
        let found = self.raw();
        match found.token {
            Token::Field => Ok(Expr::Wildcard(Some(WildcardKind::Field))),
            Token::Tag => Ok(Expr::Wildcard(Some(WildcardKind::Tag))),
            _ => Err(ParseError::expected(&found, &["field", "tag"])),
        }
    }

    /// Reads what follows DISTINCT: a call or a name.
    fn distinct(&mut self) -> Result<Deep, ParseError> {
        let found = self.raw();
        match found.token {
            Token::LeftParen => self.call("distinct"),
            Token::Whitespace => Ok(leaf(Expr::Distinct(self.identifier()?))),
            _ => Err(ParseError::expected(&found, &["(", "identifier"])),
        }
    }

    /// Reads a name with dots and a cast.
    fn variable(&mut self) -> Result<Expr, ParseError> {
        let name = self.segments()?.join(".");
        if self.raw().token != Token::DoubleColon {
            self.back();
            return Ok(Expr::Variable(VarRef {
                name,
                data_type: None,
            }));
        }
        let found = self.raw();
        let data_type = match found.token {
            Token::Field => DataType::AnyField,
            Token::Tag => DataType::Tag,
            Token::Identifier => named_type(&found)?,
            _ => {
                let expected = ["float", "integer", "string", "boolean", "field", "tag"];
                return Err(ParseError::expected(&found, &expected));
            }
        };
        Ok(Expr::Variable(VarRef {
            name,
            data_type: Some(data_type),
        }))
    }

    /// Reads the arguments of `name`, whose opening parenthesis has been read.
    fn call(&mut self, name: &str) -> Result<Deep, ParseError> {
        let name = name.to_lowercase();
        let args = self.nested(1, Self::arguments)?;
        let depth = args.iter().map(|arg| arg.depth).max().unwrap_or(0) + 1;
        let args = args.into_iter().map(|arg| arg.expr).collect();
        check_depth(Deep {
            expr: Expr::Call(Call { name, args }),
            depth,
        })
    }

    fn arguments(&mut self) -> Result<Vec<Deep>, ParseError> {
        let mut args = Vec::new();
        if let Some(pattern) = self.optional_regex()? {
            args.push(leaf(Expr::Regex(pattern)));
        } else {
            if self.raw().token == Token::RightParen {
                return Ok(args);
            }
            self.back();
            args.push(self.deep_expression()?);
        }
        while self.take(Token::Comma) {
            args.push(match self.optional_regex()? {
                Some(pattern) => leaf(Expr::Regex(pattern)),
                None => self.deep_expression()?,
            });
        }
        let found = self.raw();
        if found.token != Token::RightParen {
            return Err(ParseError::expected(&found, &[")"]));
        }
        Ok(args)
    }
}

const fn leaf(expr: Expr) -> Deep {
    Deep { expr, depth: 1 }
}

fn check_depth(deep: Deep) -> Result<Deep, ParseError> {
    if deep.depth > EXPR_DEPTH_MAX {
        return Err(ParseError::rule(format!(
            "expression is too deep: at most {EXPR_DEPTH_MAX} levels of operators are allowed"
        )));
    }
    Ok(deep)
}

/// Joins operands by precedence, left to right among equals. A stack of pending operators of
/// rising precedence keeps this linear and free of recursion.
fn build(first: Deep, rest: impl Iterator<Item = (BinaryOp, Deep)>) -> Result<Deep, ParseError> {
    // Operands of one run of equal operators are kept apart until the run ends, so that AND
    // and OR can be balanced.
    let mut pending: Vec<(Vec<Deep>, Vec<BinaryOp>)> = Vec::new();
    let mut operand = first;
    for (op, next) in rest {
        while let Some((_, ops)) = pending.last()
            && ops
                .last()
                .is_some_and(|last| last.precedence() > op.precedence())
        {
            operand = close(&mut pending, operand)?;
        }
        match pending.last_mut() {
            Some((operands, ops))
                if ops
                    .last()
                    .is_some_and(|last| last.precedence() == op.precedence()) =>
            {
                operands.push(operand);
                ops.push(op);
            }
            _ => pending.push((Vec::from([operand]), Vec::from([op]))),
        }
        operand = next;
    }
    while !pending.is_empty() {
        operand = close(&mut pending, operand)?;
    }
    Ok(operand)
}

/// Ends the innermost run of operators with its last operand.
fn close(pending: &mut Vec<(Vec<Deep>, Vec<BinaryOp>)>, last: Deep) -> Result<Deep, ParseError> {
    let Some((mut operands, ops)) = pending.pop() else {
        return Ok(last);
    };
    operands.push(last);
    if let Some(&op @ (BinaryOp::And | BinaryOp::Or)) = ops.first() {
        return balance(op, operands);
    }
    let mut operands = operands.into_iter();
    let mut left = operands.next().unwrap_or_else(|| leaf(Expr::Nil));
    for (op, right) in ops.into_iter().zip(operands) {
        left = join(op, left, right)?;
    }
    Ok(left)
}

/// Joins neighbours pairwise until one is left. AND and OR are associative, so this changes
/// neither the meaning nor the printed text, only the depth.
fn balance(op: BinaryOp, mut operands: Vec<Deep>) -> Result<Deep, ParseError> {
    while operands.len() > 1 {
        let mut pairs = Vec::with_capacity(operands.len().div_ceil(2));
        let mut from = operands.into_iter();
        while let Some(left) = from.next() {
            pairs.push(match from.next() {
                Some(right) => join(op, left, right)?,
                None => left,
            });
        }
        operands = pairs;
    }
    Ok(operands.pop().unwrap_or_else(|| leaf(Expr::Nil)))
}

/// Joins two expressions, unless that grows too deep: the check comes with every level, since
/// even dropping a tree recurses.
fn join(op: BinaryOp, left: Deep, right: Deep) -> Result<Deep, ParseError> {
    let depth = left.depth.max(right.depth) + 1;
    check_depth(Deep {
        expr: Expr::binary(op, left.expr, right.expr),
        depth,
    })
}

fn number(found: &Lexeme) -> Result<Expr, ParseError> {
    match found.text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Expr::Number(number)),
        _ => Err(ParseError::invalid("unable to parse number", found.pos)),
    }
}

fn integer(found: &Lexeme) -> Result<Expr, ParseError> {
    if let Ok(number) = found.text.parse() {
        return Ok(Expr::Integer(number));
    }
    match found.text.parse() {
        Ok(number) => Ok(Expr::Unsigned(number)),
        Err(_) => Err(ParseError::invalid("unable to parse integer", found.pos)),
    }
}

fn named_type(found: &Lexeme) -> Result<DataType, ParseError> {
    let types = [
        DataType::Float,
        DataType::Integer,
        DataType::Unsigned,
        DataType::String,
        DataType::Boolean,
    ];
    let name: String = found.text.to_lowercase();
    types
        .into_iter()
        .find(|data_type| data_type.as_str() == name)
        .ok_or_else(|| {
            let expected = [
                "float", "integer", "unsigned", "string", "boolean", "field", "tag",
            ];
            ParseError::expected(found, &expected)
        })
}
