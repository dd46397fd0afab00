//! Slows down or fails the system calls of a running server from outside, by strace.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::server::Server;
use super::{missing_layer, say};
use crate::kit::Process;

/// Meddles with the system calls of a server until it is dropped.
pub struct Meddler {
    _strace: Process,
}

impl Meddler {
    /// Does as `injection` says, in the words of strace's `inject=`. `None`, and loud, where
    /// processes cannot be traced.
    ///
    /// # Panics
    /// With `CI=true`, where they cannot.
    pub fn attach(server: &Server, home: &Path, injection: &str) -> Option<Self> {
        let log = home.join(format!("strace-{}", injection.replace(':', "-")));
        let mut command = Command::new("strace");
        command.args(["-f", "-p", &server.pid().to_string()]);
        let call = injection.split(':').next().unwrap_or_default();
        command.arg("-o").arg(home.join("trace"));
        command.args([
            "-e",
            &format!("trace={call}"),
            "-e",
            &format!("inject={injection}"),
        ]);
        let strace = Process::spawn(&mut command, &log).ok();
        let start = Instant::now();
        while let Some(strace) = &strace {
            if strace.log_tail().contains("attached") {
                // It says so before all threads are its own.
                sleep(Duration::from_millis(500));
                break;
            }
            if start.elapsed() > Duration::from_secs(10) {
                say(&strace.log_tail());
                missing_layer(
                    "calls that are slow or fail",
                    "strace cannot attach to processes",
                );
                return None;
            }
            sleep(Duration::from_millis(20));
        }
        if strace.is_none() {
            missing_layer("calls that are slow or fail", "install strace");
        }
        Some(Self { _strace: strace? })
    }

    /// Makes every such call wait that long.
    ///
    /// # Panics
    /// As [`attach`](Self::attach).
    pub fn slow(server: &Server, home: &Path, delay: Duration, call: &str) -> Option<Self> {
        let injection = format!("{call}:delay_enter={}", delay.as_micros());
        Self::attach(server, home, &injection)
    }
}
