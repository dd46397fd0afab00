//! Who is let in to what, and who is held back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{PATIENCE, Server};

use crate::{FACES, ask, base64, people, request, start, start_with};

/// What each of these users gets at each of these doors.
const DOORS: [(&str, &str, [u16; 7]); 13] = [
    // nobody, wrong, none, read, write, all, admin
    ("POST", "/write?db=d", [401, 401, 403, 403, 204, 204, 204]),
    ("POST", "/write?db=e", [401, 401, 403, 403, 403, 403, 204]),
    (
        "POST",
        "/write?db=nope",
        [401, 401, 404, 404, 404, 404, 404],
    ),
    (
        "POST",
        "/api/v2/write?bucket=d",
        [401, 401, 403, 403, 204, 204, 204],
    ),
    (
        "POST",
        "/api/v2/write?bucket=e/autogen",
        [401, 401, 403, 403, 403, 403, 204],
    ),
    (
        "GET",
        "/query?db=d&q=SELECT+v+FROM+m",
        [401, 401, 403, 200, 403, 200, 200],
    ),
    (
        "GET",
        "/query?db=e&q=SELECT+v+FROM+m",
        [401, 401, 403, 403, 403, 403, 200],
    ),
    (
        "GET",
        "/query?db=d&q=SELECT+v+FROM+e..m",
        [401, 401, 403, 403, 403, 403, 200],
    ),
    (
        "GET",
        "/query?q=SHOW+DATABASES",
        [401, 401, 200, 200, 200, 200, 200],
    ),
    (
        "POST",
        "/query?q=SHOW+USERS",
        [401, 401, 403, 403, 403, 403, 200],
    ),
    (
        "POST",
        "/query?q=SHOW+GRANTS+FOR+r",
        [401, 401, 403, 403, 403, 403, 200],
    ),
    ("GET", "/ping", [204; 7]),
    ("GET", "/write", [405; 7]),
];

const USERS: [&str; 7] = ["", "w:no", "n:pn", "r:pr", "w:pw", "a:pa:x", "adm:pa"];

#[test]
fn every_user_gets_what_was_granted_at_every_door() {
    for face in FACES.into_iter().filter(|face| face.is_here()) {
        let home = TempDir::new("users").expect("dir");
        let server = start(face, home.path());
        people(&server);
        for (method, target, expected) in DOORS {
            let statuses = USERS.map(|user| {
                let body: &[u8] = if method == "POST" { b"m v=1 1" } else { b"" };
                request(&server, user, method, target, body).status
            });
            assert_eq!(statuses, expected, "{method} {target} as {USERS:?}");
        }
        let listed = ask(&server, "r:pr", "SHOW DATABASES").text();
        assert!(listed.contains("[[\"d\"]]"), "{listed}");
        let count = DOORS.len() * USERS.len();
        say(&format!(
            "users, {}: {count} pairs of user and door",
            face.name()
        ));
    }
}

#[test]
fn who_may_not_write_is_told_before_the_body_is_sent() {
    for face in FACES.into_iter().filter(|face| face.is_here()) {
        let home = TempDir::new("users").expect("dir");
        let server = start(face, home.path());
        people(&server);
        for (user, database, status) in [("w:no", "d", 401), ("r:pr", "d", 403), ("w:pw", "e", 403)]
        {
            let answer = head_only(&server, user, database);
            let expected = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&expected), "{user}: {answer}");
        }
    }
}

