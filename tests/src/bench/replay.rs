//! How long a start takes after a crash, by the size of the log it has to read.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::args::Args;
use super::servers::{Kind, PATIENCE, Running, Server};
use super::workload::{BATCH, SEED};
use crate::r#gen::{Devops, Shape};
use crate::kit::{Client, Process, TempDir, proc};

/// One crash of a server with a log of some size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replay {
    pub kind: Kind,
    /// What was asked for.
    pub log_mib: u64,
    /// What was on disk at the crash.
    pub log_bytes: u64,
    pub points: u64,
    /// Of the whole server, while the points came in.
    pub ingest_cpu: Duration,
    /// Of the thread that reads the log, until the first write was acknowledged.
    pub replay_cpu: Duration,
    /// From the start of the process to the first acknowledged write.
    pub start: Duration,
    /// The same with an empty log: what is not replay.
    pub start_empty: Duration,
    /// From the refusal of a write over a failed sync, for which the engine is dropped as after a
    /// trap, to the next acknowledged write: the same log, read by a fresh instance. `None`
    /// without strace.
    pub rebuilt: Option<Duration>,
}

impl Replay {
    /// How many times as fast reading the log is as filling it was.
    pub(super) fn ratio(&self) -> f64 {
        self.ingest_cpu.as_secs_f64() / self.replay_cpu.as_secs_f64()
    }
}

/// Crashes `server` with a log of `log_mib`, and starts it again.
///
/// # Errors
/// If it does not start, or does not take what is sent.
pub(super) fn measure(args: &Args, server: &Server, log_mib: u64) -> io::Result<Replay> {
    let home = TempDir::new_in(&args.tmp, "replay")?;
    let running = server.start(home.path())?;
    running.create_database()?;
    running.process.kill()?;
    let (empty, start_empty) = start(server, home.path())?;

    let before = proc::cpu(empty.process.pid())?;
    let points = fill(&empty, home.path(), log_mib << 20)?;
    let ingest_cpu = proc::cpu(empty.process.pid())?.saturating_sub(before);
    let log_bytes = log_bytes(home.path())?;
    empty.process.kill()?;

    let (running, start) = start(server, home.path())?;
    let replay_cpu = proc::cpu_of_threads(running.process.pid(), "commit-")?;
    let rebuilt = rebuild(&running, home.path())?;
    running.process.kill()?;
    Ok(Replay {
        kind: server.kind,
        log_mib,
        log_bytes,
        points,
        ingest_cpu,
        replay_cpu,
        start,
        start_empty,
        rebuilt,
    })
}

/// Starts it, and waits for a write to be acknowledged.
fn start(server: &Server, home: &Path) -> io::Result<(Running, Duration)> {
    let begun = Instant::now();
    let running = server.start(home)?;
    write_until_taken(&running)?;
    Ok((running, begun.elapsed()))
}

fn write_until_taken(running: &Running) -> io::Result<()> {
    let begun = Instant::now();
    let mut client = Client::connect(running.address, PATIENCE)?;
    loop {
        let answer = client.post("/write?db=bench", b"started v=1i 1")?;
        if answer.status == 204 {
            return Ok(());
        }
        if answer.status != 503 || begun.elapsed() > PATIENCE {
            let told = format!("a write was answered {} {}", answer.status, answer.text());
            return Err(io::Error::other(told));
        }
    }
}

/// Sends the friendly load until the log is that long; how many points that took.
fn fill(running: &Running, home: &Path, bytes: u64) -> io::Result<u64> {
    // A log that is cut at a bound never gets there.
    let points_max = bytes / 4;
    let mut devops = Devops::new(Shape::FRIENDLY, SEED);
    let mut client = Client::connect(running.address, PATIENCE)?;
    let mut body = Vec::new();
    let mut points = 0;
    while points < points_max {
        body.clear();
        devops.body(BATCH, &mut body);
        let answer = client.post("/write?db=bench", &body)?;
        if answer.status != 204 {
            let told = format!("a body was answered {} {}", answer.status, answer.text());
            return Err(io::Error::other(told));
        }
        points += BATCH as u64;
        if points.is_multiple_of(20 * BATCH as u64) && log_bytes(home)? >= bytes {
            break;
        }
    }
    Ok(points)
}

/// Length of all segments below.
fn log_bytes(home: &Path) -> io::Result<u64> {
    let mut total = 0;
    let mut open = vec![home.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "wal") {
                total += path.metadata()?.len();
            }
        }
    }
    Ok(total)
}

/// Lets one sync fail, so that the engine is dropped, and waits for the next one.
fn rebuild(running: &Running, home: &Path) -> io::Result<Option<Duration>> {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync"]);
    command.args(["-e", "inject=fdatasync:error=EIO:when=1"]);
    command.args(["-p", &running.process.pid().to_string()]);
    let Ok(tracer) = Process::spawn(&mut command, &home.join("strace")) else {
        return Ok(None);
    };
    let mut client = Client::connect(running.address, PATIENCE)?;
    let begun = Instant::now();
    // Until it is attached.
    while client.post("/write?db=bench", b"started v=2i 2")?.status == 204 {
        if begun.elapsed() > Duration::from_secs(5) {
            return Ok(None);
        }
    }
    let refused = Instant::now();
    // Without it from here on: the log is read at full speed.
    tracer.terminate(PATIENCE)?;
    write_until_taken(running)?;
    Ok(Some(refused.elapsed()))
}
