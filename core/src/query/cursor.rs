//! Rows of an answer, fetched in steps.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::select::Select;
use super::{View, select, show};
use crate::influxql::Statement;

/// An answer under way. Owns what it needs; a view is lent for each step.
#[derive(Debug)]
pub struct Cursor(Rows);

#[derive(Debug)]
enum Rows {
    Ready(Vec<u8>),
    Select(Box<Select>),
}

impl Cursor {
    /// An answer that is there already, in the form of `batch`.
    pub const fn ready(batch: Vec<u8>) -> Self {
        Self(Rows::Ready(batch))
    }

    /// Appends the next batch, about `rows_max` rows; `false` if it was the last.
    ///
    /// Bounds: a step looks at two thousand rows of the cache at most, so a batch may come
    /// out smaller than asked for, even empty. The one exception is a series whose rows are out
    /// of order, or read backwards: its rows within one shard are sorted in one step.
    pub fn fetch(&mut self, view: &View<'_>, rows_max: usize, out: &mut Vec<u8>) -> bool {
        match &mut self.0 {
            Rows::Ready(batch) => {
                out.append(batch);
                false
            }
            Rows::Select(select) => select.fetch(view, rows_max, out),
        }
    }
}

/// Begins to answer a statement that reads: SELECT, and the SHOW statements that look at series.
///
/// # Errors
///
/// Upstream's text for what cannot be answered, or what is not supported.
pub fn open(statement: &Statement, view: &View<'_>) -> Result<Cursor, String> {
    Ok(match statement {
        Statement::Select(asked) => Cursor(Rows::Select(Box::new(select::open(asked, view)?))),
        Statement::Explain(_) => return Err("EXPLAIN is not supported yet".into()),
        other => Cursor::ready(show::answer(other, view)?),
    })
}
