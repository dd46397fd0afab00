//! The bytes of a series key: splitting, unescaping, escaping.
//!
//! A series key is the raw measurement followed by `,key=value` for each tag in the order
//! of the raw keys, all bytes still escaped as they came in. In a raw key a `,`, space or
//! `=` counts only if the byte before it is not a backslash, whatever stands before that
//! backslash.

use alloc::borrow::Cow;
use alloc::vec::Vec;

/// A raw series key, split on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsedKey<'a> {
    /// The measurement, still escaped.
    pub measurement_raw: &'a [u8],
    /// What follows the comma after the measurement; empty without tags.
    tags_text: &'a [u8],
}

impl<'a> ParsedKey<'a> {
    /// The tags in the order they stand in the key, still escaped.
    pub const fn tags(&self) -> TagIter<'a> {
        TagIter {
            rest: self.tags_text,
        }
    }
}

/// Splits a raw series key. Total: a key that no line could have made is split as far as it
/// goes, and a tag without `=` gets an empty value.
///
/// Source: influxdb 1.12 `models.walkTags`.
pub fn parse(raw: &[u8]) -> ParsedKey<'_> {
    let end = find_unescaped(raw, 0, b',');
    ParsedKey {
        measurement_raw: raw.get(..end).unwrap_or(raw),
        tags_text: raw.get(end + 1..).unwrap_or_default(),
    }
}

/// The tags of a series key as pairs of raw key and raw value.
#[derive(Clone, Debug)]
pub struct TagIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for TagIter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let equals = find_unescaped(self.rest, 0, b'=');
        // The byte after the `=` belongs to the value even if it is a second `=`.
        let end = find_unescaped(self.rest, equals + 1, b',');
        let key = self.rest.get(..equals).unwrap_or(self.rest);
        let value = self.rest.get(equals + 1..end).unwrap_or_default();
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Some((key, value))
    }
}

/// The offset of the first `stop` at or after `from` that no backslash precedes, or the end.
fn find_unescaped(bytes: &[u8], from: usize, stop: u8) -> usize {
    let Some(tail) = bytes.get(from..) else {
        return bytes.len();
    };
    memchr::memchr_iter(stop, tail)
        .map(|at| from + at)
        .find(|&at| at == 0 || bytes.get(at - 1) != Some(&b'\\'))
        .unwrap_or(bytes.len())
}

/// A measurement as its users see it. Upstream unescapes `\=` and `\"` on the live path but
/// not after a restart; ours is one rule, the live one.
///
/// Source: influxdb 1.12 `pkg/escape.Unescape`.
pub fn unescape_measurement(raw: &[u8]) -> Cow<'_, [u8]> {
    unescape(raw, b",\" =")
}

/// A tag key or a tag value as its users see it.
///
/// Source: influxdb 1.12 `models.unescapeTag`.
pub fn unescape_tag(raw: &[u8]) -> Cow<'_, [u8]> {
    unescape(raw, b", =")
}

/// A field key as its users see it.
///
/// Source: influxdb 1.12 `pkg/escape.AppendUnescaped`.
pub fn unescape_field_key(raw: &[u8]) -> Cow<'_, [u8]> {
    unescape(raw, b",\" =")
}

/// The text of a string value, given without its outer quotes.
///
/// Source: influxdb 1.12 `models.unescapeStringField`.
pub fn unescape_string(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    append_unescaped_string(raw, &mut out);
    Cow::Owned(out)
}

/// Appends what [`unescape_field_key`] gives.
pub fn append_unescaped_field_key(raw: &[u8], out: &mut Vec<u8>) {
    append_unescaped(raw, b",\" =", out);
}

/// Appends what [`unescape_string`] gives.
pub fn append_unescaped_string(raw: &[u8], out: &mut Vec<u8>) {
    append_unescaped(raw, b"\"\\", out);
}

/// A measurement for line protocol.
///
/// `=` and `"` are escaped only behind a backslash, where leaving them alone would lose it.
/// A name that ends in a backslash has no spelling in line protocol.
pub fn escape_measurement(name: &[u8]) -> Cow<'_, [u8]> {
    escape(name, |before, byte| match byte {
        b',' | b' ' => true,
        b'=' | b'"' => before == b'\\',
        _ => false,
    })
}

