//! MessagePack. Counts come before what they count, so a result is held until it is complete.

use alloc::vec::Vec;

use super::{Closing, Epoch, Print};
use crate::query::batch::{Cell, Cells, Series};

/// Source: influxdb 1.12 `services/httpd.msgpackFormatter`; the encodings are those tinylib/msgp
/// chooses: the smallest integer, preferring signed ones; floats in 8 bytes; times as extension 5.
#[derive(Debug, Default)]
pub(super) struct MsgPack {
    statement_id: usize,
    /// Complete series of the result.
    list: Vec<u8>,
    list_count: usize,
    /// Fields of the series before its rows, their number, and the rows.
    head: Vec<u8>,
    head_count: usize,
    rows: Vec<u8>,
    rows_count: usize,
}

impl Print for MsgPack {
    fn open_document(&mut self, out: &mut Vec<u8>, results: usize) {
        map(out, 1);
        string(out, b"results");
        array(out, results);
    }

    fn open_result(&mut self, _out: &mut Vec<u8>, statement_id: usize) {
        *self = Self {
            statement_id,
            ..Self::default()
        };
    }

    fn open_series(&mut self, _out: &mut Vec<u8>, series: &Series<'_>) {
        let out = &mut self.head;
        out.clear();
        self.head_count = 2;
        if let Some(name) = series.name.filter(|name| !name.is_empty()) {
            self.head_count += 1;
            string(out, b"name");
            string(out, name);
        }
        let tags: Vec<_> = series.tags().collect();
        if !tags.is_empty() {
            self.head_count += 1;
            string(out, b"tags");
            map(out, tags.len());
            for (key, value) in tags {
                string(out, key);
                string(out, value);
            }
        }
        string(out, b"columns");
        array(out, series.columns.len());
        series
            .columns
            .clone()
            .for_each(|column| string(out, column));
        self.rows.clear();
        self.rows_count = 0;
    }

    fn row(&mut self, _out: &mut Vec<u8>, cells: Cells<'_>, epoch: Epoch) {
        self.rows_count += 1;
        array(&mut self.rows, cells.len());
        for (column, cell) in cells.enumerate() {
            cell_value(&mut self.rows, cell, column, epoch);
        }
    }

    fn close_series(&mut self, _out: &mut Vec<u8>, partial: bool) {
        let out = &mut self.list;
        map(out, self.head_count + usize::from(partial));
        out.append(&mut self.head);
        string(out, b"values");
        array(out, self.rows_count);
        out.append(&mut self.rows);
        if partial {
            string(out, b"partial");
            out.push(TRUE);
        }
        self.list_count += 1;
    }

    fn close_result(&mut self, out: &mut Vec<u8>, closing: &Closing<'_>) {
        if let Some(error) = closing.error {
            map(out, 1);
            string(out, b"error");
            return string(out, error);
        }
        let messages = !closing.messages.is_empty();
        map(
            out,
            2 + usize::from(messages) + usize::from(closing.partial),
        );
        string(out, b"statement_id");
        integer(out, self.statement_id as i64);
        if messages {
            string(out, b"messages");
            array(out, closing.messages.len());
            for (level, text) in closing.messages {
                map(out, 2);
                string(out, b"level");
                string(out, level);
                string(out, b"text");
                string(out, text);
            }
        }
        string(out, b"series");
        array(out, self.list_count);
        out.append(&mut self.list);
        if closing.partial {
            string(out, b"partial");
            out.push(TRUE);
        }
    }

    fn close_document(&mut self, _out: &mut Vec<u8>) {}

    fn held_bytes(&self) -> usize {
        self.list.len() + self.rows.len()
    }
}

const NIL: u8 = 0xc0;
const FALSE: u8 = 0xc2;
const TRUE: u8 = 0xc3;

fn cell_value(out: &mut Vec<u8>, cell: Cell<'_>, column: usize, epoch: Epoch) {
    match cell {
        Cell::Null => out.push(NIL),
        Cell::Time(time) => match epoch {
            Epoch::Units(unit) if column == 0 => integer(out, time / unit.max(1)),
            _ => {
                out.extend_from_slice(&[0xc7, 12, 5]);
                out.extend_from_slice(&time.div_euclid(1_000_000_000).to_be_bytes());
                out.extend_from_slice(&(time.rem_euclid(1_000_000_000) as u32).to_be_bytes());
            }
        },
        Cell::Float(value) => {
            out.push(0xcb);
            out.extend_from_slice(&value.to_bits().to_be_bytes());
        }
        Cell::Integer(value) => integer(out, value),
        Cell::Unsigned(value) => unsigned(out, value),
        Cell::Boolean(value) => out.push(if value { TRUE } else { FALSE }),
        Cell::String(value) => string(out, value),
        Cell::List(values) => {
            array(out, values.len());
            values.for_each(|value| string(out, value));
        }
    }
}

