//! JSON, as Go's `encoding/json` prints it, with or without indentation.

use alloc::vec::Vec;

use super::{Closing, Epoch, Print};
use crate::http::text::{display, json_float, json_string};
use crate::model::Rfc3339;
use crate::query::batch::{Cell, Cells, Series};

/// Where in a document the next element goes.
#[derive(Debug)]
pub(super) struct Layout {
    pretty: bool,
    depth: usize,
    /// Whether nothing stands yet in the innermost array or object.
    empty: bool,
}

impl Layout {
    pub(super) const fn new(pretty: bool) -> Self {
        Self {
            pretty,
            depth: 0,
            empty: true,
        }
    }

    pub(super) fn element(&mut self, out: &mut Vec<u8>) {
        if !self.empty {
            out.push(b',');
        }
        self.empty = false;
        self.line(out);
    }

    fn line(&self, out: &mut Vec<u8>) {
        if self.pretty {
            out.push(b'\n');
            out.extend(core::iter::repeat_n(b' ', 4 * self.depth));
        }
    }

    pub(super) fn key(&mut self, out: &mut Vec<u8>, key: &[u8]) {
        self.element(out);
        json_string(out, key);
        out.extend_from_slice(if self.pretty { b": " } else { b":" });
    }

    pub(super) fn open(&mut self, out: &mut Vec<u8>, bracket: u8) {
        out.push(bracket);
        self.depth += 1;
        self.empty = true;
    }

    pub(super) fn close(&mut self, out: &mut Vec<u8>, bracket: u8) {
        self.depth = self.depth.saturating_sub(1);
        if !self.empty {
            self.line(out);
        }
        out.push(bracket);
        self.empty = false;
    }

    pub(super) fn number(&mut self, out: &mut Vec<u8>, key: &[u8], value: u64) {
        self.key(out, key);
        display(out, value);
    }

    pub(super) fn string(&mut self, out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
        self.key(out, key);
        json_string(out, value);
    }
}

/// Prints documents one after the other, each with a newline behind it.
#[derive(Debug)]
pub(super) struct Json {
    layout: Layout,
    results: bool,
    list: bool,
    values: bool,
}

impl Json {
    pub(super) const fn new(pretty: bool) -> Self {
        Self {
            layout: Layout::new(pretty),
            results: false,
            list: false,
            values: false,
        }
    }

    fn cell(&mut self, out: &mut Vec<u8>, cell: Cell<'_>, column: usize, epoch: Epoch) {
        match cell {
            Cell::Null => out.extend_from_slice(b"null"),
            // Only the first column follows the parameter, as upstream.
            Cell::Time(time) => match epoch {
                Epoch::Units(unit) if column == 0 => display(out, time / unit.max(1)),
                _ => {
                    out.push(b'"');
                    display(out, Rfc3339(time));
                    out.push(b'"');
                }
            },
            Cell::Float(value) => json_float(out, value),
            Cell::Integer(value) => display(out, value),
            Cell::Unsigned(value) => display(out, value),
            Cell::Boolean(value) => display(out, value),
            Cell::String(value) => json_string(out, value),
            Cell::List(values) => {
                self.layout.open(out, b'[');
                for value in values {
                    self.layout.element(out);
                    json_string(out, value);
                }
                self.layout.close(out, b']');
            }
        }
    }
}

impl Print for Json {
    fn open_document(&mut self, out: &mut Vec<u8>, results: usize) {
        self.layout.empty = true;
        self.layout.open(out, b'{');
        self.results = results > 0;
        if self.results {
            self.layout.key(out, b"results");
            self.layout.open(out, b'[');
        }
    }

    fn open_result(&mut self, out: &mut Vec<u8>, statement_id: usize) {
        self.layout.element(out);
        self.layout.open(out, b'{');
        self.layout.key(out, b"statement_id");
        display(out, statement_id);
        self.list = false;
    }

    fn open_series(&mut self, out: &mut Vec<u8>, series: &Series<'_>) {
        if !self.list {
            self.layout.key(out, b"series");
            self.layout.open(out, b'[');
            self.list = true;
        }
        self.layout.element(out);
        self.layout.open(out, b'{');
        if let Some(name) = series.name.filter(|name| !name.is_empty()) {
            self.layout.string(out, b"name", name);
        }
        let mut tags: Vec<_> = series.tags().collect();
        if !tags.is_empty() {
            tags.sort_unstable();
            self.layout.key(out, b"tags");
            self.layout.open(out, b'{');
            for (key, value) in tags {
                self.layout.string(out, key, value);
            }
            self.layout.close(out, b'}');
        }
        if series.columns.len() > 0 {
            self.layout.key(out, b"columns");
            self.layout.open(out, b'[');
            for column in series.columns.clone() {
                self.layout.element(out);
                json_string(out, column);
            }
            self.layout.close(out, b']');
        }
        self.values = false;
    }

    fn row(&mut self, out: &mut Vec<u8>, cells: Cells<'_>, epoch: Epoch) {
        if !self.values {
            self.layout.key(out, b"values");
            self.layout.open(out, b'[');
            self.values = true;
        }
        self.layout.element(out);
        self.layout.open(out, b'[');
        for (column, cell) in cells.enumerate() {
            self.layout.element(out);
            self.cell(out, cell, column, epoch);
        }
        self.layout.close(out, b']');
    }

    fn close_series(&mut self, out: &mut Vec<u8>, partial: bool) {
        if self.values {
            self.layout.close(out, b']');
        }
        if partial {
            self.layout.key(out, b"partial");
            out.extend_from_slice(b"true");
        }
        self.layout.close(out, b'}');
    }

    fn close_result(&mut self, out: &mut Vec<u8>, closing: &Closing<'_>) {
        if self.list {
            self.layout.close(out, b']');
        }
        if !closing.messages.is_empty() {
            self.layout.key(out, b"messages");
            self.layout.open(out, b'[');
            for (level, text) in closing.messages {
                self.layout.element(out);
                self.layout.open(out, b'{');
                self.layout.string(out, b"level", level);
                self.layout.string(out, b"text", text);
                self.layout.close(out, b'}');
            }
            self.layout.close(out, b']');
        }
        if closing.partial {
            self.layout.key(out, b"partial");
            out.extend_from_slice(b"true");
        }
        if let Some(error) = closing.error {
            self.layout.string(out, b"error", error);
        }
        self.layout.close(out, b'}');
    }

    fn close_document(&mut self, out: &mut Vec<u8>) {
        if self.results {
            self.layout.close(out, b']');
        }
        self.layout.close(out, b'}');
        out.push(b'\n');
    }
}

pub(super) fn error(out: &mut Vec<u8>, pretty: bool, message: &[u8]) {
    let mut layout = Layout::new(pretty);
    layout.open(out, b'{');
    layout.string(out, b"error", message);
    layout.close(out, b'}');
    out.push(b'\n');
}
