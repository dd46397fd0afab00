//! Logins, statements and what they allow, without a network.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tidegate_core::http::{Credentials, Denied};
use tidegate_core::influxql::{Statement, parse_query};

use super::{Identity, Users};
use crate::config::Secret;
use crate::store::DataDir;
use crate::testing::TempDir;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct World {
    temp: TempDir,
    _data: DataDir,
    users: Arc<Users>,
}

impl World {
    fn new() -> Self {
        let temp = TempDir::new();
        let data = DataDir::open(temp.path()).expect("created");
        let users = Users::load(temp.path(), Secret::default()).expect("loaded");
        Self {
            users: Arc::new(users),
            _data: data,
            temp,
        }
    }

    /// As [`new`](Self::new), with an admin `adm:pa`, `w:pw` who may write to `d`, and `r:pr` who
    /// may read it.
    fn peopled() -> Self {
        let world = Self::new();
        for statement in [
            "CREATE USER adm WITH PASSWORD 'pa' WITH ALL PRIVILEGES",
            "CREATE USER w WITH PASSWORD 'pw'",
            "CREATE USER r WITH PASSWORD 'pr'",
            "GRANT WRITE ON d TO w",
            "GRANT READ ON d TO r",
        ] {
            world.run(statement).expect(statement);
        }
        world
    }

    fn again(&self) -> Users {
        Users::load(self.temp.path(), Secret::default()).expect("loaded")
    }

    fn run(&self, statement: &str) -> Result<(), String> {
        self.run_as(statement, &Identity::Open)
    }

    fn run_as(&self, statement: &str, identity: &Identity) -> Result<(), String> {
        let mut out = Vec::new();
        let exists = |name: &str| name == "d";
        let statement = parse(statement).remove(0);
        let done = self.users.perform(&statement, identity, exists, &mut out);
        done.expect("about users")
    }

    async fn login(&self, name: &str, password: &str) -> Result<Identity, Denied> {
        let credentials = Credentials::User {
            name: name.into(),
            password: password.into(),
        };
        self.users.identify(Some(credentials), HERE, 0).await
    }
}

fn parse(text: &str) -> Vec<Statement> {
    let parsed = parse_query(text).expect(text);
    parsed.into_iter().map(|parsed| parsed.statement).collect()
}

fn unauthorized(text: &str) -> Option<Denied> {
    Some(Denied::Unauthorized(text.into()))
}

#[test]
fn statements_are_refused_in_upstreams_words() {
    let world = World::peopled();
    for (statement, refused) in [
        ("CREATE USER w WITH PASSWORD 'pw'", None),
        (
            "CREATE USER w WITH PASSWORD 'other'",
            Some("user already exists"),
        ),
        (
            "CREATE USER w WITH PASSWORD 'pw' WITH ALL PRIVILEGES",
            Some("user already exists"),
        ),
        (
            "CREATE USER \"\" WITH PASSWORD 'x'",
            Some("username required"),
        ),
        ("GRANT READ ON d TO nobody", Some("user not found")),
        ("GRANT READ ON nope TO nobody", Some("user not found")),
        ("GRANT READ ON nope TO w", Some("database not found: nope")),
        (
            "REVOKE READ ON nope FROM w",
            Some("database not found: nope"),
        ),
        ("REVOKE ALL ON d FROM nobody", Some("user not found")),
        ("GRANT ALL PRIVILEGES TO nobody", Some("user not found")),
        ("REVOKE ALL PRIVILEGES FROM nobody", Some("user not found")),
        ("SET PASSWORD FOR nobody = 'x'", Some("user not found")),
        ("SHOW GRANTS FOR nobody", Some("user not found")),
        ("DROP USER nobody", Some("user not found")),
        ("DROP USER w", None),
        ("DROP USER w", Some("user not found")),
    ] {
        let done = world.run(statement);
        assert_eq!(done.err().as_deref(), refused, "{statement}");
    }
}

#[test]
fn every_change_is_there_after_a_restart() {
    let world = World::peopled();
    let same = |step: &str| {
        assert_eq!(world.again().current(), world.users.current(), "{step}");
    };
    same("created and granted");
    for statement in [
        "GRANT ALL ON d TO w",
        "REVOKE WRITE ON d FROM w",
        "REVOKE ALL ON d FROM r",
        "SET PASSWORD FOR r = 'other'",
        "GRANT ALL PRIVILEGES TO r",
        "REVOKE ALL PRIVILEGES FROM adm",
        "DROP USER adm",
    ] {
        let before = world.users.current();
        world.run(statement).expect(statement);
        assert_ne!(before, world.users.current(), "{statement}");
        same(statement);
    }
    world.users.forget_database("d").expect("forgotten");
    same("a database dropped");
    let left = world.users.current();
    assert!(left.all().iter().all(|user| user.privileges.is_empty()));
}

#[test]
fn what_cannot_be_stored_does_not_happen() {
    let world = World::peopled();
    // The temporary file cannot be made where a directory bears its name.
    std::fs::create_dir(world.temp.path().join("users.new")).expect("made");
    let refused = world.run("REVOKE WRITE ON d FROM w").expect_err("refused");
    assert!(refused.starts_with("cannot store users: "), "{refused}");
    assert_eq!(world.again().current(), world.users.current());
}

