//! A server of one's own, and how to talk to it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The binary under test.
pub const BIN: &str = env!("CARGO_BIN_EXE_tidegate");

/// A directory of its own that goes away with the value.
pub struct TempDir(pub PathBuf);

impl TempDir {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tidegate-cli-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary directory");
        Self(path)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that is killed with the value, unless it ended before.
pub struct Server {
    pub child: Child,
    log: BufReader<std::process::ChildStderr>,
    /// What it said before it listened.
    said: String,
    pub address: String,
}

impl Server {
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub fn start_with(data: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(BIN);
        command
            .args(["serve", "--http", "127.0.0.1:0", "--data"])
            .arg(data)
            .envs(environment.iter().copied())
            .stderr(Stdio::piped());
        Self::adopt(command.spawn().expect("the binary runs"))
    }

    /// A server that was just started; waits until it listens.
    pub fn adopt(mut child: Child) -> Self {
        let mut log = BufReader::new(child.stderr.take().expect("piped"));
        let (mut said, mut line) = (String::new(), String::new());
        while !line.contains("listens on http://") {
            line.clear();
            let length = log.read_line(&mut line).expect("a line");
            assert_ne!(length, 0, "it ended early: {said}");
            said.push_str(&line);
        }
        let rest = line.split("http://").nth(1).expect("an address");
        let address = rest.split(',').next().expect("an address").to_owned();
        Self {
            child,
            log,
            said,
            address,
        }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("connected");
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).expect("set");
        stream
    }

    /// Sends a request on a connection of its own; everything that comes back.
    pub fn ask(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([name, &pid])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    pub fn wait(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().expect("ends").code();
        let mut log = std::mem::take(&mut self.said);
        self.log.read_to_string(&mut log).expect("read");
        (code, log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// POSTs `body`; the status and everything that came back.
    pub fn post(&self, target: &str, body: &[u8], headers: &str) -> (u16, String) {
        let mut stream = self.connect();
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
             Content-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("sent");
        // The server may answer and close before it took all of it.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("answered");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.get(9..12).and_then(|code| code.parse().ok());
        (status.unwrap_or(0), answer)
    }

    /// Carries out a statement given in its encoded form.
    pub fn query(&self, encoded: &str) -> String {
        self.post(&format!("/query?q={encoded}"), b"", "").1
    }

    /// Writes line protocol to the database `a`; the status.
    pub fn write(&self, lines: &str) -> u16 {
        self.post("/write?db=a", lines.as_bytes(), "").0
    }
}
