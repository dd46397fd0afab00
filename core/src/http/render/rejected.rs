//! An error with the list of rejected lines, in each format.

use alloc::vec::Vec;

use super::json::Layout;
use super::{csv, msgpack};
use crate::engine::WriteReport;
use crate::http::accept::Format;
use crate::http::text::display;

/// Appends the error of a write as [`error`](super::error) does, and beside it how many points
/// were stored, how many lines are left out of the list, and the list.
pub(in crate::http) fn rejected(
    format: Format,
    pretty: bool,
    message: &[u8],
    report: &WriteReport,
    out: &mut Vec<u8>,
) {
    match format {
        Format::Json => json(out, pretty, message, report),
        Format::Csv | Format::TextCsv => comma_separated(out, message, report),
        Format::MsgPack => message_pack(out, message, report),
    }
}

fn json(out: &mut Vec<u8>, pretty: bool, message: &[u8], report: &WriteReport) {
    let mut layout = Layout::new(pretty);
    layout.open(out, b'{');
    layout.string(out, b"error", message);
    layout.number(out, b"written", report.written);
    if report.explained.left_out > 0 {
        layout.number(out, b"left_out", report.explained.left_out);
    }
    layout.key(out, b"lines");
    layout.open(out, b'[');
    for line in &report.explained.lines {
        layout.element(out);
        layout.open(out, b'{');
        layout.number(out, b"line", u64::from(line.line));
        layout.number(out, b"column", u64::from(line.column));
        layout.string(out, b"fate", line.fate.word().as_bytes());
        layout.string(out, b"reason", &line.reason);
        layout.close(out, b'}');
    }
    layout.close(out, b']');
    layout.close(out, b'}');
    out.push(b'\n');
}

/// A second table behind an empty line; where lines are left out, the last row says so.
fn comma_separated(out: &mut Vec<u8>, message: &[u8], report: &WriteReport) {
    csv::error(out, message);
    out.extend_from_slice(b"\nline,column,fate,reason\n");
    for line in &report.explained.lines {
        display(out, line.line);
        out.push(b',');
        display(out, line.column);
        out.push(b',');
        csv::field(out, line.fate.word().as_bytes());
        out.push(b',');
        csv::field(out, &line.reason);
        out.push(b'\n');
    }
    if report.explained.left_out > 0 {
        out.extend_from_slice(b",,left_out,");
        display(out, report.explained.left_out);
        out.push(b'\n');
    }
}

fn message_pack(out: &mut Vec<u8>, message: &[u8], report: &WriteReport) {
    let left_out = report.explained.left_out;
    msgpack::map(out, if left_out > 0 { 4 } else { 3 });
    msgpack::string(out, b"error");
    msgpack::string(out, message);
    msgpack::string(out, b"written");
    msgpack::unsigned(out, report.written);
    if left_out > 0 {
        msgpack::string(out, b"left_out");
        msgpack::unsigned(out, left_out);
    }
    msgpack::string(out, b"lines");
    msgpack::array(out, report.explained.lines.len());
    for line in &report.explained.lines {
        msgpack::map(out, 4);
        msgpack::string(out, b"line");
        msgpack::unsigned(out, u64::from(line.line));
        msgpack::string(out, b"column");
        msgpack::unsigned(out, u64::from(line.column));
        msgpack::string(out, b"fate");
        msgpack::string(out, line.fate.word().as_bytes());
        msgpack::string(out, b"reason");
        msgpack::string(out, &line.reason);
    }
}
