//! The SHOW statements that look at series: names and counts, answered at once.
//!
//! All are merged over the shards of the database; a retention policy in FROM restricts them
//! to its shards, and a time in WHERE to those that hold it.
//!
//! Source: influxdb 1.12 `query.RewriteStatement`, `coordinator.StatementExecutor`; exact
//! counts in place of its estimates.

mod cardinality;
mod condition;
mod keys;
mod names;

use alloc::string::String;
use alloc::vec::Vec;

use super::View;
use super::batch::Writer;
use crate::influxql::Statement;

/// The answer to `statement`, in the form of `batch`.
///
/// # Errors
///
/// Upstream's text for what cannot be answered.
pub(super) fn answer(statement: &Statement, view: &View<'_>) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rows = Rows {
        out: Writer::new(&mut out),
    };
    match statement {
        Statement::ShowMeasurements(show) => names::measurements(show, view, &mut rows)?,
        Statement::ShowSeries(scope) => names::series(scope, view, &mut rows)?,
        Statement::ShowTagKeys { keys, scope } => {
            keys::tag_keys(keys.as_ref(), scope, view, &mut rows)?;
        }
        Statement::ShowTagValues(show) => keys::tag_values(show, view, &mut rows)?,
        Statement::ShowFieldKeys(scope) => keys::field_keys(scope, view, &mut rows)?,
        Statement::ShowCardinality(show) => cardinality::count(show, view, &mut rows)?,
        _ => return Err("this statement is not answered from series".into()),
    }
    Ok(out)
}

/// Writes series of rows of strings and counts; those without rows are left out.
struct Rows<'o> {
    out: Writer<'o>,
}

impl Rows<'_> {
    fn strings<'a, const N: usize>(
        &mut self,
        name: Option<&[u8]>,
        columns: [&[u8]; N],
        rows: impl Iterator<Item = [&'a [u8]; N]>,
    ) {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return;
        }
        self.out.series(name, [].into_iter(), columns.into_iter());
        for row in rows {
            self.out.row(N);
            row.into_iter().for_each(|text| self.out.string(text));
        }
    }

    fn count(&mut self, name: Option<&[u8]>, column: &[u8], count: usize) {
        self.out.series(name, [].into_iter(), [column].into_iter());
        self.out.row(1);
        self.out.integer(count as i64);
    }
}

/// OFFSET and LIMIT, where 0 means no limit.
fn page<I: Iterator>(items: I, limit: u64, offset: u64) -> impl Iterator<Item = I::Item> {
    let limit = if limit == 0 {
        usize::MAX
    } else {
        usize::try_from(limit).unwrap_or(usize::MAX)
    };
    items
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(limit)
}
