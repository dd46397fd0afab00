//! One process per data directory, whichever host it is.

use std::fs;

use tidegate_tests::kit::{TempDir, free_port};
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server, command};

use crate::ended;

#[test]
fn each_host_refuses_what_the_other_one_holds_and_names_it() {
    if !Face::Native.is_here() || !Face::Node.is_here() {
        return;
    }
    let home = TempDir::new("locks").expect("dir");
    for (holder, other) in [(Face::Native, Face::Node), (Face::Node, Face::Native)] {
        let server = Server::start(holder, home.path()).expect("server");
        let address = free_port().expect("port");
        let mut second = command(other, home.path(), address).expect("command");
        let refused = ended(&mut second);
        let context = format!("{} while {} runs: {refused:?}", other.name(), holder.name());
        assert_ne!(refused.code, Some(0), "{context}");
        let text = refused.err.clone() + &refused.out;
        assert!(
            text.contains(&format!("process {}", server.pid())),
            "{context}"
        );
        assert!(text.contains("stop it"), "{context}");
        server
            .execute("CREATE DATABASE d")
            .expect("it is untouched");
        // A crash leaves the lock of Node behind; nobody minds.
        server.kill().expect("killed");
        let server = Server::start(other, home.path()).expect("it takes over");
        let shown = server.query("", "SHOW DATABASES").expect("answer").text();
        assert!(shown.contains("\"d\""), "{shown}");
        server.kill().expect("killed");
    }
    say("cli: native and Node refuse each other's directory by name, and take over from the dead");
}

#[test]
fn a_lock_of_node_that_names_another_process_than_the_one_that_lives_is_stale() {
    if !Face::Native.is_here() {
        return;
    }
    let home = TempDir::new("stale").expect("dir");
    Server::start(Face::Native, home.path())
        .expect("server")
        .kill()
        .expect("killed");
    let lock = home.path().join("data/lock.node");
    // This process lives, but started at another time.
    fs::write(&lock, format!("{} 1\n", std::process::id())).expect("written");
    let server = Server::start(Face::Native, home.path()).expect("it takes over");
    assert!(!lock.exists(), "{}", server.log_tail());
}
