//! `tidegate wal salvage`: writes out, as line protocol, all that can be read of logs, whatever
//! became of them. Changes nothing where it reads.

mod account;
mod database;
mod files;
mod find;
mod policies;
mod segment;
mod spell;

use std::path::{Path, PathBuf};

use account::Account;
use files::Files;

use crate::failure::Failure;
use crate::store::lock_holder;

/// What `salvage` was asked to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SalvageFlags {
    /// Where the logs are.
    pub dir: PathBuf,
    /// Where to write.
    pub out: PathBuf,
    /// Only this database.
    pub database: Option<String>,
}

/// Reads, writes, and prints an account. That something was lost is a failure of its own kind.
pub(crate) fn run(flags: &SalvageFlags) -> Result<(), Failure> {
    let SalvageFlags { dir, out, database } = flags;
    if let Some(holder) = lock_holder(dir) {
        return Err(Failure::world(format!(
            "{} is in use by {holder}; stop it first, or salvage a copy of the directory",
            dir.display()
        )));
    }
    refuse_inside(dir, out)?;
    let logs = find::logs(dir, database.as_deref())?;
    let failed = |error| Failure::io("write", out, &error);
    let mut files = Files::create(out).map_err(failed)?;
    let mut statements = String::from("# DDL\n");
    let mut accounts = Vec::new();
    for log in &logs {
        let (account, text) = database::salvage(log, &mut files).map_err(failed)?;
        crate::print(&account.text())?;
        statements += &text;
        accounts.push(account);
    }
    files.whole("ddl.txt", &statements).map_err(failed)?;
    files
        .whole("salvage.json", &json(&accounts))
        .map_err(failed)?;
    let names = files.finish().map_err(failed)?;
    crate::print(&how_to_import(out, &names))?;
    match accounts
        .iter()
        .filter(|account| !account.is_complete())
        .count()
    {
        0 => Ok(()),
        count => Err(Failure::partial(format!(
            "{count} of {} databases are not complete: the account above and salvage.json say \
             what is lost",
            accounts.len()
        ))),
    }
}

/// Nothing may be written to where it is read from.
fn refuse_inside(dir: &Path, out: &Path) -> Result<(), Failure> {
    let dir = dir
        .canonicalize()
        .map_err(|error| Failure::io("open", dir, &error))?;
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let parent = parent
        .canonicalize()
        .map_err(|error| Failure::io("open", parent, &error))?;
    let inside = parent.starts_with(&dir) || out.canonicalize().is_ok_and(|out| out == dir);
    if inside {
        let text = "--out lies in the directory that is read; choose one outside it";
        return Err(Failure::usage(text));
    }
    Ok(())
}

fn json(accounts: &[Account]) -> String {
    let accounts: Vec<String> = accounts.iter().map(Account::json).collect();
    format!("{{\"databases\": [\n  {}\n]}}\n", accounts.join(",\n  "))
}

fn how_to_import(out: &Path, names: &[String]) -> String {
    let out = out.display();
    format!(
        "written to {out}: ddl.txt, salvage.json, {} files of line protocol\n\
         into a running server, either with InfluxDB's client, first ddl.txt, then each file:\n  \
         influx -import -precision ns -path FILE\n\
         or, after the statements in ddl.txt, by HTTP, each file into the database and policy its \
         head names:\n  \
         curl --data-binary @FILE 'http://localhost:8086/write?db=DB&rp=RP&precision=n'\n",
        names.len()
    )
}
