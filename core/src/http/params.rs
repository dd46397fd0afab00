//! Parameters of query strings and forms.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// Decoded pairs, in order.
///
/// Values are bytes since nothing says they are UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Params {
    /// Parses what stands after `?`, or a form. Lenient as upstream: a pair with a malformed
    /// escape or with a semicolon is left out, the others count.
    ///
    /// Source: Go `net/url.ParseQuery`, whose error upstream ignores.
    pub fn parse(text: &[u8]) -> Self {
        let pair = |piece: &[u8]| {
            if piece.is_empty() || piece.contains(&b';') {
                return None;
            }
            let equals = piece.iter().position(|&byte| byte == b'=');
            let (key, value) = piece.split_at(equals.unwrap_or(piece.len()));
            Some((
                unescape(key)?,
                unescape(value.get(1..).unwrap_or_default())?,
            ))
        };
        Self {
            pairs: text.split(|&byte| byte == b'&').filter_map(pair).collect(),
        }
    }

    /// A pair that came by other means; the last one.
    pub fn push(&mut self, key: &[u8], value: &[u8]) {
        self.pairs.push((key.into(), value.into()));
    }

    /// The first value of `key`; empty if there is none.
    pub fn get(&self, key: &str) -> &[u8] {
        let found = self.pairs.iter().find(|(name, _)| name == key.as_bytes());
        found.map_or(&[], |(_, value)| value)
    }

    /// As [`get`](Self::get), where only certain ASCII words count anyway.
    pub fn text(&self, key: &str) -> Cow<'_, str> {
        String::from_utf8_lossy(self.get(key))
    }

    /// These pairs, then those of `later`.
    #[must_use]
    pub fn followed_by(mut self, later: Self) -> Self {
        self.pairs.extend(later.pairs);
        self
    }
}

/// Percent-decodes; `+` is a space. `None` for a malformed escape.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let &[high, low, ref after @ ..] = rest else {
                    return None;
                };
                let digit = |byte: u8| char::from(byte).to_digit(16);
                out.push((digit(high)? * 16 + digit(low)?) as u8);
                rest = after;
            }
            _ => out.push(byte),
        }
    }
    Some(out)
}

/// Percent-decodes a path, where `+` is itself. `None` for a malformed escape.
pub(super) fn unescape_path(path: &str) -> Option<Cow<'_, [u8]>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path.as_bytes()));
    }
    unescape(path.replace('+', "%2B").as_bytes()).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_wins_and_plus_is_a_space() {
        let params = Params::parse(b"a=1&a=2&b+c=%41%2b+&d&=x&&e==");
        assert_eq!(params.get("a"), b"1");
        assert_eq!(params.get("b c"), b"A+ ");
        assert_eq!(
            (params.get("d"), params.get(""), params.get("e")),
            (&b""[..], &b"x"[..], &b"="[..])
        );
        assert_eq!(params.get("nope"), b"");
    }

    #[test]
    fn malformed_escapes_and_semicolons_lose_their_pair_only() {
        let params = Params::parse(b"a=%zz&b=1;c=2&d=3&%=4&e=%4");
        assert_eq!(params.pairs, [(b"d".to_vec(), b"3".to_vec())]);
    }

    #[test]
    fn a_plus_in_a_path_stays() {
        assert_eq!(unescape_path("/a+b%20c").as_deref(), Some(&b"/a+b c"[..]));
        assert_eq!(unescape_path("/%x"), None);
    }
}
