//! Forms as `curl -F` sends them.

use alloc::vec::Vec;

use super::params::Params;

/// The boundary that a `multipart/form-data` content type names.
pub(super) fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    parameter(content_type, b"boundary").filter(|boundary| !boundary.is_empty())
}

/// The named parts, files included, in order. What is malformed is left out.
pub(super) fn parse(body: &[u8], boundary: &[u8]) -> Params {
    let mut params = Params::default();
    let delimiter = [b"\r\n--", boundary].concat();
    // The first delimiter has no line before it.
    let mut rest = body.strip_prefix(delimiter.get(2..).unwrap_or_default());
    if rest.is_none() {
        rest = split(body, &delimiter).map(|(_, after)| after);
    }
    while let Some(after) = rest {
        let Some(part) = after.strip_prefix(b"\r\n") else {
            break;
        };
        let Some((content, next)) = split(part, &delimiter) else {
            break;
        };
        rest = Some(next);
        // A part without headers begins with the empty line itself.
        let Some((headers, value)) = split(content, b"\r\n\r\n") else {
            continue;
        };
        for line in headers.split(|&byte| byte == b'\n') {
            let name = b"content-disposition:";
            if line
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
                && let Some(name) = parameter(line, b"name")
            {
                params.push(&name, value);
            }
        }
    }
    params
}

/// The value of `; name=value` or `; name="value"`.
fn parameter(text: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    text.split(|&byte| byte == b';').skip(1).find_map(|piece| {
        let equals = piece.iter().position(|&byte| byte == b'=')?;
        let (key, value) = piece.split_at(equals);
        let value = value.get(1..)?.trim_ascii();
        let bare = value
            .strip_prefix(b"\"")
            .and_then(|value| value.strip_suffix(b"\""));
        key.trim_ascii()
            .eq_ignore_ascii_case(name)
            .then(|| bare.unwrap_or(value).into())
    })
}

fn split<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let from = memchr::memmem::find(text, at)?;
    Some((text.get(..from)?, text.get(from + at.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_name() {
        let content_type = b"multipart/form-data; boundary=\"x\"";
        let boundary = boundary(content_type).unwrap();
        let body = b"--x\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\nSHOW DATABASES\r\n\
                     --x\r\ncontent-disposition: form-data; filename=\"f\"; name=db\r\n\
                     Content-Type: text/plain\r\n\r\nd\r\n--x--\r\n";
        let params = parse(body, &boundary);
        assert_eq!(params.get("q"), b"SHOW DATABASES");
        assert_eq!(params.get("db"), b"d");
        for cut in 0..body.len() {
            parse(&body[..cut], &boundary);
        }
    }
}
