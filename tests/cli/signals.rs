//! Stopping as an operator does.

use rustix::process::{Pid, Signal, kill_process};
use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server};

#[test]
fn both_signals_stop_with_success_and_keep_everything() {
    for face in Face::OURS {
        if !face.is_here() {
            continue;
        }
        let home = TempDir::new("signals").expect("dir");
        let mut expected = 0;
        for signal in [Signal::TERM, Signal::INT] {
            let server = Server::start(face, home.path()).expect("server");
            if expected == 0 {
                server.execute("CREATE DATABASE d").expect("database");
            }
            for _ in 0..20 {
                let line = format!("m v={expected}i {}", 1_000 + expected);
                let mut client = server.client().expect("connection");
                let answer = client.post("/write?db=d", line.as_bytes()).expect("answer");
                assert_eq!(answer.status, 204);
                expected += 1;
            }
            // Idle, and kept open: it must not hold the server up.
            let idle = server.client().expect("connection");
            if signal == Signal::INT {
                let pid = i32::try_from(server.pid()).ok().and_then(Pid::from_raw);
                kill_process(pid.expect("pid"), signal).expect("told");
            }
            let exit = server.terminate().expect("exit");
            drop(idle);
            assert!(!exit.forced, "{} had to be killed", face.name());
            assert_eq!(exit.status.code(), Some(0), "{} {signal:?}", face.name());
        }
        let server = Server::start(face, home.path()).expect("server");
        let answer = server.query("d", "SELECT v FROM m").expect("answer").text();
        for number in 0..expected {
            let row = format!("[{},{number}]", 1_000 + number);
            assert!(
                answer.contains(&row),
                "{}: {row} is gone: {answer}",
                face.name()
            );
        }
        say(&format!(
            "cli, {}: 2 graceful stops, {expected} points kept",
            face.name()
        ));
    }
}
