//! The fields of a line.
//!
//! Upstream reads them twice. The first scanner checks values and counts `=` and `,`; a
//! backslash hides whatever byte follows it. The second cuts the text into keys and values; a
//! backslash hides only an `=` in a key and `"` or `\` in a value. What a client gets stored
//! is what the second one cut. The two agree unless a key holds a backslash or a string goes
//! on behind its closing quote, so one pass is enough for nearly every line.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::error::{FIELD_SEPARATOR_BYTES, LineError, LineErrorKind};
use super::lines::whitespace_count;
use super::number::{self, Number};
use super::swar::find;
use crate::limits::KEY_BYTES_MAX;
use crate::model::Value;
use crate::model::key::{append_unescaped_field_key, append_unescaped_string};

/// A field of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    /// The key, unescaped; empty in the one case upstream lets through.
    pub key: &'a [u8],
    /// The key as it stood in the line.
    pub key_raw: &'a [u8],
    /// The value; the text of a string is unescaped.
    pub value: Value<'a>,
    /// The value as it stood in the line, with its suffix or quotes.
    pub raw_value: &'a [u8],
}

/// The fields of the line scanned last, in buffers that are used again.
#[derive(Debug, Default)]
pub(super) struct FieldSpans {
    spans: Vec<FieldSpan>,
    unescaped: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct FieldSpan {
    key_raw: Span,
    key: Text,
    raw_value: Span,
    value: Stored,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }
}

/// Bytes of the line, or of the buffer of unescaped bytes.
#[derive(Clone, Copy, Debug)]
enum Text {
    InLine(Span),
    Unescaped(Span),
}

#[derive(Clone, Copy, Debug)]
enum Stored {
    Number(Number),
    Boolean(bool),
    String(Text),
}

