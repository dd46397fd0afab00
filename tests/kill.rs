//! `kill -9` under load, and damage to the log between two runs.
//!
//! After every crash: what was acknowledged is there with its value, nothing is there twice,
//! nothing is there that nobody sent, and a body is there whole or not at all.
//!
//! `KILL_CYCLES` (25) and `KILL_SEED` set the length and repeat a run; with `PROOF_MINUTES`
//! the cycles go on for that long.

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

#[test]
fn what_was_acknowledged_survives_kills_on_the_guest() {
    survive(Face::Guest, number("KILL_CYCLES", 25));
}

#[test]
fn what_was_acknowledged_survives_kills_natively() {
    survive(Face::Native, number("KILL_CYCLES", 25) / 5);
}

#[test]
fn what_was_acknowledged_survives_kills_under_node() {
    survive(Face::Node, number("KILL_CYCLES", 25) / 5);
}

fn survive(face: Face, cycles_min: u64) {
    if !face.is_here() {
        return;
    }
    let seed = number("KILL_SEED", u64::from(std::process::id()));
    say(&format!("kill, {}: KILL_SEED={seed}", face.name()));
    let until = Instant::now() + Duration::from_secs(60 * number("PROOF_MINUTES", 0) / 3);
    let mut rng = Rng::new(seed);
    let home = TempDir::new("kill").expect("dir");
    let mut ledger = Ledger::default();
    let mut kills = 0;
    let mut cycle = 0;
    while cycle < cycles_min || Instant::now() < until {
        if rng.one_in(4) {
            kill_while_starting(face, &home, &mut rng);
            kills += 1;
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
        kills += 1;
        cycle += 1;
    }
    let server = Server::start(face, home.path()).expect("it starts after the last kill");
    for run in 0..cycle {
        ledger.check_run(&server, run);
    }
    ledger.check_databases(&server);
    say(&format!(
        "kill, {}: {kills} kills, {} acknowledged points all there, {} unanswered bodies of \
         which {} are there whole, {} databases",
        face.name(),
        ledger.acknowledged(),
        ledger.unanswered(),
        ledger.found_unanswered(),
        ledger.databases()
    ));
    assert!(
        ledger.acknowledged() > 100 * cycle,
        "too few points to prove anything"
    );
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
