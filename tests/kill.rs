//! `kill -9` under load, and damage to the log between two runs.
//!
//! After every crash: what was acknowledged is there with its value, nothing is there twice,
//! nothing is there that nobody sent, and a body is there whole or not at all.
//!
//! `KILLS` (25) is how many times the guest is killed under load, the others a fifth of that;
//! `KILL_SEED` repeats a run; with `PROOF_MINUTES` it goes on for at least that long.

#[path = "kill/damage.rs"]
mod damage;
#[path = "kill/ledger.rs"]
mod ledger;
#[path = "kill/load.rs"]
mod load;

use std::thread::sleep;
use std::time::{Duration, Instant};

use ledger::Ledger;
use tidegate_tests::r#gen::Rng;
use tidegate_tests::kit::{Process, TempDir, free_port};
use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server, command};

/// Kills of one data directory; then another one begins, so that reading back stays quick.
const ERA: u64 = 50;

#[test]
fn what_was_acknowledged_survives_kills_on_the_guest() {
    survive(Face::Guest, number("KILLS", 25));
}

#[test]
fn what_was_acknowledged_survives_kills_natively() {
    survive(Face::Native, number("KILLS", 25) / 5);
}

#[test]
fn what_was_acknowledged_survives_kills_under_node() {
    survive(Face::Node, number("KILLS", 25) / 5);
}

fn survive(face: Face, cycles: u64) {
    if !face.is_here() {
        return;
    }
    let seed = number("KILL_SEED", u64::from(std::process::id()));
    say(&format!("kill, {}: KILL_SEED={seed}", face.name()));
    let until = Instant::now() + Duration::from_secs(60 * number("PROOF_MINUTES", 0) / 3);
    let mut total = Total::default();
    while total.cycles < cycles || Instant::now() < until {
        let cycles = match cycles.saturating_sub(total.cycles) {
            0 => ERA / 5,
            left => left.min(ERA),
        };
        era(face, cycles, seed + total.cycles, &mut total);
    }
    let Total {
        cycles,
        kills,
        acknowledged,
        unanswered,
        found,
        databases,
    } = total;
    say(&format!(
        "kill, {}: {kills} kills, {cycles} under load and {} while starting: {acknowledged} \
         acknowledged points, 0 lost; {unanswered} unanswered bodies of which {found} are there \
         whole; {databases} databases",
        face.name(),
        kills - cycles
    ));
    assert!(
        acknowledged > 100 * cycles,
        "too few points to prove anything"
    );
}

#[derive(Default)]
struct Total {
    cycles: u64,
    kills: u64,
    acknowledged: u64,
    unanswered: usize,
    found: u64,
    databases: usize,
}

/// One data directory, killed again and again.
fn era(face: Face, cycles: u64, seed: u64, total: &mut Total) {
    let mut rng = Rng::new(seed);
    let home = TempDir::new("kill").expect("dir");
    let mut ledger = Ledger::default();
    for cycle in 0..cycles {
        if rng.one_in(4) {
            kill_while_starting(face, &home, &mut rng);
            total.kills += 1;
        }
        let server = Server::start(face, home.path()).expect("it starts after a kill");
        if cycle == 0 {
            for database in load::DATABASES {
                let statement = format!("CREATE DATABASE {database}");
                server.execute(&statement).expect("database");
            }
        }
        // The last run's points, and one older run's; all of them at the end.
        ledger.check_databases(&server);
        if cycle > 0 {
            ledger.check_run(&server, cycle - 1);
            ledger.check_run(&server, rng.below(cycle));
        }
        let run = load::run_until_killed(server, cycle, &mut rng);
        ledger.add(run);
        total.kills += 1;
    }
    let server = Server::start(face, home.path()).expect("it starts after the last kill");
    for run in 0..cycles {
        ledger.check_run(&server, run);
    }
    ledger.check_databases(&server);
    total.cycles += cycles;
    total.acknowledged += ledger.acknowledged();
    total.unanswered += ledger.unanswered();
    total.found += ledger.found_unanswered();
    total.databases += ledger.databases();
}

/// A crash while the log is being read.
fn kill_while_starting(face: Face, home: &TempDir, rng: &mut Rng) {
    let address = free_port().expect("port");
    let mut command = command(face, home.path(), address).expect("command");
    let process = Process::spawn(&mut command, &home.path().join("log")).expect("spawn");
    sleep(Duration::from_millis(rng.below(150)));
    process.kill().expect("kill");
}

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number"))
    })
}
