//! The servers as a person, a script or a broken client meets them.

#[path = "cli/clients.rs"]
mod clients;
#[path = "cli/disk.rs"]
mod disk;
#[path = "cli/failing.rs"]
mod failing;
#[path = "cli/full.rs"]
mod full;
#[path = "cli/locks.rs"]
mod locks;
#[path = "cli/refusals.rs"]
mod refusals;
#[path = "cli/signals.rs"]
mod signals;
#[path = "cli/traps.rs"]
mod traps;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How a command ended that was to end by itself.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs a command to its end.
///
/// # Panics
/// If it still runs after half a minute: a server that should have refused to start.
fn ended(command: &mut Command) -> Ended {
    let command = command.stdin(Stdio::null());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("waited") {
            break status;
        }
        if start.elapsed() > Duration::from_secs(30) {
            child.kill().expect("killed");
            child.wait().expect("reaped");
            panic!("it runs, and should have refused: {command:?}");
        }
        sleep(Duration::from_millis(10));
    };
    let (mut out, mut err) = (String::new(), String::new());
    let streams = (child.stdout.take(), child.stderr.take());
    streams
        .0
        .expect("piped")
        .read_to_string(&mut out)
        .expect("text");
    streams
        .1
        .expect("piped")
        .read_to_string(&mut err)
        .expect("text");
    Ended {
        code: status.code(),
        out,
        err,
    }
}

/// Every file below a directory with its bytes, but for what a running server holds open.
fn contents(home: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut files, mut open) = (Vec::new(), vec![home.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                files.push((path.clone(), Vec::new()));
                open.push(path);
            } else {
                let bytes = fs::read(&path).expect("read");
                files.push((path, bytes));
            }
        }
    }
    files.sort();
    files
}
