//! A disk that fills up and is freed again.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tidegate_tests::kit::{Process, TempDir, free_port};
use tidegate_tests::proof::server::{Face, Server, binary};
use tidegate_tests::proof::{missing_layer, say};

/// A small file system of its own, held by a process that sleeps in its mount namespace.
struct SmallDisk {
    keeper: Process,
    /// Where it is, seen from inside.
    inside: PathBuf,
}

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn new(home: &TempDir) -> Option<Self> {
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

    fn start(&self, face: Face, home: &TempDir) -> Server {
        let address = free_port().expect("port");
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.keeper.pid().to_string(), "-m", "--"]);
        command.arg(binary()).arg("serve");
        command.arg("--data").arg(self.inside.join("data"));
        command.args(["--http", &address.to_string()]);
        if face == Face::Native {
            command.arg("--native");
        }
        let log = home.path().join("log");
        Server::spawn(face, address, &mut command, &log).expect("server")
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let mut filler = File::create(self.outside().join("filler")).expect("filler");
        for size in [1 << 20, 4096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.outside().join("filler")).expect("freed");
    }
}

#[test]
fn a_full_disk_is_a_passing_refusal() {
    for face in [Face::Guest, Face::Native] {
        if face.is_here() {
            fill_and_free(face);
        }
    }
}

fn fill_and_free(face: Face) {
    let home = TempDir::new("full").expect("dir");
    let Some(disk) = SmallDisk::new(&home) else {
        missing_layer("a disk that can be filled", "mounting needs privileges");
        return;
    };
    let server = disk.start(face, &home);
    server.execute("CREATE DATABASE d").expect("database");
    let mut told = Told::default();
    for _ in 0..20 {
        assert_eq!(told.write(&server), 204);
    }
    for round in 0..2 {
        disk.fill();
        // What is left of the last block may still take a few.
        let start = Instant::now();
        let refused = loop {
            let status = told.write(&server);
            if status != 204 || start.elapsed() > Duration::from_secs(20) {
                break status;
            }
        };
        assert_eq!(refused, 503, "{} round {round}", face.name());
        let ping = server.client().expect("connection").get("/ping");
        assert_eq!(ping.expect("answer").status, 204);
        told.check(&server);
        disk.free();
        let start = Instant::now();
        while told.write(&server) != 204 {
            let waited = start.elapsed();
            assert!(
                waited < Duration::from_secs(20),
                "no writes {waited:?} after space came"
            );
            sleep(Duration::from_millis(100));
        }
        told.check(&server);
    }
    let refused = told.refused.len();
    server.kill().expect("killed");
    let server = disk.start(face, &home);
    told.check(&server);
    say(&format!(
        "cli, {}: disk full twice: {refused} bodies refused with 503, {} acknowledged points \
         all there, also after a kill; resumed by itself",
        face.name(),
        told.acknowledged.len()
    ));
}

/// What was sent, by the answer it got.
#[derive(Default)]
struct Told {
    next: u64,
    acknowledged: Vec<u64>,
    refused: Vec<u64>,
}

impl Told {
    fn write(&mut self, server: &Server) -> u16 {
        let number = self.next;
        self.next += 1;
        let line = format!("m,pad={} v={number}i {number}", "x".repeat(200));
        let mut client = server.client().expect("connection");
        let answer = client.post("/write?db=d", line.as_bytes()).expect("answer");
        match answer.status {
            204 => self.acknowledged.push(number),
            503 => {
                let after = answer
                    .header("Retry-After")
                    .and_then(|text| text.parse::<u32>().ok());
                assert!(
                    after.is_some(),
                    "503 without Retry-After: {}",
                    answer.text()
                );
                self.refused.push(number);
            }
            other => panic!("{other}: {}", answer.text()),
        }
        answer.status
    }

    fn check(&self, server: &Server) {
        let answer = server.query("d", "SELECT v FROM m").expect("answer").text();
        for number in &self.acknowledged {
            let there = answer.contains(&format!("[{number},{number}]"));
            assert!(there, "acknowledged point {number} is gone: {answer}");
        }
    }
}
