//! The same statements, with the same credentials, to ours and to InfluxDB 1.6.7.

use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server};

use crate::{FACES, PEOPLE, ask, start};

/// Before there is anybody.
const FIRST: [&str; 7] = [
    "SHOW DATABASES",
    "CREATE USER u WITH PASSWORD 'p'",
    "SELECT v FROM m",
    "SHOW USERS; CREATE USER adm WITH PASSWORD 'pa' WITH ALL PRIVILEGES",
    "CREATE USER",
    "",
    "CREATE USER adm WITH PASSWORD 'pa' WITH ALL PRIVILEGES; SHOW USERS; SHOW GRANTS FOR adm",
];

const AS_ADMIN: [&str; 42] = [
    "SHOW USERS",
    "SHOW GRANTS FOR r",
    "SHOW GRANTS FOR n",
    "SHOW GRANTS FOR adm",
    "SHOW GRANTS FOR nobody",
    "CREATE USER r WITH PASSWORD 'pr'",
    "CREATE USER r WITH PASSWORD 'other'",
    "CREATE USER r WITH PASSWORD 'pr' WITH ALL PRIVILEGES",
    "CREATE USER adm WITH PASSWORD 'pa'",
    "CREATE USER \"\" WITH PASSWORD 'x'",
    "CREATE USER empty WITH PASSWORD ''",
    "CREATE USER \"odd \\\"name, \u{e9}\" WITH PASSWORD 'it''s'",
    "CREATE USER \"odd \\\"name, \u{e9}\" WITH PASSWORD 'it\\'s'",
    "SHOW GRANTS FOR \"odd \\\"name, \u{e9}\"",
    "SHOW USERS",
    "GRANT READ ON d TO n",
    "GRANT WRITE ON d TO n",
    "SHOW GRANTS FOR n",
    "REVOKE READ ON d FROM n",
    "SHOW GRANTS FOR n",
    "REVOKE WRITE ON d FROM n",
    "SHOW GRANTS FOR n",
    "GRANT ALL PRIVILEGES ON d TO n",
    "SHOW GRANTS FOR n",
    "REVOKE READ ON d FROM n",
    "SHOW GRANTS FOR n",
    "REVOKE ALL ON d FROM n",
    "SHOW GRANTS FOR n",
    "GRANT READ ON nope TO n",
    "GRANT READ ON nope TO nobody",
    "REVOKE READ ON nope FROM n",
    "REVOKE READ ON d FROM nobody",
    "GRANT ALL PRIVILEGES TO nobody",
    "GRANT ALL TO n",
    "SHOW USERS",
    "REVOKE ALL PRIVILEGES FROM n",
    "REVOKE ALL PRIVILEGES FROM nobody",
    "SET PASSWORD FOR nobody = 'x'",
    "DROP USER nobody",
    "DROP USER empty; SHOW USERS; DROP USER empty",
    "GRANT READ ON d; SHOW USERS",
    "SET PASSWORD FOR r = 'pr'",
];

/// What a user who is no admin asks for.
const AS_OTHERS: [&str; 19] = [
    "SHOW DATABASES",
    "SHOW USERS",
    "SHOW GRANTS FOR r",
    "SHOW MEASUREMENTS",
    "SHOW MEASUREMENTS ON e",
    "SHOW TAG KEYS",
    "SHOW TAG VALUES WITH KEY = h",
    "SHOW FIELD KEYS ON e",
    "SHOW RETENTION POLICIES",
    "SHOW RETENTION POLICIES ON e",
    "SELECT v FROM m",
    "SELECT v FROM e..m",
    "SELECT v FROM m, e.autogen.m",
    "CREATE DATABASE x",
    "DROP DATABASE d",
    "CREATE USER x WITH PASSWORD 'y' WITH ALL PRIVILEGES",
    "SET PASSWORD FOR r = 'y'",
    "GRANT ALL PRIVILEGES TO r",
    "SHOW SHARDS; DROP MEASUREMENT m",
];

const OTHERS: [&str; 7] = ["", "x:", "r:no", "n:pn", "r:pr", "w:pw", "a:pa:x"];

#[test]
fn statements_about_users_are_answered_as_influxdb_does() {
    if !Face::Influxd.is_here() {
        return;
    }
    let home = TempDir::new("users").expect("dir");
    let theirs = start(Face::Influxd, home.path());
    let recorded = script(&theirs);
    for face in FACES.into_iter().filter(|face| face.is_here()) {
        let home = TempDir::new("users").expect("dir");
        let ours = script(&start(face, home.path()));
        let mut different = 0;
        for (theirs, ours) in recorded.iter().zip(&ours) {
            if theirs != ours {
                different += 1;
                say(&format!("  influxd {theirs:?}\n  ours    {ours:?}"));
            }
        }
        say(&format!(
            "users, {} beside influxd 1.6.7: {} answers, {different} differ",
            face.name(),
            ours.len()
        ));
        assert_eq!(different, 0);
    }
}

/// Every statement with who sent it, the status and the body.
fn script(server: &Server) -> Vec<(String, u16, String)> {
    let mut answers = Vec::new();
    let mut send = |credentials: &str, statement: &str| {
        let answer = ask(server, credentials, statement);
        let asked = format!("{credentials} {statement}");
        answers.push((asked, answer.status, settled(&answer.text())));
    };
    for statement in FIRST {
        send("", statement);
    }
    for statement in PEOPLE {
        send("adm:pa", statement);
    }
    for credentials in OTHERS {
        for statement in AS_OTHERS {
            send(credentials, statement);
        }
    }
    for statement in AS_ADMIN {
        send("adm:pa", statement);
    }
    send("odd \"name, \u{e9}:it's", "SHOW DATABASES");
    send(
        "adm:pa",
        "DROP DATABASE d; SHOW GRANTS FOR r; DROP USER adm; SHOW USERS",
    );
    // The last admin is gone.
    for credentials in ["", "r:pr", "adm:pa"] {
        send(credentials, "SHOW DATABASES");
        send(
            credentials,
            "CREATE USER b WITH PASSWORD 'p' WITH ALL PRIVILEGES",
        );
    }
    answers
}

/// Without what 1.12 added to the list of retention policies.
fn settled(text: &str) -> String {
    text.replace("\"futureWriteLimit\",\"pastWriteLimit\",", "")
        .replace("1,\"0s\",\"0s\",true", "1,true")
}
