//! Expressions: what is selected, compared and grouped by.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::influxql::token::Token;

/// An expression. Its depth is bounded by the parser (`EXPR_DEPTH_MAX`), so recursion over it
/// is safe; chains of AND and of OR are balanced.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `lhs op rhs`.
    Binary(BinaryOp, Box<Self>, Box<Self>),
    /// `(expr)`.
    Paren(Box<Self>),
    /// `name(args)`.
    Call(Call),
    /// `name` or `name::type`.
    Variable(VarRef),
    /// `DISTINCT name`.
    Distinct(String),
    /// `*`, `*::field`, `*::tag`.
    Wildcard(Option<WildcardKind>),
    /// A number with a decimal point.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// A whole number above the range of `i64`.
    Unsigned(u64),
    /// `true` or `false`.
    Boolean(bool),
    /// Text in single quotes.
    String(String),
    /// A length of time in nanoseconds.
    Duration(i64),
    /// The pattern between the slashes, checked for Go's syntax.
    Regex(String),
    /// A moment in nanoseconds since the epoch, wide enough for years the engine cannot store.
    /// Made by folding only.
    Time(i128),
    /// What a known variable without a value folds to. Made by folding only.
    Nil,
}

/// A function call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// In lower case.
    pub name: String,
    /// In order.
    pub args: Vec<Expr>,
}

/// A name in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VarRef {
    /// Dotted names are joined with dots.
    pub name: String,
    /// The cast, if there is one.
    pub data_type: Option<DataType>,
}

/// The type in a cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they say")]
pub enum DataType {
    Float,
    Integer,
    Unsigned,
    String,
    Boolean,
    /// Any tag.
    Tag,
    /// A field of any type.
    AnyField,
}

impl DataType {
    /// As it is written in a cast.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Tag => "tag",
            Self::AnyField => "field",
        }
    }
}

/// What a typed wildcard covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they say")]
pub enum WildcardKind {
    Field,
    Tag,
}

/// An operator between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they say")]
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    BitAnd,
    BitOr,
    BitXor,
    And,
    Or,
    In,
    Equal,
    NotEqual,
    Matches,
    NotMatches,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl BinaryOp {
    /// The operator a token stands for.
    pub(in crate::influxql) const fn of(token: Token) -> Option<Self> {
        Some(match token {
            Token::Add => Self::Add,
            Token::Subtract => Self::Subtract,
            Token::Multiply => Self::Multiply,
            Token::Divide => Self::Divide,
            Token::Modulo => Self::Modulo,
            Token::BitAnd => Self::BitAnd,
            Token::BitOr => Self::BitOr,
            Token::BitXor => Self::BitXor,
            Token::And => Self::And,
            Token::Or => Self::Or,
            Token::In => Self::In,
            Token::Equal => Self::Equal,
            Token::NotEqual => Self::NotEqual,
            Token::Matches => Self::Matches,
            Token::NotMatches => Self::NotMatches,
            Token::Less => Self::Less,
            Token::LessEqual => Self::LessEqual,
            Token::Greater => Self::Greater,
            Token::GreaterEqual => Self::GreaterEqual,
            _ => return None,
        })
    }

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::BitAnd => "&",
            Self::BitOr => "|",
            Self::BitXor => "^",
            Self::And => "AND",
            Self::Or => "OR",
            Self::In => "IN",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::NotMatches => "!~",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }

    /// How tightly it binds: 1 (OR) to 5 (multiplication).
    ///
    /// Source: influxql 1.4 `Token.Precedence`.
    pub const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal
            | Self::NotEqual
            | Self::Matches
            | Self::NotMatches
            | Self::Less
            | Self::LessEqual
            | Self::Greater
            | Self::GreaterEqual
            | Self::In => 3,
            Self::Add | Self::Subtract | Self::BitOr | Self::BitXor => 4,
            Self::Multiply | Self::Divide | Self::Modulo | Self::BitAnd => 5,
        }
    }

    /// Whether the right side is a pattern.
    pub const fn takes_regex(self) -> bool {
        matches!(self, Self::Matches | Self::NotMatches)
    }

    /// Whether the result is a truth value, which no selected field may be.
    ///
    /// Source: influxql 1.4 `validateField`, which forgets IN.
    pub const fn is_condition(self) -> bool {
        self.precedence() <= 3 && !matches!(self, Self::In)
    }
}

impl Expr {
    /// Builds `lhs op rhs`.
    pub fn binary(op: BinaryOp, lhs: Self, rhs: Self) -> Self {
        Self::Binary(op, Box::new(lhs), Box::new(rhs))
    }

    /// Calls `visit` on this expression and everything below it, outermost first, left to right.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        match self {
            Self::Binary(_, lhs, rhs) => {
                lhs.walk(visit);
                rhs.walk(visit);
            }
            Self::Paren(inner) => inner.walk(visit),
            Self::Call(call) => call.args.iter().for_each(|arg| arg.walk(visit)),
            _ => {}
        }
    }

    /// Whether it is the variable `time`, in any case.
    pub fn is_time(&self) -> bool {
        matches!(self, Self::Variable(var) if var.name.eq_ignore_ascii_case("time"))
    }

    /// The name of upstream's type for it, as its error texts print it.
    pub const fn go_type(&self) -> &'static str {
        match self {
            Self::Binary(..) => "*influxql.BinaryExpr",
            Self::Paren(_) => "*influxql.ParenExpr",
            Self::Call(_) => "*influxql.Call",
            Self::Variable(_) => "*influxql.VarRef",
            Self::Distinct(_) => "*influxql.Distinct",
            Self::Wildcard(_) => "*influxql.Wildcard",
            Self::Number(_) => "*influxql.NumberLiteral",
            Self::Integer(_) => "*influxql.IntegerLiteral",
            Self::Unsigned(_) => "*influxql.UnsignedLiteral",
            Self::Boolean(_) => "*influxql.BooleanLiteral",
            Self::String(_) => "*influxql.StringLiteral",
            Self::Duration(_) => "*influxql.DurationLiteral",
            Self::Regex(_) => "*influxql.RegexLiteral",
            Self::Time(_) => "*influxql.TimeLiteral",
            Self::Nil => "*influxql.NilLiteral",
        }
    }
}
