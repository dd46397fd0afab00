//! Statements to answers.

pub mod batch;
