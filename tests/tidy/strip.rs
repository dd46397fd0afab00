//! Rust without its comments and literals, line by line in place.

/// `text` with comments, strings and character literals blanked out; line breaks stay.
pub(crate) fn strip(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest {
            [b'/', b'/', ..] => line_comment(rest),
            [b'/', b'*', ..] => block_comment(rest),
            [b'"', ..] => string(rest),
            [b'r', b'"' | b'#', ..] | [b'b', b'r', b'"' | b'#', ..] if starts_token(bytes, at) => {
                raw_string(rest)
            }
            [b'\'', ..] => character(rest),
            _ => 0,
        };
        if length == 0 {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let end = (at + length).min(bytes.len());
        let blank = |&byte: &u8| if byte == b'\n' { b'\n' } else { b' ' };
        out.extend(bytes[at..end].iter().map(blank));
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn starts_token(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn line_comment(rest: &[u8]) -> usize {
    rest.iter()
        .position(|&byte| byte == b'\n')
        .unwrap_or(rest.len())
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// `r"..."`, `r#"..."#`, `br"..."`; 0 for a raw name such as `r#gen`.
fn raw_string(rest: &[u8]) -> usize {
    let mut at = if rest[0] == b'b' { 2 } else { 1 };
    let hashes = rest[at..].iter().take_while(|&&byte| byte == b'#').count();
    at += hashes;
    if rest.get(at) != Some(&b'"') {
        return 0;
    }
    let close = [&b"\""[..], &b"#".repeat(hashes)].concat();
    let found = rest[at + 1..]
        .windows(close.len())
        .position(|window| window == close);
    found.map_or(rest.len(), |found| at + 1 + found + close.len())
}

/// A character literal; 0 for a lifetime.
fn character(rest: &[u8]) -> usize {
    match rest {
        [_, b'\\', _, tail @ ..] => {
            let close = tail.iter().position(|&byte| byte == b'\'');
            close.map_or(0, |close| close + 4)
        }
        // A letter of several bytes is still followed by its quote.
        [_, letter, tail @ ..] if *letter != b'\'' => {
            let more = if letter.is_ascii() { 0 } else { 3 };
            let close = tail.iter().take(more + 1).position(|&byte| byte == b'\'');
            close.map_or(0, |close| close + 3)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn comments_and_literals_go_and_code_stays() {
        for (text, kept) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            ("f(\"a\\\"b\")", "f(      )"),
            ("f(r#\"a\"b\"#)", "f(        )"),
            ("use r#gen::x;", "use r#gen::x;"),
            ("'{' '\\n' b'\\''", "         b    "),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
        ] {
            let stripped = strip(text);
            assert_eq!(stripped.trim_end(), kept.trim_end(), "{text}");
            assert_eq!(stripped.lines().count(), text.lines().count());
        }
    }
}
