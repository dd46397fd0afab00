//! The same calls give the same effects, byte for byte: the core linked natively against the
//! guest in wasmtime, in one process.
//!
//! Every answer, every effect record, every persisted byte and every row batch is compared;
//! storage is shared, fails now and then, and both sides are reopened from it.

#[path = "parity/guest.rs"]
mod guest;
#[path = "parity/native.rs"]
mod native;
#[path = "parity/script.rs"]
mod script;
#[path = "parity/twin.rs"]
mod twin;

use std::time::{Duration, Instant};

use guest::GuestModule;
use script::Pair;
use tidegate_tests::proof::say;

#[test]
fn native_and_guest_give_the_same_effects_and_answers() {
    let module = GuestModule::compile();
    let minutes = std::env::var("PROOF_MINUTES").ok();
    let minutes = minutes
        .and_then(|text| text.parse::<u64>().ok())
        .unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(60 * minutes / 3);
    let mut totals = script::Counts::default();
    let mut seed = 1;
    while seed <= 3 || Instant::now() < until {
        let mut pair = Pair::new(&module, seed);
        for _ in 0..400 {
            pair.step();
        }
        totals.add(&pair.finish());
        seed += 1;
    }
    say(&format!("parity: {} seeds, {totals:?}", seed - 1));
    totals.require_all();
}
