//! `tidegate`: the server.

mod cli;
mod config;
mod database;
mod engine;
mod failure;
mod http;
mod log;
mod offline;
mod serve;
mod store;
#[cfg(test)]
mod testing;
mod units;

use std::process::ExitCode;

use cli::Command;
use failure::Failure;

// What makes mistakes on purpose serves nobody.
const _: () = assert!(!tidegate_core::planted::IS_PLANTED);

fn main() -> ExitCode {
    let done = Command::parse(std::env::args().skip(1)).and_then(run);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log::line(&failure.to_string());
            ExitCode::from(failure.code)
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(flags) => serve::serve(&flags),
        Command::Wal(task, dir) => offline::run(task, &dir),
        Command::Salvage(flags) => offline::salvage(&flags),
        Command::Version => print(&format!("tidegate {}\n", env!("CARGO_PKG_VERSION"))),
        Command::Help => print(cli::HELP),
    }
}

/// To stdout; that it was closed early is no reason to panic.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}
