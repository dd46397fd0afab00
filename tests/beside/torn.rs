//! A torn tail and two crashes.

use std::fs;

use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::log;
use tidegate_tests::proof::points::points_of;
use tidegate_tests::proof::server::{Face, Server};

use crate::{last_segment, select, start, write};

/// Acknowledged before the tail is torn.
const BEFORE: u64 = 50;

pub(crate) struct Torn {
    pub before: u64,
    pub lost_before: u64,
    pub lost_after: u64,
}

pub(crate) fn run(face: Face, writes: u64) -> Torn {
    let home = TempDir::new("beside").expect("dir");
    let server = start(face, home.path()).expect("server");
    server.execute("CREATE DATABASE d").expect("database");
    fill(&server, 0, BEFORE);
    server.kill().expect("killed");

    // A write that a power cut ended: the first bytes of a record, behind the last one.
    let segment = last_segment(home.path());
    let mut bytes = fs::read(&segment).expect("segment");
    let record = if face == Face::Influxd {
        0
    } else {
        bytes.truncate(log::end(&bytes));
        bytes.len() - 64
    };
    bytes.extend_from_within(record..record + 10);
    fs::write(&segment, bytes).expect("torn");

    let server = start(face, home.path()).expect("it starts with a torn tail");
    fill(&server, BEFORE, writes);
    server.kill().expect("killed");

    let server = start(face, home.path()).expect("it starts again");
    let answer = select(&server, "SELECT v FROM m").expect("answer");
    let stored = points_of(&answer).expect("points");
    let lost = |from: u64, count: u64| {
        let numbers = from..from + count;
        let gone = numbers.filter(|&number| !stored.contains_key(&("m".to_owned(), time(number))));
        gone.count() as u64
    };
    Torn {
        before: BEFORE,
        lost_before: lost(0, BEFORE),
        lost_after: lost(BEFORE, writes),
    }
}

fn fill(server: &Server, from: u64, count: u64) {
    let mut client = server.client().expect("connection");
    for number in from..from + count {
        write(&mut client, &format!("m v={number}i {}", time(number)));
    }
}

fn time(number: u64) -> i64 {
    1_767_225_600_000_000_000 + number as i64
}
