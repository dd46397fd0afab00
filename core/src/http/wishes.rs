//! What a write may ask for beyond upstream: a strict reading, and a list of its rejected lines.

use alloc::string::String;

use super::head::Head;
use super::params::Params;
use super::route::Site;
use crate::model::Quoted;

/// What a request asks for, in its head or, for clients that cannot set headers, in its query
/// string; what the query string says counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// To have refused what is certainly a mistake, and CRLF taken.
    pub(super) strict: bool,
    /// To be told of every rejected line.
    pub(super) explain: bool,
}

impl Wishes {
    /// Reads `X-Tidegate-Strict` or `strict`, `true` or `false`, and `X-Tidegate-Errors` or
    /// `errors`, `text` or `lines`.
    ///
    /// # Errors
    ///
    /// The text of a 400: a word that means nothing here must not be taken for one that does.
    pub(super) fn of(head: &Head<'_>, params: &Params, site: &Site) -> Result<Self, String> {
        let wish = |header: &str, parameter: &str, no: &str, yes: &str, default: bool| {
            let word = match params.get(parameter).trim_ascii() {
                b"" => head.get(header),
                word => word,
            };
            match word {
                b"" => Ok(default),
                word if word.eq_ignore_ascii_case(no.as_bytes()) => Ok(false),
                word if word.eq_ignore_ascii_case(yes.as_bytes()) => Ok(true),
                word => Err(alloc::format!(
                    "invalid {parameter} {} (use {no} or {yes})",
                    Quoted(word)
                )),
            }
        };
        Ok(Self {
            strict: wish("X-Tidegate-Strict", "strict", "false", "true", site.strict)?,
            explain: wish("X-Tidegate-Errors", "errors", "text", "lines", false)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(headers: &[(&str, &[u8])], query: &str, strict: bool) -> Result<Wishes, String> {
        let head = Head {
            method: "POST",
            path: "/write",
            query,
            headers,
        };
        let site = Site {
            strict,
            ..Site::default()
        };
        Wishes::of(&head, &Params::parse(query.as_bytes()), &site)
    }

    #[test]
    fn the_query_string_counts_more_than_the_head_and_both_more_than_the_site() {
        let strict = [("x-tidegate-strict", &b"true"[..])];
        let is_strict = |headers: &[_], query, site| wishes(headers, query, site).unwrap().strict;
        assert!(!is_strict(&[], "", false) && is_strict(&[], "", true));
        assert!(is_strict(&strict, "", false) && !is_strict(&strict, "strict=false", false));
        assert!(!is_strict(&[], "strict=FALSE", true) && is_strict(&[], "strict=true", false));
        let lines = [("X-Tidegate-Errors", &b"Lines"[..])];
        assert!(wishes(&lines, "", false).unwrap().explain);
        assert!(wishes(&[], "errors=lines", false).unwrap().explain);
        assert!(!wishes(&lines, "errors=text", false).unwrap().explain);
    }

    #[test]
    fn a_word_that_means_nothing_is_refused() {
        let text = wishes(&[], "strict=yes", false).unwrap_err();
        assert_eq!(text, "invalid strict \"yes\" (use false or true)");
        let text = wishes(&[("X-Tidegate-Errors", b"all")], "", false).unwrap_err();
        assert_eq!(text, "invalid errors \"all\" (use text or lines)");
    }
}
