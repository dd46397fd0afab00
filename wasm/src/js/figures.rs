//! The server's own figures.

use tidegate_core::http::{Answer, Responder, json_string};

use super::engines::Engines;

/// As Prometheus reads them.
pub(super) fn metrics(engines: &mut Engines, responder: &Responder) -> Answer {
    let mut answer = responder.empty(200);
    answer.headers.retain(|(name, _)| *name != "Content-Type");
    answer.set("Content-Type", b"text/plain; version=0.0.4; charset=utf-8");
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

/// As upstream's `/debug/vars` shows them: an object to a database.
pub(super) fn vars(engines: &mut Engines, responder: &Responder) -> Answer {
    let mut answer = responder.empty(200);
    let out = &mut answer.body;
    out.push(b'{');
    for (index, (name, lsns)) in lsns(engines).iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
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
