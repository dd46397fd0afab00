//! Names in error texts, quoted as Go's `%q` does.

use core::fmt;

/// Displays bytes in double quotes with Go escapes, `\x` for what is not UTF-8.
///
/// Source: Go `strconv.Quote`.
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
        _ if is_printable(character) => fmt::Write::write_char(f, character),
        _ if (character as u32) < 0x1_0000 => {
            write!(f, "\\u{:04x}", character as u32)
        }
        _ => write!(f, "\\U{:08x}", character as u32),
    }
}

/// Whether Go's `strconv.IsPrint` holds: letters, marks, numbers, punctuation, symbols and the
/// ASCII space.
///
/// The same classes decide what `str::escape_debug` leaves alone, once the character is not the
/// first one (where it also escapes combining marks).
pub fn is_printable(c: char) -> bool {
    let mut buffer = [b'a'; 5];
    let length = c.encode_utf8(&mut buffer[1..]).len();
    let text = core::str::from_utf8(&buffer[..=length]).unwrap_or_default();
    match c {
        ' '..='~' => true,
        _ => text.escape_debug().nth(1) == Some(c),
    }
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
