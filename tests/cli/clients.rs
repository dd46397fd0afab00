//! Old clients, odd clients, and clients that mean harm.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tidegate_tests::kit::{TempDir, gzip, proc};
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, PATIENCE, Server};

const FACES: [Face; 2] = [Face::Guest, Face::Native];

fn start(face: Face) -> (TempDir, Server) {
    let home = TempDir::new("clients").expect("dir");
    let server = Server::start(face, home.path()).expect("server");
    server.execute("CREATE DATABASE d").expect("database");
    (home, server)
}

/// Sends bytes on a connection of its own and reads to its end.
fn ask(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream.write_all(bytes).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn old_and_chunked_and_pipelined_requests_are_served() {
    for face in Face::OURS {
        if !face.is_here() {
            continue;
        }
        let (_home, server) = start(face);
        let old = ask(
            &server,
            b"POST /write?db=d HTTP/1.0\r\nContent-Length: 7\r\n\r\nm v=1 1",
        );
        assert!(old.starts_with("HTTP/1.") && old.contains(" 204 "), "{old}");
        let chunked = b"POST /write?db=d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\
            Connection: close\r\n\r\n4\r\nm v=\r\n3;x=y\r\n2 2\r\n0\r\nTrailer: x\r\n\r\n";
        let chunked = ask(&server, chunked);
        assert!(chunked.contains(" 204 "), "{chunked}");
        let line = "POST /write?db=d HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n";
        let two = format!("{line}\r\nm v=3 3{line}Connection: close\r\n\r\nm v=4 4");
        let two = ask(&server, two.as_bytes());
        assert_eq!(two.matches(" 204 ").count(), 2, "{two}");
        let mut kept = server.client().expect("connection");
        for number in 5..9 {
            let line = format!("m v={number} {number}");
            let answer = kept
                .post("/write?db=d", line.as_bytes())
                .expect("kept alive");
            assert_eq!((answer.status, answer.closes()), (204, false));
        }
        let stored = server.query("d", "SELECT v FROM m").expect("answer").text();
        let rows: Vec<String> = (1..9)
            .map(|number| format!("[{number},{number}]"))
            .collect();
        assert!(stored.contains(&rows.join(",")), "{stored}");
    }
}

#[test]
fn a_small_body_that_inflates_to_a_gigabyte_is_refused() {
    // A gigabyte in 64 members, about a megabyte on the wire.
    let member = gzip::compress(&vec![b' '; 16 << 20], 6).expect("compressed");
    let bomb = member.repeat(64);
    for face in Face::OURS {
        if !face.is_here() {
            continue;
        }
        let (_home, server) = start(face);
        let mut client = server.client().expect("connection");
        let warm = client.post("/write?db=d", b"m v=1 1").expect("answer");
        assert_eq!(warm.status, 204);
        let before = proc::rss_peak_bytes(server.pid()).expect("memory");
        let gzip = [("Content-Encoding", "gzip")];
        let answer = client.request("POST", "/write?db=d", &gzip, &bomb);
        let answer = answer.expect("answer");
        assert_eq!(answer.status, 413, "{}: {}", face.name(), answer.text());
        let after = proc::rss_peak_bytes(server.pid()).expect("memory");
        let grown = after.saturating_sub(before) >> 20;
        assert!(grown < 160, "{} grew by {grown} MiB", face.name());
        let again = server
            .client()
            .expect("connection")
            .post("/write?db=d", b"m v=2 2");
        assert_eq!(again.expect("answer").status, 204);
        say(&format!(
            "cli, {}: {} KiB that inflate to 1 GiB: 413, {grown} MiB of memory",
            face.name(),
            bomb.len() >> 10
        ));
    }
}

#[test]
fn half_a_head_is_not_waited_for() {
    for face in FACES {
        if !face.is_here() {
            continue;
        }
        let (_home, server) = start(face);
        let mut slow = TcpStream::connect(server.address).expect("connected");
        slow.set_read_timeout(Some(PATIENCE)).expect("set");
        let began = Instant::now();
        slow.write_all(b"POST /write?db=d HTTP/1.1\r\nHo")
            .expect("sent");
        // Others are served meanwhile.
        let other = server.client().expect("connection").get("/ping");
        assert_eq!(other.expect("answer").status, 204);
        let mut rest = Vec::new();
        // Closed, with or without a word.
        let closed = slow.read_to_end(&mut rest);
        let took = began.elapsed();
        let timed_out = closed.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!timed_out, "{}: still open after {took:?}", face.name());
        let bounds = Duration::from_secs(8)..Duration::from_secs(16);
        assert!(
            bounds.contains(&took),
            "{}: closed after {took:?}",
            face.name()
        );
        say(&format!(
            "cli, {}: half a head closed after {took:.1?}",
            face.name()
        ));
    }
}

#[test]
fn a_client_that_goes_away_in_a_body_changes_nothing() {
    for face in Face::OURS {
        if !face.is_here() {
            continue;
        }
        let (_home, server) = start(face);
        for _ in 0..5 {
            let mut stream = TcpStream::connect(server.address).expect("connected");
            let part =
                b"POST /write?db=d HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nm v=1 1\n";
            stream.write_all(part).expect("sent");
        }
        let mut client = server.client().expect("connection");
        let answer = client.post("/write?db=d", b"m v=2 2").expect("answer");
        assert_eq!(answer.status, 204);
        let stored = server.query("d", "SELECT v FROM m").expect("answer").text();
        assert!(
            stored.contains("\"values\":[[2,2]]"),
            "{}: {stored}",
            face.name()
        );
    }
}
