//! A host in memory that knows the few bodies and statements of the records.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::engine::{Executed, Explained, Outcome, WriteError, WriteReport, WriteRequest};
use crate::http::{Answer, Databases, Decision, Gate, Head, Site, WritePlan, decide};
use crate::ids::{CursorId, Lsn};
use crate::query::batch::{Cell, Writer};

/// 2026-01-01T00:00:00Z.
pub(super) const START_NS: i64 = 1_767_225_600_000_000_000;

#[derive(Default)]
pub(super) struct World {
    pub(super) databases: Vec<String>,
    /// Batches that are left of each open cursor.
    cursors: BTreeMap<u32, Vec<Vec<u8>>>,
    /// Statements the engines were handed, as `database: text`.
    pub(super) executed: Vec<String>,
    pub(super) waited: Vec<Lsn>,
    pub(super) closed: usize,
    /// Rows of `SELECT huge FROM x`.
    pub(super) huge_rows: usize,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            databases: alloc::vec!["d".into()],
            ..Self::default()
        }
    }

    pub(super) fn open_cursors(&self) -> usize {
        self.cursors.len()
    }
}

impl Gate for World {
    fn exists(&mut self, database: &str) -> bool {
        self.databases.iter().any(|name| name == database)
    }
}

impl Databases for World {
    fn names(&mut self) -> Vec<String> {
        self.databases.clone()
    }

    fn exists(&mut self, name: &str) -> bool {
        Gate::exists(self, name)
    }

    fn create(&mut self, name: &str, statement: &str) -> Result<(), String> {
        if statement.contains("30m") {
            return Err("retention policy duration must be at least 1h0m0s".into());
        }
        self.databases.push(name.into());
        Ok(())
    }

    fn drop(&mut self, name: &str) -> Result<(), String> {
        self.databases.retain(|database| database != name);
        Ok(())
    }

    fn execute(&mut self, database: &str, statement: &str) -> Result<Executed, String> {
        self.executed
            .push(alloc::format!("{database}: {statement}"));
        let batches = rows_of(database, statement, self.huge_rows)?;
        let cursor = (!batches.is_empty()).then(|| {
            let id = self.executed.len() as u32;
            self.cursors.insert(id, batches.into_iter().rev().collect());
            CursorId(id)
        });
        Ok(Executed {
            cursor,
            ticket: Lsn(self.executed.len() as u64),
        })
    }

