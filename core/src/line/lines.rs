//! A body into lines.

/// Iterates over the lines of a body, as upstream splits them.
///
/// A newline ends a line unless it stands in a quoted string value or behind a backslash.
/// Leading spaces, tabs and NULs are skipped; empty lines and those that start with `#` are
/// left out. Quotes count from the first space on, also in comments.
///
/// Source: influxdb 1.12 `models.ParsePointsWithPrecision`, `models.scanLine`.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    body: &'a [u8],
    position: usize,
    line: u32,
    strict: bool,
}

/// One line of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineText<'a> {
    /// The line without leading whitespace and without its newline; never empty.
    pub bytes: &'a [u8],
    /// Where `bytes` starts in the body.
    pub offset: usize,
    /// The physical line, from 1, on which `bytes` starts.
    pub line: u32,
    /// How many bytes of whitespace stand before `bytes`.
    pub indent: usize,
}

impl<'a> Lines<'a> {
    /// The lines of `body`.
    pub const fn new(body: &'a [u8]) -> Self {
        Self {
            body,
            position: 0,
            line: 1,
            strict: false,
        }
    }

    /// Like [`new`](Self::new), but a lone CR is an empty line, and a comment that swallows
    /// lines is given out, for [`Scanner::scan`](super::Scanner::scan) to refuse.
    pub const fn strict(body: &'a [u8]) -> Self {
        Self {
            body,
            position: 0,
            line: 1,
            strict: true,
        }
    }

    /// The body offset where the raw text of the next line starts; at most the body's length.
    #[inline]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Goes on at `position`: the caller has consumed `lines_passed` whole lines itself.
    #[inline]
    pub const fn seek(&mut self, position: usize, lines_passed: u32) {
        self.position = if position < self.body.len() {
            position
        } else {
            self.body.len()
        };
        self.line = self.line.saturating_add(lines_passed);
    }

    fn is_left_out(&self, bytes: &[u8]) -> bool {
        match bytes {
            [] => true,
            // A newline at the very end swallows nothing.
            [b'#', text @ .., _] => !(self.strict && memchr::memchr(b'\n', text).is_some()),
            [b'#'] => true,
            b"\r" => self.strict,
            _ => false,
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = LineText<'a>;

    fn next(&mut self) -> Option<LineText<'a>> {
        while self.position < self.body.len() {
            let (start, line) = (self.position, self.line);
            let end = line_end(self.body, start);
            let block = self.body.get(start..end.offset).unwrap_or_default();
            self.position = (end.offset + 1).min(self.body.len());
            self.line = line.saturating_add(1 + newline_count(block, end.plain));
            let skipped = whitespace_count(block);
            let bytes = block.get(skipped..).unwrap_or_default();
            if self.is_left_out(bytes) {
                continue;
            }
            // Only an unclosed quote at the end of the body leaves a newline in the block.
            let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
            return Some(LineText {
                bytes,
                offset: start + skipped,
                line,
                indent: skipped,
            });
        }
        None
    }
}

/// How many spaces, tabs and NULs `bytes` starts with.
#[inline]
pub(super) fn whitespace_count(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|&&byte| matches!(byte, b' ' | b'\t' | 0))
        .count()
}

struct LineEnd {
    offset: usize,
    /// Whether the text holds neither quotes nor backslashes, and so no newline.
    plain: bool,
}

/// Finds the newline that ends the line, or the end of the body.
#[inline]
fn line_end(body: &[u8], start: usize) -> LineEnd {
    let rest = body.get(start..).unwrap_or_default();
    match memchr::memchr3(b'\n', b'\\', b'"', rest) {
        None => LineEnd {
            offset: body.len(),
            plain: true,
        },
        Some(at) if rest.get(at) == Some(&b'\n') => LineEnd {
            offset: start + at,
            plain: true,
        },
        Some(_) => LineEnd {
            offset: quoted_line_end(body, start),
            plain: false,
        },
    }
}

/// The same for a line with quotes or backslashes: they hide newlines, but only where a value
/// may stand, which is guessed from the numbers of `=` and `,` behind the first space.
fn quoted_line_end(body: &[u8], start: usize) -> usize {
    let (mut in_fields, mut equals, mut commas) = (false, 0usize, 0usize);
    let mut at = start;
    while let Some(&byte) = body.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' if at + 2 < body.len() => at += 1,
            b' ' => in_fields = true,
            b'=' if in_fields => equals += 1,
            b',' if in_fields => commas += 1,
            b'"' if in_fields && equals > commas => match closing_quote(body, at + 1) {
                Some(closing) => at = closing,
                None => return body.len(),
            },
            _ => {}
        }
        at += 1;
    }
    body.len()
}

fn closing_quote(body: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'"', b'\\', body.get(at..)?)?;
        if body.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += if at + 2 < body.len() { 2 } else { 1 };
    }
}

#[inline]
fn newline_count(block: &[u8], plain: bool) -> u32 {
    if plain {
        return 0;
    }
    u32::try_from(memchr::memchr_iter(b'\n', block).count()).unwrap_or(u32::MAX - 1)
}
