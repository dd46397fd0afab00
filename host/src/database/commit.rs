//! The thread of an open database: one life of an engine after another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::instance::{Database, Stage};
use super::life::{End, Life};
use crate::log::log;

/// Between two attempts to open a database that ended; doubles from the first to the last.
const REST: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Opens the database, again and again if need be, until it is to be closed.
pub(super) fn run(database: &Arc<Database>) {
    let _guard = PanicGuard(database);
    let mut rest = REST.0;
    loop {
        let began = Instant::now();
        let end = Life::begin(database).map_or_else(|end| end, |mut life| life.live());
        if matches!(end, End::Idle) {
            break;
        }
        let mut inner = database.lock();
        inner.engine = None;
        database.fail_acks(&mut inner);
        match end {
            End::Idle | End::Stopped => {
                inner.stage = Stage::Gone;
                break;
            }
            End::Refused(why) => {
                log!("database {:?} is not served: {why}", database.name());
                inner.stage = Stage::Refused(why);
                break;
            }
            End::Failed(why) => {
                log!(
                    "database {:?} stopped and is opened again: {why}",
                    database.name()
                );
                inner.stage = Stage::Resting(why);
            }
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
