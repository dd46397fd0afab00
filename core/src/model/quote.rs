//! Names in error texts, quoted as Go's `%q` does.

use core::fmt;

/// Displays bytes in double quotes with Go escapes.
///
/// Source: Go `strconv.Quote`. Unprintable runes beyond Latin-1 are recognised by the ranges
/// that occur in practice (C1 controls, separators, zero-width, private use, noncharacters).
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                quote_char(character, f)?;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_str("\"")
    }
}

fn quote_char(character: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match character {
        '"' => f.write_str("\\\""),
        '\\' => f.write_str("\\\\"),
        '\x07' => f.write_str("\\a"),
        '\x08' => f.write_str("\\b"),
        '\x0c' => f.write_str("\\f"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\x0b' => f.write_str("\\v"),
        '\0'..='\x1f' | '\x7f' => write!(f, "\\x{:02x}", character as u32),
        _ if is_unprintable(character) && (character as u32) < 0x1_0000 => {
            write!(f, "\\u{:04x}", character as u32)
        }
        _ if is_unprintable(character) => write!(f, "\\U{:08x}", character as u32),
        _ => fmt::Write::write_char(f, character),
    }
}

const fn is_unprintable(character: char) -> bool {
    matches!(character as u32,
        0x80..=0xa0 | 0xad | 0x1680 | 0x180e | 0x2000..=0x200f | 0x2028..=0x202f
        | 0x205f..=0x206f | 0x3000 | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xfffe..=0xffff
        | 0xf_0000..)
}

#[cfg(test)]
mod tests {
    use super::Quoted;
    use std::string::ToString;

    #[test]
    fn escapes_as_go_does() {
        let text = Quoted("a\"b\\\n\u{1}\u{e9}\u{200b}".as_bytes()).to_string();
        assert_eq!(
            text,
            "\"a\\\"b\\\\\\n\\x01E\\u200b\"".replace('E', "\u{e9}")
        );
        assert_eq!(Quoted(b"\xff").to_string(), "\"\\xff\"");
    }
}
