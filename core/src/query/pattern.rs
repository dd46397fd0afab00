//! Patterns of Go's syntax, run by `regex-lite`.

use alloc::format;
use alloc::string::String;

use regex_lite::Regex;

/// A pattern that names and values are matched with.
///
/// Bytes that are no UTF-8 count as U+FFFD.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Builds the pattern between the slashes, whose Go syntax the parser has checked.
    ///
    /// # Errors
    ///
    /// What Go takes and `regex-lite` does not: Unicode classes, octal escapes, classes
    /// within classes, and patterns that become too large.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        match Regex::new(&translate(text)) {
            Ok(regex) => Ok(Self(regex)),
            Err(error) => Err(format!(
                "regular expression /{text}/ is not supported: {error}"
            )),
        }
    }

    pub(super) fn is_match(&self, bytes: &[u8]) -> bool {
        match core::str::from_utf8(bytes) {
            Ok(text) => self.0.is_match(text),
            Err(_) => self.0.is_match(&String::from_utf8_lossy(bytes)),
        }
    }
}

/// Rewrites what both know under different spellings: `\Q..\E`, `\<`, `\>`, braces that are
/// no count, a `[` within a class.
fn translate(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut class_at = None;
    while let Some(ch) = rest.chars().next() {
        let behind = rest.get(ch.len_utf8()..).unwrap_or("");
        let taken = match ch {
            '\\' if behind.starts_with('Q') => {
                let quoted = behind.get(1..).unwrap_or("");
                let length = quoted.find("\\E").unwrap_or(quoted.len());
                out.push_str(&regex_lite::escape(quoted.get(..length).unwrap_or("")));
                (2 + length + 2).min(rest.len())
            }
            '\\' if behind.starts_with(['<', '>']) => {
                out.extend(behind.chars().next());
                2
            }
            '\\' => {
                let length = 1 + behind.chars().next().map_or(0, char::len_utf8);
                out.push_str(rest.get(..length).unwrap_or(""));
                length
            }
            '[' if class_at.is_some() && !behind.starts_with(':') => {
                out.push_str("\\[");
                1
            }
            '[' if class_at.is_some() => {
                let length = rest.find(":]").map_or(1, |at| at + 2);
                out.push_str(rest.get(..length).unwrap_or(""));
                length
            }
            '[' => {
                let negated = usize::from(behind.starts_with('^'));
                // A `]` in the first place is one of the class.
                let first = usize::from(behind.get(negated..).unwrap_or("").starts_with(']'));
                out.push_str(rest.get(..1 + negated).unwrap_or(""));
                out.push_str(if first == 1 { "\\]" } else { "" });
                class_at = Some(());
                1 + negated + first
            }
            ']' if class_at.is_some() => {
                class_at = None;
                out.push(']');
                1
            }
            '&' | '~' if class_at.is_some() => {
                out.push('\\');
                out.push(ch);
                1
            }
            '{' if class_at.is_none() && !is_count(behind) => {
                out.push_str("\\{");
                1
            }
            _ => {
                out.push(ch);
                ch.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or("");
    }
    out
}

/// Whether `text`, behind a `{`, goes on as `n}`, `n,}` or `n,m}`.
fn is_count(text: &str) -> bool {
    let Some(end) = text.find('}') else {
        return false;
    };
    let inner = text.get(..end).unwrap_or("");
    let (least, most) = inner.split_once(',').unwrap_or((inner, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn go_spellings_match_what_they_match_in_go() {
        for (pattern, text, matches) in [
            ("c.*", "cpu", true),
            ("^$", "", true),
            (r"\Qa.b\E", "axb", false),
            (r"\Qa.b\E$", "a.b", true),
            (r"\<x\>", "<x>", true),
            ("a{b", "a{b", true),
            ("a{,2}", "a{,2}", true),
            ("^a{2}$", "aa", true),
            ("[[]", "[", true),
            ("[]a]", "]", true),
            ("[^]a]", "]", false),
            ("[[:alpha:]&&x]", "&", true),
            ("(?i)CPU", "cpu", true),
            ("^.$", "\u{e4}", true),
        ] {
            let pattern = Pattern::new(pattern).expect(pattern);
            assert_eq!(pattern.is_match(text.as_bytes()), matches, "{pattern:?}");
        }
        assert!(Pattern::new("^.$").expect("legal").is_match(b"\xff"));
    }

    #[test]
    fn what_cannot_run_is_refused_with_the_pattern() {
        let error = Pattern::new(r"\pL").expect_err("no Unicode classes");
        assert!(
            error.starts_with(r"regular expression /\pL/ is not supported: "),
            "{error}"
        );
    }
}
