//! One seed, three runtimes, one hash: the core linked natively, the guest in wasmtime, the guest
//! in Node's V8.
//!
//! The simulator runs a world natively and records what its engines are asked; both guests are
//! asked the same, and after every call all that came out has to be the same: answers, rows,
//! effects with their bytes, what recovery found, phase and LSNs.
//!
//! * `TIDEGATE_TRACE_SEEDS=N`: so many seeds from 0 on, 200 by default; `make proof` sets 10,000.
//! * `TIDEGATE_TRACE_SEED=N`: that one alone.

#[path = "trace/guest.rs"]
mod guest;
#[path = "trace/player.rs"]
mod player;
#[path = "trace/run.rs"]
mod run;
#[path = "trace/v8.rs"]
mod v8;

use std::time::Instant;

use guest::Wasmtime;
use player::{Played, Player};
use run::{Runs, record};
use tidegate_tests::proof::guest::{guest_bytes, require_embedded};
use tidegate_tests::proof::say;
use tidegate_tests::trace::{Call, Calls, Recorded};
use v8::V8;

const SEEDS: u64 = 200;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The guest that the server carries.
fn guest() -> Vec<u8> {
    let bytes = guest_bytes();
    require_embedded(&bytes);
    bytes
}

#[test]
fn a_seed_has_the_same_trace_natively_in_wasmtime_and_in_v8() {
    let bytes = guest();
    let wasmtime = Wasmtime::compile(&bytes);
    let began = Instant::now();
    let seeds = match number("TIDEGATE_TRACE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TIDEGATE_TRACE_SEEDS").unwrap_or(SEEDS),
    };
    let is_all = seeds.start == 0 && seeds.end >= SEEDS;
    let runs = Runs::of(seeds.clone(), &wasmtime, &bytes);
    say(&runs.describe(&seeds, began.elapsed()));
    let missing = runs.coverage.missing();
    assert!(
        !is_all || missing.is_empty(),
        "on no tape, so nothing is proven of it: {missing:?}"
    );
    let wrong = runs.wrong.iter();
    let wrong: String = wrong
        .map(|(seed, what)| format!("seed {seed}: {what}\n"))
        .collect();
    assert!(
        wrong.is_empty(),
        "equal everywhere, but wrong everywhere:\n{wrong}"
    );
}

/// Finds a call on a tape and changes a byte of its arguments, or of the hash behind it.
fn tamper(recorded: &Recorded, name: &str, in_hash: bool) -> (Recorded, u32) {
    let calls: Vec<(Call<'_>, u64)> = Calls::new(&recorded.tape).collect();
    let mut found = calls
        .iter()
        .enumerate()
        .filter(|(_, (call, _))| match call {
            // The last write of a world is taken; its answer tells that a line was not understood.
            Call::Write { body, .. } => name == "write" && body.starts_with(b"last v="),
            Call::Supply { bytes, .. } => name == "supply" && !bytes.is_empty(),
            other => other.name() == name,
        });
    let (at, (call, hash)) = found.next_back().expect("such a call");
    let target = match (in_hash, call) {
        (false, Call::Write { body, .. }) => &body[body.len() - 1..],
        (false, Call::Supply { bytes, .. }) => &bytes[..1],
        _ => {
            let lanes = [(hash >> 32) as u32, *hash as u32].map(u32::to_le_bytes);
            let place = memchr::memmem::find(&recorded.tape, lanes.as_flattened());
            let place = place.expect("the hash is on the tape");
            &recorded.tape[place..place + 1]
        }
    };
    let place = target.as_ptr().addr() - recorded.tape.as_ptr().addr();
    let mut changed = recorded.clone();
    changed.tape[place] ^= 1;
    (changed, at as u32)
}

#[test]
fn a_tape_of_which_one_byte_is_another_is_told_at_that_call() {
    let bytes = guest();
    let wasmtime = Wasmtime::compile(&bytes);
    let (recorded, _) = record(3, None);
    let mut players: [Box<dyn Player>; 2] = [Box::new(wasmtime), Box::new(V8::start(&bytes))];
    for player in &mut players {
        let mut play = |recorded: &Recorded, show| {
            player.begin(recorded, show);
            player.end(recorded)
        };
        assert_eq!(play(&recorded, None), Played::Same(recorded.hash));
        for (name, in_hash) in [("poll", true), ("write", false), ("supply", false)] {
            let (changed, at) = tamper(&recorded, name, in_hash);
            let Played::Differs(seen) = play(&changed, None) else {
                panic!("{name}: nobody sees it");
            };
            // What is read at an opening shows in what is found at its end.
            assert!(
                seen == at || name == "supply" && seen > at,
                "{name}: {seen}, not {at}"
            );
            let shown = record(3, Some(seen)).0.watched.expect("that call");
            let Played::Shown(other) = play(&changed, Some(seen)) else {
                panic!("call {seen} is not shown");
            };
            assert_eq!(other == shown, in_hash, "{}", shown.compare(&other));
        }
    }
}
