//! Statements to answers.

pub mod batch;
mod cursor;
mod view;

pub use cursor::{Cursor, open};
pub use view::{ShardView, View};
