//! Limits that upstream has not.

use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tidegate_tests::kit::{TempDir, gzip};
use tidegate_tests::proof::server::{Face, Server};

/// A server of each host that is configured by its environment.
fn on_both(environment: &[(&str, &str)], run: impl Fn(&Server)) {
    for face in [Face::Guest, Face::Native] {
        if face.is_here() {
            let home = TempDir::new("limits").expect("dir");
            let server = Server::start_with(face, home.path(), environment).expect("server");
            server.execute("CREATE DATABASE d").expect("database");
            run(&server);
        }
    }
}

#[test]
fn a_request_with_too_many_points_is_refused_and_leaves_nothing() {
    let environment = [("TIDEGATE_HTTP_MAX_POINTS_PER_REQUEST", "1000")];
    on_both(&environment, |server| {
        let name = server.face.name();
        let mut client = server.client().expect("connection");
        let body = |count: u64| -> Vec<u8> {
            let line = |i: u64| format!("many v={i}i {i}\n# a remark\n\n");
            (0..count).flat_map(|i| line(i).into_bytes()).collect()
        };
        let packed = gzip::compress(&body(1001), 6).expect("gzip");
        let gzipped = [("Content-Encoding", "gzip")];
        for (target, headers, sent) in [
            ("/write?db=d", &[][..], &body(1001)),
            ("/write?db=d", &gzipped, &packed),
            ("/write?db=d&rp=nope", &[], &body(1001)),
            ("/api/v2/write?bucket=d", &[], &body(1001)),
            ("/write?db=d", &[], &b"not a point\n".repeat(1001)),
        ] {
            let answer = client
                .request("POST", target, headers, sent)
                .expect("answer");
            let text = answer.text();
            assert_eq!(answer.status, 413, "{name} {target}: {text}");
            let told = "{\"error\":\"Request Entity Too Large: more points than \
                        max-points-per-request, send fewer at once\"}\n";
            assert_eq!(text, told, "{name} {target}");
        }
        let none = server
            .query("d", "SHOW MEASUREMENTS")
            .expect("answer")
            .text();
        assert_eq!(none, "{\"results\":[{\"statement_id\":0}]}\n", "{name}");
        let answer = client.post("/write?db=d", &body(1000)).expect("answer");
        assert_eq!(answer.status, 204, "{name}: {}", answer.text());
        let stored = server
            .query("d", "SELECT v FROM many")
            .expect("answer")
            .text();
        assert!(stored.contains("[999,999]"), "{name}: {stored}");
    });
}

#[test]
fn an_address_holds_so_many_connections_and_no_more() {
    let environment = [("TIDEGATE_HTTP_MAX_CONNECTIONS_PER_ADDRESS", "20")];
    on_both(&environment, |server| {
        let name = server.face.name();
        let began = Instant::now();
        // Those that made the database may be about to end.
        let mut held = Vec::new();
        while held.len() < 20 {
            let mut client = server.client().expect("connection");
            if client.get("/ping").is_ok_and(|answer| answer.status == 204) {
                held.push(client);
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{name}");
        }
        let mut more = TcpStream::connect(server.address).expect("the system accepts");
        more.set_read_timeout(Some(Duration::from_secs(10)))
            .expect("set");
        let mut told = String::new();
        more.read_to_string(&mut told).expect("told, and closed");
        assert!(told.starts_with("HTTP/1.1 503 "), "{name}: {told}");
        assert!(told.contains("\r\nRetry-After: 1\r\n"), "{name}: {told}");
        // Who is in goes on.
        for client in &mut held {
            assert_eq!(client.get("/ping").expect("answer").status, 204, "{name}");
        }
        drop(held);
        while !server
            .query("", "SHOW DATABASES")
            .is_ok_and(|answer| answer.status == 200)
        {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{name}: places come back"
            );
        }
    });
}
