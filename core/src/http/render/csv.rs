//! Comma-separated values: name, tags, and the columns; errors of statements have no place.

use alloc::vec::Vec;

use super::{Closing, Epoch, Print};
use crate::http::text::{display, plain_float};
use crate::query::batch::{Cell, Cells, Series};

/// Prints a header for the first series of a statement and wherever the columns change, with an
/// empty line before each header but the first.
///
/// Source: influxdb 1.12 `services/httpd.csvFormatter`; Go `encoding/csv.Writer`.
#[derive(Debug, Default)]
pub(super) struct Csv {
    statement_id: usize,
    /// The statement whose header was printed last.
    headed: Option<usize>,
    columns: Vec<u8>,
    /// The first two fields of every row.
    prefix: Vec<u8>,
}

impl Print for Csv {
    fn open_document(&mut self, _out: &mut Vec<u8>, _results: usize) {}

    fn open_result(&mut self, _out: &mut Vec<u8>, statement_id: usize) {
        self.statement_id = statement_id;
    }

    fn open_series(&mut self, out: &mut Vec<u8>, series: &Series<'_>) {
        let mut columns = Vec::new();
        for column in series.columns.clone() {
            columns.push(b',');
            field(&mut columns, column);
        }
        if self.headed != Some(self.statement_id) || self.columns != columns {
            if self.headed.is_some() {
                out.push(b'\n');
            }
            out.extend_from_slice(b"name,tags");
            out.extend_from_slice(&columns);
            out.push(b'\n');
            self.headed = Some(self.statement_id);
            self.columns = columns;
        }
        self.prefix.clear();
        field(&mut self.prefix, series.name.unwrap_or_default());
        self.prefix.push(b',');
        field(&mut self.prefix, &tags(series));
    }

    fn row(&mut self, out: &mut Vec<u8>, cells: Cells<'_>, epoch: Epoch) {
        out.extend_from_slice(&self.prefix);
        for (column, cell) in cells.enumerate() {
            out.push(b',');
            match cell {
                Cell::Null | Cell::List(_) => {}
                Cell::Time(time) => match epoch {
                    Epoch::Units(unit) if column == 0 => display(out, time / unit.max(1)),
                    _ => display(out, time),
                },
                Cell::Float(value) => plain_float(out, value),
                Cell::Integer(value) => display(out, value),
                Cell::Unsigned(value) => display(out, value),
                Cell::Boolean(value) => display(out, value),
                Cell::String(value) => field(out, value),
            }
        }
        out.push(b'\n');
    }

    fn close_series(&mut self, _out: &mut Vec<u8>, _partial: bool) {}

    fn close_result(&mut self, _out: &mut Vec<u8>, _closing: &Closing<'_>) {}

    fn close_document(&mut self, _out: &mut Vec<u8>) {}
}

/// `key=value` of the tags that have a value, escaped as in line protocol.
///
/// Source: influxdb 1.12 `models.Tags.HashKey`.
fn tags(series: &Series<'_>) -> Vec<u8> {
    let mut tags: Vec<_> = series
        .tags()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    tags.sort_unstable();
    let mut out = Vec::new();
    for (index, (key, value)) in tags.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        escape(&mut out, key);
        out.push(b'=');
        escape(&mut out, value);
    }
    out
}

fn escape(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        if matches!(byte, b',' | b' ' | b'=') {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

/// Appends a field, in quotes if it needs them.
pub(super) fn field(out: &mut Vec<u8>, text: &[u8]) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    let space = text
        .utf8_chunks()
        .next()
        .and_then(|chunk| chunk.valid().chars().next());
    let quoted =
        text == b"\\." || text.iter().any(special) || space.is_some_and(char::is_whitespace);
    if !quoted {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

pub(super) fn error(out: &mut Vec<u8>, message: &[u8]) {
    out.extend_from_slice(b"error\n");
    field(out, message);
    out.push(b'\n');
}
