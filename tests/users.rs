//! Users on the real binary: who is let in, to what, how it lasts, and that nothing leaks.

#[path = "users/doors.rs"]
mod doors;
#[path = "users/lasting.rs"]
mod lasting;
#[path = "users/secrets.rs"]
mod secrets;
#[path = "users/upstream.rs"]
mod upstream;

use std::path::Path;

use tidegate_tests::kit::Response;
use tidegate_tests::kit::http::percent_encode;
use tidegate_tests::proof::server::{Face, Server};

/// Those of our hosts that have users.
const FACES: [Face; 2] = [Face::Guest, Face::Native];

/// A server that asks who comes; for InfluxDB as well as for ours.
fn start(face: Face, home: &Path) -> Server {
    start_with(face, home, &[])
}

fn start_with(face: Face, home: &Path, environment: &[(&str, &str)]) -> Server {
    let mut all = vec![
        ("TIDEGATE_HTTP_AUTH_ENABLED", "true"),
        ("INFLUXDB_HTTP_AUTH_ENABLED", "true"),
    ];
    all.extend_from_slice(environment);
    Server::start_with(face, home, &all).expect("server")
}

/// Sends statements with credentials, `name:password`, in the header; none if empty.
fn ask(server: &Server, credentials: &str, text: &str) -> Response {
    let target = format!("/query?db=d&epoch=ns&q={}", percent_encode(text));
    request(server, credentials, "POST", &target, b"")
}

fn request(
    server: &Server,
    credentials: &str,
    method: &str,
    target: &str,
    body: &[u8],
) -> Response {
    let value = format!("Basic {}", base64(credentials.as_bytes()));
    let headers = [("Authorization", value.as_str())];
    let headers = if credentials.is_empty() {
        &headers[..0]
    } else {
        &headers
    };
    let mut client = server.client().expect("connection");
    let answer = client.request(method, target, headers, body);
    answer.expect("answer")
}

/// Statements that have to succeed.
fn execute(server: &Server, credentials: &str, statements: &[&str]) {
    for statement in statements {
        let answer = ask(server, credentials, statement);
        let text = answer.text();
        let done = answer.status == 200 && !text.contains("\"error\"");
        assert!(done, "{statement}: {} {text}", answer.status);
    }
}

/// An admin `adm:pa`, databases `d` and `e`, and a user for each privilege on `d`.
const PEOPLE: [&str; 10] = [
    "CREATE DATABASE d",
    "CREATE DATABASE e",
    "CREATE USER n WITH PASSWORD 'pn'",
    "CREATE USER r WITH PASSWORD 'pr'",
    "CREATE USER w WITH PASSWORD 'pw'",
    "CREATE USER a WITH PASSWORD 'pa:x'",
    "GRANT READ ON d TO r",
    "GRANT WRITE ON d TO w",
    "GRANT ALL ON d TO a",
    "SHOW USERS",
];

fn people(server: &Server) {
    execute(
        server,
        "",
        &["CREATE USER adm WITH PASSWORD 'pa' WITH ALL PRIVILEGES"],
    );
    execute(server, "adm:pa", &PEOPLE);
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize]);
            out.push(if at <= group.len() { letter } else { '=' });
        }
    }
    out
}
