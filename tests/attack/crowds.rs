//! Many clients, slow clients, and few descriptors.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tidegate_tests::kit::{TempDir, free_port, proc};
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server, binary, command};

use crate::{connect, is_proof, read_to_end, require_freed, require_healthy, require_held};
use crate::{rss_bytes, slowest_of_writes, sockets, start};

/// Held by a test that opens thousands of connections: the descriptors of this process are for
/// one of them, often 20,000.
fn alone() -> MutexGuard<'static, ()> {
    static CROWDS: Mutex<()> = Mutex::new(());
    CROWDS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn slow_heads_harm_nobody_and_are_closed() {
    let environment = [("TIDEGATE_HTTP_HEAD_TIMEOUT", "4s")];
    let Some((_home, server)) = start(&environment) else {
        return;
    };
    let _alone = alone();
    let count = if is_proof() { 1_000 } else { 300 };
    let before = slowest_of_writes(&server, 200);
    let (held, memory) = (sockets(server.pid()), rss_bytes(server.pid()));
    let began = Instant::now();
    let mut slow: Vec<TcpStream> = (0..count)
        .map(|_| {
            let mut stream = connect(server.address, Duration::from_secs(20)).expect("connected");
            stream
                .write_all(b"POST /write?db=d HTTP/1.1\r\nHo")
                .expect("sent");
            stream
        })
        .collect();
    let during = slowest_of_writes(&server, 200);
    // A byte now and then buys no time.
    while began.elapsed() < Duration::from_secs(3) {
        for stream in &mut slow {
            let _ = stream.write_all(b"x");
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    for stream in &mut slow {
        let (answer, closed) = read_to_end(stream);
        let text = String::from_utf8_lossy(&answer);
        assert!(closed && !text.contains(" 204 "), "{text}");
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "closed after {took:?}");
    drop(slow);
    require_freed(&server, held, Duration::from_secs(5));
    require_healthy("slow heads", before, during);
    let grown = rss_bytes(server.pid()).saturating_sub(memory) >> 10;
    assert!(
        grown < 64 * count as u64,
        "{grown} KiB for {count} connections"
    );
    say(&format!(
        "attack: {count} slow heads closed after {took:.1?}; a healthy p99 {before:.1?} before, \
         {during:.1?} beside them; {grown} KiB"
    ));
}

#[test]
fn slow_bodies_are_told_to_come_back() {
    let Some((_home, server)) = start(&[]) else {
        return;
    };
    let head = b"POST /write?db=d HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\nslow v=1 1\n";
    let mut slow: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = connect(server.address, Duration::from_secs(25)).expect("connected");
            stream.write_all(head).expect("sent");
            stream
        })
        .collect();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(9) {
        for stream in &mut slow {
            let _ = stream.write_all(b"s");
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    for stream in &mut slow {
        let (answer, closed) = read_to_end(stream);
        let text = String::from_utf8_lossy(&answer);
        assert!(closed && text.starts_with("HTTP/1.1 503 "), "{text}");
        assert!(text.contains("\r\nRetry-After: 1\r\n"), "{text}");
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(18), "closed after {took:?}");
    let stored = server
        .query("d", "SELECT * FROM slow")
        .expect("answer")
        .text();
    assert!(!stored.contains("values"), "{stored}");
}

#[test]
fn a_crowd_of_connections_costs_little_and_is_let_go() {
    let environment = [
        ("TIDEGATE_HTTP_MAX_CONNECTION_LIMIT", "19500"),
        ("TIDEGATE_HTTP_IDLE_TIMEOUT", "10m"),
    ];
    let Some((_home, server)) = start(&environment) else {
        return;
    };
    let _alone = alone();
    let wanted = if is_proof() { 19_000 } else { 2_000 };
    // Ours as well: this process has to hold the other ends.
    let own = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = own.current.unwrap_or(1 << 20).saturating_sub(300);
    let count = usize::try_from(most).unwrap_or(wanted).min(wanted);
    let before = slowest_of_writes(&server, 200);
    let (held, memory) = (sockets(server.pid()), rss_bytes(server.pid()));
    let mut crowd = Vec::new();
    while crowd.len() < count {
        let stream = connect(server.address, Duration::from_secs(20)).expect("connected");
        crowd.push(stream);
        // The system keeps some in line, and lets others try again a second later.
        if crowd.len() % 500 == 0 || crowd.len() == count {
            require_held(&server, crowd.len(), Duration::from_secs(20));
        }
    }
    let during = slowest_of_writes(&server, 200);
    let each = rss_bytes(server.pid()).saturating_sub(memory) / count as u64;
    assert!(each < 32 << 10, "{each} bytes a connection");
    drop(crowd);
    require_freed(&server, held, Duration::from_secs(20));
    require_healthy("a crowd", before, during);
    say(&format!(
        "attack: {count} idle connections, {each} bytes each; a healthy p99 {before:.1?} before, \
         {during:.1?} beside them"
    ));
}

#[test]
fn with_few_descriptors_nobody_spins_and_clients_wait() {
    if !Face::Guest.is_here() {
        return;
    }
    let home = TempDir::new("few").expect("dir");
    let address = free_port().expect("port");
    let inner = command(Face::Guest, home.path(), address).expect("command");
    let mut limited = Command::new("bash");
    limited
        .arg("-c")
        .arg("ulimit -n 256; exec \"$@\"")
        .arg("bash")
        .arg(binary());
    limited.args(inner.get_args()).env("HOME", home.path());
    let log = home.path().join("log");
    let server = Server::spawn(Face::Guest, address, &mut limited, &log).expect("server");
    server.execute("CREATE DATABASE d").expect("database");
    let mut early = server.client().expect("connection");
    let began = Instant::now();
    // More than it can hold; how many the system keeps in line for it is the system's business.
    let mut crowd = Vec::new();
    for _ in 0..400 {
        let connected = TcpStream::connect_timeout(&address, Duration::from_millis(100));
        crowd.extend(connected.ok());
        if began.elapsed() > Duration::from_secs(8) {
            break;
        }
    }
    let tried = crowd.len();
    assert!(tried > 128, "{tried} connections");
    std::thread::sleep(Duration::from_millis(300));
    // Who is in is served, and nothing runs hot.
    let cpu = proc::cpu(server.pid()).expect("cpu");
    for number in 0..20 {
        let body = format!("m v={number} {number}");
        let answer = early.post("/write?db=d", body.as_bytes()).expect("answer");
        assert_eq!(answer.status, 204, "{}", answer.text());
        std::thread::sleep(Duration::from_millis(50));
    }
    let spent = proc::cpu(server.pid()).expect("cpu") - cpu;
    assert!(
        spent < Duration::from_millis(500),
        "{spent:?} of CPU in a second"
    );
    // Databases can still be made: descriptors are kept for them.
    let made = early
        .post("/query?q=CREATE+DATABASE+e", b"")
        .expect("answer");
    assert!(!made.text().contains("error"), "{}", made.text());
    drop(crowd);
    let late = server
        .client()
        .expect("connection")
        .get("/ping")
        .expect("answer");
    assert_eq!(late.status, 204);
    say(&format!(
        "attack: {tried} connections at ulimit -n 256, {spent:.1?} of CPU in a second"
    ));
}
