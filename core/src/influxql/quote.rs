//! Names and strings, quoted so that they read back.

use core::fmt::{self, Write as _};

use super::scanner::is_name;
use super::token::{Token, lookup};

/// Prints a name, in double quotes where it needs them.
///
/// Source: influxql 1.4 `QuoteIdent` of one segment.
pub struct Identifier<'a>(pub &'a str);

impl fmt::Display for Identifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() || needs_quotes(self.0) {
            return write_quoted(f, self.0, '"');
        }
        f.write_str(self.0)
    }
}

/// Prints dotted segments. All but the last are quoted, whether they need it or not.
///
/// Source: influxql 1.4 `QuoteIdent` of several segments.
pub(super) struct Segments<'a>(pub(super) &'a [alloc::string::String]);

impl fmt::Display for Segments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.0.len().saturating_sub(1);
        for (i, segment) in self.0.iter().enumerate() {
            let outer_and_empty = (i == 0 || i == last) && segment.is_empty();
            if outer_and_empty || (i < last && !segment.is_empty()) || needs_quotes(segment) {
                write_quoted(f, segment, '"')?;
            } else {
                f.write_str(segment)?;
            }
            if i < last {
                f.write_char('.')?;
            }
        }
        Ok(())
    }
}

/// Prints a string in single quotes.
///
/// Source: influxql 1.4 `QuoteString`.
pub struct Text<'a>(pub &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_quoted(f, self.0, '\'')
    }
}

/// Whether a name is a keyword or has other characters than a bare name may have.
///
/// Source: influxql 1.4 `IdentNeedsQuotes`.
pub fn needs_quotes(name: &str) -> bool {
    let digit_first = name.starts_with(|ch: char| ch.is_ascii_digit());
    digit_first || lookup(name) != Token::Identifier || name.chars().any(|ch| !is_name(ch))
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for ch in text.chars() {
        match ch {
            '\n' => f.write_str("\\n")?,
            '\\' => f.write_str("\\\\")?,
            ch if ch == quote => {
                f.write_char('\\')?;
                f.write_char(ch)?;
            }
            ch => f.write_char(ch)?,
        }
    }
    f.write_char(quote)
}
