//! Starting where one must not: the message names place and remedy, and nothing is touched.

use std::fs;
use std::path::Path;
use std::process::Command;

use tidegate_tests::kit::{TempDir, free_port};
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server, binary, command};

use crate::{contents, ended};

#[test]
fn version_and_help_are_printed() {
    if !Face::Guest.is_here() {
        return;
    }
    let version = ended(Command::new(binary()).arg("--version"));
    assert_eq!(version.code, Some(0));
    assert!(version.out.starts_with("tidegate "), "{version:?}");
    let help = ended(Command::new(binary()).arg("--help"));
    assert_eq!(help.code, Some(0));
    for part in [
        "serve",
        "--data DIR",
        "--http ADDR:PORT",
        "--config FILE",
        "wal",
    ] {
        assert!(help.out.contains(part), "{part} is missing: {}", help.out);
    }
}

#[test]
fn a_directory_that_is_not_ours_is_refused_untouched() {
    // What is in the directory, and what the message has to name beside the directory.
    let cases: [(&str, &str, &str); 4] = [
        ("precious", "x", "precious"),
        ("TIDEGATE", "tidegate data, format 99\nnode 0\n", "99"),
        ("TIDEGATE", "something else entirely\n", "TIDEGATE"),
        ("TIDEGATE", "", "TIDEGATE"),
    ];
    for face in Face::OURS {
        if !face.is_here() {
            continue;
        }
        for (file, text, named) in cases {
            let home = TempDir::new("refusal").expect("dir");
            let data = home.path().join("data");
            fs::create_dir(&data).expect("dir");
            fs::write(data.join(file), text).expect("file");
            refused(face, home.path(), &[named, "data"]);
        }
        say(&format!(
            "cli, {}: 4 foreign directories refused",
            face.name()
        ));
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    for face in [Face::Guest, Face::Native] {
        if !face.is_here() {
            continue;
        }
        let home = TempDir::new("refusal").expect("dir");
        fs::write(home.path().join("data"), "a file").expect("file");
        refused(face, home.path(), &["data"]);
        // Not even root can make a directory below a file.
        let below = home.path().join("data");
        refused(face, &below, &["data/data"]);
    }
}

/// Requires that the server does not start on `home`, says so, and changes nothing.
fn refused(face: Face, home: &Path, named: &[&str]) {
    let before = home.is_dir().then(|| contents(home));
    let address = free_port().expect("port");
    let mut command = command(face, home, address).expect("command");
    let told = ended(&mut command);
    assert!(told.code.is_some_and(|code| code != 0), "{told:?}");
    for part in named {
        assert!(told.err.contains(part), "{part} is not named: {told:?}");
    }
    if face != Face::Node {
        let lines = told.err.lines().count();
        assert!(lines <= 4, "{lines} lines for one reason: {}", told.err);
    }
    if let Some(before) = before {
        assert!(before == contents(home), "{}: files changed", face.name());
    }
}

#[test]
fn a_second_process_is_refused_and_the_first_goes_on() {
    for face in Face::OURS {
        if !face.is_here() {
            continue;
        }
        let home = TempDir::new("second").expect("dir");
        let first = Server::start(face, home.path()).expect("server");
        first.execute("CREATE DATABASE d").expect("database");
        let address = free_port().expect("port");
        let mut second = command(face, home.path(), address).expect("command");
        let told = ended(&mut second);
        assert!(told.code.is_some_and(|code| code != 0), "{told:?}");
        let pid = first.pid().to_string();
        assert!(
            told.err.contains(&pid),
            "the owner {pid} is not named: {told:?}"
        );
        first
            .execute("CREATE DATABASE e")
            .expect("the first goes on");
    }
}

#[test]
fn a_port_in_use_is_named() {
    for face in [Face::Guest, Face::Native] {
        if !face.is_here() {
            continue;
        }
        let home = TempDir::new("port").expect("dir");
        let first = Server::start(face, home.path()).expect("server");
        let other = TempDir::new("port").expect("dir");
        let mut second = command(face, other.path(), first.address).expect("command");
        let told = ended(&mut second);
        assert!(told.code.is_some_and(|code| code != 0), "{told:?}");
        let address = first.address.to_string();
        assert!(told.err.contains(&address), "{told:?}");
        assert!(
            contents(other.path()).is_empty(),
            "it left something behind"
        );
    }
}

#[test]
fn wrong_flags_and_keys_are_named() {
    if !Face::Guest.is_here() {
        return;
    }
    let home = TempDir::new("flags").expect("dir");
    let file = home.path().join("config.toml");
    let with_file = |text: &str| {
        fs::write(&file, text).expect("file");
        let mut command = command(Face::Guest, home.path(), free_port().expect("port"));
        let command = command.as_mut().expect("command");
        ended(command.arg("--config").arg(&file))
    };
    let told = with_file("[http]\nmax-body-sice = 1\n");
    assert!(told.code.is_some_and(|code| code != 0), "{told:?}");
    for part in ["max-body-sice", "max-body-size", "config.toml"] {
        assert!(told.err.contains(part), "{part} is not named: {told:?}");
    }
    for text in ["[nope]\n", "[http\n", "[http]\nauth-enabled = 3\n"] {
        let told = with_file(text);
        assert!(told.code.is_some_and(|code| code != 0), "{text}: {told:?}");
        assert!(told.err.contains("config.toml"), "{text}: {told:?}");
    }
    let mut wrong = Command::new(binary());
    let told = ended(wrong.args(["serve", "--dta", "x"]));
    assert!(told.code.is_some_and(|code| code != 0), "{told:?}");
    assert!(
        told.err.contains("--dta") && told.err.contains("--help"),
        "{told:?}"
    );
    let mut wrong = Command::new(binary());
    let told = ended(wrong.arg("serve").env("TIDEGATE_HTTP_MAX_BODY_SICE", "1"));
    assert!(told.err.contains("TIDEGATE_HTTP_MAX_BODY_SICE"), "{told:?}");
    assert!(told.err.contains("TIDEGATE_HTTP_MAX_BODY_SIZE"), "{told:?}");
    assert!(
        !home.path().join("data").exists(),
        "a refused start left something behind"
    );
}
