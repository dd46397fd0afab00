//! Recorded answers of InfluxDB 1.12 against our server, byte for byte, over HTTP.
//!
//! Every row is sent. A row is equal; or it differs on purpose, which is a line of
//! [`ON_PURPOSE`] and a row of `docs/compatibility.md`; or a rule of [`scope`] says what it
//! needs that is not built. Anything else fails the test.

#[path = "conformance/compare.rs"]
mod compare;
#[path = "conformance/http.rs"]
mod http;
#[path = "conformance/lines.rs"]
mod lines;
#[path = "conformance/queries.rs"]
mod queries;
#[path = "conformance/scope.rs"]
mod scope;

use compare::Tally;
use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::compat;
use tidegate_tests::proof::server::{Face, Server};

/// (file, what identifies the row, id in `docs/compatibility.md`).
const ON_PURPOSE: &[(&str, &str, &str)] = &[("line-protocol", "121", "phantom-series")];

#[test]
fn recorded_answers_are_ours_on_the_guest() {
    every_row(Face::Guest);
}

#[test]
fn recorded_answers_are_ours_natively() {
    every_row(Face::Native);
}

#[test]
fn recorded_answers_are_ours_under_node() {
    every_row(Face::Node);
}

#[test]
fn every_purpose_is_explained() {
    compat::require_rows(ON_PURPOSE.iter().map(|&(_, _, id)| id));
}

fn every_row(face: Face) {
    if !face.is_here() {
        return;
    }
    let home = TempDir::new("conformance").expect("dir");
    let mut tally = Tally::new(face);
    lines::run(&start(face, &home, "lines"), &mut tally);
    http::run(&start(face, &home, "http"), &mut tally);
    if let Some(environment) = http::guarded(face) {
        let server = bare(face, &home, "auth", environment);
        http::run_guarded(&server, &mut tally);
    }
    // One after the other on one server: a file's rows were recorded after the ones before.
    let server = start(face, &home, "queries");
    queries::load(&server);
    queries::run(&server, &mut tally);
    queries::run_ddl(&server, &mut tally);
    let server = start(face, &home, "formats");
    queries::load_as_after_ddl(&server);
    queries::run_formats(&server, &mut tally);
    tally.finish();
}

fn start(face: Face, home: &TempDir, name: &str) -> Server {
    let server = bare(face, home, name, &[]);
    server.execute("CREATE DATABASE d").expect("database");
    server
}

fn bare(face: Face, home: &TempDir, name: &str, environment: &[(&str, &str)]) -> Server {
    let home = home.path().join(name);
    std::fs::create_dir(&home).expect("dir");
    Server::start_with(face, &home, environment).expect("server")
}