    fn fetch(
        &mut self,
        _database: &str,
        cursor: CursorId,
        _rows_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, String> {
        let batches = self
            .cursors
            .get_mut(&cursor.0)
            .ok_or("no such cursor is open")?;
        out.extend(batches.pop().unwrap_or_default());
        let more = !batches.is_empty();
        if !more {
            self.cursors.remove(&cursor.0);
        }
        Ok(more)
    }

    fn close(&mut self, _database: &str, cursor: CursorId) {
        self.closed += 1;
        self.cursors.remove(&cursor.0);
    }

    fn wait_durable(&mut self, _database: &str, ticket: Lsn) -> Result<(), String> {
        self.waited.push(ticket);
        Ok(())
    }
}

/// One series as a batch.
pub(super) fn series(
    name: Option<&str>,
    tags: &[(&str, &str)],
    columns: &[&str],
    rows: &[Vec<Cell<'_>>],
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    let tags: Vec<_> = tags
        .iter()
        .map(|(k, v)| (k.as_bytes(), v.as_bytes()))
        .collect();
    let columns: Vec<_> = columns.iter().map(|column| column.as_bytes()).collect();
    writer.series(
        name.map(str::as_bytes),
        tags.into_iter(),
        columns.into_iter(),
    );
    for row in rows {
        writer.row(row.len());
        row.iter().for_each(|cell| writer.cell(cell));
    }
    out
}

fn timed(offset_s: i64, cell: Cell<'_>) -> Vec<Cell<'_>> {
    alloc::vec![Cell::Time(START_NS + offset_s * 1_000_000_000), cell]
}

fn rows_of(database: &str, statement: &str, huge: usize) -> Result<Vec<Vec<u8>>, String> {
    let batches = match statement {
        "SELECT v FROM notags" => {
            let rows: Vec<_> = (0..5).map(|i| timed(i, Cell::Integer(i))).collect();
            let mut batches = alloc::vec![series(Some("notags"), &[], &["time", "v"], &rows[..1])];
            // The rest of the series comes with a later batch, without a header.
            let mut rest = Vec::new();
            let mut writer = Writer::new(&mut rest);
            for row in &rows[1..] {
                writer.row(row.len());
                row.iter().for_each(|cell| writer.cell(cell));
            }
            batches.push(rest);
            batches
        }
        "SELECT usage FROM cpu GROUP BY host LIMIT 3" => {
            let hosts = [
                ("a", [57.184, 53.773, 54.954]),
                ("b", [78.408, 69.793, 76.173]),
            ];
            let batch = |(host, values): (&str, [f64; 3])| {
                let times = [1_800, 1_860, 1_920];
                let rows: Vec<_> = times
                    .into_iter()
                    .zip(values)
                    .map(|(t, v)| timed(t, Cell::Float(v)))
                    .collect();
                series(Some("cpu"), &[("host", host)], &["time", "usage"], &rows)
            };
            hosts.map(batch).to_vec()
        }
        "SHOW MEASUREMENTS" => {
            let names: [&[u8]; 5] = [b"cpu", b"disk io", b"events", b"notags", b"other"];
            let rows = names.map(|name| alloc::vec![Cell::String(name)]);
            alloc::vec![series(Some("measurements"), &[], &["name"], &rows)]
        }
        "SHOW TAG KEYS" => ["cpu", "mem"]
            .map(|name| {
                let rows = [b"host", b"rack"].map(|key| alloc::vec![Cell::String(key)]);
                series(Some(name), &[], &["tagKey"], &rows)
            })
            .to_vec(),
        "SHOW SHARD GROUPS" => {
            let rows = [alloc::vec![Cell::String(database.as_bytes())]];
            alloc::vec![series(Some("shard groups"), &[], &["database"], &rows)]
        }
        "SELECT huge FROM x" => {
            let row = [timed(0, Cell::Float(0.1)), timed(1, Cell::Null)];
            let mut head = series(Some("x"), &[], &["time", "huge"], &[]);
            let rows = series(None, &[], &[], &row);
            let rows = &rows[series(None, &[], &[], &[]).len()..];
            let mut batches: Vec<_> = (0..huge / 1_000).map(|_| rows.repeat(500)).collect();
            head.extend(rows.repeat(500));
            batches.insert(0, head);
            batches
        }
        "SELECT breaks FROM x" => {
            let mut batch = series(
                Some("x"),
                &[],
                &["time", "breaks"],
                &[timed(0, Cell::Boolean(true))],
            );
            Writer::new(&mut batch).error(b"shard 1: gone");
            alloc::vec![batch, Vec::new()]
        }
        text if text.starts_with("SELECT nofunc") => {
            return Err("undefined function nofunc()".into());
        }
        text if text.starts_with("CREATE DATABASE") => {
            return Err("retention policy conflicts with an existing policy".into());
        }
        _ => Vec::new(),
    };
    Ok(batches)
}

/// What the engine makes of a body.
pub(super) fn judge(request: &WriteRequest, body: &[u8]) -> Result<WriteReport, WriteError> {
    const GOOD: &[u8] = b"cpu,host=a v=1 1000000000";
    let mut report = WriteReport {
        ticket: Lsn(1),
        outcome: Outcome::Written,
        written: 0,
        dropped: 0,
        unparsed: 0,
        message: Vec::new(),
        explained: Explained::default(),
    };
    if !request.retention_policy.is_empty() {
        report.outcome = Outcome::RetentionPolicyNotFound;
        let text = alloc::format!("retention policy not found: {}", request.retention_policy);
        report.message = text.into_bytes();
    } else if !matches!(body, b"" | b"\n") && body != GOOD {
        report.outcome = Outcome::NothingParsed;
        let reason: &[u8] = match body {
            b"bad" => b"missing fields",
            _ if body.starts_with(GOOD) => b"bad timestamp",
            _ => b"invalid field format",
        };
        report.message = [b"unable to parse '", body, b"': ", reason].concat();
    }
    Ok(report)
}

/// Carries a request through to its answer, as a host would.
pub(super) fn ask(world: &mut World, head: &Head<'_>, body: &[u8]) -> Answer {
    match decide(head, &Site::default(), world, "fresh-id") {
        Decision::Answer(answer) => answer,
        Decision::Write(plan) => answer_write(&plan, body),
        Decision::Query(plan) => {
            let form: &[u8] = if plan.wants_body() { body } else { b"" };
            let mut run = match plan.begin(form) {
                Ok(run) => run,
                Err(answer) => return answer,
            };
            let mut answer = run.head();
            while run.next_piece(world, &mut answer.body) {}
            answer
        }
        Decision::Metrics(responder) | Decision::Vars(responder) => responder.empty(200),
    }
}

fn answer_write(plan: &WritePlan, body: &[u8]) -> Answer {
    #[cfg(feature = "inflate")]
    if plan.gzip {
        return match crate::http::Inflate::whole(body, plan.body_bytes_max) {
            Ok(body) => plan.answer(&judge(&plan.request(0), &body)),
            Err(error) => plan.body_error(&error),
        };
    }
    plan.answer(&judge(&plan.request(0), body))
}

/// A GET or POST of `/query`.
pub(super) fn query(world: &mut World, method: &str, query: &str) -> String {
    let head = Head {
        method,
        path: "/query",
        query,
        headers: &[],
    };
    let answer = ask(world, &head, b"");
    String::from_utf8_lossy(&answer.body).to_string()
}
