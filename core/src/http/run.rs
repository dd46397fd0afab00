//! Statements of a query, one after the other, to pieces of a body.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::answer::{Answer, Responder};
use super::bound;
use super::databases::Databases;
use super::query::Asked;
use super::render::{Grouping, Renderer};
use crate::ids::CursorId;
use crate::influxql::{self, ParsedStatement, Select, Source, Statement};
use crate::model::check_name;
use crate::query::batch::Writer;

/// Rows that are fetched at once: few enough for a piece to stay small.
const FETCH_ROWS: usize = 1_000;

/// A query that was parsed and is being answered.
///
/// The host sends [`head`](Self::head) and then what [`next_piece`](Self::next_piece) appends,
/// until that says there is no more. A host with users looks at
/// [`statements`](Self::statements) first.
#[derive(Debug)]
pub struct QueryRun {
    text: String,
    statements: Vec<ParsedStatement>,
    /// Whether engines get the printed statement instead of its text.
    rewritten: bool,
    database: String,
    retention_policy: String,
    read_only: bool,
    quiet: bool,
    responder: Responder,
    renderer: Renderer,
    next: usize,
    /// What is left of the statement before `next`.
    open: Option<Open>,
    failed: bool,
    batch: Vec<u8>,
}

/// A statement under way.
#[derive(Debug)]
struct Open {
    /// Its position among the statements.
    id: usize,
    /// Databases to ask, last one first.
    databases: Vec<String>,
    /// The one whose rows are being fetched.
    cursor: Option<(String, CursorId)>,
}

/// Whom a statement concerns.
enum Target {
    /// Nobody any more: its rows, if any, are in the batch.
    Done,
    /// The engine of a database.
    Database(String),
    /// The engines of all databases, whose rows are put in a row.
    EveryDatabase,
}

impl QueryRun {
    pub(super) fn parse(asked: Asked) -> Result<Self, Answer> {
        let refuse = |text: String| asked.responder.error(400, text.as_bytes());
        let params = bound::parse(&asked.bound).map_err(refuse)?;
        let statements = influxql::parse_query_with(&asked.text, &params)
            .map_err(|error| refuse(alloc::format!("error parsing query: {error}")))?;
        let renderer = Renderer::new(
            asked.responder.format,
            asked.responder.pretty,
            asked.epoch,
            asked.chunk_rows,
            statements.len(),
        );
        Ok(Self {
            rewritten: !params.is_empty(),
            text: asked.text,
            statements,
            database: asked.database,
            retention_policy: asked.retention_policy,
            read_only: asked.read_only,
            quiet: asked.quiet,
            responder: asked.responder,
            renderer,
            next: 0,
            open: None,
            failed: false,
            batch: Vec::new(),
        })
    }

    /// What the query says, in order.
    pub fn statements(&self) -> impl ExactSizeIterator<Item = &Statement> {
        self.statements.iter().map(|parsed| &parsed.statement)
    }

    /// The database that statements mean which name none; empty if the request names none.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The answer instead of a run, to a user who may not run it.
    pub fn refuse(&self, reason: &str) -> Answer {
        let text = alloc::format!("error authorizing query: {reason}");
        self.responder.error(403, text.as_bytes())
    }

    /// Status and headers; the body comes in pieces. 204 without a body if the client does not
    /// want to wait for it; the run has to be driven all the same.
    pub fn head(&self) -> Answer {
        self.responder.empty(if self.quiet { 204 } else { 200 })
    }

    /// Goes on with the query, appending to `out` what that gives; `false` at its end.
    ///
    /// A piece holds about as much as a thousand rows take.
    pub fn next_piece(&mut self, dbs: &mut impl Databases, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        let more = self.step(dbs, out);
        if self.quiet {
            out.truncate(before);
        }
        more
    }

    /// Ends the query early: the client has gone.
    pub fn abort(&mut self, dbs: &mut impl Databases) {
        if let Some((database, cursor)) = self.open.take().and_then(|open| open.cursor) {
            dbs.close(&database, cursor);
        }
        self.next = self.statements.len();
    }

