//! Sizes, durations and levels as people write them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidegate_core::http::AckLevel;

/// A number of bytes: `25000000`, `"25m"`, `"1g"` (1024-based, as upstream).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Written", into = "String")]
pub(crate) struct Size(pub u64);

/// A duration: `"10s"`, `"1h30m"`, `"250ms"`, `0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Written", into = "String")]
pub(crate) struct Span(pub Duration);

/// An acknowledgement level: `"durable"`, `"wal"`, `"memory"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Level(pub AckLevel);

impl Size {
    /// As a length in memory, at most what this machine can address.
    pub(crate) fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Span {
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

/// What a configuration file may hold in their place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Text(String),
}

impl TryFrom<String> for Level {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        AckLevel::parse(text.as_bytes()).map(Self)
    }
}

impl From<Level> for String {
    fn from(level: Level) -> Self {
        level.0.word().to_owned()
    }
}

impl TryFrom<Written> for Size {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let text = match written {
            Written::Number(number) => return Ok(Self(number)),
            Written::Text(text) => text,
        };
        let digits = text.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G']);
        let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
            "" => 0,
            "k" => 10,
            "m" => 20,
            "g" => 30,
            _ => return Err(size_expected(&text)),
        };
        let number = digits.parse::<u64>().ok();
        number
            .and_then(|number| number.checked_mul(1 << shift))
            .map(Self)
            .ok_or_else(|| size_expected(&text))
    }
}

fn size_expected(text: &str) -> String {
    format!("{text:?} is not a size; write a number of bytes, or one with k, m or g")
}

impl TryFrom<Written> for Span {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let text = match written {
            Written::Number(0) => return Ok(Self(Duration::ZERO)),
            Written::Number(number) => return Err(span_expected(&number.to_string())),
            Written::Text(text) => text,
        };
        parse_span(&text).ok_or_else(|| span_expected(&text))
    }
}

fn parse_span(text: &str) -> Option<Span> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let letters = tail.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, tail) = tail.split_at(letters);
        let part = match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number.checked_mul(60)?),
            "h" => Duration::from_secs(number.checked_mul(3600)?),
            _ => return None,
        };
        total = total.checked_add(part)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(Span(total))
}

fn span_expected(text: &str) -> String {
    format!("{text:?} is not a duration; write for example \"10s\", \"250ms\" or \"1h30m\"")
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        size.0.to_string()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        format!("{}ms", span.0.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(text: &str) -> Result<Size, String> {
        Written::Text(text.into()).try_into()
    }

    fn span(text: &str) -> Result<Span, String> {
        Written::Text(text.into()).try_into()
    }

    #[test]
    fn sizes_take_a_suffix_of_powers_of_1024() {
        assert_eq!(size("25000000"), Ok(Size(25_000_000)));
        assert_eq!(size("2k"), Ok(Size(2048)));
        assert_eq!(size("1G"), Ok(Size(1 << 30)));
        for wrong in ["", "k", "1kk", "1t", "-1", "1.5m", "99999999999g"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_add_up_their_parts() {
        assert_eq!(span("1h30m"), Ok(Span::seconds(5400)));
        assert_eq!(span("250ms"), Ok(Span(Duration::from_millis(250))));
        for wrong in ["", "s", "10", "10 s", "1d", "99999999999999999999s"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
        let shown = String::from(Span::seconds(7));
        assert_eq!(span(&shown), Ok(Span::seconds(7)));
    }
}