/// The first bytes that come back to the head of a long body that is never sent.
fn head_only(server: &Server, user: &str, database: &str) -> String {
    let mut stream = TcpStream::connect(server.address).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    let user = base64(user.as_bytes());
    let head = format!(
        "POST /write?db={database} HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {user}\r\n\
         Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = vec![0; 4096];
    let count = stream.read(&mut answer).expect("answered");
    String::from_utf8_lossy(&answer[..count]).into_owned()
}

#[test]
fn guessing_is_slowed_down_and_writers_go_on() {
    for face in FACES.into_iter().filter(|face| face.is_here()) {
        let home = TempDir::new("users").expect("dir");
        let server = start(face, home.path());
        people(&server);
        let write = |user: &str| request(&server, user, "POST", "/write?db=d", b"m v=1 1");
        assert_eq!(write("w:pw").status, 204);
        let mut wrong = 0;
        let held_back = loop {
            let answer = write(&format!("w:guess{wrong}"));
            if answer.status != 401 {
                break answer;
            }
            wrong += 1;
            assert!(wrong < 100, "{wrong} guesses were answered");
        };
        let seconds: u64 = held_back
            .header("Retry-After")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        assert_eq!(held_back.status, 503, "{}", held_back.text());
        assert!(
            wrong >= 50 && (1..=6).contains(&seconds),
            "{wrong} {seconds}"
        );
        // The right one is not tried now either, unless it is known already.
        assert_eq!(write("w:pw").status, 204, "a writer that was let in before");
        assert_eq!(write("a:pa:x").status, 204, "another user");
        let vars = request(&server, "", "GET", "/debug/vars", b"").text();
        let counted = format!("\"authFail\":{wrong},");
        assert!(vars.contains(&counted), "{counted}: {vars}");
        assert!(
            server.log_tail().contains("fail too often"),
            "{}",
            server.log_tail()
        );
        say(&format!(
            "users, {}: held back after {wrong} guesses",
            face.name()
        ));
    }
}

#[test]
fn figures_and_health_can_be_guarded_too() {
    for face in FACES.into_iter().filter(|face| face.is_here()) {
        let home = TempDir::new("users").expect("dir");
        let guarded = [("TIDEGATE_HTTP_PPROF_AUTH_ENABLED", "true")];
        let server = start_with(face, home.path(), &guarded);
        people(&server);
        let vars = |user: &str| request(&server, user, "GET", "/debug/vars", b"");
        assert_eq!(
            ["", "w:pw", "adm:pa"].map(|user| vars(user).status),
            [401, 403, 200]
        );
        let text = vars("w:pw").text();
        assert_eq!(text, "{\"error\":\"error authorizing admin access\"}\n");
        server.terminate().expect("stopped");
        // Readiness is asked for with /ping, so the last one to be guarded.
        let mut open = tidegate_tests::proof::server::command(
            face,
            home.path(),
            tidegate_tests::kit::free_port().expect("port"),
        )
        .expect("command");
        open.env("TIDEGATE_HTTP_AUTH_ENABLED", "true");
        open.env("TIDEGATE_HTTP_PING_AUTH_ENABLED", "true");
        guarded_ping(&mut open, home.path());
    }
}

/// `/ping` and its like ask for a user now.
fn guarded_ping(command: &mut std::process::Command, home: &std::path::Path) {
    let address = command
        .get_args()
        .last()
        .and_then(|last| last.to_str()?.parse().ok());
    let address = address.or_else(|| {
        let mut args = command.get_args();
        args.find(|arg| *arg == "--http")?;
        args.next()?.to_str()?.parse().ok()
    });
    let address: std::net::SocketAddr = address.expect("an address");
    let mut process =
        tidegate_tests::kit::Process::spawn(command, &home.join("log")).expect("spawned");
    process
        .wait_ready(address, "/ping?u=n&p=pn", PATIENCE)
        .expect("ready");
    let mut client = tidegate_tests::kit::Client::connect(address, PATIENCE).expect("connection");
    for path in ["/ping", "/health", "/status", "/metrics"] {
        let statuses = ["", "?u=n&p=no", "?u=n&p=pn"]
            .map(|user| client.get(&format!("{path}{user}")).expect("answer").status);
        assert_eq!(statuses[..2], [401, 401], "{path}");
        assert!([200, 204].contains(&statuses[2]), "{path}: {statuses:?}");
    }
    process.kill().expect("killed");
}