/// A tag key or tag value for line protocol. One that ends in a backslash has no spelling.
pub fn escape_tag(text: &[u8]) -> Cow<'_, [u8]> {
    escape(text, |_, byte| matches!(byte, b',' | b' ' | b'='))
}

/// A field key for line protocol. One with a backslash before `,`, space, `=` or its end has
/// no spelling that every reader agrees on.
pub fn escape_field_key(name: &[u8]) -> Cow<'_, [u8]> {
    escape(name, |_, byte| matches!(byte, b',' | b'"' | b' ' | b'='))
}

/// A string value for line protocol, without its outer quotes.
pub fn escape_string(text: &[u8]) -> Cow<'_, [u8]> {
    escape(text, |_, byte| matches!(byte, b'"' | b'\\'))
}

fn unescape<'a>(raw: &'a [u8], escaped: &[u8]) -> Cow<'a, [u8]> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    append_unescaped(raw, escaped, &mut out);
    Cow::Owned(out)
}

/// Drops each backslash that stands before one of `escaped`, from left to right.
fn append_unescaped(raw: &[u8], escaped: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, behind) = rest.split_at(at);
        out.extend_from_slice(before);
        match behind {
            [_, next, tail @ ..] if escaped.contains(next) => {
                out.push(*next);
                rest = tail;
            }
            [_, tail @ ..] => {
                out.push(b'\\');
                rest = tail;
            }
            [] => return,
        }
    }
    out.extend_from_slice(rest);
}

fn escape(text: &[u8], needs: impl Fn(u8, u8) -> bool) -> Cow<'_, [u8]> {
    let pairs = || {
        core::iter::once(0)
            .chain(text.iter().copied())
            .zip(text.iter().copied())
    };
    if !pairs().any(|(before, byte)| needs(before, byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 8);
    for (before, byte) in pairs() {
        if needs(before, byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(raw: &str) -> Vec<(&[u8], &[u8])> {
        parse(raw.as_bytes()).tags().collect()
    }

    #[test]
    fn a_key_is_split_at_unescaped_delimiters() {
        assert_eq!(parse(b"cpu").measurement_raw, b"cpu");
        assert!(tags("cpu").is_empty());
        assert_eq!(parse(br"c\,p\ u,a=1").measurement_raw, br"c\,p\ u");
        assert_eq!(
            tags(r"c\,p\ u,a\=b=1,c==x,d=e\,f"),
            [
                (&br"a\=b"[..], &b"1"[..]),
                (&b"c"[..], &b"=x"[..]),
                (&b"d"[..], &br"e\,f"[..])
            ]
        );
    }

    #[test]
    fn keys_no_line_could_make_are_split_without_panics() {
        for raw in [
            "", ",", ",,", "a,", "a,b", "a,=", "a,b=", "a,b=,c", "\\", "a,\\",
        ] {
            assert!(parse(raw.as_bytes()).tags().count() <= raw.len());
        }
    }

    #[test]
    fn each_item_has_its_own_escapes() {
        let raw = br#"a\,b\ c\=d\"e\\f\g\"#;
        assert_eq!(&*unescape_measurement(raw), br#"a,b c=d"e\\f\g\"#);
        assert_eq!(&*unescape_tag(raw), br#"a,b c=d\"e\\f\g\"#);
        assert_eq!(&*unescape_field_key(raw), br#"a,b c=d"e\\f\g\"#);
        assert_eq!(&*unescape_string(raw), br#"a\,b\ c\=d"e\f\g\"#);
        assert_eq!(&*unescape_tag(br"a\\,b"), br"a\,b");
    }

    #[test]
    fn what_was_escaped_unescapes_to_itself() {
        let alphabet = b"a,= \\\"";
        for number in 0..alphabet.len().pow(5) {
            let text: Vec<u8> = (0..5)
                .map(|digit| alphabet[number / alphabet.len().pow(digit) % alphabet.len()])
                .collect();
            assert_eq!(
                &*unescape_measurement(&escape_measurement(&text)),
                &text[..]
            );
            assert_eq!(&*unescape_tag(&escape_tag(&text)), &text[..]);
            assert_eq!(&*unescape_field_key(&escape_field_key(&text)), &text[..]);
            assert_eq!(&*unescape_string(&escape_string(&text)), &text[..]);
        }
    }
}
