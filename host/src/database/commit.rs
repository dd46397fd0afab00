//! The thread of an open database: one life of an engine after another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_core::ids::{FileId, Lsn};

use super::instance::{Database, Stage};
use super::life::{End, Life};
use super::past::Past;
use crate::log::log;
use crate::store::{add_skipped, file_text, read_skipped};

/// Between two attempts to open a database that ended; doubles from the first to the last.
const REST: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Records that are left out of a database at most; more are a bug that a person has to look at.
const SKIPPED_MAX: usize = 16;

/// Opens the database, again and again if need be, until it is to be closed.
pub(super) fn run(database: &Arc<Database>) {
    let _guard = PanicGuard(database);
    let mut rest = REST.0;
    let mut past = Past::default();
    loop {
        let began = Instant::now();
        let end = Life::begin(database, &past).map_or_else(
            |end| end,
            |mut life| {
                let end = life.live();
                life.remember(&mut past);
                end
            },
        );
        if matches!(end, End::Idle) {
            break;
        }
        let is_over = matches!(end, End::Stopped | End::Refused(_));
        if matches!(end, End::Mended | End::Trapped(..)) {
            // Something is different now, so there is nothing to wait for.
            rest = REST.0;
        }
        let stage = next_stage(database, end, &mut past);
        let mut inner = database.lock();
        inner.engine = None;
        database.fail_acks(&mut inner);
        inner.stage = stage;
        if is_over {
            break;
        }
        drop(inner);
        database.changed.notify_waiters();
        if began.elapsed() > 2 * REST.1 {
            rest = REST.0;
        }
        if stopped_while_resting(database, rest) {
            database.lock().stage = Stage::Gone;
            break;
        }
        rest = (rest * 2).min(REST.1);
        database.lock().stage = Stage::Opening;
    }
    database.changed.notify_waiters();
}

/// What becomes of the database after this end of a life; says so.
fn next_stage(database: &Database, end: End, past: &mut Past) -> Stage {
    let name = database.name();
    match end {
        End::Idle | End::Stopped => Stage::Gone,
        End::Refused(why) => {
            log!("database {name:?} is not served: {why}");
            Stage::Refused(why)
        }
        End::Failed(why) => {
            log!("database {name:?} stopped and is opened again: {why}");
            Stage::Resting(why)
        }
        End::Broken => {
            past.note_broken();
            let is_read_only = past.is_read_only();
            let how = if is_read_only { ", read-only" } else { "" };
            log!("database {name:?} could not make a write durable and is opened again{how}");
            Stage::Resting("a write could not be made durable".into())
        }
        End::Mended => {
            past.note_mended();
            log!("database {name:?}: its disk may keep what is written again, opening it");
            Stage::Resting("its disk is tried again".into())
        }
        End::Trapped(record, why) => {
            let (file, lsn) = (file_text(record.0), record.1);
            log!(
                "database {name:?} stopped at the record {lsn} of {file} and is opened again: {why}"
            );
            if past.note_trapped(record) {
                set_aside(database, record);
            }
            Stage::Resting(why)
        }
    }
}

/// A record that ended two engines is left out of the next one.
fn set_aside(database: &Database, record: (FileId, Lsn)) {
    let (name, path) = (database.name(), database.dir.path());
    let skipped = read_skipped(&path);
    if skipped.is_ok_and(|skipped| skipped.len() >= SKIPPED_MAX) {
        log!(
            "database {name:?}: {SKIPPED_MAX} records are left out already, this is no matter of \
             single records; tidegate wal salvage writes out what is in the log"
        );
        return;
    }
    match add_skipped(&path, record) {
        Ok(()) => log!(
            "database {name:?} is opened without that record from now on: it is reported as \
             damage, a copy is in quarantine/; the file skipped in {} names it",
            path.display()
        ),
        Err(error) => log!("cannot write skipped in {}: {error}", path.display()),
    }
}

/// A database without its thread must not look as if it ran: writes would be taken that nobody
/// commits. (Release builds abort at a panic.)
struct PanicGuard<'a>(&'a Database);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let why = "a bug: its commit thread panicked; restart the server";
        log!("database {:?} is not served: {why}", self.0.name());
        let mut inner = self.0.lock();
        self.0.end_life(&mut inner, why.into());
        inner.stage = Stage::Refused(why.into());
        drop(inner);
        self.0.changed.notify_waiters();
    }
}

pub(super) fn stopped_while_resting(database: &Database, rest: Duration) -> bool {
    let waited = database
        .work
        .wait_timeout_while(database.lock(), rest, |inner| !inner.stop);
    match waited {
        Ok((inner, _)) => inner.stop,
        Err(poisoned) => database.after_panic(poisoned.into_inner().0).stop,
    }
}
