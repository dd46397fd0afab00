//! The databases as one request sees and changes them.

use tidegate_core::engine::{Executed, WriteError, WriteReport, WriteRequest};
use tidegate_core::http::{Databases, Gate};
use tidegate_core::ids::{CursorId, Lsn};

use super::engines::Engines;

/// A database that came or went.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) created: bool,
    pub(super) database: String,
    pub(super) engine: u32,
    pub(super) node_id: u128,
}

/// Nothing here can wait, so what has to be waited for is noted.
#[derive(Debug)]
pub(super) struct RequestDatabases<'a> {
    engines: &'a mut Engines,
    now_ns: i64,
    tickets: Vec<(u32, Lsn)>,
    changes: Vec<Change>,
}

impl<'a> RequestDatabases<'a> {
    /// For a request that reads the clock as `now_ns`.
    pub(super) const fn new(engines: &'a mut Engines, now_ns: i64) -> Self {
        Self {
            engines,
            now_ns,
            tickets: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// All engines.
    pub(super) const fn engines(&mut self) -> &mut Engines {
        self.engines
    }

    /// What must be durable, and what must be made, before the answer is sent.
    pub(super) fn into_parts(self) -> (Vec<(u32, Lsn)>, Vec<Change>) {
        (self.tickets, self.changes)
    }

    /// Writes to a database; `None` if there is none of that name.
    pub(super) fn write(
        &mut self,
        database: &str,
        request: &WriteRequest,
        body: &[u8],
    ) -> Option<Result<WriteReport, WriteError>> {
        let (number, engine) = self.engines.named(database)?;
        let result = engine.write(request, body);
        if let Ok(report) = &result {
            self.tickets.push((number, report.ticket));
        }
        Some(result)
    }
}

impl Gate for RequestDatabases<'_> {
    fn exists(&mut self, database: &str) -> bool {
        self.engines.named(database).is_some()
    }
}

impl Databases for RequestDatabases<'_> {
    fn names(&mut self) -> Vec<String> {
        self.engines.names().to_vec()
    }

    fn exists(&mut self, name: &str) -> bool {
        self.engines.named(name).is_some()
    }

    fn create(&mut self, name: &str, statement: &str) -> Result<(), String> {
        let (engine, node_id) = self.engines.create(name);
        match self.execute(name, statement) {
            Ok(executed) => {
                self.tickets.push((engine, executed.ticket));
                let database = name.into();
                self.changes.push(Change {
                    created: true,
                    database,
                    engine,
                    node_id,
                });
                Ok(())
            }
            Err(text) => {
                self.engines.release(engine);
                Err(text)
            }
        }
    }

    fn drop(&mut self, name: &str) -> Result<(), String> {
        let (engine, _) = self.engines.named(name).ok_or_else(|| gone(name))?;
        self.engines.release(engine);
        let change = Change {
            created: false,
            database: name.into(),
            engine,
            node_id: 0,
        };
        self.changes.push(change);
        Ok(())
    }

    fn execute(&mut self, database: &str, statement: &str) -> Result<Executed, String> {
        let now_ns = self.now_ns;
        let (_, engine) = self.engines.named(database).ok_or_else(|| gone(database))?;
        engine.execute(now_ns, statement)
    }

    fn fetch(
        &mut self,
        database: &str,
        cursor: CursorId,
        rows_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, String> {
        let (_, engine) = self.engines.named(database).ok_or_else(|| gone(database))?;
        engine
            .fetch(cursor, rows_max, out)
            .map_err(|misuse| misuse.to_string())
    }

    fn close(&mut self, database: &str, cursor: CursorId) {
        if let Some((_, engine)) = self.engines.named(database) {
            // It may have been closed by its last rows; both ways it is closed now.
            let _ = engine.close(cursor);
        }
    }

    fn wait_durable(&mut self, database: &str, ticket: Lsn) -> Result<(), String> {
        if let Some((number, _)) = self.engines.named(database) {
            self.tickets.push((number, ticket));
        }
        Ok(())
    }
}

fn gone(database: &str) -> String {
    format!("database {database} was dropped meanwhile")
}
