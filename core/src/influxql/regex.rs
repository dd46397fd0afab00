//! Checks the syntax of a regular expression as Go reads it, without building anything.
//!
//! InfluxQL says what is wrong with a pattern when it parses the query, in the words of Go's
//! `regexp`; the engine that runs it later has other words and takes other things.
//!
//! Source: Go 1.22 `regexp/syntax` (`Parse` with the Perl flags).

use alloc::format;
use alloc::string::String;

/// Largest count in `{n,m}`.
const REPEAT_MAX: i32 = 1000;

/// Says what is wrong with `pattern`, if anything.
///
/// # Errors
///
/// `error parsing regexp: ` and Go's words, with the part of the pattern in backquotes.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    let mut checker = Checker {
        pattern,
        at: 0,
        depth: 0,
        operand: false,
        repeat_at: None,
    };
    while !checker.rest().is_empty() {
        checker.step()?;
    }
    if checker.depth > 0 {
        return Err(error("missing closing )", pattern));
    }
    Ok(())
}

struct Checker<'a> {
    pattern: &'a str,
    at: usize,
    /// Open groups.
    depth: usize,
    /// Whether a repetition would have something to repeat.
    operand: bool,
    /// Where the repetition that ends here started.
    repeat_at: Option<usize>,
}

impl<'a> Checker<'a> {
    fn rest(&self) -> &'a str {
        self.pattern.get(self.at..).unwrap_or("")
    }

    /// The pattern from `start` to here.
    fn since(&self, start: usize) -> &'a str {
        self.pattern.get(start..self.at).unwrap_or("")
    }

    fn next(&mut self) -> Option<char> {
        let ch = self.rest().chars().next()?;
        self.at += ch.len_utf8();
        Some(ch)
    }

    fn eat(&mut self, text: &str) -> bool {
        let eaten = self.rest().starts_with(text);
        if eaten {
            self.at += text.len();
        }
        eaten
    }

    fn step(&mut self) -> Result<(), String> {
        let start = self.at;
        let repeated = self.repeat_at.take();
        match self.next() {
            Some('(') => {
                let opens = if self.eat("?") {
                    self.perl_group(start)?
                } else {
                    true
                };
                if opens {
                    self.depth += 1;
                    self.operand = false;
                }
            }
            Some('|') => self.operand = false,
            Some(')') => {
                self.depth = self
                    .depth
                    .checked_sub(1)
                    .ok_or_else(|| error("unexpected )", self.pattern))?;
                self.operand = true;
            }
            Some('[') => {
                self.class(start)?;
                self.operand = true;
            }
            Some('*' | '+' | '?') => self.repeat(start, repeated)?,
            Some('{') if self.count(start)? => self.repeat(start, repeated)?,
            Some('\\') => self.escape(start)?,
            _ => self.operand = true,
        }
        Ok(())
    }

    /// Reads what follows `(?`: a name or flags. Whether a group was opened.
    fn perl_group(&mut self, start: usize) -> Result<bool, String> {
        // Go looks for a name only if something follows the bracket.
        let named = !matches!(self.rest(), "P<" | "<");
        if named && (self.eat("P<") || self.eat("<")) {
            let name_at = self.at;
            let Some(length) = self.rest().find('>') else {
                let whole = self.pattern.get(start..).unwrap_or("");
                return Err(error("invalid named capture", whole));
            };
            self.at += length + 1;
            let name = self.pattern.get(name_at..name_at + length).unwrap_or("");
            let word = |ch: char| ch == '_' || ch.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(word) {
                return Err(error("invalid named capture", self.since(start)));
            }
            return Ok(true);
        }
        let (mut negated, mut flagged) = (false, false);
        loop {
            match self.next() {
                Some('i' | 'm' | 's' | 'U') => flagged = true,
                Some('-') if !negated => (negated, flagged) = (true, false),
                Some(end @ (':' | ')')) if !negated || flagged => return Ok(end == ':'),
                _ => {
                    return Err(error(
                        "invalid or unsupported Perl syntax",
                        self.since(start),
                    ));
                }
            }
        }
    }

    /// Reads what follows `{`: whether it is a count. Else it is a plain brace.
    fn count(&mut self, start: usize) -> Result<bool, String> {
        let counted = self.bounds();
        let Some((least, most)) = counted else {
            self.at = start + 1;
            self.operand = true;
            return Ok(false);
        };
        let bad = least > REPEAT_MAX || most.is_some_and(|most| most > REPEAT_MAX || least > most);
        if bad {
            return Err(error("invalid repeat count", self.since(start)));
        }
        Ok(true)
    }

    fn bounds(&mut self) -> Option<(i32, Option<i32>)> {
        let least = self.integer()?;
        let most = if self.eat(",") {
            if self.rest().starts_with('}') {
                None
            } else {
                Some(self.integer()?)
            }
        } else {
            Some(least)
        };
        self.eat("}").then_some((least, most))
    }

    /// Reads digits without a leading zero. Too many of them count as too large.
    fn integer(&mut self) -> Option<i32> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let text = self.rest().get(..digits).filter(|text| !text.is_empty())?;
        if digits > 1 && text.starts_with('0') {
            return None;
        }
        self.at += digits;
        Some(text.parse().unwrap_or(i32::MAX))
    }

    /// Checks the repetition that has just been read.
    fn repeat(&mut self, start: usize, repeated: Option<usize>) -> Result<(), String> {
        self.eat("?");
        if let Some(first) = repeated {
            return Err(error(
                "invalid nested repetition operator",
                self.since(first),
            ));
        }
        if !self.operand {
            return Err(error(
                "missing argument to repetition operator",
                self.since(start),
            ));
        }
        self.repeat_at = Some(start);
        Ok(())
    }

    /// Reads what follows a backslash outside of a class.
    fn escape(&mut self, start: usize) -> Result<(), String> {
        self.operand = true;
        let Some(ch) = self.rest().chars().next() else {
            return Err(error("trailing backslash at end of expression", ""));
        };
        match ch {
            'A' | 'b' | 'B' | 'z' | 'd' | 'D' | 's' | 'S' | 'w' | 'W' => self.at += 1,
            'Q' => {
                self.at += self
                    .rest()
                    .find("\\E")
                    .map_or_else(|| self.rest().len(), |end| end + 2)
            }
            'p' | 'P' => self.unicode_class(start)?,
            _ => drop(self.escaped_char(start)?),
        }
        Ok(())
    }

    /// Reads `pN` or `p{Name}`. Which names exist is left to the engine that runs it.
    fn unicode_class(&mut self, start: usize) -> Result<(), String> {
        self.at += 1;
        let name_at = self.at;
        let read = if self.rest().starts_with('{') {
            self.at += self
                .rest()
                .find('}')
                .map_or_else(|| self.rest().len(), |end| end + 1);
            self.since(start).ends_with('}')
        } else {
            self.next().is_some()
        };
        let name = self
            .since(name_at)
            .trim_start_matches(['{', '^'])
            .trim_end_matches('}');
        let known = |ch: char| ch == '_' || ch.is_ascii_alphabetic();
        if !read || name.is_empty() || !name.chars().all(known) {
            return Err(error("invalid character class range", self.since(start)));
        }
        Ok(())
    }

    /// Reads an escaped character, after its backslash.
    fn escaped_char(&mut self, start: usize) -> Result<char, String> {
        let Some(ch) = self.next() else {
            return Err(error("trailing backslash at end of expression", ""));
        };
        let octal = |ch: char| ch.is_digit(8);
        let value = match ch {
            '0' => Some(self.octal(0)),
            '1'..='7' if self.rest().starts_with(octal) => Some(self.octal(ch as u32 - 48)),
            'x' => self.hexadecimal(),
            'a' => Some(7),
            'f' => Some(12),
            'n' => Some(10),
            'r' => Some(13),
            't' => Some(9),
            'v' => Some(11),
            _ if ch.is_ascii() && !ch.is_ascii_alphanumeric() => Some(ch as u32),
            _ => None,
        };
        value
            .and_then(char::from_u32)
            .ok_or_else(|| error("invalid escape sequence", self.since(start)))
    }

    fn octal(&mut self, mut value: u32) -> u32 {
        for _ in 0..2 {
            let Some(digit) = self.rest().chars().next().and_then(|ch| ch.to_digit(8)) else {
                break;
            };
            self.at += 1;
            value = value * 8 + digit;
        }
        value
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        if !self.eat("{") {
            let high = self.next()?.to_digit(16)?;
            return Some(high * 16 + self.next()?.to_digit(16)?);
        }
        let mut value = 0;
        let mut digits = 0;
        loop {
            match self.next()? {
                '}' if digits > 0 => return Some(value),
                ch => value = value * 16 + ch.to_digit(16)?,
            }
            digits += 1;
            if value > u32::from(char::MAX) {
                return None;
            }
        }
    }

    /// Reads a class, after its opening bracket at `start`.
    fn class(&mut self, start: usize) -> Result<(), String> {
        self.eat("^");
        let mut first = true;
        while first || !self.eat("]") {
            first = false;
            if self.rest().starts_with("[:")
                && let Some(length) = self.rest().get(2..).and_then(|rest| rest.find(":]"))
            {
                let name_at = self.at;
                self.at += length + 4;
                if !is_posix_class(self.since(name_at)) {
                    return Err(error("invalid character class range", self.since(name_at)));
                }
                continue;
            }
            let item = self.at;
            if self.class_escape()? {
                continue;
            }
            let low = self.class_char(start)?;
            let after_dash = self.rest().strip_prefix('-');
            if after_dash.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(']')) {
                self.at += 1;
                if self.class_char(start)? < low {
                    return Err(error("invalid character class range", self.since(item)));
                }
            }
        }
        Ok(())
    }

    /// Reads `\d` or `\pN` and the like, if it comes next.
    fn class_escape(&mut self) -> Result<bool, String> {
        let start = self.at;
        let mut chars = self.rest().chars();
        match (chars.next(), chars.next()) {
            (Some('\\'), Some('d' | 'D' | 's' | 'S' | 'w' | 'W')) => self.at += 2,
            (Some('\\'), Some('p' | 'P')) => {
                self.at += 1;
                self.unicode_class(start)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Reads one character of the class that starts at `class_at`.
    fn class_char(&mut self, class_at: usize) -> Result<char, String> {
        let start = self.at;
        match self.next() {
            None => Err(error("missing closing ]", self.since(class_at))),
            Some('\\') => self.escaped_char(start),
            Some(ch) => Ok(ch),
        }
    }
}

fn is_posix_class(text: &str) -> bool {
    let name = text.trim_start_matches("[:").trim_end_matches(":]");
    let name = name.strip_prefix('^').unwrap_or(name);
    matches!(
        name,
        "alnum"
            | "alpha"
            | "ascii"
            | "blank"
            | "cntrl"
            | "digit"
            | "graph"
            | "lower"
            | "print"
            | "punct"
            | "space"
            | "upper"
            | "word"
            | "xdigit"
    )
}

fn error(what: &str, part: &str) -> String {
    format!("error parsing regexp: {what}: `{part}`")
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn go_says_what_is_wrong() {
        for (pattern, text) in [
            ("(", "missing closing ): `(`"),
            ("a)b", "unexpected ): `a)b`"),
            ("a[b-", "missing closing ]: `[b-`"),
            ("[z-a]", "invalid character class range: `z-a`"),
            ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
            ("*a", "missing argument to repetition operator: `*`"),
            ("a|*", "missing argument to repetition operator: `*`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("a{2,1}", "invalid repeat count: `{2,1}`"),
            ("a\\", "trailing backslash at end of expression: ``"),
            ("\\q", "invalid escape sequence: `\\q`"),
            ("\\8", "invalid escape sequence: `\\8`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?P<a", "invalid named capture: `(?P<a`"),
            ("(?P<", "invalid or unsupported Perl syntax: `(?P`"),
            ("\\p{Gr", "invalid character class range: `\\p{Gr`"),
            ("\\p{.}", "invalid character class range: `\\p{.}`"),
            ("[\\p]", "invalid character class range: `\\p]`"),
            ("(?P<a b>c)", "invalid named capture: `(?P<a b>`"),
        ] {
            let expected = std::format!("error parsing regexp: {text}");
            assert_eq!(check(pattern).unwrap_err(), expected, "{pattern}");
        }
    }

    #[test]
    fn what_go_takes_is_taken() {
        for pattern in [
            "",
            ".*",
            "^a(b|c)+?$",
            "a{,2}",
            "a{",
            "[]a]",
            "[^]a-]",
            "[a\\-z\\d[:alpha:]]",
            "(?i)abc",
            "(?i:abc)",
            "(?s-i:.)",
            "(?P<name>a)(?<other>b)",
            "\\Qa(b\\E+",
            "\\x{1F600}\\x41\\012\\pL\\p{Greek}",
            "a|",
            "()",
        ] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }
}
