//! A query, carried out on a thread that may block, streamed as it goes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use tidegate_core::engine::Executed;
use tidegate_core::http::{Answer, Counter, Databases, QueryPlan, QueryRun};
use tidegate_core::ids::{CursorId, Lsn};
use tidegate_core::influxql::Statement;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::body::{self, Received};
use super::packing::Packing;
use super::pieces::{self, Maker};
use super::respond::{self, Content};
use super::service::Server;
use crate::database::{Ack, CreateError, Database, DatabaseList, Unavailable, now_ns};
use crate::users::{Identity, Users};

/// An answer up to this size is sent whole, with its length.
const WHOLE_BYTES_MAX: usize = 64 << 10;

/// Carries out the plan for `user`; what it gives leaves by `packing`.
pub(super) async fn serve(
    server: &Arc<Server>,
    plan: QueryPlan,
    body: Received,
    user: Identity,
    packing: Packing,
) -> Response<Content> {
    let mut form = Vec::new();
    if plan.wants_body() {
        let rate_min = server.limits.body_rate_min.0;
        match body::form(body, plan.body_bytes_max(), rate_min).await {
            Ok(bytes) => form = bytes,
            Err(_) => return respond::whole(plan.too_large()),
        }
    }
    let run = match plan.begin(&form) {
        Ok(run) => run,
        Err(answer) => return respond::whole(answer),
    };
    if let Err(reason) = user.may_run(run.statements(), run.database(), server.users.count()) {
        return respond::whole(run.refuse(&reason));
    }
    let mut head = run.head();
    let (maker, pieces) = pieces::channel();
    let (first, beginning) = oneshot::channel();
    let seen = Seen::new(server, user);
    let quiet = head.status == 204;
    let counting = Arc::clone(server);
    let encoding = packing.encoding();
    tokio::task::spawn_blocking(move || drive(run, seen, packing, maker, first, &counting));
    if quiet {
        return respond::whole(head);
    }
    let beginning = beginning.await;
    if beginning.is_ok()
        && let Some(encoding) = encoding
    {
        head.set("Content-Encoding", encoding);
    }
    match beginning {
        Ok(Beginning::Whole(body)) => respond::whole(Answer { body, ..head }),
        Ok(Beginning::Streaming) => respond::streaming(&head, pieces),
        Err(_) => respond::whole(Answer {
            status: 500,
            ..head
        }),
    }
}

enum Beginning {
    Whole(Vec<u8>),
    Streaming,
}

/// Makes the body, piece by piece, until it ends or the client is gone.
fn drive(
    mut run: QueryRun,
    mut seen: Seen,
    mut packing: Packing,
    maker: Maker,
    first: oneshot::Sender<Beginning>,
    server: &Server,
) {
    let mut first = Some(first);
    let mut piece = Vec::new();
    loop {
        let more = run.next_piece(&mut seen, &mut piece);
        if !more && let Some(first) = first.take() {
            server.figures.add(Counter::QueryBytes, piece.len() as u64);
            // Nobody to tell if the client is gone; there is nothing left to do either.
            let _ = first.send(Beginning::Whole(packing.pack(piece, true)));
            return;
        }
        if more && piece.len() < WHOLE_BYTES_MAX {
            continue;
        }
        let gone = match first.take() {
            Some(first) => first.send(Beginning::Streaming).is_err(),
            None => false,
        };
        server.figures.add(Counter::QueryBytes, piece.len() as u64);
        let packed = packing.pack(std::mem::take(&mut piece), !more);
        if gone || maker.send(packed).is_err() {
            run.abort(&mut seen);
            return;
        }
        if !more {
            maker.end();
            return;
        }
    }
}

/// The databases as one query sees them.
struct Seen {
    databases: Arc<DatabaseList>,
    users: Arc<Users>,
    user: Identity,
    handle: Handle,
    durable_timeout: Duration,
    /// What the last statement of a database waits for, and the engine its cursors belong to.
    last: BTreeMap<String, (u64, Ack)>,
}

impl Seen {
    fn new(server: &Server, user: Identity) -> Self {
        Self {
            databases: Arc::clone(&server.databases),
            users: Arc::clone(&server.users),
            user,
            handle: Handle::current(),
            durable_timeout: server.limits.durable_timeout.0,
            last: BTreeMap::new(),
        }
    }

    fn database(&self, name: &str) -> Result<Arc<Database>, String> {
        let database = self.databases.get(name);
        database.ok_or_else(|| format!("database not found: {name}"))
    }

    fn epoch(&self, name: &str) -> u64 {
        self.last.get(name).map_or(0, |(epoch, _)| *epoch)
    }
}

impl Databases for Seen {
    fn names(&mut self) -> Vec<String> {
        self.databases
            .all()
            .iter()
            .map(|database| database.name().to_owned())
            .filter(|name| self.user.sees(name))
            .collect()
    }

    fn exists(&mut self, name: &str) -> bool {
        self.databases.get(name).is_some()
    }

    fn create(&mut self, name: &str, statement: &str) -> Result<(), String> {
        match self.databases.create(name, &[statement.to_owned()]) {
            Ok(_) => Ok(()),
            Err(CreateError::Statement(text) | CreateError::Failed(text)) => Err(text),
        }
    }

    fn drop(&mut self, name: &str) -> Result<(), String> {
        // First, so that no crash leaves grants to a later database of that name.
        self.users.forget_database(name)?;
        self.databases.drop_database(name).map(|_| ())
    }

    fn execute(&mut self, name: &str, statement: &str) -> Result<Executed, String> {
        let database = self.database(name)?;
        let executed = loop {
            let ready = self.handle.block_on(database.ready());
            ready.map_err(|unavailable| unavailable.to_string())?;
            match database.execute(now_ns(), statement) {
                // Closed meanwhile for want of use; it opens again.
                Err(Unavailable::Opening) => {}
                executed => break executed,
            }
        };
        let (executed, epoch, ack) = executed.map_err(|unavailable| unavailable.to_string())??;
        self.last.insert(name.to_owned(), (epoch, ack));
        Ok(executed)
    }

    fn fetch(
        &mut self,
        name: &str,
        cursor: CursorId,
        rows_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, String> {
        let rows_max = u32::try_from(rows_max).unwrap_or(u32::MAX);
        let fetched = self
            .database(name)?
            .fetch(self.epoch(name), cursor, rows_max, out);
        fetched.map_err(|unavailable| unavailable.to_string())
    }

    fn close(&mut self, name: &str, cursor: CursorId) {
        if let Ok(database) = self.database(name) {
            database.close_cursor(self.epoch(name), cursor);
        }
    }

    fn perform(&mut self, statement: &Statement, out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let exists = |name: &str| self.databases.get(name).is_some();
        self.users.perform(statement, &self.user, exists, out)
    }

    fn wait_durable(&mut self, name: &str, _ticket: Lsn) -> Result<(), String> {
        // The ticket is the one its last statement came back with.
        let Some((_, ack)) = self.last.get_mut(name) else {
            return Ok(());
        };
        let Ack::Later(durable) = std::mem::replace(ack, Ack::Now) else {
            return Ok(());
        };
        let waited = async { tokio::time::timeout(self.durable_timeout, durable).await };
        match self.handle.block_on(waited) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err("storage failed before the statement was durable".into()),
            Err(_) => Err("timeout".into()),
        }
    }
}
