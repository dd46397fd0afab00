//! Servers as child processes: started on free ports, stopped by pid, never left behind.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{Client, proc};

const POLL: Duration = Duration::from_millis(10);

/// A running child process; killed when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

/// How a process ended.
#[derive(Debug)]
pub struct Exit {
    /// What it returned.
    pub status: ExitStatus,
    /// User and system time of its whole life.
    pub cpu: Duration,
    /// It did not end in time and was killed.
    pub forced: bool,
}

impl Process {
    /// Starts `command`; both its output streams are appended to the file `log`.
    pub fn spawn(command: &mut Command, log: &Path) -> io::Result<Self> {
        let out = File::options().create(true).append(true).open(log)?;
        let err = out.try_clone()?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let child = child.map_err(|error| {
            let program = command.get_program().to_string_lossy();
            io::Error::new(error.kind(), format!("cannot start {program}: {error}"))
        })?;
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `GET target` at `address` is answered with a status below 300.
    ///
    /// # Errors
    /// If the process ends or `within` passes first; the message holds the end of its log.
    pub fn wait_ready(
        &mut self,
        address: SocketAddr,
        target: &str,
        within: Duration,
    ) -> io::Result<()> {
        let start = Instant::now();
        loop {
            let answer = Client::connect(address, Duration::from_secs(5))
                .and_then(|mut client| client.get(target));
            if answer.is_ok_and(|response| response.status < 300) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failure(&format!("ended at start with {status}")));
            }
            if start.elapsed() > within {
                return Err(self.failure(&format!("was not ready within {within:?}")));
            }
            sleep(POLL);
        }
    }

    /// Asks the process to end (SIGTERM) and waits; kills it if that takes longer than `within`.
    pub fn terminate(mut self, within: Duration) -> io::Result<Exit> {
        self.signal(Signal::TERM)?;
        let start = Instant::now();
        let mut forced = false;
        // Not reaped yet, so /proc still tells what the whole life cost.
        while !proc::is_zombie(self.pid())? {
            if !forced && start.elapsed() > within {
                self.signal(Signal::KILL)?;
                forced = true;
            }
            sleep(POLL);
        }
        let cpu = proc::cpu(self.pid())?;
        Ok(Exit {
            status: self.child.wait()?,
            cpu,
            forced,
        })
    }

    /// Ends the process at once (SIGKILL), as a crash would.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// The last lines the process wrote.
    pub fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("not a process id"))?;
        Ok(kill_process(pid, signal)?)
    }

    fn failure(&self, what: &str) -> io::Error {
        io::Error::other(format!(
            "process {} {what}; its log ends:\n{}",
            self.pid(),
            self.log_tail()
        ))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only if it was reaped before, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Below the ports that systems give to clients, which would come in between.
const PORTS: Range<u32> = 10_240..32_768;

/// A loopback address whose port was free a moment ago, and that nobody else in this process is
/// given.
pub fn free_port() -> io::Result<SocketAddr> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Another process begins elsewhere.
    let begin = std::process::id().wrapping_mul(97);
    let mut taken = io::Error::other("no port is free");
    for _ in PORTS {
        let number = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = (PORTS.start + number % (PORTS.end - PORTS.start)) as u16;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return listener.local_addr(),
            Err(error) => taken = error,
        }
    }
    Err(taken)
}

/// A directory of its own, removed with all it holds when dropped.
pub struct TempDir {
    path: PathBuf,
}

impl TempDir {
    /// Makes a fresh directory under `parent`.
    pub fn new_in(parent: &Path, label: &str) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("tidegate-{label}-{}-{number}", std::process::id());
            let path = parent.join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes a fresh directory where the system keeps temporary files.
    pub fn new(label: &str) -> io::Result<Self> {
        Self::new_in(&std::env::temp_dir(), label)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Bytes the files under `path` occupy on disk (allocated blocks, as `du` counts).
pub fn disk_usage_bytes(path: &Path) -> io::Result<u64> {
    let mut total = 0;
    let mut open = vec![path.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                open.push(entry.path());
            }
            total += metadata.blocks() * 512;
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;
    use std::time::Duration;

    use super::{Process, TempDir, disk_usage_bytes, free_port};
    use crate::kit::proc;

    #[test]
    fn a_process_that_obeys_is_terminated_and_one_that_does_not_is_killed() {
        let dir = TempDir::new("kit").expect("dir");
        let log = dir.path().join("log");
        let mut command = Command::new("sleep");
        let obeys = Process::spawn(command.arg("60"), &log).expect("spawn");
        assert!(
            !obeys
                .terminate(Duration::from_secs(10))
                .expect("exit")
                .forced
        );

        let mut command = Command::new("sh");
        let script = "trap '' TERM; echo deaf; while :; do :; done";
        let deaf = Process::spawn(command.args(["-c", script]), &log).expect("spawn");
        while !deaf.log_tail().contains("deaf") {
            std::thread::yield_now();
        }
        let exit = deaf.terminate(Duration::from_millis(100)).expect("exit");
        assert!(exit.forced);
        assert!(exit.cpu > Duration::ZERO);
    }

    #[test]
    fn a_dropped_process_is_gone_and_a_dropped_directory_too() {
        let dir = TempDir::new("kit").expect("dir");
        let path = dir.path().to_owned();
        let mut command = Command::new("sleep");
        let process = Process::spawn(command.arg("60"), &path.join("log")).expect("spawn");
        let pid = process.pid();
        drop(process);
        assert!(proc::cpu(pid).is_err());
        drop(dir);
        assert!(!path.exists());
    }

    #[test]
    fn a_process_that_ends_at_start_shows_its_log() {
        let dir = TempDir::new("kit").expect("dir");
        let mut command = Command::new("sh");
        command.args(["-c", "echo no licence; exit 3"]);
        let mut process = Process::spawn(&mut command, &dir.path().join("log")).expect("spawn");
        let address = free_port().expect("port");
        let error = process
            .wait_ready(address, "/", Duration::from_secs(20))
            .expect_err("ended");
        assert!(error.to_string().contains("no licence"), "{error}");
    }

    #[test]
    fn disk_usage_counts_files_below() {
        let dir = TempDir::new("kit").expect("dir");
        fs::create_dir(dir.path().join("a")).expect("dir");
        fs::write(dir.path().join("a/file"), vec![7; 100_000]).expect("file");
        assert!(disk_usage_bytes(dir.path()).expect("usage") >= 100_000);
    }
}