/// Where the fields stand in the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldsExtent {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl FieldSpans {
    pub(super) const fn new() -> Self {
        Self {
            spans: Vec::new(),
            unescaped: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn iter<'a>(&'a self, line: &'a [u8]) -> impl Iterator<Item = Field<'a>> {
        let text = move |text: Text| match text {
            Text::InLine(span) => span.of(line),
            Text::Unescaped(span) => span.of(&self.unescaped),
        };
        self.spans.iter().map(move |span| Field {
            key: text(span.key),
            key_raw: span.key_raw.of(line),
            raw_value: span.raw_value.of(line),
            value: match span.value {
                Stored::Number(Number::Float(v)) => Value::Float(v),
                Stored::Number(Number::Integer(v)) => Value::Integer(v),
                Stored::Number(Number::Unsigned(v)) => Value::Unsigned(v),
                Stored::Boolean(v) => Value::Boolean(v),
                Stored::String(bytes) => Value::String(text(bytes)),
            },
        })
    }

    /// Where the field at `position` starts.
    pub(super) fn offset(&self, position: usize) -> Option<usize> {
        self.spans.get(position).map(|span| span.key_raw.start)
    }

    /// The offset of the first field with an empty key.
    pub(super) fn empty_key(&self) -> Option<usize> {
        let is_empty = |span: &&FieldSpan| span.key_raw.start == span.key_raw.end;
        self.spans
            .iter()
            .find(is_empty)
            .map(|span| span.key_raw.start)
    }

    /// Reads the fields from the space at `at`; `key_bytes` is the length of the series key.
    pub(super) fn scan(
        &mut self,
        line: &[u8],
        at: usize,
        key_bytes: usize,
        unsigned: bool,
    ) -> Result<(FieldsExtent, Option<LineError>), LineError> {
        self.spans.clear();
        self.unescaped.clear();
        let start = at + whitespace_count(line.get(at..).unwrap_or_default());
        let mut first = FirstScanner {
            line,
            unsigned,
            at: start,
            key_start: start,
            equals: 0,
            commas: 0,
            agrees: true,
            fields: self,
        };
        first.run()?;
        let (end, agrees) = (first.at, first.agrees);
        let extent = FieldsExtent { start, end };
        let mut late = None;
        if !agrees {
            late = self.cut(line, extent, key_bytes, unsigned)?;
        } else if key_bytes + FIELD_SEPARATOR_BYTES + (end - start) > KEY_BYTES_MAX {
            for span in &self.spans {
                check_key_length(key_bytes, span.key_raw)?;
            }
        }
        Ok((extent, late))
    }

    /// The second scanner, on its own. A value the first one has not seen is checked here; its
    /// fault is given back rather than raised, since upstream's parser does not see it and
    /// reports faults of the timestamp first.
    ///
    /// Source: influxdb 1.12 `models.walkFields`, `models.scanFieldValue`.
    fn cut(
        &mut self,
        line: &[u8],
        extent: FieldsExtent,
        key_bytes: usize,
        unsigned: bool,
    ) -> Result<Option<LineError>, LineError> {
        self.spans.clear();
        self.unescaped.clear();
        let mut late = None;
        let line = line.get(..extent.end).unwrap_or(line);
        let mut at = extent.start;
        while at < line.len() {
            let equals = key_end(line, at);
            if equals + 2 > line.len() {
                let raw = line.get(at..equals).unwrap_or_default();
                return Err(LineError::new(
                    at,
                    LineErrorKind::InvalidFieldKey(Box::from(raw)),
                ));
            }
            let key_raw = Span {
                start: at,
                end: equals,
            };
            let raw_value = Span {
                start: equals + 1,
                end: value_end(line, equals + 1),
            };
            check_key_length(key_bytes, key_raw)?;
            match self.stored(line, raw_value, unsigned) {
                Ok(value) => self.push(line, key_raw, raw_value, value),
                Err(kind) => {
                    late.get_or_insert_with(|| LineError::new(raw_value.start, kind));
                }
            }
            at = raw_value.end + 1;
        }
        Ok(late)
    }

    fn stored(&mut self, line: &[u8], raw: Span, unsigned: bool) -> Result<Stored, LineErrorKind> {
        let text = raw.of(line);
        match text.first() {
            None => Err(LineErrorKind::MissingFieldValue),
            // Upstream ends its process here: it cuts off both quotes where there is one.
            Some(b'"') if text.len() < 2 => Err(LineErrorKind::UnbalancedQuotes),
            Some(b'"') => Ok(self.string(line, raw)),
            Some(byte) if starts_number(*byte) || matches!(byte, b'i' | b'I' | b'u') => {
                match number::scan(text, 0, unsigned) {
                    Ok((number, end)) if end == text.len() => Ok(Stored::Number(number)),
                    Ok(_) => Err(LineErrorKind::InvalidNumber),
                    Err((_, kind)) => Err(kind),
                }
            }
            Some(_) => number::parse_boolean(text)
                .map(Stored::Boolean)
                .ok_or(LineErrorKind::InvalidBoolean),
        }
    }

    /// The text between the first and the last byte of `raw`, whatever the last one is.
    fn string(&mut self, line: &[u8], raw: Span) -> Stored {
        let span = Span {
            start: raw.start + 1,
            end: raw.end - 1,
        };
        let bytes = span.of(line);
        if memchr::memchr(b'\\', bytes).is_none() {
            return Stored::String(Text::InLine(span));
        }
        let start = self.unescaped.len();
        append_unescaped_string(bytes, &mut self.unescaped);
        Stored::String(Text::Unescaped(Span {
            start,
            end: self.unescaped.len(),
        }))
    }

    fn push(&mut self, line: &[u8], key_raw: Span, raw_value: Span, value: Stored) {
        let raw = key_raw.of(line);
        let key = if raw.contains(&b'\\') {
            let start = self.unescaped.len();
            append_unescaped_field_key(raw, &mut self.unescaped);
            Text::Unescaped(Span {
                start,
                end: self.unescaped.len(),
            })
        } else {
            Text::InLine(key_raw)
        };
        self.spans.push(FieldSpan {
            key_raw,
            key,
            raw_value,
            value,
        });
    }
}

/// The first `=` at or after `at` that no backslash precedes, or the end.
fn key_end(line: &[u8], at: usize) -> usize {
    memchr::memchr_iter(b'=', line.get(at..).unwrap_or_default())
        .map(|found| at + found)
        .find(|&found| found == at || line.get(found - 1) != Some(&b'\\'))
        .unwrap_or(line.len())
}

/// The first comma at or after `at` outside quotes, or the end.
fn value_end(line: &[u8], mut at: usize) -> usize {
    let mut quoted = false;
    while let Some(&byte) = line.get(at) {
        match byte {
            b'\\' if matches!(line.get(at + 1), Some(b'"' | b'\\')) => at += 1,
            b'"' => quoted = !quoted,
            b',' if !quoted => return at,
            _ => {}
        }
        at += 1;
    }
    line.len()
}

fn check_key_length(key_bytes: usize, key_raw: Span) -> Result<(), LineError> {
    let length = key_bytes + FIELD_SEPARATOR_BYTES + (key_raw.end - key_raw.start);
    if length > KEY_BYTES_MAX {
        return Err(LineError::new(
            key_raw.start,
            LineErrorKind::KeyTooLong(length),
        ));
    }
    Ok(())
}

const fn starts_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'N' | b'n')
}

