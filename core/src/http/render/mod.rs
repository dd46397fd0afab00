//! Events of an answer to the bytes of its body.
//!
//! [`Renderer`] decides what goes into which document: all results into one, or, where the
//! client asked for chunks, each series or part of a series into a document of its own. The
//! formats below it only print.

mod csv;
mod json;
mod msgpack;
mod rejected;

use alloc::string::String;
use alloc::vec::Vec;

use self::csv::Csv;
use self::json::Json;
use self::msgpack::MsgPack;
pub(super) use self::rejected::rejected;
use super::accept::Format;
use crate::query::batch::{Cells, Event, Reader, Series, Writer};

/// How times are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Epoch {
    /// RFC 3339 in UTC.
    Text,
    /// Counted in units of so many nanoseconds, cut towards zero.
    Units(i64),
}

impl Epoch {
    /// The `epoch` parameter. What is not known counts nanoseconds.
    ///
    /// Source: influxdb 1.12 `services/httpd.convertToEpoch`.
    pub(super) fn of(parameter: &[u8]) -> Self {
        Self::Units(match parameter.trim_ascii() {
            b"" => return Self::Text,
            b"u" => 1_000,
            b"ms" => 1_000_000,
            b"s" => 1_000_000_000,
            b"m" => 60_000_000_000,
            b"h" => 3_600_000_000_000,
            _ => 1,
        })
    }
}

/// What of a statement goes into one document, where the client asked for chunks.
///
/// Source: influxdb 1.12 `coordinator.StatementExecutor`, which sends results row by row, series
/// by series, or once, depending on the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    /// So many rows of one series; marked as partial until the last.
    Rows,
    /// One series, never marked.
    Series,
    /// All of it.
    Statement,
}

/// A message beside the rows: level and text.
pub(super) type Message = (Vec<u8>, Vec<u8>);

/// How a result ends.
#[derive(Clone, Debug, Default)]
struct Closing<'a> {
    messages: &'a [Message],
    partial: bool,
    error: Option<&'a [u8]>,
}

