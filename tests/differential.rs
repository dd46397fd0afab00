//! The same requests to every host of ours, and beside them to the packaged InfluxDB 1.6.7.
//!
//! Between our hosts every answer and every stored point is equal. Beside InfluxDB, each
//! request has a database of its own, so that a difference cannot cause another; what
//! differs is put into a class by a rule, and every class is a row of `docs/compatibility.md`.
//!
//! `DIFFERENTIAL_SEED` repeats a run; with `PROOF_MINUTES` new seeds follow for that long between
//! our hosts. `DIFFERENTIAL_BODIES` are compared with InfluxDB.

#[path = "differential/classes.rs"]
mod classes;
#[path = "differential/script.rs"]
mod script;
#[path = "differential/upstream.rs"]
mod upstream;

use std::time::{Duration, Instant};

use script::{Request, Script};
use tidegate_tests::kit::{Client, Response, TempDir};
use tidegate_tests::proof::compat;
use tidegate_tests::proof::server::{Face, PATIENCE, Server};
use tidegate_tests::proof::{missing_layer, say};

const REQUESTS: usize = 2_000;

const BODIES: u64 = 5_000;

#[test]
fn every_host_gives_the_same_answers_and_stores_the_same_points() {
    let faces: Vec<Face> = Face::OURS
        .into_iter()
        .filter(|face| face.is_here())
        .collect();
    if faces.len() < 2 {
        missing_layer("two hosts to compare", "build the server and wasm/dist");
        return;
    }
    each_seed(2, |seed| hosts_agree(&faces, seed));
}

#[test]
fn what_differs_from_influxdb_is_on_the_list() {
    compat::require_rows(classes::IDS);
    let ours = Face::Native;
    if ours.is_here() && Face::Influxd.is_here() {
        let bodies = number("DIFFERENTIAL_BODIES", BODIES);
        upstream::compare(ours, number("DIFFERENTIAL_SEED", 1), bodies);
    }
}

/// Runs with one seed, and with more for a share of `PROOF_MINUTES`.
fn each_seed(share: u64, run: impl Fn(u64)) {
    let first = number("DIFFERENTIAL_SEED", 1);
    let seconds = 60 * number("PROOF_MINUTES", 0) / share;
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut seed = first;
    loop {
        run(seed);
        seed += 1;
        if Instant::now() >= until {
            return;
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number"))
    })
}

/// A server and the connection that the script goes over.
struct Side {
    server: Server,
    client: Client,
    _home: TempDir,
}

impl Side {
    fn start(face: Face) -> Self {
        let home = TempDir::new("differential").expect("dir");
        let server = Server::start(face, home.path()).expect("server");
        let client = server.client().expect("connection");
        Self {
            server,
            client,
            _home: home,
        }
    }

    fn ask(&mut self, request: &Request) -> Response {
        self.try_to_ask(request).unwrap_or_else(|error| {
            let tail = self.server.log_tail();
            panic!("{}: {request:?}: {error}\n{tail}", self.server.face.name())
        })
    }

    /// The answer, or nothing if the request ended the server, which then is not one of ours.
    fn ask_or_lose(&mut self, request: &Request) -> Option<Response> {
        if self.server.face == Face::Influxd {
            return self.try_to_ask(request).ok();
        }
        Some(self.ask(request))
    }

    fn try_to_ask(&mut self, request: &Request) -> std::io::Result<Response> {
        let headers: Vec<(&str, &str)> = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let (method, target) = (request.method, request.target.as_str());
        let sent = self.client.request(method, target, &headers, &request.body);
        let answer = sent.or_else(|_| {
            // The other side may close a kept connection whenever it likes; once.
            self.client = Client::connect(self.server.address, PATIENCE)?;
            self.client.request(method, target, &headers, &request.body)
        })?;
        if answer.closes() {
            self.client = Client::connect(self.server.address, PATIENCE)?;
        }
        Ok(answer)
    }
}

/// What two hosts must agree on; not the date, nor the id of the request.
fn facts(answer: &Response) -> Vec<String> {
    let mut facts = vec![answer.status.to_string(), answer.text()];
    for name in [
        "Content-Type",
        "X-Influxdb-Error",
        "X-Influxdb-Version",
        "X-Influxdb-Build",
        "X-Tidegate-Ack",
        "X-Tidegate-Version",
        "Retry-After",
        "Allow",
        "WWW-Authenticate",
        "Access-Control-Allow-Origin",
    ] {
        let value = answer.header_bytes(name).map(String::from_utf8_lossy);
        facts.push(format!("{name}: {value:?}"));
    }
    facts
}

fn hosts_agree(faces: &[Face], seed: u64) {
    let mut sides: Vec<Side> = faces.iter().map(|&face| Side::start(face)).collect();
    let mut statuses = std::collections::BTreeMap::new();
    let mut script = Script::new(seed);
    let mut requests = script.opening();
    requests.extend((0..REQUESTS).map(|_| script.request()));
    requests.extend(script.closing());
    let mut different = Vec::new();
    for (position, request) in requests.iter().enumerate() {
        let answers: Vec<Response> = sides.iter_mut().map(|side| side.ask(request)).collect();
        let first = facts(&answers[0]);
        *statuses.entry(answers[0].status).or_insert(0) += 1;
        for (side, answer) in sides.iter().zip(&answers).skip(1) {
            let other = facts(answer);
            let differs = first.iter().zip(&other).find(|(one, two)| one != two);
            if let Some((one, two)) = differs {
                different.push(format!(
                    "request {position} {request:?}\n    {}: {}\n    {}: {}",
                    faces[0].name(),
                    cut(one),
                    side.server.face.name(),
                    cut(two)
                ));
            }
        }
    }
    let names: Vec<&str> = faces.iter().map(|face| face.name()).collect();
    say(&format!(
        "differential, {}: seed {seed}, {} requests, {} answers differ; statuses {statuses:?}",
        names.join(" = "),
        requests.len(),
        different.len()
    ));
    for difference in different.iter().take(20) {
        say(&format!("  {difference}"));
    }
    assert!(different.is_empty(), "hosts differ (seed {seed})");
    for status in [200, 204, 400, 404, 405] {
        assert!(
            statuses.contains_key(&status),
            "{status} was never answered"
        );
    }
}

fn cut(text: &str) -> String {
    let shown: String = text.chars().take(300).collect();
    format!("{shown:?}")
}
