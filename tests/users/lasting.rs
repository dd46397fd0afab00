//! That users last: through kills, restarts and dropped databases, and that damage shuts the door.

use std::fs;
use std::process::Command;

use tidegate_tests::kit::{TempDir, free_port};
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, binary};

use crate::{FACES, ask, execute, people, request, start};

const KILLS: u32 = 8;

#[test]
fn a_user_whose_creation_was_answered_survives_a_kill() {
    for face in FACES.into_iter().filter(|face| face.is_here()) {
        let home = TempDir::new("users").expect("dir");
        let mut server = start(face, home.path());
        people(&server);
        for kill in 0..KILLS {
            let name = format!("u{kill}");
            let changes = [
                format!("CREATE USER {name} WITH PASSWORD 'p{kill}'"),
                format!("GRANT WRITE ON d TO {name}"),
            ];
            execute(&server, "adm:pa", &[&changes[0], &changes[1]]);
            server.kill().expect("killed");
            server = start(face, home.path());
            for user in 0..=kill {
                let user = format!("u{user}:p{user}");
                let answer = request(&server, &user, "POST", "/write?db=d", b"m v=1 1");
                assert_eq!(
                    answer.status,
                    204,
                    "{user} after kill {kill}: {}",
                    answer.text()
                );
            }
        }
        execute(
            &server,
            "adm:pa",
            &["DROP USER u0", "SET PASSWORD FOR u1 = 'new'"],
        );
        server.kill().expect("killed");
        server = start(face, home.path());
        let status = |user| ask(&server, user, "SHOW DATABASES").status;
        assert_eq!(["u0:p0", "u1:p1", "u1:new"].map(status), [401, 401, 200]);
        say(&format!(
            "users, {}: all there after {KILLS} kills",
            face.name()
        ));
    }
}

#[test]
fn grants_do_not_outlive_their_database() {
    for face in FACES.into_iter().filter(|face| face.is_here()) {
        let home = TempDir::new("users").expect("dir");
        let server = start(face, home.path());
        people(&server);
        execute(&server, "adm:pa", &["DROP DATABASE d", "CREATE DATABASE d"]);
        let answer = request(&server, "w:pw", "POST", "/write?db=d", b"m v=1 1");
        assert_eq!(answer.status, 403, "{}", answer.text());
        let grants = ask(&server, "adm:pa", "SHOW GRANTS FOR w").text();
        assert!(!grants.contains("\"d\""), "{grants}");
    }
}

#[test]
fn damaged_or_missing_users_let_nobody_in() {
    for face in FACES.into_iter().filter(|face| face.is_here()) {
        let home = TempDir::new("users").expect("dir");
        let server = start(face, home.path());
        people(&server);
        server.terminate().expect("stopped");
        let data = home.path().join("data");
        let path = data.join("users");
        let good = fs::read(&path).expect("users");
        let mut flipped = good.clone();
        flipped[40] ^= 4;
        for (bytes, part) in [
            (Some(&flipped[..]), "checksum"),
            (Some(&good[..50]), "length"),
            (None, "gone"),
        ] {
            match bytes {
                Some(bytes) => fs::write(&path, bytes).expect("written"),
                None => fs::remove_file(&path).expect("removed"),
            }
            for auth in ["true", "false"] {
                let mut command = Command::new(binary());
                let listen = free_port().expect("port").to_string();
                command
                    .args(["serve", "--http", &listen, "--data"])
                    .arg(&data);
                command.env("TIDEGATE_HTTP_AUTH_ENABLED", auth);
                if face == Face::Native {
                    command.arg("--native");
                }
                let output = command.output().expect("it ends");
                let err = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(1), "{err}");
                assert!(err.contains(part) && err.contains("users"), "{part}: {err}");
            }
        }
        fs::write(&path, &good).expect("put back");
        let server = start(face, home.path());
        assert_eq!(ask(&server, "r:pr", "SHOW DATABASES").status, 200);
    }
}