    fn step(&mut self, dbs: &mut impl Databases, out: &mut Vec<u8>) -> bool {
        if self.open.is_some() {
            let result = self.proceed(dbs, out);
            self.settle(dbs, out, result);
            return true;
        }
        let Some(parsed) = self.statements.get(self.next) else {
            self.renderer.finish(out);
            return false;
        };
        let parsed = parsed.clone();
        let id = self.next;
        self.next += 1;
        self.renderer.begin(out, id, grouping(&parsed.statement));
        if self.failed {
            self.renderer.end(out, Some("not executed"));
            return true;
        }
        if self.read_only && !parsed.statement.is_read_only() {
            let statement = &parsed.statement;
            let text = alloc::format!(
                "deprecated use of '{statement}' in a read only context, \
                 please use a POST request instead"
            );
            self.renderer.message("warning", text);
        }
        let result = self.begin(dbs, out, &parsed);
        self.settle(dbs, out, result);
        true
    }

    /// Ends the statement if `result` says it is over.
    fn settle(
        &mut self,
        dbs: &mut impl Databases,
        out: &mut Vec<u8>,
        result: Result<bool, String>,
    ) {
        let error = match result {
            Ok(true) => return,
            Ok(false) => None,
            Err(text) => Some(text),
        };
        if let Some((database, cursor)) = self.open.take().and_then(|open| open.cursor) {
            dbs.close(&database, cursor);
        }
        self.failed |= error.is_some();
        self.renderer.end(out, error.as_deref());
    }

    /// Carries out a statement or begins to; `true` if there is more of it.
    fn begin(
        &mut self,
        dbs: &mut impl Databases,
        out: &mut Vec<u8>,
        parsed: &ParsedStatement,
    ) -> Result<bool, String> {
        self.batch.clear();
        let databases = match self.target(dbs, parsed)? {
            Target::Done => {
                self.renderer.events(out, &self.batch)?;
                return Ok(false);
            }
            Target::Database(name) => alloc::vec![name],
            Target::EveryDatabase => dbs.names().into_iter().rev().collect(),
        };
        self.open = Some(Open {
            id: self.next.saturating_sub(1),
            databases,
            cursor: None,
        });
        self.proceed(dbs, out)
    }

    /// Fetches rows of the open statement, or asks the next database for some.
    fn proceed(&mut self, dbs: &mut impl Databases, out: &mut Vec<u8>) -> Result<bool, String> {
        let Some(open) = &mut self.open else {
            return Ok(false);
        };
        if let Some((database, cursor)) = open.cursor.take() {
            self.batch.clear();
            let more = dbs.fetch(&database, cursor, FETCH_ROWS, &mut self.batch)?;
            if more {
                open.cursor = Some((database, cursor));
            }
            let more = more || !open.databases.is_empty();
            self.renderer.events(out, &self.batch)?;
            return Ok(more);
        }
        let Some(database) = open.databases.pop() else {
            return Ok(false);
        };
        let last = open.databases.is_empty();
        let Some(parsed) = self.statements.get(open.id) else {
            return Ok(false);
        };
        let executed = dbs.execute(&database, &self.statement_text(parsed))?;
        let has_rows = executed.cursor.is_some();
        if let Some(open) = &mut self.open {
            open.cursor = executed.cursor.map(|cursor| (database.clone(), cursor));
        }
        // Nothing of the answer leaves before what it tells of is durable.
        dbs.wait_durable(&database, executed.ticket)?;
        Ok(has_rows || !last)
    }

