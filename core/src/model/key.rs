//! Series keys: measurement and tags in their escaped, canonical text form.

use alloc::borrow::Cow;
use alloc::vec::Vec;

/// A key taken apart; slices borrow it and are still escaped.
#[derive(Clone, Copy, Debug)]
pub struct ParsedKey<'a> {
    measurement_raw: &'a [u8],
    tags: &'a [u8],
}

/// Takes a series key apart at its first unescaped comma.
///
/// Source: influxdb 1.12 `models.scanTo`: a backslash before a byte always escapes it.
pub fn parse(key: &[u8]) -> ParsedKey<'_> {
    let end = find_unescaped(key, b',').unwrap_or(key.len());
    ParsedKey {
        measurement_raw: &key[..end],
        tags: key.get(end + 1..).unwrap_or_default(),
    }
}

impl<'a> ParsedKey<'a> {
    /// The measurement, escaped.
    pub const fn measurement_raw(&self) -> &'a [u8] {
        self.measurement_raw
    }

    /// Tags as (key, value), escaped, in the order of the key.
    pub fn tags(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut rest = self.tags;
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let equals = find_unescaped(rest, b'=').unwrap_or(rest.len());
            let (key, value) = (&rest[..equals], rest.get(equals + 1..).unwrap_or_default());
            let end = find_unescaped(value, b',').unwrap_or(value.len());
            rest = value.get(end + 1..).unwrap_or_default();
            Some((key, &value[..end]))
        })
    }
}

fn find_unescaped(bytes: &[u8], wanted: u8) -> Option<usize> {
    memchr::memchr_iter(wanted, bytes).find(|&at| at == 0 || bytes[at - 1] != b'\\')
}

/// The measurement's name.
///
/// Source: influxdb 1.12 `models.unescapeMeasurement` on the live path. After a restart
/// upstream unescapes less; ours is the same name always.
pub fn unescape_measurement(raw: &[u8]) -> Cow<'_, [u8]> {
    unescape(raw, b", =\"")
}

/// A tag key or value. Source: influxdb 1.12 `models.unescapeTag`.
pub fn unescape_tag(raw: &[u8]) -> Cow<'_, [u8]> {
    unescape(raw, b", =")
}

/// A field key. Source: influxdb 1.12 `pkg/escape.Unescape`.
pub fn unescape_field_key(raw: &[u8]) -> Cow<'_, [u8]> {
    unescape(raw, b", =\"")
}

/// Drops each backslash in front of one of `special`.
fn unescape<'a>(raw: &'a [u8], special: &[u8]) -> Cow<'a, [u8]> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let escaped = raw
            .get(at + 1)
            .filter(|next| byte == b'\\' && special.contains(next));
        out.push(*escaped.unwrap_or(&byte));
        at += if escaped.is_some() { 2 } else { 1 };
    }
    Cow::Owned(out)
}
