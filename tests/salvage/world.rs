//! A data directory with everything in it, and the way out of it and back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tidegate_tests::kit::TempDir;
use tidegate_tests::kit::http::percent_encode;
use tidegate_tests::proof::points::{Points, points_of};
use tidegate_tests::proof::server::{Face, Server, binary};

/// Points in a body.
pub(crate) const BATCH: usize = 20;
const SMALL_SEGMENTS: (&str, &str) = ("TIDEGATE_DATA_WAL_SEGMENT_SIZE", "30k");
/// So small that most of the points are in a snapshot at the end, and the rest in the log.
const SMALL_SNAPSHOTS: (&str, &str) = ("TIDEGATE_DATA_WAL_SNAPSHOT_SIZE", "50k");

/// Points by database and policy.
pub(crate) type Stored = BTreeMap<(String, String), Points>;

/// A directory that a server left.
pub(crate) struct World {
    home: TempDir,
    /// What is in it.
    pub points: Stored,
}

impl World {
    /// `None`, loudly, where there is no server to write it.
    pub(crate) fn new(name: &str) -> Option<Self> {
        Self::with(name, &[SMALL_SEGMENTS])
    }

    /// One with a snapshot in each database.
    pub(crate) fn with_snapshots(name: &str) -> Option<Self> {
        let world = Self::with(name, &[SMALL_SEGMENTS, SMALL_SNAPSHOTS])?;
        assert!(!world.segment(1, 1).exists(), "nothing was retired");
        Some(world)
    }

