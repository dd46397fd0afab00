//! That passwords stay where they have to be: not in the log, not on the disk, not in a guest.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use tidegate_tests::kit::TempDir;
use tidegate_tests::kit::http::percent_encode;
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server};

use crate::{FACES, ask, base64, execute, request, start_with};

/// No other text of a server holds one of these.
const SECRETS: [&str; 5] = [
    "fIrStPaSsWoRd",
    "sEcOnDpAsSwOrD",
    "wRoNgPaSsWoRd",
    "bRoKeNpAsSwOrD",
    "sHaReDsEcReT-sHaReDsEcReT-sHaReDsEcReT",
];
/// What has to be found where secrets are looked for, or looking proved nothing.
const MARKER: &str = "mArKeRmEaSuReMeNt";

#[test]
fn no_password_is_logged_or_stored_or_given_to_a_guest() {
    for face in FACES.into_iter().filter(|face| face.is_here()) {
        let home = TempDir::new("users").expect("dir");
        let secret = [("TIDEGATE_HTTP_SHARED_SECRET", SECRETS[4])];
        let server = start_with(face, home.path(), &secret);
        use_secrets(&server);
        if face == Face::Guest {
            let (bytes, found) = search_guests(server.pid());
            assert!(
                found.contains(&MARKER),
                "the marker is not in {bytes} bytes of guests"
            );
            assert_eq!(found, [MARKER], "in the memory of a guest");
            say(&format!(
                "users: no secret in {} KiB of guest memory",
                bytes >> 10
            ));
        }
        server.terminate().expect("stopped");
        let mut files = 0;
        let mut found = Vec::new();
        search_files(home.path(), &mut files, &mut found);
        assert!(
            found.iter().any(|(_, what)| *what == MARKER),
            "the log of points was not read"
        );
        found.retain(|(_, what)| *what != MARKER);
        assert!(found.is_empty(), "{found:?}");
        say(&format!(
            "users, {}: no secret in {files} files, the log among them",
            face.name()
        ));
    }
}

/// Everything a client can do with a password, right or wrong.
fn use_secrets(server: &Server) {
    let [first, second, wrong, broken, _] = SECRETS;
    let admin = format!("CREATE USER adm WITH PASSWORD '{first}' WITH ALL PRIVILEGES");
    execute(server, "", &[&admin]);
    let adm = format!("adm:{first}");
    // User statements between others: each database gets its own statements only.
    let between = format!(
        "CREATE DATABASE d; CREATE USER u WITH PASSWORD '{second}'; \
         CREATE RETENTION POLICY p ON d DURATION 1d REPLICATION 1; \
         SET PASSWORD FOR u = '{second}'; SHOW MEASUREMENTS ON d; GRANT WRITE ON d TO u"
    );
    execute(server, &adm, &[&between]);
    let line = format!("{MARKER} v=1 1");
    let write = |target: &str, headers: &[(&str, &str)]| {
        let mut client = server.client().expect("connection");
        let answer = client.request("POST", target, headers, line.as_bytes());
        answer.expect("answer").status
    };
    let basic = format!("Basic {}", base64(format!("u:{second}").as_bytes()));
    let token = format!("Token u:{second}");
    for header in [&basic, &token] {
        assert_eq!(write("/write?db=d", &[("Authorization", header)]), 204);
    }
    assert_eq!(write(&format!("/write?db=d&u=u&p={second}"), &[]), 204);
    assert_eq!(write(&format!("/write?db=d&u=u&p={wrong}"), &[]), 401);
    let user = format!("u:{second}");
    for (credentials, text) in [
        (&adm, format!("SET PASSWORD FOR nobody = '{second}'")),
        (&adm, format!("CREATE USER u WITH PASSWORD '{wrong}'")),
        (
            &adm,
            format!("CREATE USER x WITH PASSWORD '{broken}' WITH NOTHING"),
        ),
        (&adm, format!("CREATE USER x WITH PASSWORD '{broken}")),
        (&user, format!("SET PASSWORD FOR adm = '{wrong}'")),
        (&user, format!("CREATE USER x WITH PASSWORD '{wrong}'")),
    ] {
        let text = ask(server, credentials, &text).text();
        assert!(text.contains("error"), "{text}");
        let told = SECRETS.iter().find(|secret| text.contains(**secret));
        // A text that does not parse is quoted to who sent it, as upstream does.
        assert!(told.is_none_or(|told| told == &broken), "{text}");
    }
    // A statement that changes something by GET is repeated in a warning.
    let statement = percent_encode(&format!("SET PASSWORD FOR u = '{second}'"));
    let answer = request(server, &adm, "GET", &format!("/query?q={statement}"), b"");
    let text = answer.text();
    assert!(
        text.contains("[REDACTED]") && !text.contains(second),
        "{text}"
    );
    // The guest is asked once more, after all of this.
    let select = ask(server, &adm, &format!("SELECT v FROM {MARKER}")).text();
    assert!(select.contains("[[1,1]]"), "{select}");
}

fn search(bytes: &[u8], found: &mut Vec<&'static str>) {
    for what in SECRETS.into_iter().chain([MARKER]) {
        let there = bytes
            .windows(what.len())
            .any(|part| part == what.as_bytes());
        if there && !found.contains(&what) {
            found.push(what);
        }
    }
}

fn search_files(path: &Path, files: &mut u64, found: &mut Vec<(String, &'static str)>) {
    for entry in fs::read_dir(path).expect("listed") {
        let path = entry.expect("listed").path();
        if path.is_dir() {
            search_files(&path, files, found);
        } else if path.file_name().is_some_and(|name| name != "reserve") {
            *files += 1;
            let mut here = Vec::new();
            search(&fs::read(&path).expect("read"), &mut here);
            let name = path.display().to_string();
            found.extend(here.into_iter().map(|what| (name.clone(), what)));
        }
    }
}

/// Searches the linear memories of a process: writable, and with gigabytes behind them that
/// nobody may touch. How many bytes, and what is in them.
fn search_guests(pid: u32) -> (u64, Vec<&'static str>) {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("maps");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("memory");
    let regions: Vec<(u64, u64, &str)> = maps.lines().filter_map(region).collect();
    let (mut bytes, mut found) = (0, Vec::new());
    for pair in regions.windows(2) {
        let [(start, end, access), (next, next_end, behind)] = *pair else {
            continue;
        };
        let guarded = next == end && behind.starts_with("---") && next_end - next > 1 << 30;
        if access.starts_with("rw") && guarded {
            let mut content = vec![0; usize::try_from(end - start).expect("fits")];
            memory.read_exact_at(&mut content, start).expect("read");
            bytes += end - start;
            search(&content, &mut found);
        }
    }
    (bytes, found)
}

/// Start, end and access of a line of `/proc/PID/maps`.
fn region(line: &str) -> Option<(u64, u64, &str)> {
    let mut words = line.split(' ');
    let (start, end) = words.next()?.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    Some((number(start)?, number(end)?, words.next()?))
}
