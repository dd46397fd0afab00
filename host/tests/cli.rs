//! The binary as a person or a script meets it: messages, exit codes, starting and stopping.

mod kit;

use std::io::{Read, Write};
use std::process::{Command, Output};
use std::time::Duration;

use kit::{BIN, Server, TempDir};

fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(BIN)
        .args(args)
        .output()
        .expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn version_and_help_succeed() {
    let (code, out, _) = run(&["--version"]);
    assert_eq!((code, out.starts_with("tidegate ")), (Some(0), true));
    let (code, out, _) = run(&["--help"]);
    assert_eq!((code, out.contains("--data DIR")), (Some(0), true));
}

#[test]
fn a_wrong_call_names_the_remedy_and_exits_with_2() {
    for args in [
        &["srve"][..],
        &[],
        &["serve", "--dta"],
        &["serve", "--config", "/nowhere"],
    ] {
        let (code, _, err) = run(args);
        assert_eq!(code, Some(2), "{args:?}: {err}");
        assert!(err.starts_with("tidegate: "), "{err}");
    }
    let (code, _, err) = run(&["serve", "--http", "0.0.0.0:0"]);
    assert_eq!(
        (code, err.contains("open-to-network")),
        (Some(2), true),
        "{err}"
    );
}

#[test]
fn a_foreign_directory_is_refused_with_1_and_left_alone() {
    let temp = TempDir::new("foreign");
    std::fs::write(temp.0.join("precious"), "x").expect("write");
    let data = temp.0.to_str().expect("UTF-8");
    let (code, _, err) = run(&["serve", "--http", "127.0.0.1:0", "--data", data]);
    assert_eq!((code, err.contains("precious")), (Some(1), true), "{err}");
    assert_eq!(std::fs::read_dir(&temp.0).expect("listed").count(), 1);
}

#[test]
fn a_second_server_is_told_what_the_first_one_holds() {
    let temp = TempDir::new("second");
    let data = temp.0.join("data");
    let first = Server::start(&data);
    let path = data.to_str().expect("UTF-8");
    let (code, _, err) = run(&["serve", "--http", "127.0.0.1:0", "--data", path]);
    let pid = format!("process {}", first.child.id());
    assert_eq!((code, err.contains(&pid)), (Some(1), true), "{err}");
    let other = temp.0.join("other");
    let path = other.to_str().expect("UTF-8");
    let (code, _, err) = run(&["serve", "--http", &first.address, "--data", path]);
    assert_eq!(
        (code, err.contains(&first.address)),
        (Some(1), true),
        "{err}"
    );
    assert!(!other.exists(), "a taken port leaves nothing behind");
}

#[test]
fn both_signals_stop_the_server_with_0() {
    let temp = TempDir::new("signals");
    for signal in ["-TERM", "-INT"] {
        let server = Server::start(&temp.0.join("data"));
        // An idle connection does not hold the server up.
        let idle = server.connect();
        server.signal(signal);
        let (code, log) = server.wait();
        assert_eq!((code, log.contains("stopped")), (Some(0), true), "{log}");
        drop(idle);
    }
}

#[test]
fn requests_are_answered_on_one_connection_after_another() {
    let temp = TempDir::new("requests");
    let server = Server::start(&temp.0.join("data"));
    let answer = server.ask("GET /ping HTTP/1.0\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.0 204 No Content\r\n"),
        "{answer}"
    );
    assert!(
        answer
            .to_ascii_lowercase()
            .contains("x-influxdb-version: 1."),
        "{answer}"
    );
    let two = "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n\
               GET /nope HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = server.ask(two);
    assert!(
        answer.starts_with("HTTP/1.1 204 No Content\r\n"),
        "{answer}"
    );
    assert!(answer.contains("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    assert!(answer.ends_with("404 page not found\n"), "{answer}");
    let answer = server.ask(
        "POST /write?db=nope HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
         Expect: 100-continue\r\nConnection: close\r\n\r\n",
    );
    assert!(
        answer.starts_with("HTTP/1.1 404 Not Found\r\n"),
        "no 100 before: {answer}"
    );
    assert!(
        answer.contains("database not found: \\\"nope\\\""),
        "{answer}"
    );
}

#[test]
fn long_heads_and_targets_are_refused() {
    let temp = TempDir::new("heads");
    let server = Server::start(&temp.0.join("data"));
    let long = "x".repeat(9_000);
    let answer = server.ask(&format!("GET /ping?{long} HTTP/1.0\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.0 414"), "{answer}");
    let answer = server.ask(&format!(
        "GET /ping HTTP/1.0\r\nA: {long}\r\nB: {long}\r\n\r\n"
    ));
    assert!(answer.contains(" 431 "), "{answer}");
}

#[test]
fn half_a_head_is_not_waited_for() {
    let temp = TempDir::new("slow");
    let environment = [("TIDEGATE_HTTP_HEAD_TIMEOUT", "200ms")];
    let server = Server::start_with(&temp.0.join("data"), &environment);
    let mut stream = server.connect();
    stream.write_all(b"GET /ping HT").expect("sent");
    let mut rest = Vec::new();
    let began = std::time::Instant::now();
    // Closed, with or without a word; not a timeout of ours.
    let _ = stream.read_to_end(&mut rest);
    assert!(began.elapsed() < Duration::from_secs(10));
}
