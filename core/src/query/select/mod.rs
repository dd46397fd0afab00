//! SELECT of raw rows.
//!
//! ```text
//! check (what may be asked) ─► schema, columns (*, regexes, names) ─► plan (groups of series)
//! run: group ─► Merge of lanes (entries of FROM) ─► Merge of streams (series of a span)
//! ```
//!
//! Rows of equal time come in the order in which upstream's heap gives them out, see `merge`.
//! Only a row in which a selected *field* has a value is a row of the answer.

mod check;
mod columns;
mod layer;
mod merge;
mod part;
mod plan;
mod run;
mod schema;
mod stream;

pub(super) use plan::open;
pub(super) use run::Select;
