//! InfluxQL: text to statements, and what can be said of a statement without any data.
//!
//! ```text
//! text -> reader (characters) -> scanner (tokens) -> parser -> ast -> display
//!                                                          -> fold, time_range
//! ```
//!
//! Source: influxql 1.4.1, the language of influxdb 1.12, down to the words and positions of
//! its errors. `parse_query` is where to start.

mod ast;
mod display;
mod duration;
mod error;
mod fold;
mod params;
mod parser;
mod quote;
mod reader;
mod regex;
mod requirement;
mod scanner;
#[cfg(test)]
mod tests;
mod time;
mod time_range;
mod time_zone;
mod token;

pub use ast::*;
pub use duration::{format_duration, parse_duration};
pub use error::ParseError;
pub use fold::fold;
pub use params::{BindValue, Params};
pub use parser::{EXPR_DEPTH_MAX, NESTING_MAX, parse_query, parse_query_with};
pub use quote::{Identifier, Text, needs_quotes};
pub use requirement::Requirement;
pub use time::{format_rfc3339, format_rfc3339_nano, is_time_literal, parse_time};
pub use time_range::{ConditionError, TimeRange, time_range};
pub use token::Pos;
