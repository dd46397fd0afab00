//! A server under `strace`: what it is to be done to it, and what was seen.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tidegate_tests::kit::{Process, free_port, proc};
use tidegate_tests::proof::server::{Face, binary};

/// Calls by which storage can be reached; `?` for those that some machines do not have.
const CALLS: &str = "pwrite64,?pwritev,?pwritev2,write,?writev,fdatasync,fsync,openat,?open,\
    ?mkdir,mkdirat,?rename,?renameat,?renameat2,?unlink,unlinkat,?rmdir,ftruncate,fallocate,\
    pread64,read,getdents64,?sync_file_range";

/// The log that a snapshot is made after.
const SNAPSHOT_BYTES: &str = "16384";

/// One kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// SIGKILL in front of the call.
    Kill,
    /// The call fails with EIO.
    Io,
    /// The call fails with ENOSPC.
    Space,
}

impl Fault {
    pub(crate) const ALL: [Self; 3] = [Self::Kill, Self::Io, Self::Space];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kill => "SIGKILL",
            Self::Io => "EIO",
            Self::Space => "ENOSPC",
        }
    }

    const fn injection(self) -> &'static str {
        match self {
            // Without an error strace does not always get to send its signal.
            Self::Kill => "signal=SIGKILL:error=EIO",
            Self::Io => "error=EIO",
            Self::Space => "error=ENOSPC",
        }
    }
}

/// What `strace` is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan<'a> {
    /// Nothing: no tracer at all.
    Alone,
    /// Write down all calls.
    Record,
    /// Meet the `nth` call of this kind that touches this file.
    Once {
        call: &'a str,
        path: &'a Path,
        nth: usize,
        fault: Fault,
    },
    /// No file may grow beyond this: a write across it comes back short, and the next one fails,
    /// or, if that is deadly, kills the server.
    Short { bytes: u64, deadly: bool },
}

/// A server that is under test.
pub(crate) struct Subject {
    pub(crate) address: SocketAddr,
    process: Option<Process>,
    pid: u32,
}

/// How a start ended.
pub(crate) enum Started {
    /// It answers.
    Up(Subject),
    /// It ended, with these last words.
    Down(String),
}

/// Starts the server on `home/data`. `strace` writes to `home/trace` and is a grandchild, so that
/// the process started is the server itself.
pub(crate) fn start(face: Face, home: &Path, plan: Plan<'_>) -> io::Result<Started> {
    let address = free_port()?;
    let mut command = match plan {
        Plan::Alone => Command::new(binary()),
        Plan::Short { bytes, deadly } => limited(bytes, deadly),
        _ => strace(home, plan),
    };
    command.arg("serve").arg("--data").arg(home.join("data"));
    command.args(["--http", &address.to_string()]);
    if face == Face::Native {
        command.arg("--native");
    }
    // Segments of a few records, so that a short workload rolls over, and snapshots of a few.
    command.env("TIDEGATE_DATA_WAL_SEGMENT_SIZE", "24576");
    command.env("TIDEGATE_DATA_WAL_SNAPSHOT_SIZE", SNAPSHOT_BYTES);
    command.env("HOME", home);
    let mut process = Process::spawn(&mut command, &home.join("log"))?;
    let ready = process.wait_ready(address, "/ping", Duration::from_secs(120));
    if let Err(error) = ready {
        return Ok(Started::Down(error.to_string()));
    }
    Ok(Started::Up(Subject {
        address,
        pid: process.pid(),
        process: Some(process),
    }))
}

fn strace(home: &Path, plan: Plan<'_>) -> Command {
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-qq", "-y", "-s", "0", "-o"]);
    command.arg(home.join("trace"));
    // Much faster, but a signal does not always get through.
    let kills = matches!(plan, Plan::Once { fault, .. } if fault == Fault::Kill);
    if !kills {
        command.arg("--seccomp-bpf");
    }
    match plan {
        Plan::Once {
            call,
            path,
            nth,
            fault,
        } => {
            // Only calls on this file are counted.
            let injection = format!("inject={call}:{}:when={nth}", fault.injection());
            command.arg("-P").arg(path);
            command.args(["-e", &format!("trace={call}"), "-e", &injection]);
        }
        _ => {
            command.args(["-e", &format!("trace={CALLS}")]);
        }
    }
    command.arg("--").arg(binary());
    command
}

fn limited(bytes: u64, deadly: bool) -> Command {
    let mut command = Command::new("sh");
    let ignore = if deadly { "" } else { "trap '' XFSZ; " };
    let script = format!("{ignore}exec prlimit --core=0 --fsize={bytes}:unlimited \"$@\"");
    command.args(["-c", &script, "sh"]).arg(binary());
    command
}

/// A server that fails all calls of these names, from now on until it is dropped or let go.
pub(crate) fn attach(
    subject: &Subject,
    home: &Path,
    calls: &str,
    error: &str,
) -> io::Result<Process> {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(home.join("trace"));
    command.args(["-p", &subject.pid.to_string()]);
    command.args(["-e", &format!("trace={calls}")]);
    command.args(["-e", &format!("inject={calls}:error={error}:when=1+")]);
    let tracer = Process::spawn(&mut command, &home.join("log"))?;
    let until = Instant::now() + Duration::from_secs(20);
    while !is_traced(subject.pid)? {
        if Instant::now() > until {
            return Err(io::Error::other(format!(
                "not attached: {}",
                tracer.log_tail()
            )));
        }
        sleep(Duration::from_millis(2));
    }
    Ok(tracer)
}