/// What a format has to print.
trait Print {
    /// A document with `results` results.
    fn open_document(&mut self, out: &mut Vec<u8>, results: usize);
    fn open_result(&mut self, out: &mut Vec<u8>, statement_id: usize);
    fn open_series(&mut self, out: &mut Vec<u8>, series: &Series<'_>);
    fn row(&mut self, out: &mut Vec<u8>, cells: Cells<'_>, epoch: Epoch);
    fn close_series(&mut self, out: &mut Vec<u8>, partial: bool);
    fn close_result(&mut self, out: &mut Vec<u8>, closing: &Closing<'_>);
    fn close_document(&mut self, out: &mut Vec<u8>);
    /// Bytes that cannot be sent before the result is complete.
    fn held_bytes(&self) -> usize {
        0
    }
}

/// Most bytes of a result that are held back; see [`Print::held_bytes`].
const HELD_BYTES_MAX: usize = 64 << 20;

/// Prints the statements of a query one after the other.
#[derive(Debug)]
pub(super) struct Renderer {
    printer: Printer,
    epoch: Epoch,
    /// Rows in a document; `None` for one document in all.
    chunk_rows: Option<usize>,
    statements: usize,
    statement_id: usize,
    grouping: Grouping,
    document: bool,
    result: bool,
    series: bool,
    rows: usize,
    /// The last series of the statement, as an event, to repeat it in the next document.
    header: Vec<u8>,
    messages: Vec<Message>,
}

#[derive(Debug)]
enum Printer {
    Json(Json),
    Csv(Csv),
    MsgPack(MsgPack),
}

impl Printer {
    fn new(format: Format, pretty: bool) -> Self {
        match format {
            Format::Json => Self::Json(Json::new(pretty)),
            Format::Csv | Format::TextCsv => Self::Csv(Csv::default()),
            Format::MsgPack => Self::MsgPack(MsgPack::default()),
        }
    }

    fn get(&mut self) -> &mut dyn Print {
        match self {
            Self::Json(json) => json,
            Self::Csv(csv) => csv,
            Self::MsgPack(msgpack) => msgpack,
        }
    }
}

impl Renderer {
    /// Prints `statements` statements.
    pub(super) fn new(
        format: Format,
        pretty: bool,
        epoch: Epoch,
        chunk_rows: Option<usize>,
        statements: usize,
    ) -> Self {
        Self {
            printer: Printer::new(format, pretty),
            epoch,
            chunk_rows,
            statements,
            statement_id: 0,
            grouping: Grouping::Statement,
            document: false,
            result: false,
            series: false,
            rows: 0,
            header: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// Begins a statement.
    pub(super) fn begin(&mut self, out: &mut Vec<u8>, statement_id: usize, grouping: Grouping) {
        self.statement_id = statement_id;
        self.grouping = grouping;
        self.header.clear();
        self.messages.clear();
        if self.chunk_rows.is_none() {
            self.open_result(out);
        }
    }

    /// Prints the events of a batch.
    ///
    /// # Errors
    ///
    /// The text the statement failed with; [`end`](Self::end) it with that.
    pub(super) fn events(&mut self, out: &mut Vec<u8>, batch: &[u8]) -> Result<(), String> {
        for event in Reader::new(batch) {
            match event {
                Ok(Event::Series(series)) => self.series(out, &series),
                Ok(Event::Row(cells)) => self.row(out, cells)?,
                Ok(Event::Message(level, text)) => self.messages.push((level.into(), text.into())),
                Ok(Event::Error(text)) => return Err(String::from_utf8_lossy(text).into_owned()),
                Err(malformed) => return Err(alloc::format!("internal error: {malformed}")),
            }
        }
        Ok(())
    }

    /// A message that is printed when the statement ends well.
    pub(super) fn message(&mut self, level: &str, text: String) {
        self.messages.push((level.into(), text.into_bytes()));
    }

    fn series(&mut self, out: &mut Vec<u8>, series: &Series<'_>) {
        let mut header = Vec::new();
        let (tags, columns): (Vec<_>, _) = (series.tags().collect(), series.columns.clone());
        Writer::new(&mut header).series(series.name, tags.into_iter(), columns);
        // A list that goes over several databases names its series once for each of them.
        if self.series && self.header == header && self.grouping == Grouping::Statement {
            return;
        }
        self.header = header;
        match (self.chunk_rows, self.grouping) {
            (None, _) | (_, Grouping::Statement) => self.close_series(out, false),
            (_, Grouping::Rows) => self.close_chunk(out, false, true),
            (_, Grouping::Series) => self.close_chunk(out, false, false),
        }
        self.open_series(out);
    }

    fn row(&mut self, out: &mut Vec<u8>, cells: Cells<'_>) -> Result<(), String> {
        if self.grouping == Grouping::Rows && self.chunk_rows.is_some_and(|max| self.rows >= max) {
            self.close_chunk(out, true, true);
        }
        if !self.series {
            self.open_series(out);
        }
        if !self.series {
            return Err("internal error: a row came before its series".into());
        }
        self.rows += 1;
        self.printer.get().row(out, cells, self.epoch);
        if self.printer.get().held_bytes() > HELD_BYTES_MAX {
            return Err(alloc::format!(
                "answer too large: over {HELD_BYTES_MAX} bytes in one MessagePack document, \
                 ask with chunked=true or for JSON"
            ));
        }
        Ok(())
    }

    /// Ends a statement, with its error if it failed. What was already sent of a failed
    /// statement stays; upstream, which holds all of it back, would take it back.
    pub(super) fn end(&mut self, out: &mut Vec<u8>, error: Option<&str>) {
        if error.is_some() {
            self.messages.clear();
            if self.chunk_rows.is_some() {
                self.close_chunk(out, true, true);
            }
        }
        self.open_result(out);
        self.close_series(out, false);
        let messages = core::mem::take(&mut self.messages);
        let error = error.map(str::as_bytes);
        self.close_result(
            out,
            &Closing {
                messages: &messages,
                partial: false,
                error,
            },
        );
    }

    /// Ends the answer.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.chunk_rows.is_none() {
            self.open_document(out);
            self.printer.get().close_document(out);
        }
    }

    fn open_document(&mut self, out: &mut Vec<u8>) {
        if !self.document {
            let results = if self.chunk_rows.is_some() {
                1
            } else {
                self.statements
            };
            self.printer.get().open_document(out, results);
            self.document = true;
        }
    }

    fn open_result(&mut self, out: &mut Vec<u8>) {
        self.open_document(out);
        if !self.result {
            self.printer.get().open_result(out, self.statement_id);
            self.result = true;
        }
    }

    fn open_series(&mut self, out: &mut Vec<u8>) {
        self.open_result(out);
        let header = core::mem::take(&mut self.header);
        if let Some(Ok(Event::Series(series))) = Reader::new(&header).next() {
            self.printer.get().open_series(out, &series);
            self.series = true;
            self.rows = 0;
        }
        self.header = header;
    }

    fn close_series(&mut self, out: &mut Vec<u8>, partial: bool) {
        if self.series {
            self.printer.get().close_series(out, partial);
            self.series = false;
        }
    }

    /// Ends a document before the end of its statement.
    fn close_chunk(&mut self, out: &mut Vec<u8>, partial_series: bool, partial: bool) {
        if self.result {
            self.close_series(out, partial_series);
            self.close_result(
                out,
                &Closing {
                    partial,
                    ..Closing::default()
                },
            );
        }
    }

    fn close_result(&mut self, out: &mut Vec<u8>, closing: &Closing<'_>) {
        self.printer.get().close_result(out, closing);
        self.result = false;
        if self.chunk_rows.is_some() {
            self.printer.get().close_document(out);
            self.document = false;
        }
    }
}

/// Appends an error that is the whole answer.
///
/// Source: influxdb 1.12 `services/httpd` formatters.
pub(super) fn error(format: Format, pretty: bool, message: &[u8], out: &mut Vec<u8>) {
    match format {
        Format::Json => json::error(out, pretty, message),
        Format::Csv | Format::TextCsv => csv::error(out, message),
        Format::MsgPack => msgpack::error(out, message),
    }
}
