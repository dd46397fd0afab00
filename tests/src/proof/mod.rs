//! What the integration tests share beyond the kit: the servers they compare, recorded
//! answers, and the list of differences that are on purpose.

pub mod base64;
pub mod compat;
pub mod fixtures;
pub mod guest;
pub mod log;
pub mod meddler;
pub mod points;
pub mod server;

use std::io::Write as _;

/// Prints a line past the test harness's capture: counts are to be seen when all is well too.
pub fn say(line: &str) {
    // A closed stderr is no reason to fail a test.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Reports that a layer under test is not there. Loud, and a failure where `CI` is `true`.
///
/// # Panics
/// With `CI=true`.
pub fn missing_layer(what: &str, how: &str) {
    say(&format!(
        "\n*** MISSING LAYER: {what}\n*** NOT TESTED. {how}\n"
    ));
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "missing layer: {what}; {how}"
    );
}
