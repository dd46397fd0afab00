//! A fault at every storage call of the real server, one run each.
//!
//! A workload is recorded under `strace`: which calls touch the data directory, how often each on
//! which file. Then every one of them is met once by a kill, an I/O error and a full disk
//! (`strace -e inject`), and writes are cut short at a byte (`RLIMIT_FSIZE`). After each: what was
//! acknowledged is there, a body is there whole or not at all, nothing is there that nobody sent,
//! the server goes on by itself where it was not killed, and no damage is reported, for none was
//! done.
//!
//! `make test` runs a sample for some seconds, `make proof` all of it. `CALLS_SEED` repeats a
//! sample, `CALLS_ONLY` runs the points whose names hold that text, as a failure prints them.

#[path = "calls/book.rs"]
mod book;
#[path = "calls/matrix.rs"]
mod matrix;
#[path = "calls/scene.rs"]
mod scene;
#[path = "calls/short.rs"]
mod short;
#[path = "calls/stuck.rs"]
mod stuck;
#[path = "calls/traced.rs"]
mod traced;

use std::process::Command;

use tidegate_tests::proof::missing_layer;
use tidegate_tests::proof::server::Face;

#[test]
fn a_fault_at_any_call_costs_nothing_acknowledged() {
    if strace_works() && Face::Native.is_here() {
        matrix::run();
    }
}

#[test]
fn a_disk_that_stays_broken_is_refused_until_it_is_back() {
    if strace_works() && Face::Native.is_here() {
        stuck::run();
    }
}

#[test]
fn a_write_cut_short_at_any_byte_costs_nothing_acknowledged() {
    if Face::Native.is_here() {
        short::run();
    }
}

/// Whether processes may be traced here; says loudly if not.
fn strace_works() -> bool {
    let traced = Command::new("strace")
        .args([
            "-f",
            "--seccomp-bpf",
            "-e",
            "trace=openat",
            "-o",
            "/dev/null",
            "true",
        ])
        .output();
    let works = traced.is_ok_and(|output| output.status.success());
    if !works {
        missing_layer("strace", "install the package strace, and allow ptrace");
    }
    works
}

/// Whether everything is to be run.
fn is_proof() -> bool {
    std::env::var_os("PROOF_MINUTES").is_some()
}
