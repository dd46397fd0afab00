//! Building one record: its definitions and rows, cut into frames as they come.

use alloc::vec::Vec;

use super::definition;
use super::frame::FrameKind;
use super::rows::RowsWriter;
use crate::ids::{LayoutId, Lsn, SeriesId, ShardId};
use crate::limits::FRAME_BYTES_MAX;
use crate::model::row::Class;

/// What a row or an entry costs beside its values or its text, at most.
const HEAD_BYTES: usize = 64;

/// Where frames go: the log, or a snapshot.
pub trait FrameSink {
    /// Appends a frame; `more` says that the record goes on with the next one.
    fn append(&mut self, kind: FrameKind, payload: &[u8], points: u32, more: bool) -> Lsn;

    /// The number of the last frame.
    fn accepted(&self) -> Lsn;
}

/// The record under way. Definitions always go to the log before the rows that use them.
///
/// Bounds: a frame is at most [`FRAME_BYTES_MAX`], unless a single row or entry is longer.
#[derive(Debug, Default)]
pub struct RecordWriter {
    rows: RowsWriter,
    definitions: Vec<u8>,
    /// A frame of this record is in the log.
    has_frames: bool,
}

impl RecordWriter {
    /// Adds an entry of [`definition`], which `put` appends.
    pub fn define(&mut self, log: &mut impl FrameSink, put: impl FnOnce(&mut Vec<u8>)) {
        let before = self.definitions.len();
        put(&mut self.definitions);
        if self.definitions.len() > FRAME_BYTES_MAX && before > 0 {
            self.append_definitions(log, before, true);
        }
    }

    /// Adds a change to the catalog.
    pub fn define_catalog(&mut self, log: &mut impl FrameSink, change: &[u8]) {
        self.define(log, |out| definition::put_catalog(out, change));
    }

    /// Begins a row; the caller appends its values, at most `values_bytes_max`, to what this
    /// returns.
    #[inline]
    pub fn begin_row(
        &mut self,
        log: &mut impl FrameSink,
        (shard, series, layout): (ShardId, SeriesId, LayoutId),
        class: Class,
        time: i64,
        values_bytes_max: usize,
    ) -> &mut Vec<u8> {
        if self.rows.len() + values_bytes_max + HEAD_BYTES > FRAME_BYTES_MAX {
            self.spill(log);
        }
        self.rows.begin(shard, series, layout, class, time)
    }

    /// The values appended since the row's buffer was `at` long.
    #[inline]
    pub fn values_since(&self, at: usize) -> &[u8] {
        self.rows.since(at)
    }

    /// Bytes of rows that are not in a frame yet.
    pub fn rows_bytes(&self) -> usize {
        self.rows.len()
    }

    /// Counts a point; its rows are complete.
    #[inline]
    pub const fn count_point(&mut self) {
        self.rows.count_point();
    }

    /// Ends the record: its ticket, or the last LSN there is if it is empty.
    pub fn finish(&mut self, log: &mut impl FrameSink) -> Lsn {
        let (has_rows, definitions) = (!self.rows.is_empty(), self.definitions.len());
        if has_rows {
            if definitions > 0 {
                self.append_definitions(log, definitions, true);
            }
            self.append_rows(log, false);
        } else if definitions > 0 || self.has_frames {
            // An empty definitions frame ends a record whose last rows are in the log already.
            self.append_definitions(log, definitions, false);
        }
        self.has_frames = false;
        log.accepted()
    }

    /// Puts what there is into the log; the record goes on.
    #[cold]
    fn spill(&mut self, log: &mut impl FrameSink) {
        let definitions = self.definitions.len();
        if definitions > 0 {
            self.append_definitions(log, definitions, true);
        }
        if !self.rows.is_empty() {
            self.append_rows(log, true);
        }
    }

    fn append_definitions(&mut self, log: &mut impl FrameSink, length: usize, more: bool) {
        log.append(
            FrameKind::Definitions,
            self.definitions.get(..length).unwrap_or_default(),
            0,
            more,
        );
        self.definitions.drain(..length);
        self.has_frames = true;
    }

    fn append_rows(&mut self, log: &mut impl FrameSink, more: bool) {
        let points = self.rows.points();
        log.append(FrameKind::Rows, self.rows.finish(), points, more);
        self.rows.clear();
        self.has_frames = true;
    }
}