#[tokio::test]
async fn until_there_is_an_admin_nobody_is_asked_and_little_is_allowed() {
    let world = World::new();
    let anybody = world.login("x", "y").await.expect("no admin yet");
    assert!(matches!(anybody, Identity::Nobody));
    assert!(!anybody.is_admin());
    let refused = anybody.may_write("d").expect_err("refused");
    assert_eq!(refused, "user is required to write to database \"d\"");
    let may = |text: &str, users| anybody.may_run(parse(text).iter(), "d", users);
    let first = "create admin user first or disable authentication";
    for text in ["SHOW DATABASES", "CREATE USER u WITH PASSWORD 'p'"] {
        assert_eq!(may(text, 0).expect_err(text), first);
    }
    let create = "CREATE USER a WITH PASSWORD 'p' WITH ALL PRIVILEGES; CREATE DATABASE d";
    may(create, 0).expect("the first admin");
    assert_eq!(
        may(create, 1).expect_err("not any more"),
        "no user provided"
    );
    // Two at the same time: one of them is second.
    world.run_as(create, &anybody).expect("the first admin");
    let second = "CREATE USER b WITH PASSWORD 'p' WITH ALL PRIVILEGES";
    let refused = world.run_as(second, &anybody).expect_err("the second");
    assert_eq!(refused, "no user provided");
}

#[tokio::test]
async fn a_password_lets_in_until_it_is_changed() {
    let world = World::peopled();
    for _ in 0..2 {
        let identity = world.login("w", "pw").await.expect("let in");
        identity.may_write("d").expect("granted");
        let refused = identity.may_write("e").expect_err("refused");
        assert_eq!(
            refused,
            "\"w\" user is not authorized to write to database \"e\""
        );
    }
    for (name, password) in [("w", "pW"), ("w", ""), ("W", "pw"), ("nobody", "pw")] {
        let denied = world.login(name, password).await.err();
        assert_eq!(denied, unauthorized("authorization failed"), "{name}");
    }
    assert_eq!(
        world.login("", "pw").await.err(),
        unauthorized("username required")
    );
    world.run("SET PASSWORD FOR w = 'new'").expect("set");
    let old = world.login("w", "pw").await.err();
    assert_eq!(
        old,
        unauthorized("authorization failed"),
        "the cache must not know it"
    );
    world.login("w", "new").await.expect("let in");
    world.run("DROP USER w").expect("dropped");
    world.login("w", "new").await.expect_err("gone");
}

#[tokio::test]
async fn what_a_user_may_do_is_as_of_its_request() {
    let world = World::peopled();
    let reader = world.login("r", "pr").await.expect("let in");
    let may = |identity: &Identity, text: &str| identity.may_run(parse(text).iter(), "d", 3);
    may(&reader, "SELECT v FROM cpu; SHOW DATABASES").expect("granted");
    for (text, reason) in [
        (
            "SELECT v FROM e..cpu",
            "SELECT v FROM e..cpu', requires READ on e",
        ),
        ("SHOW USERS", "SHOW USERS', requires admin privilege"),
        (
            "SET PASSWORD FOR r = 'hush'",
            "SET PASSWORD FOR r = [REDACTED]', requires admin privilege",
        ),
        (
            "SHOW DATABASES; DROP SERIES FROM cpu",
            "DROP SERIES FROM cpu', requires WRITE on d",
        ),
    ] {
        let refused = may(&reader, text).expect_err(text);
        assert_eq!(
            refused,
            format!("r not authorized to execute statement '{reason}")
        );
    }
    assert_eq!((reader.sees("d"), reader.sees("e")), (true, false));
    world.run("GRANT ALL PRIVILEGES TO r").expect("granted");
    may(&reader, "SHOW USERS").expect_err("it came before");
    let admin = world.login("r", "pr").await.expect("let in");
    may(&admin, "SHOW USERS").expect("an admin");
    assert!(admin.is_admin() && admin.sees("e") && admin.may_write("e").is_ok());
}

#[tokio::test]
async fn guessing_is_slowed_down_and_who_is_known_goes_on() {
    let world = World::peopled();
    world.login("w", "pw").await.expect("let in");
    let mut wrong = 0;
    let denied = loop {
        match world.login("w", "no").await {
            Err(Denied::Unauthorized(_)) => wrong += 1,
            other => break other,
        }
    };
    let Err(Denied::Later { text, seconds }) = denied else {
        panic!("{denied:?}");
    };
    assert_eq!(
        (wrong >= 50, text.as_str()),
        (true, "too many failed logins, retry later")
    );
    assert!((1..=6).contains(&seconds), "{seconds}");
    world.login("w", "pw").await.expect("it is known");
    world.login("r", "pr").await.expect("another name");
    let fresh = Users::load(world.temp.path(), Secret::default()).expect("loaded");
    let credentials = Credentials::User {
        name: b"w".to_vec(),
        password: b"pw".to_vec(),
    };
    fresh
        .identify(Some(credentials), HERE, 0)
        .await
        .expect("let in");
}

#[tokio::test]
async fn tokens_need_a_secret_and_a_user() {
    let world = World::peopled();
    let token = || Some(Credentials::Bearer(b"abc".to_vec()));
    let denied = world.users.identify(token(), HERE, 0).await.err();
    assert_eq!(denied, unauthorized("bearer auth disabled"));
    let with = Users::load(world.temp.path(), Secret::from("sesame".to_owned())).expect("loaded");
    let denied = with.identify(token(), HERE, 0).await.err();
    assert_eq!(
        denied,
        unauthorized("token contains an invalid number of segments")
    );
    assert_eq!(
        with.identify(None, HERE, 0).await.err(),
        unauthorized(Credentials::UNREADABLE)
    );
}
