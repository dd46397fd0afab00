//! Statements to answers.
//!
//! ```text
//! statement ─► scope (FROM: measurements in shards)
//!          └─► predicate (WHERE: series by postings, filters for rows)
//!                 ├─► show      names and counts, at once
//!                 └─► select    plan ─► merge of series ─► rows, in steps
//! ```

pub mod batch;
mod cursor;
mod expr;
mod pattern;
mod predicate;
mod scope;
mod select;
mod show;
mod value;
mod view;

pub use cursor::{Cursor, open};
pub use view::{ShardView, View};

#[cfg(test)]
mod tests;
