//! Rows of an answer, fetched in steps.

use alloc::string::String;
use alloc::vec::Vec;

use super::View;
use crate::influxql::Statement;

/// An answer under way. Owns what it needs; a view is lent for each step.
#[derive(Debug)]
pub struct Cursor {
    ready: Vec<u8>,
}

impl Cursor {
    /// An answer that is there already, in the form of `batch`.
    pub const fn ready(batch: Vec<u8>) -> Self {
        Self { ready: batch }
    }

    /// Appends the next batch, about `rows_max` rows; `false` if it was the last.
    pub fn fetch(&mut self, _view: &View<'_>, _rows_max: usize, out: &mut Vec<u8>) -> bool {
        out.append(&mut self.ready);
        false
    }
}

/// Begins to answer a statement that reads.
///
/// # Errors
///
/// Upstream's text for what cannot be answered.
pub fn open(_statement: &Statement, _view: &View<'_>) -> Result<Cursor, String> {
    Err(String::from("not there yet"))
}