/// The first scanner. As long as it `agrees` with the second one it also records the fields.
///
/// Source: influxdb 1.12 `models.scanFields`.
struct FirstScanner<'a> {
    line: &'a [u8],
    unsigned: bool,
    at: usize,
    key_start: usize,
    equals: usize,
    commas: usize,
    agrees: bool,
    fields: &'a mut FieldSpans,
}

impl FirstScanner<'_> {
    fn run(&mut self) -> Result<(), LineError> {
        loop {
            self.at = find(self.line, self.at, [b'=', b',', b' ', b'"', b'\\']);
            let Some(&byte) = self.line.get(self.at) else {
                break;
            };
            match byte {
                b' ' => break,
                b'=' => self.value()?,
                b',' => {
                    self.commas += 1;
                    self.at += 1;
                    self.key_start = self.at;
                }
                b'\\' => {
                    self.agrees = false;
                    self.at += if self.at + 1 < self.line.len() { 2 } else { 1 };
                }
                b'"' if self.equals > self.commas => {
                    self.agrees = false;
                    self.at = self.string_end(self.at)?;
                }
                _ => self.at += 1,
            }
        }
        if self.equals == 0 || self.commas != self.equals - 1 {
            return Err(LineError::new(self.at, LineErrorKind::InvalidFieldFormat));
        }
        Ok(())
    }

    /// At an `=`: checks what stands on both sides of it and goes behind the value.
    fn value(&mut self) -> Result<(), LineError> {
        let equals_at = self.at;
        let at = equals_at + 1;
        self.equals += 1;
        let before = |distance| {
            equals_at
                .checked_sub(distance)
                .and_then(|i| self.line.get(i))
        };
        if matches!(before(1), Some(b' ' | b',')) && before(2) != Some(&b'\\') {
            return Err(LineError::new(equals_at, LineErrorKind::MissingFieldKey));
        }
        let value = match self.line.get(at) {
            None | Some(b',' | b' ') => {
                return Err(LineError::new(at, LineErrorKind::MissingFieldValue));
            }
            Some(&byte) if starts_number(byte) => {
                let (number, end) = number::scan(self.line, at, self.unsigned)
                    .map_err(|(at, kind)| LineError::new(at, kind))?;
                self.at = end;
                Stored::Number(number)
            }
            Some(b'"') if self.equals <= self.commas => {
                // More commas than values so far: the quote means nothing here.
                self.agrees = false;
                self.at = at;
                return Ok(());
            }
            Some(b'"') => {
                self.at = self.string_end(at)?;
                self.agrees &= matches!(self.line.get(self.at), None | Some(b',' | b' '));
                if !self.agrees {
                    return Ok(());
                }
                self.fields.string(
                    self.line,
                    Span {
                        start: at,
                        end: self.at,
                    },
                )
            }
            Some(_) => self.boolean(at)?,
        };
        if self.agrees {
            let key_raw = Span {
                start: self.key_start,
                end: equals_at,
            };
            let raw_value = Span {
                start: at,
                end: self.at,
            };
            let (key, spans) = (Text::InLine(key_raw), &mut self.fields.spans);
            spans.push(FieldSpan {
                key_raw,
                key,
                raw_value,
                value,
            });
        }
        Ok(())
    }

    fn boolean(&mut self, at: usize) -> Result<Stored, LineError> {
        let rest = self.line.get(at..).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|&&byte| !matches!(byte, b',' | b' '))
            .count();
        self.at = at + length;
        number::parse_boolean(rest.get(..length).unwrap_or(rest))
            .map(Stored::Boolean)
            .ok_or_else(|| LineError::new(at, LineErrorKind::InvalidBoolean))
    }

    /// The offset behind the quote that closes the one at `opening`.
    fn string_end(&self, opening: usize) -> Result<usize, LineError> {
        let mut at = opening + 1;
        loop {
            let rest = self.line.get(at..).unwrap_or_default();
            match memchr::memchr2(b'"', b'\\', rest) {
                None => return Err(LineError::new(opening, LineErrorKind::UnbalancedQuotes)),
                Some(found) if rest.get(found) == Some(&b'"') => return Ok(at + found + 1),
                Some(found) => at += found + 2,
            }
        }
    }
}
