//! The command line.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::offline::SalvageFlags;

/// What we were asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Run the server.
    Serve(ServeFlags),
    /// Read a log without changing anything.
    Wal(WalTask, PathBuf),
    /// Write out what can be read of a log.
    Salvage(SalvageFlags),
    /// Print the version.
    Version,
    /// Print the help.
    Help,
}

/// What `wal` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WalTask {
    /// Check every frame.
    Verify,
    /// Print every record.
    Dump,
}

/// Flags of `serve`; they win over the environment and the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServeFlags {
    /// `--data DIR`
    pub data: Option<PathBuf>,
    /// `--http ADDR:PORT`
    pub http: Option<String>,
    /// `--config FILE`
    pub config: Option<PathBuf>,
    /// `--native`
    pub native: bool,
}

/// The text of `--help`.
pub(crate) const HELP: &str = "\
Tidegate: a durable, InfluxDB-1.x-compatible ingest server.

Usage:
  tidegate serve [--data DIR] [--http ADDR:PORT] [--config FILE] [--native]
  tidegate wal verify|dump DIR
  tidegate wal salvage DIR --out NEWDIR [--database NAME]
  tidegate --version | --help

serve
  --data DIR         where the data lives           (default ./tidegate-data)
  --http ADDR:PORT   where to listen                (default 127.0.0.1:8086)
  --config FILE      TOML; TIDEGATE_<SECTION>_<KEY> in the environment
                     overrides the file, flags override both
  --native           run the engine as native code instead of WebAssembly

  A write is answered once it is durable. [http] ack-level sets another level
  for all, the header X-Tidegate-Ack or ?ack= for one request: wal (handed to
  the operating system) or memory (accepted). Every answer names its level.

wal
  verify DIR         check every frame of a data or database directory, change nothing
  dump DIR           print every frame
  salvage DIR        write all that can be read, whatever is damaged or missing, as line
                     protocol for influx -import or POST /write; change nothing in DIR
    --out NEWDIR     where to; must be new or empty
    --database NAME  only this one

Exit codes: 0 done, 1 something is in the way (the message says what), 2 called wrongly,
3 salvaged, but not all that had been acknowledged (the account says what is lost).
";

impl Command {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let first = args.next();
        match first.as_deref() {
            Some("serve") => serve(args),
            Some("wal") => wal(args),
            Some("--version" | "-V" | "version") => Ok(Self::Version),
            Some("--help" | "-h" | "help") => Ok(Self::Help),
            Some(other) => Err(unknown("command or flag", other)),
            None => Err(Failure::usage(
                "no command given; `tidegate serve` starts the server, `tidegate --help` lists all",
            )),
        }
    }
}

fn serve(mut args: impl Iterator<Item = String>) -> Result<Command, Failure> {
    let mut flags = ServeFlags::default();
    while let Some(arg) = args.next() {
        let (flag, inline) = match arg.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (arg, None),
        };
        let mut value = || {
            let given = inline.clone().or_else(|| args.next());
            given
                .filter(|value| !value.is_empty())
                .ok_or_else(|| Failure::usage(format!("{flag} needs a value; see tidegate --help")))
        };
        match flag.as_str() {
            "--data" => flags.data = Some(value()?.into()),
            "--http" => flags.http = Some(value()?),
            "--config" => flags.config = Some(value()?.into()),
            "--native" if inline.is_none() => flags.native = true,
            "--help" | "-h" => return Ok(Command::Help),
            _ => return Err(unknown("flag of serve", &flag)),
        }
    }
    Ok(Command::Serve(flags))
}

fn wal(mut args: impl Iterator<Item = String>) -> Result<Command, Failure> {
    let task = match args.next().as_deref() {
        Some("verify") => WalTask::Verify,
        Some("dump") => WalTask::Dump,
        Some("salvage") => return salvage(args),
        Some("--help" | "-h") => return Ok(Command::Help),
        Some(other) => return Err(unknown("task of wal", other)),
        None => return Err(Failure::usage("wal needs a task: verify, dump or salvage")),
    };
    match (args.next(), args.next()) {
        (Some(dir), None) => Ok(Command::Wal(task, dir.into())),
        _ => Err(Failure::usage("wal needs exactly one directory")),
    }
}

fn salvage(mut args: impl Iterator<Item = String>) -> Result<Command, Failure> {
    let mut flags = SalvageFlags::default();
    let mut dirs = Vec::new();
    while let Some(arg) = args.next() {
        let (flag, inline) = match arg.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => {
                (flag.to_owned(), Some(value.to_owned()))
            }
            _ => (arg, None),
        };
        let mut value = || {
            let given = inline.clone().or_else(|| args.next());
            given
                .filter(|value| !value.is_empty())
                .ok_or_else(|| Failure::usage(format!("{flag} needs a value; see tidegate --help")))
        };
        match flag.as_str() {
            "--out" => flags.out = value()?.into(),
            "--database" => flags.database = Some(value()?),
            "--help" | "-h" => return Ok(Command::Help),
            other if other.starts_with('-') => return Err(unknown("flag of wal salvage", other)),
            _ => dirs.push(PathBuf::from(flag)),
        }
    }
    match dirs.pop() {
        Some(dir) if dirs.is_empty() => flags.dir = dir,
        _ => {
            return Err(Failure::usage(
                "wal salvage needs exactly one directory to read",
            ));
        }
    }
    if flags.out.as_os_str().is_empty() {
        let text = "wal salvage needs --out NEWDIR, a new directory to write to";
        return Err(Failure::usage(text));
    }
    Ok(Command::Salvage(flags))
}

fn unknown(what: &str, name: &str) -> Failure {
    Failure::usage(format!("unknown {what} {name:?}; see tidegate --help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, Failure> {
        Command::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_of_serve_come_with_a_space_or_an_equals_sign() {
        let expected = ServeFlags {
            data: Some("x".into()),
            http: Some("127.0.0.1:0".into()),
            config: None,
            native: true,
        };
        for line in [
            "serve --data x --http 127.0.0.1:0 --native",
            "serve --native --data=x --http=127.0.0.1:0",
        ] {
            assert_eq!(parse(line).ok(), Some(Command::Serve(expected.clone())));
        }
    }

    #[test]
    fn what_is_not_understood_is_named_and_exits_with_2() {
        for (line, part) in [
            ("", "tidegate serve"),
            ("sevre", "\"sevre\""),
            ("serve --dta x", "\"--dta\""),
            ("serve --data", "--data needs a value"),
            ("serve --data=", "--data needs a value"),
            ("serve --native=yes", "\"--native\""),
            ("wal", "verify, dump or salvage"),
            ("wal mend x", "\"mend\""),
            ("wal verify", "exactly one directory"),
            ("wal salvage d", "--out NEWDIR"),
            ("wal salvage --out o", "exactly one directory"),
            ("wal salvage d --out", "--out needs a value"),
            ("wal salvage d --in o", "\"--in\""),
            ("wal verify a b", "exactly one directory"),
        ] {
            let failure = parse(line).expect_err(line);
            assert_eq!(failure.code, 2, "{line}");
            assert!(failure.to_string().contains(part), "{line}: {failure}");
        }
    }
}
