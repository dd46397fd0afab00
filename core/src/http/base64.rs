//! Base64, as far as credentials need it.

use alloc::vec::Vec;

/// Which letters, and whether the end is padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base64 {
    /// `+` and `/`, padded with `=`: Basic credentials.
    Padded,
    /// `-` and `_`, without padding: the parts of a JSON Web Token.
    UrlUnpadded,
}

impl Base64 {
    /// The bytes that `text` stands for.
    ///
    /// # Errors
    ///
    /// The offset at which upstream says that the text is illegal.
    ///
    /// Source: Go `encoding/base64.Encoding.Decode`, without the line breaks it skips: none can
    /// stand in a header.
    pub fn decode(self, text: &[u8]) -> Result<Vec<u8>, usize> {
        let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
        for (number, group) in text.chunks(4).enumerate() {
            let start = number * 4;
            let letters = match group.iter().position(|&byte| self.value(byte).is_none()) {
                None => group.len(),
                Some(at) => {
                    self.check_end(text, start + at, at)?;
                    at
                }
            };
            if letters < 4 && letters == group.len() && (letters == 1 || self == Self::Padded) {
                return Err(start);
            }
            let values = group.iter().take(letters);
            let bits = values.fold(0u32, |bits, &byte| {
                bits << 6 | self.value(byte).unwrap_or_default()
            });
            let bytes = (bits << (6 * (4 - letters)) << 8).to_be_bytes();
            out.extend_from_slice(bytes.get(..letters * 3 / 4).unwrap_or_default());
            if letters < group.len() {
                break;
            }
        }
        Ok(out)
    }

    /// What stands at `at`, the `position`th of its group, is no letter: it has to be padding,
    /// as long as it must be, and the end.
    fn check_end(self, text: &[u8], at: usize, position: usize) -> Result<(), usize> {
        if self != Self::Padded || text.get(at) != Some(&b'=') || position < 2 {
            return Err(at);
        }
        let mut end = at + 1;
        if position == 2 {
            match text.get(end) {
                None => return Err(end),
                Some(b'=') => end += 1,
                Some(_) => return Err(at),
            }
        }
        if end < text.len() { Err(end) } else { Ok(()) }
    }

    fn value(self, byte: u8) -> Option<u32> {
        let value = match (byte, self) {
            (b'A'..=b'Z', _) => byte - b'A',
            (b'a'..=b'z', _) => byte - b'a' + 26,
            (b'0'..=b'9', _) => byte - b'0' + 52,
            (b'+', Self::Padded) | (b'-', Self::UrlUnpadded) => 62,
            (b'/', Self::Padded) | (b'_', Self::UrlUnpadded) => 63,
            _ => return None,
        };
        Some(value.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_are_decoded() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("dw==", b"w"),
            ("dzo=", b"w:"),
            ("dzpw", b"w:p"),
            ("dzpwdw==", b"w:pw"),
            ("+/+/", b"\xfb\xff\xbf"),
        ] {
            assert_eq!(Base64::Padded.decode(text.as_bytes()), Ok(bytes.to_vec()));
            let bare = text.trim_end_matches('=').replace('+', "-");
            let bare = bare.replace('/', "_");
            assert_eq!(
                Base64::UrlUnpadded.decode(bare.as_bytes()),
                Ok(bytes.to_vec())
            );
        }
    }

    #[test]
    fn what_is_illegal_is_named_by_its_place() {
        for (text, at) in [
            ("!!!", 0),
            ("dzp", 0),
            ("dzpwd", 4),
            ("dzpwd===", 5),
            ("dw=", 3),
            ("dw=x", 2),
            ("dw==x", 4),
            ("dzo=dzo=", 4),
            ("=", 0),
            ("dz-_", 2),
        ] {
            assert_eq!(Base64::Padded.decode(text.as_bytes()), Err(at), "{text}");
        }
        for (text, at) in [("a", 0), ("dzpwd", 4), ("dw==", 2), ("dz+/", 2)] {
            assert_eq!(
                Base64::UrlUnpadded.decode(text.as_bytes()),
                Err(at),
                "{text}"
            );
        }
    }
}
