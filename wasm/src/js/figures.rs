//! The server's own figures.

use tidegate_core::engine::{WriteError, WriteReport};
use tidegate_core::http::{self, Answer, Counter, Responder, Uptime, json_string};

use super::engines::Engines;

/// What the server counts about its requests. Nothing here can read a clock between two moments of
/// a request, so the times stay 0.
#[derive(Debug, Default)]
pub(super) struct Counts {
    counts: [u64; Counter::COUNT],
    started_ns: Option<i64>,
    now_ns: i64,
}

impl Counts {
    /// A request came at `now_ns`.
    pub(super) fn begin(&mut self, now_ns: i64) {
        self.now_ns = now_ns;
        self.started_ns.get_or_insert(now_ns);
        self.add(Counter::Requests, 1);
    }

    /// Adds to a counter.
    pub(super) const fn add(&mut self, counter: Counter, count: u64) {
        self.counts[counter as usize] += count;
    }

    /// What an engine said to a write.
    pub(super) fn written(&mut self, result: &Result<WriteReport, WriteError>) {
        self.add(Counter::EngineWrites, 1);
        let Ok(report) = result else {
            return self.add(Counter::EngineWritesFailed, 1);
        };
        self.add(Counter::EngineWritesOk, 1);
        self.add(Counter::PointsOk, report.written);
        self.add(Counter::PointsDropped, report.dropped);
        self.add(Counter::PointsFailed, report.unparsed);
    }

    /// A request is answered with this status.
    pub(super) fn answered(&mut self, path: &str, status: u16) {
        match path {
            "/ping" => self.add(Counter::Pings, 1),
            "/status" => self.add(Counter::Statuses, 1),
            _ => {}
        }
        match status {
            400..500 => self.add(Counter::ClientErrors, 1),
            500.. => self.add(Counter::ServerErrors, 1),
            _ => {}
        }
    }

    fn get(&self, counter: Counter, databases: usize) -> u64 {
        match counter {
            Counter::Databases => databases as u64,
            _ => self.counts[counter as usize],
        }
    }
}

/// As Prometheus reads them.
pub(super) fn metrics(engines: &mut Engines, counts: &Counts, responder: &Responder) -> Answer {
    let mut answer = responder.empty(200);
    answer.headers.retain(|(name, _)| *name != "Content-Type");
    answer.set("Content-Type", b"text/plain; version=0.0.4; charset=utf-8");
    let databases = engines.names().len();
    let counted = http::metrics(|counter| counts.get(counter, databases));
    answer.body.extend_from_slice(counted.as_bytes());
    let figures = lsns(engines);
    for (index, kind) in KINDS.iter().enumerate() {
        let head = format!("# TYPE tidegate_{kind}_lsn counter\n");
        answer.body.extend_from_slice(head.as_bytes());
        for (name, lsns) in &figures {
            answer
                .body
                .extend_from_slice(format!("tidegate_{kind}_lsn{{database=").as_bytes());
            json_string(&mut answer.body, name.as_bytes());
            answer
                .body
                .extend_from_slice(format!("}} {}\n", lsns[index]).as_bytes());
        }
    }
    answer
}

/// As upstream's `/debug/vars` shows them, and an object to a database.
pub(super) fn vars(engines: &mut Engines, counts: &Counts, responder: &Responder) -> Answer {
    let mut answer = responder.empty(200);
    answer.headers.retain(|(name, _)| *name != "Content-Type");
    answer.set("Content-Type", b"application/json; charset=utf-8");
    let out = &mut answer.body;
    let uptime = Uptime {
        bind: "",
        now_ns: counts.now_ns,
        started_ns: counts.started_ns.unwrap_or(counts.now_ns),
    };
    let databases = engines.names().len();
    let counted = http::vars(|counter| counts.get(counter, databases), &uptime);
    out.extend_from_slice(counted.as_bytes());
    for (name, lsns) in lsns(engines) {
        out.extend_from_slice(b",\n");
        json_string(out, format!("engine:{name}").as_bytes());
        out.extend_from_slice(b": {\"name\":\"engine\",\"tags\":{\"database\":");
        json_string(out, name.as_bytes());
        let [accepted, submitted, durable] = lsns;
        let values = format!(
            "}},\"values\":{{\"accepted\":{accepted},\"submitted\":{submitted},\
             \"durable\":{durable}}}}}"
        );
        out.extend_from_slice(values.as_bytes());
    }
    out.extend_from_slice(b"\n}\n");
    answer
}

const KINDS: [&str; 3] = ["accepted", "submitted", "durable"];

fn lsns(engines: &mut Engines) -> Vec<(String, [u64; 3])> {
    let names = engines.names().to_vec();
    let figures = names.into_iter().filter_map(|name| {
        let (_, engine) = engines.named(&name)?;
        let lsns = [
            engine.accepted_lsn(),
            engine.submitted_lsn(),
            engine.durable_lsn(),
        ];
        Some((name, lsns.map(|lsn| lsn.0)))
    });
    figures.collect()
}
