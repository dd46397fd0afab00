//! What all runs were told, and holding the server to it.

use std::collections::BTreeMap;

use tidegate_tests::proof::points::points_of;
use tidegate_tests::proof::server::Server;

use crate::load::{Body, DATABASES, Run, time_ns, value};

/// Every run so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    runs: Vec<Run>,
    found_unanswered: BTreeMap<u64, u64>,
}

impl Ledger {
    pub(crate) fn add(&mut self, run: Run) {
        self.runs.push(run);
    }

    fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.runs.iter().flat_map(|run| &run.bodies)
    }

    /// Points whose write was answered 204.
    pub(crate) fn acknowledged(&self) -> u64 {
        let bodies = self.bodies().filter(|body| body.acknowledged);
        bodies.map(|body| body.count).sum()
    }

    /// Bodies without an answer.
    pub(crate) fn unanswered(&self) -> usize {
        self.bodies().filter(|body| !body.acknowledged).count()
    }

    /// Of those, how many are stored.
    pub(crate) fn found_unanswered(&self) -> u64 {
        self.found_unanswered.values().sum()
    }

    /// Databases whose creation was answered.
    pub(crate) fn databases(&self) -> usize {
        self.runs.iter().map(|run| run.created.len()).sum::<usize>() + DATABASES.len()
    }

    /// Every created database is there.
    pub(crate) fn check_databases(&self, server: &Server) {
        let answer = server.query("", "SHOW DATABASES").expect("answer").text();
        let created = self.runs.iter().flat_map(|run| &run.created);
        let created = created.map(String::as_str).chain(DATABASES);
        for name in created {
            let listed = answer.contains(&format!("[\"{name}\"]"));
            assert!(
                listed,
                "database {name} was acknowledged and is gone: {answer}"
            );
        }
    }

    /// The points of one run are what was acknowledged, and nothing that was not sent.
    pub(crate) fn check_run(&mut self, server: &Server, number: u64) {
        let run = &self.runs[number as usize];
        let mut found = 0;
        for (database, name) in DATABASES.iter().enumerate() {
            let statement = format!("SELECT v FROM run{number} GROUP BY w");
            let answer = server.query(name, &statement).expect("answer");
            let stored = points_of(&answer.body).unwrap_or_else(|error| panic!("{error}"));
            let mut explained = 0;
            for body in run.bodies.iter().filter(|body| body.database == database) {
                let there = (body.first..body.first + body.count)
                    .filter(|&point| {
                        let series = format!("run{number},w={}", body.writer);
                        let row = stored.get(&(series, time_ns(point)));
                        let cell = row.and_then(|row| row.get("v"));
                        if let Some(cell) = cell {
                            assert_eq!(*cell, value(body.writer, point).to_string(), "{body:?}");
                        }
                        cell.is_some()
                    })
                    .count() as u64;
                explained += there;
                if body.acknowledged {
                    assert_eq!(there, body.count, "run {number}: lost of {body:?}");
                } else {
                    let whole = there == 0 || there == body.count;
                    assert!(whole, "run {number}: {there} points of {body:?}");
                    found += u64::from(there > 0);
                }
            }
            assert_eq!(
                stored.len() as u64,
                explained,
                "run {number}: points nobody sent"
            );
        }
        self.found_unanswered.insert(number, found);
    }
}
