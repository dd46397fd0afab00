//! Slow, greedy and malicious clients against the real server: a healthy client beside them is
//! served, memory stays bounded, and everything is let go of afterwards.
//!
//! `make test` runs a short form; with `PROOF_MINUTES` the numbers are larger.

#[path = "attack/bombs.rs"]
mod bombs;
#[path = "attack/crowds.rs"]
mod crowds;
#[path = "attack/smuggling.rs"]
mod smuggling;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::server::{Face, Server};

/// Whether the long form is asked for.
fn is_proof() -> bool {
    std::env::var_os("PROOF_MINUTES").is_some()
}

/// A server with the database `d`, if there is one to start.
fn start(environment: &[(&str, &str)]) -> Option<(TempDir, Server)> {
    if !Face::Guest.is_here() {
        return None;
    }
    let home = TempDir::new("attack").expect("dir");
    let server = Server::start_with(Face::Guest, home.path(), environment).expect("server");
    server.execute("CREATE DATABASE d").expect("database");
    Some((home, server))
}

/// A connection that is given up on after `patience`.
fn connect(address: SocketAddr, patience: Duration) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    Ok(stream)
}

/// All that comes until the other side closes; what came until then if it does not in time.
fn read_to_end(stream: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let closed = match stream.read_to_end(&mut bytes) {
        Ok(_) => true,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    };
    (bytes, closed)
}

/// Sends bytes on a connection of its own, half-closes it, and reads to its end.
fn ask_raw(address: SocketAddr, bytes: &[u8], patience: Duration) -> (Vec<u8>, bool) {
    let mut stream = connect(address, patience).expect("connected");
    // It may be closed before all is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    read_to_end(&mut stream)
}

/// How long a healthy client's writes take: the slowest of a hundred, but for one.
fn slowest_of_writes(server: &Server, count: usize) -> Duration {
    let mut client = server.client().expect("connection");
    let mut took: Vec<Duration> = (0..count)
        .map(|number| {
            let body = format!("healthy v={number} {number}");
            let began = Instant::now();
            let answer = client.post("/write?db=d", body.as_bytes()).expect("answer");
            assert_eq!(answer.status, 204, "{}", answer.text());
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[count - 1 - count / 100]
}

/// The healthy client beside an attack may take twice as long, or what the machine's own noise is.
fn require_healthy(what: &str, before: Duration, during: Duration) {
    let bound = (2 * before).max(Duration::from_millis(250));
    assert!(
        during <= bound,
        "{what}: a healthy write took {during:?}, {before:?} before"
    );
}

/// Bytes of a process in memory now.
fn rss_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.expect("a number") << 10
}

/// Sockets that a process holds.
fn sockets(pid: u32) -> usize {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs");
    let names = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    names
        .filter(|name| name.to_string_lossy().starts_with("socket:"))
        .count()
}

/// Waits until the server holds so many sockets, rather than the system before it.
fn require_held(server: &Server, wanted: usize, within: Duration) {
    let start = Instant::now();
    while sockets(server.pid()) < wanted {
        let held = sockets(server.pid());
        assert!(
            start.elapsed() < within,
            "only {held} sockets are held, not {wanted}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the server holds no more sockets than `most`.
fn require_freed(server: &Server, most: usize, within: Duration) {
    let start = Instant::now();
    while sockets(server.pid()) > most {
        let held = sockets(server.pid());
        assert!(
            start.elapsed() < within,
            "{held} sockets are still held, not {most}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
