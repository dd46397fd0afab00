//! `tidegate wal`: reads logs of a server that is not running. Changes nothing.

mod dump;
mod replay;
mod salvage;

pub(crate) use salvage::{SalvageFlags, run as salvage};

use std::path::{Path, PathBuf};

use crate::cli::WalTask;
use crate::failure::Failure;
use crate::store::{DatabaseDir, Identity, damage_text};

/// A log to read.
struct Log {
    path: PathBuf,
    identity: Identity,
}

/// Carries out `task` on a data directory, or on the directory of one database, and prints what
/// it finds. Damage is a failure; a torn tail, which was never acknowledged, is not.
pub(crate) fn run(task: WalTask, dir: &Path) -> Result<(), Failure> {
    let mut damaged = 0;
    for log in logs(dir)? {
        let mut dump = match task {
            WalTask::Dump => Some(dump::Dump::new(std::io::stdout().lock())),
            WalTask::Verify => None,
        };
        let name = &log.identity.name;
        let end = replay::read(&log.path, log.identity.node_id, |step| match &mut dump {
            Some(dump) => dump.step(step),
            None => Ok(()),
        })
        .map_err(|why| Failure::world(format!("database {name:?}: {why}")))?;
        crate::print(&summary(&log, &end))?;
        damaged += end.found.damage.len();
    }
    match damaged {
        0 => Ok(()),
        count => Err(Failure::world(format!(
            "{count} damaged ranges; serving reports them, keeps copies in quarantine/, and goes on"
        ))),
    }
}

fn summary(log: &Log, end: &replay::End) -> String {
    let found = &end.found;
    let mut text = format!(
        "database {:?} in {}: {} segments, {} records, {} points, {} torn bytes\n",
        log.identity.name,
        log.path.display(),
        found.segments,
        found.records,
        end.points,
        found.torn_bytes
    );
    for damage in &found.damage {
        text += &format!("  damaged: {}\n", damage_text(damage));
    }
    text
}

/// The logs under `dir`, in order of creation.
fn logs(dir: &Path) -> Result<Vec<Log>, Failure> {
    if dir.join("DATABASE").exists() {
        return Ok(vec![log(dir.to_owned())?]);
    }
    let databases = dir.join("databases");
    if !dir.join("TIDEGATE").exists() || !databases.exists() {
        return Err(Failure::world(format!(
            "{} is neither a data directory (it has no TIDEGATE file) nor one of a database \
             (it has no DATABASE file)",
            dir.display()
        )));
    }
    let failed = |error| Failure::io("list", &databases, &error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&databases).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        // What is being created or dropped has an extension.
        if path.extension().is_none() && path.join("DATABASE").exists() {
            paths.push(path);
        }
    }
    paths.sort();
    paths.into_iter().map(log).collect()
}

fn log(path: PathBuf) -> Result<Log, Failure> {
    let identity = DatabaseDir::identity_in(&path).map_err(Failure::world)?;
    Ok(Log { path, identity })
}