fn integer(out: &mut Vec<u8>, value: i64) {
    if (-32..=127).contains(&value) {
        out.push(value as u8);
    } else if let Ok(small) = i8::try_from(value) {
        out.extend_from_slice(&[0xd0, small as u8]);
    } else if let Ok(small) = i16::try_from(value) {
        out.push(0xd1);
        out.extend_from_slice(&small.to_be_bytes());
    } else if let Ok(small) = i32::try_from(value) {
        out.push(0xd2);
        out.extend_from_slice(&small.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

pub(super) fn unsigned(out: &mut Vec<u8>, value: u64) {
    match value {
        0..0x80 => out.push(value as u8),
        0x80..0x100 => out.extend_from_slice(&[0xcc, value as u8]),
        0x100..0x1_0000 => {
            out.push(0xcd);
            out.extend_from_slice(&(value as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(0xce);
            out.extend_from_slice(&(value as u32).to_be_bytes());
        }
        _ => {
            out.push(0xcf);
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

pub(super) fn string(out: &mut Vec<u8>, text: &[u8]) {
    match text.len() {
        length @ 0..32 => out.push(0xa0 | length as u8),
        length @ 32..0x100 => out.extend_from_slice(&[0xd9, length as u8]),
        length => sized(out, length, 0xda, 0xdb),
    }
    out.extend_from_slice(text);
}

pub(super) fn array(out: &mut Vec<u8>, count: usize) {
    match count {
        0..16 => out.push(0x90 | count as u8),
        _ => sized(out, count, 0xdc, 0xdd),
    }
}

pub(super) fn map(out: &mut Vec<u8>, count: usize) {
    match count {
        0..16 => out.push(0x80 | count as u8),
        _ => sized(out, count, 0xde, 0xdf),
    }
}

/// A count of 16 or 32 bits. More than 32 bits never come: what is held is bounded.
fn sized(out: &mut Vec<u8>, count: usize, tag16: u8, tag32: u8) {
    if let Ok(count) = u16::try_from(count) {
        out.push(tag16);
        out.extend_from_slice(&count.to_be_bytes());
    } else {
        out.push(tag32);
        out.extend_from_slice(&(count as u32).to_be_bytes());
    }
}

pub(super) fn error(out: &mut Vec<u8>, message: &[u8]) {
    map(out, 1);
    string(out, b"error");
    string(out, message);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_smallest_form() {
        let mut out = Vec::new();
        for value in [
            0,
            127,
            128,
            32_768,
            1 << 31,
            -1,
            -32,
            -33,
            -129,
            -32_769,
            i64::MIN,
        ] {
            integer(&mut out, value);
        }
        let signed = [
            &[0, 127][..],
            &[0xd1, 0, 128],
            &[0xd2, 0, 0, 128, 0],
            &[0xd3, 0, 0, 0, 0, 128, 0, 0, 0],
            &[0xff, 0xe0],
            &[0xd0, 223],
            &[0xd1, 255, 127],
            &[0xd2, 255, 255, 127, 255],
            &[0xd3, 128, 0, 0, 0, 0, 0, 0, 0],
        ];
        assert_eq!(out, signed.concat());
        out.clear();
        for value in [127, 128, 256, 65_536, 1 << 32] {
            unsigned(&mut out, value);
        }
        let unsigned = [
            &[127][..],
            &[0xcc, 128],
            &[0xcd, 1, 0],
            &[0xce, 0, 1, 0, 0],
            &[0xcf, 0, 0, 0, 1, 0, 0, 0, 0],
        ];
        assert_eq!(out, unsigned.concat());
    }

    #[test]
    fn lengths_take_the_smallest_form() {
        for (count, tags) in [
            (15, [&[0xaf][..], &[0x9f], &[0x8f]]),
            (16, [&[0xb0], &[0xdc, 0, 16], &[0xde, 0, 16]]),
            (32, [&[0xd9, 32], &[0xdc, 0, 32], &[0xde, 0, 32]]),
            (256, [&[0xda, 1, 0], &[0xdc, 1, 0], &[0xde, 1, 0]]),
            (
                65_536,
                [
                    &[0xdb, 0, 1, 0, 0],
                    &[0xdd, 0, 1, 0, 0],
                    &[0xdf, 0, 1, 0, 0],
                ],
            ),
        ] {
            let mut out = [Vec::new(), Vec::new(), Vec::new()];
            string(&mut out[0], &alloc::vec![b'x'; count]);
            array(&mut out[1], count);
            map(&mut out[2], count);
            for (out, tag) in out.iter().zip(tags) {
                assert!(out.starts_with(tag), "{count} {tag:?}");
            }
        }
    }
}