    fn with(name: &str, environment: &[(&str, &str)]) -> Option<Self> {
        if !Face::Native.is_here() {
            return None;
        }
        let home = TempDir::new(&format!("salvage-{name}")).expect("dir");
        let server = Server::start_with(Face::Native, home.path(), environment);
        let server = server.expect("server");
        for statement in [
            "CREATE DATABASE one",
            "CREATE DATABASE two WITH DURATION INF REPLICATION 1 NAME \"odd name\"",
            "CREATE RETENTION POLICY short ON one DURATION 52w REPLICATION 1 SHARD DURATION 1d",
            "CREATE RETENTION POLICY gone ON one DURATION INF REPLICATION 1",
        ] {
            server.execute(statement).expect(statement);
        }
        let now_s = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        for batch in 0..60 {
            write(&server, "one", "", &lines(batch * BATCH as u64, now_s));
            write(
                &server,
                "one",
                "short",
                &lines(10_000 + batch * BATCH as u64, now_s),
            );
            write(
                &server,
                "two",
                "",
                &lines(20_000 + batch * BATCH as u64, now_s),
            );
            write(&server, "one", "gone", "m v=1");
        }
        server
            .execute("DROP RETENTION POLICY gone ON one")
            .expect("dropped");
        let points = snapshot(&server);
        assert_eq!(points.len(), 3, "{:?}", points.keys());
        server.kill().expect("killed");
        Some(Self { home, points })
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    pub(crate) fn segment(&self, database: u32, number: u64) -> PathBuf {
        let wal = format!("databases/{database:06}/wal/{number:016x}.wal");
        self.data().join(wal)
    }

    /// The number of the newest segment.
    pub(crate) fn last(&self, database: u32) -> u64 {
        let numbers = (1..).take_while(|&number| self.segment(database, number).exists());
        numbers.last().expect("a segment")
    }

    pub(crate) fn edit(&self, database: u32, number: u64, edit: impl FnOnce(&mut Vec<u8>)) {
        edit_file(&self.segment(database, number), edit);
    }

    /// The newest snapshot of a database.
    pub(crate) fn blob(&self, database: u32) -> PathBuf {
        let blobs = self.data().join(format!("databases/{database:06}/blobs"));
        let entries = fs::read_dir(blobs).expect("listed");
        let paths = entries.map(|entry| entry.expect("listed").path());
        let mut named = paths.filter(|path| path.extension().is_some_and(|end| end == "blob"));
        named.by_ref().max().expect("a snapshot")
    }
}

pub(crate) fn edit_file(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a file");
    edit(&mut bytes);
    fs::write(path, bytes).expect("written");
}

/// A line of every sort, at times of their own.
fn lines(from: u64, now_s: u64) -> String {
    let line = |n: u64| {
        let time = (now_s - n) * 1_000_000_000 + n;
        let tags = format!("host=h{},re\\ gion=a\\,b\\=c", n % 5);
        match n % 4 {
            0 => format!(
                "m\\ x,{tags} v={n}.25,i={}i,b={} {time}\n",
                n * 70_000,
                n.is_multiple_of(3)
            ),
            1 => format!("m,{tags} s=\"q\\\"uo\\\\te {n}\\nx,y=z\" {time}\n"),
            2 => format!("m,{tags} v=-{n}e-7,a\\ b\\,c=1i {time}\n"),
            _ => format!("m v={n} {time}\n"),
        }
    };
    (from..from + BATCH as u64).map(line).collect()
}

fn write(server: &Server, database: &str, policy: &str, lines: &str) {
    let (database, policy) = (percent_encode(database), percent_encode(policy));
    let target = format!("/write?db={database}&rp={policy}");
    let mut client = server.client().expect("connection");
    let answer = client.post(&target, lines.as_bytes()).expect("answer");
    assert_eq!(answer.status, 204, "{}", answer.text());
}

/// All that a server has.
pub(crate) fn snapshot(server: &Server) -> Stored {
    let mut stored = Stored::new();
    for database in column(server, "SHOW DATABASES") {
        for policy in column(
            server,
            &format!("SHOW RETENTION POLICIES ON \"{database}\""),
        ) {
            let statement = format!("SELECT * FROM \"{policy}\"./.*/ GROUP BY *");
            let answer = server.query(&database, &statement).expect("answer");
            let points = points_of(&answer.body).expect("points");
            if !points.is_empty() {
                stored.insert((database.clone(), policy), points);
            }
        }
    }
    stored
}

/// The first column of what a statement shows.
fn column(server: &Server, statement: &str) -> Vec<String> {
    let answer = server.query("", statement).expect("answer");
    let json: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    let rows = json["results"][0]["series"][0]["values"]
        .as_array()
        .cloned();
    let text = |row: &serde_json::Value| row[0].as_str().unwrap_or_default().to_owned();
    rows.unwrap_or_default().iter().map(text).collect()
}

/// What a salvage left.
pub(crate) struct Salvaged {
    pub out: TempDir,
    pub code: Option<i32>,
    pub account: String,
}

/// Runs it; what it wrote is in `out` of the directory.
pub(crate) fn salvage(dir: &Path, flags: &[&str]) -> Salvaged {
    let out = TempDir::new("salvaged").expect("dir");
    let mut command = Command::new(binary());
    command
        .args(["wal", "salvage"])
        .arg(dir)
        .arg("--out")
        .arg(out.path().join("out"));
    let output = command.args(flags).output().expect("it runs");
    let mut account = String::from_utf8_lossy(&output.stdout).into_owned();
    account += &String::from_utf8_lossy(&output.stderr);
    Salvaged {
        out,
        code: output.status.code(),
        account,
    }
}

/// The points that an account says are lost; `None` if it says that it does not know.
pub(crate) fn lost_of(account: &str) -> Option<usize> {
    let lines = account.lines().filter(|line| line.contains("lost: "));
    let counts = lines.map(|line| {
        let number = line.strip_suffix(" points")?.rsplit(' ').next()?;
        number.parse::<usize>().ok()
    });
    counts.sum()
}

/// Imports what a salvage wrote into a fresh server, both ways: with InfluxDB's client where it
/// is, and by HTTP. Both must give the same.
pub(crate) fn import(out: &TempDir) -> Stored {
    let by_http = snapshot(&import_into_server(out).0);
    if Command::new("influx").arg("-version").output().is_ok() {
        let home = TempDir::new("imported").expect("dir");
        let server = Server::start(Face::Native, home.path()).expect("server");
        for file in files(out) {
            import_file(&server, &file);
        }
        assert_eq!(
            snapshot(&server),
            by_http,
            "the client imports what HTTP does"
        );
    }
    by_http
}

fn import_file(server: &Server, file: &Path) {
    let mut command = Command::new("influx");
    command.args(["-import", "-precision", "ns", "-host", "127.0.0.1", "-port"]);
    command
        .arg(server.address.port().to_string())
        .arg("-path")
        .arg(file);
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_fine = text.is_empty() || text.contains("Failed 0 inserts");
    assert!(
        output.status.success() && is_fine,
        "{}: {text}",
        file.display()
    );
}

/// The statements first.
fn files(out: &TempDir) -> Vec<PathBuf> {
    let directory = out.path().join("out");
    let entries = fs::read_dir(&directory).expect("listed");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("listed").path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "lp"));
    files.sort();
    files.insert(0, directory.join("ddl.txt"));
    files
}

/// Imports by HTTP alone: the server, and the directory that has to live as long.
pub(crate) fn import_into_server(out: &TempDir) -> (Server, TempDir) {
    let home = TempDir::new("imported").expect("dir");
    let server = Server::start(Face::Native, home.path()).expect("server");
    for file in files(out) {
        let text = fs::read_to_string(&file).expect("text");
        if text.starts_with("# DDL") {
            for statement in text.lines().filter(|line| !line.starts_with('#')) {
                server.execute(statement).expect(statement);
            }
            continue;
        }
        let named = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.expect("a head").to_owned()
        };
        let (database, policy) = (
            named("# CONTEXT-DATABASE: "),
            named("# CONTEXT-RETENTION-POLICY: "),
        );
        write(&server, &database, &policy, &text);
    }
    (server, home)
}

/// Every file below a directory with its bytes.
pub(crate) fn contents(home: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut files, mut open) = (Vec::new(), vec![home.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
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