    /// Whom to ask about a statement; those about databases themselves are answered here.
    ///
    /// Source: influxdb 1.12 `coordinator.StatementExecutor`.
    fn target(
        &mut self,
        dbs: &mut impl Databases,
        parsed: &ParsedStatement,
    ) -> Result<Target, String> {
        let statement = &parsed.statement;
        match statement {
            Statement::ShowDatabases => self.list_databases(dbs),
            Statement::CreateDatabase(create) => {
                check_name(&create.name).map_err(|error| error.to_string())?;
                if !dbs.exists(&create.name) {
                    dbs.create(&create.name, &self.statement_text(parsed))?;
                } else if create.retention.is_some() {
                    return Ok(Target::Database(create.name.clone()));
                }
            }
            Statement::DropDatabase(name) => {
                if dbs.exists(name) {
                    dbs.drop(name)?;
                }
            }
            Statement::ShowShards
            | Statement::ShowShardGroups
            | Statement::ShowSubscriptions
            | Statement::ShowContinuousQueries => return Ok(Target::EveryDatabase),
            Statement::ShowStats { .. }
            | Statement::ShowDiagnostics { .. }
            | Statement::ShowQueries
            | Statement::ShowUsers
            | Statement::ShowGrants { .. }
            | Statement::CreateUser(_)
            | Statement::DropUser(_)
            | Statement::SetPassword(_)
            | Statement::Grant(_)
            | Statement::GrantAdmin { .. }
            | Statement::Revoke(_)
            | Statement::RevokeAdmin { .. }
            | Statement::KillQuery(_) => {
                let unsupported = || Err(alloc::format!("unsupported statement: {statement}"));
                dbs.perform(statement, &mut self.batch)
                    .unwrap_or_else(unsupported)?;
            }
            _ => return self.engine(dbs, statement),
        }
        Ok(Target::Done)
    }

    fn engine(&self, dbs: &mut impl Databases, statement: &Statement) -> Result<Target, String> {
        let name = statement.database().unwrap_or(&self.database);
        if dbs.exists(name) {
            return Ok(Target::Database(name.into()));
        }
        match statement {
            // Removing what is not there succeeds, and there is nothing to list.
            Statement::DropRetentionPolicy(_) => Ok(Target::Done),
            Statement::ShowMeasurements(_) if !name.is_empty() => Ok(Target::Done),
            Statement::DropMeasurement(_) | Statement::DropSeries(_) | Statement::Delete(_) => {
                Err(alloc::format!("database not found: {name}"))
            }
            _ if name.is_empty() => Err("database name required".into()),
            _ => Err(alloc::format!("database not found: {name}")),
        }
    }

    fn list_databases(&mut self, dbs: &mut impl Databases) {
        let names = dbs.names();
        let mut writer = Writer::new(&mut self.batch);
        let column: &[u8] = b"name";
        writer.series(Some(b"databases"), [].into_iter(), [column].into_iter());
        for name in names {
            writer.row(1);
            writer.string(name.as_bytes());
        }
    }

    /// What the engine gets: the text as it came, unless parameters of the request are to be
    /// worked in.
    fn statement_text(&self, parsed: &ParsedStatement) -> Cow<'_, str> {
        let mut statement = Cow::Borrowed(&parsed.statement);
        if !self.retention_policy.is_empty()
            && let Statement::Select(_) | Statement::Explain(_) = *statement
        {
            match statement.to_mut() {
                Statement::Select(select) => set_policy(select, &self.retention_policy),
                Statement::Explain(explain) => {
                    set_policy(&mut explain.select, &self.retention_policy);
                }
                _ => {}
            }
        } else if !self.rewritten {
            let text = self.text.get(parsed.span.clone()).unwrap_or_default();
            return Cow::Borrowed(text);
        }
        Cow::Owned(statement.to_string())
    }
}

/// Gives a retention policy to the sources that name none.
///
/// Source: influxdb 1.12 `coordinator.StatementExecutor.NormalizeStatement`.
fn set_policy(select: &mut Select, retention_policy: &str) {
    for source in &mut select.sources {
        match source {
            Source::Measurement(measurement) => {
                if measurement.retention_policy.is_empty() {
                    measurement.retention_policy = retention_policy.into();
                }
            }
            Source::Subquery(select) => set_policy(select, retention_policy),
        }
    }
}

const fn grouping(statement: &Statement) -> Grouping {
    match statement {
        Statement::Select(_)
        | Statement::ShowSeries(_)
        | Statement::ShowFieldKeys(_)
        | Statement::ShowCardinality(_) => Grouping::Rows,
        Statement::ShowTagKeys { .. } | Statement::ShowTagValues(_) => Grouping::Series,
        _ => Grouping::Statement,
    }
}
