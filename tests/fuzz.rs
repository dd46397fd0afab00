//! Random and mutated inputs to everything that reads what strangers send: nothing may panic,
//! trap or take long, and what each reader promises is checked on every input.
//!
//! `make test` tries each target for some seconds, `make proof` for `FUZZ_MINUTES`. `FUZZ_SEED`
//! repeats a run; a failure prints its input.

#[path = "fuzz/guest.rs"]
mod guest;
#[path = "fuzz/gzip.rs"]
mod gzip;
#[path = "fuzz/heads.rs"]
mod heads;
#[path = "fuzz/influxql.rs"]
mod influxql;
#[path = "fuzz/lines.rs"]
mod lines;
#[path = "fuzz/log.rs"]
mod log;

use std::time::Duration;

use tidegate_tests::fuzz;
use tidegate_tests::proof::say;

/// Seconds for a target in `make test`.
const SECONDS: u64 = 3;

fn run(name: &str, target: impl fuzz::Target) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let minutes: Option<u64> = number("FUZZ_MINUTES");
    let seconds = minutes.map_or(SECONDS, |minutes| 60 * minutes);
    let seed = number("FUZZ_SEED").unwrap_or(1);
    let done = fuzz::run(target, seed, Duration::from_secs(seconds));
    say(&format!(
        "fuzz {name}: {} inputs in {seconds} s from seed {seed}, {} accepted, slowest {:?}, 0 \
         failures",
        done.inputs, done.accepted, done.slowest
    ));
    assert!(done.inputs > 100, "too few inputs: {}", done.inputs);
    assert!(done.accepted > 0, "nothing was ever accepted");
}

#[test]
fn line_protocol_is_read_alike_line_by_line_and_twice() {
    run("line protocol", lines::Lines::new());
}

#[test]
fn influxql_that_is_understood_is_understood_as_it_is_printed() {
    run("influxql", influxql::Influxql);
}

#[test]
fn heads_and_parameters_are_answered_whatever_they_are() {
    run("http heads", heads::Heads);
}

#[test]
fn gzip_bodies_are_read_as_another_reader_does() {
    run("gzip bodies", gzip::Gzip);
}

#[test]
fn a_log_of_any_bytes_is_opened_or_refused() {
    run("log", log::Log::new());
}

#[test]
fn a_guest_answers_any_call() {
    run("guest boundary", guest::Guest::new());
}
