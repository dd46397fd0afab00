//! A small file system of its own that can be filled and freed.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tidegate_tests::kit::{Process, TempDir, free_port};
use tidegate_tests::proof::missing_layer;
use tidegate_tests::proof::server::{Face, Server, binary};

/// Held by a process that sleeps in its mount namespace.
pub(crate) struct SmallDisk {
    keeper: Process,
    /// Where it is, seen from inside.
    inside: PathBuf,
}

impl SmallDisk {
    /// `None`, loudly, where mounting is not allowed.
    pub(crate) fn new(home: &TempDir) -> Option<Self> {
        let mounted = Self::mount(home);
        if mounted.is_none() {
            missing_layer("a disk that can be filled", "mounting needs privileges");
        }
        mounted
    }

    fn mount(home: &TempDir) -> Option<Self> {
        let inside = home.path().join("disk");
        fs::create_dir(&inside).expect("dir");
        let script = "mount -t tmpfs -o size=12m tmpfs \"$0\" && echo mounted && exec sleep 600";
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script]).arg(&inside);
        let keeper = Process::spawn(&mut command, &home.path().join("keeper")).ok()?;
        let start = Instant::now();
        while !keeper.log_tail().contains("mounted") {
            if start.elapsed() > Duration::from_secs(5) {
                return None;
            }
            sleep(Duration::from_millis(20));
        }
        Some(Self { keeper, inside })
    }

    /// The same place, seen from here.
    fn outside(&self) -> PathBuf {
        let inside = self.inside.strip_prefix("/").expect("absolute");
        Path::new(&format!("/proc/{}/root", self.keeper.pid())).join(inside)
    }

    /// Bytes of the reserve that the server keeps on it.
    pub(crate) fn reserve_bytes(&self) -> u64 {
        let path = self.outside().join("data/reserve");
        path.metadata().map_or(0, |found| found.len())
    }

    pub(crate) fn start(&self, face: Face, home: &TempDir, variables: &[(&str, &str)]) -> Server {
        let address = free_port().expect("port");
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.keeper.pid().to_string(), "-m", "--"]);
        command.arg(binary()).arg("serve");
        command.arg("--data").arg(self.inside.join("data"));
        command.args(["--http", &address.to_string()]);
        command.envs(variables.iter().copied());
        if face == Face::Native {
            command.arg("--native");
        }
        let log = home.path().join("log");
        Server::spawn(face, address, &mut command, &log).expect("server")
    }

    /// Leaves no byte free.
    pub(crate) fn fill(&self) {
        let mut filler = File::create(self.outside().join("filler")).expect("filler");
        for size in [1 << 20, 4096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    pub(crate) fn free(&self) {
        fs::remove_file(self.outside().join("filler")).expect("freed");
    }
}
