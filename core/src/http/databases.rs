//! What a query needs of its host.

use alloc::string::String;
use alloc::vec::Vec;

use crate::engine::Executed;
use crate::ids::{CursorId, Lsn};
use crate::influxql::Statement;

/// The databases of a host, as the user of one request may see them.
///
/// The split of `CREATE DATABASE`: this module checks the name and whether the database exists.
/// A new one is made by [`create`](Self::create), an existing one executes the statement itself
/// if that has a WITH clause. In both cases the engine judges the policy asked for: against
/// upstream's bounds if it is new, against its default one if not.
pub trait Databases {
    /// In the order of creation.
    fn names(&mut self) -> Vec<String>;

    /// Whether there is such a database.
    fn exists(&mut self, name: &str) -> bool;

    /// Makes the database, lets its engine execute `statement`, the text of CREATE DATABASE, and
    /// returns when both are durable. If the engine refuses, the database is gone again and its
    /// text is the error.
    fn create(&mut self, name: &str, statement: &str) -> Result<(), String>;

    /// Removes the database, durably. Called only for one that exists.
    fn drop(&mut self, name: &str) -> Result<(), String>;

    /// Hands a statement to the engine of an existing database.
    fn execute(&mut self, database: &str, statement: &str) -> Result<Executed, String>;

    /// Appends the next batch of rows, in the form of [`crate::query::batch`]; `false` when
    /// that was the last, which also closes the cursor.
    fn fetch(
        &mut self,
        database: &str,
        cursor: CursorId,
        rows_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, String>;

    /// Closes a cursor before its end.
    fn close(&mut self, database: &str, cursor: CursorId);

    /// Returns when `ticket` is durable. A host that cannot block notes the ticket, returns, and
    /// sends no piece of the body before it is durable.
    fn wait_durable(&mut self, database: &str, ticket: Lsn) -> Result<(), String>;

    /// Carries out a statement about what the host owns: users, grants, running queries,
    /// statistics. Rows go to `out` as a batch. `None` if the host has no such thing.
    fn perform(
        &mut self,
        _statement: &Statement,
        _out: &mut Vec<u8>,
    ) -> Option<Result<(), String>> {
        None
    }
}
