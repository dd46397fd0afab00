//! Sites that ask who a request comes from.

use alloc::string::String;
use alloc::vec::Vec;

use crate::http::{Decision, Denied, Gate, Head, Params, Site, asks_for_user, decide};

fn head<'a>(method: &'a str, path: &'a str, query: &'a str) -> Head<'a> {
    Head {
        method,
        path,
        query,
        headers: &[],
    }
}

struct Guard {
    user: bool,
    asked: Vec<String>,
}

impl Gate for Guard {
    fn exists(&mut self, database: &str) -> bool {
        self.asked.push(database.into());
        database == "d"
    }

    fn authenticate(&mut self, _head: &Head<'_>, params: &Params) -> Result<(), Denied> {
        self.user = params.get("u") == b"w";
        match params.get("u") {
            b"w" | b"adm" => Ok(()),
            b"busy" => Err(Denied::Later {
                text: "later".into(),
                seconds: 7,
            }),
            _ => Err(Denied::Unauthorized("authorization failed".into())),
        }
    }

    fn is_admin(&mut self) -> bool {
        !self.user
    }

    fn may_write(&mut self, database: &str) -> Result<(), String> {
        Err(alloc::format!(
            "\"w\" user is not authorized to write to database \"{database}\""
        ))
    }
}

#[test]
fn credentials_are_judged_after_the_method_and_before_all_else() {
    let site = Site {
        auth_enabled: true,
        ..Site::default()
    };
    let mut guard = Guard {
        user: false,
        asked: Vec::new(),
    };
    let mut status =
        |method, path, query| match decide(&head(method, path, query), &site, &mut guard, "") {
            Decision::Answer(answer) => answer,
            other => panic!("{other:?}"),
        };
    assert_eq!(status("GET", "/write", "").status, 405);
    assert_eq!(status("OPTIONS", "/write", "").status, 200);
    assert_eq!(status("GET", "/ping", "").status, 204);
    let answer = status("POST", "/write", "db=d");
    assert_eq!(
        (answer.status, answer.header("WWW-Authenticate")),
        (401, &b"Basic realm=\"InfluxDB\""[..])
    );
    assert_eq!(answer.header("X-Influxdb-Error"), b"");
    assert_eq!(answer.body, b"{\"error\":\"authorization failed\"}\n");
    assert_eq!(status("GET", "/query", "q=SHOW+USERS").status, 401);
    assert_eq!(status("POST", "/write", "u=w&db=nope").status, 404);
    assert_eq!(status("POST", "/write", "u=w&db=d").status, 403);
    assert_eq!(guard.asked, ["nope", "d"]);
    let shut = Site {
        ping_auth_enabled: true,
        ..site
    };
    let decision = decide(&head("GET", "/ping", ""), &shut, &mut guard, "");
    assert!(matches!(decision, Decision::Answer(answer) if answer.status == 401));
}

#[test]
fn who_cannot_be_judged_now_keeps_his_batch() {
    let mut guard = Guard {
        user: false,
        asked: Vec::new(),
    };
    let site = Site {
        auth_enabled: true,
        ..Site::default()
    };
    let request = head("POST", "/write", "u=busy&db=d");
    let Decision::Answer(answer) = decide(&request, &site, &mut guard, "") else {
        panic!("no answer");
    };
    let retry_after = answer.header("Retry-After");
    assert_eq!((answer.status, retry_after), (503, &b"7"[..]));
    assert_eq!(answer.header("WWW-Authenticate"), b"");
}

#[test]
fn figures_are_for_admins_where_the_site_says_so() {
    let mut guard = Guard {
        user: false,
        asked: Vec::new(),
    };
    let site = Site {
        auth_enabled: true,
        debug_auth_enabled: true,
        ..Site::default()
    };
    let mut status = |query| match decide(&head("GET", "/debug/vars", query), &site, &mut guard, "")
    {
        Decision::Answer(answer) => answer.status,
        Decision::Vars(_) => 200,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (status(""), status("u=w"), status("u=adm")),
        (401, 403, 200)
    );
}

#[test]
fn a_host_knows_beforehand_whether_it_is_asked_for_the_user() {
    let open = Site::default();
    let guarded = Site {
        auth_enabled: true,
        ..Site::default()
    };
    let shut = Site {
        ping_auth_enabled: true,
        debug_auth_enabled: true,
        ..guarded.clone()
    };
    for (method, path, asked) in [
        ("POST", "/write", [false, true, true]),
        ("POST", "/api/v2/write", [false, true, true]),
        ("GET", "/query", [false, true, true]),
        ("GET", "/write", [false, false, false]),
        ("OPTIONS", "/write", [false, false, false]),
        ("GET", "/nope", [false, false, false]),
        ("GET", "/ping", [false, false, true]),
        ("GET", "/metrics", [false, false, true]),
        ("GET", "/debug/vars", [false, false, true]),
    ] {
        let sites = [&open, &guarded, &shut];
        let asks = sites.map(|site| asks_for_user(&head(method, path, ""), site));
        assert_eq!(asks, asked, "{method} {path}");
    }
}