/// Whether every thread is.
fn is_traced(pid: u32) -> io::Result<bool> {
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end while we look.
        let status = fs::read_to_string(thread?.path().join("status")).unwrap_or_default();
        if status.contains("TracerPid:\t0\n") {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Subject {
    /// Lets files grow again.
    pub(crate) fn unlimit(&self) -> io::Result<()> {
        let mut command = Command::new("prlimit");
        command.args([
            "--pid",
            &self.pid.to_string(),
            "--fsize=unlimited:unlimited",
        ]);
        let status = command.status()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other("prlimit failed"))
    }

    /// Whether it ends by itself, as it does soon after an injected signal.
    pub(crate) fn dies(&self) -> bool {
        let until = Instant::now() + Duration::from_secs(10);
        while proc::is_zombie(self.pid).is_ok_and(|zombie| !zombie) {
            if Instant::now() > until {
                return false;
            }
            sleep(Duration::from_millis(1));
        }
        true
    }

    /// Ends it as a crash would, if it has not ended.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.process.take().map_or(Ok(()), Process::kill)
    }

    pub(crate) fn log_tail(&self) -> String {
        let process = self.process.as_ref();
        process.map_or_else(String::new, Process::log_tail)
    }
}

/// A call that touched storage, with the file's path below the home directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub name: String,
    pub file: String,
}

/// The calls in `home/trace` that touch what is below `home` or `home` itself, in order.
pub(crate) fn calls(home: &Path) -> io::Result<Vec<Call>> {
    let text = whole_trace(home)?;
    let home = home.to_string_lossy().into_owned();
    let of_storage = |call: &Call| !["log", "trace"].contains(&call.file.as_str());
    Ok(text
        .lines()
        .filter_map(|line| call_of(line, &home))
        .filter(of_storage)
        .collect())
}

/// What the tracer of a server that was killed wrote: it ends a moment after the server.
fn whole_trace(home: &Path) -> io::Result<String> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let text = fs::read(home.join("trace"))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let server = text.split(' ').next().unwrap_or_default();
        let is_end = |line: &str| line.contains(" +++ ") && line.split(' ').next() == Some(server);
        if text.lines().any(is_end) || Instant::now() > until {
            return Ok(text);
        }
        sleep(Duration::from_millis(5));
    }
}

/// Where the last write to a log began, and where it ended.
pub(crate) fn last_group(home: &Path) -> io::Result<(u64, u64)> {
    let text = whole_trace(home)?;
    let range = |line: &str| {
        let arguments = line.split_once("pwrite64(")?.1;
        // Cut short where another thread's call came in between.
        let end = arguments.find(')').or(arguments.find(" <unfinished"))?;
        let arguments = &arguments[..end];
        let (rest, offset) = arguments.rsplit_once(", ")?;
        let length: u64 = rest.rsplit_once(", ")?.1.parse().ok()?;
        let offset: u64 = offset.parse().ok()?;
        // Below are the header and the register, and long are the zeros ahead.
        let is_group = arguments.contains(".wal>") && offset >= 16 << 10 && length < 16 << 10;
        is_group.then_some((offset, offset + length))
    };
    let last = text.lines().filter_map(range).next_back();
    last.ok_or_else(|| io::Error::other("no group in the trace"))
}

/// `1234  fsync(11</below/data>) = 0`; the rest of a call that was interrupted does not count.
fn call_of(line: &str, home: &str) -> Option<Call> {
    let (_, rest) = line.split_once(' ')?;
    let (name, arguments) = rest.trim_start().split_once('(')?;
    if name.starts_with(['<', '+', '-']) {
        return None;
    }
    let at = arguments.find(home)?;
    let path = &arguments[at + home.len()..];
    let end = path.find(['>', '"'])?;
    let file = path[..end].trim_start_matches('/').to_owned();
    Some(Call {
        name: name.to_owned(),
        file,
    })
}

/// Whether the fault happened, by `home/trace`: the call of a killed process may have no result.
pub(crate) fn was_injected(home: &Path) -> io::Result<bool> {
    let text = fs::read(home.join("trace"))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let is_cut = |line: &str| line.ends_with("= ?") || line.ends_with("<unfinished ...>");
    let mut lines = text.lines();
    Ok(lines.any(|line| line.ends_with("(INJECTED)") || is_cut(line)))
}

/// Ends a tracer, so that the server goes on without it.
pub(crate) fn detach(tracer: Process) -> io::Result<()> {
    tracer.terminate(Duration::from_secs(20)).map(drop)
}

#[test]
fn calls_are_told_by_name_and_file() {
    let call = |line| call_of(line, "/h").map(|call| (call.name, call.file));
    let expected = |name: &str, file: &str| Some((name.to_owned(), file.to_owned()));
    assert_eq!(
        call("12  openat(AT_FDCWD</x>, \"/h/data/lock\", O_RDWR) = 3</h/data/lock>"),
        expected("openat", "data/lock")
    );
    assert_eq!(
        call("12 pwrite64(9</h/data/a.wal>, \"\"..., 64, 0 <unfinished ...>"),
        expected("pwrite64", "data/a.wal")
    );
    assert_eq!(call("12 <... fsync resumed>) = 0 </h/data>"), None);
    assert_eq!(call("12 fsync(3</h>) = 0"), expected("fsync", ""));
    assert_eq!(call("12 +++ exited with 0 +++"), None);
    assert_eq!(call("12 write(1</tmp/other>, \"\", 1) = 1"), None);
}
