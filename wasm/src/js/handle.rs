//! A request through the core: what to answer, and what must be durable before that.

use js_sys::{Array, Object, Reflect, Uint8Array};
use tidegate_core::engine::WriteError;
use tidegate_core::http::{
    Answer, BodyError, Counter, Decision, Head, Inflate, QueryPlan, Site, WritePlan, decide,
};
use tidegate_core::ids::Lsn;

use super::convert;
use super::engines::Engines;
use super::figures::{self, Counts};
use super::request_databases::{Change, RequestDatabases};

/// A request as JavaScript has it.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// Path and query, or a whole URL.
    pub(super) url: &'a str,
    /// Names and values, taking turns.
    pub(super) headers: &'a [String],
    pub(super) body: &'a [u8],
    pub(super) now_ns: i64,
    pub(super) request_id: &'a str,
}

/// Answers a request: `{ status, headers, body, tickets, changes, otherwise }`.
///
/// The caller makes the changes and waits for the tickets; if either fails it sends `otherwise`.
pub(super) fn handle(
    engines: &mut Engines,
    site: &Site,
    counts: &mut Counts,
    request: &Request<'_>,
) -> Object {
    counts.begin(request.now_ns);
    let (path, query) = target(request.url);
    let values: Vec<Vec<u8>> = request.headers.iter().map(|text| latin1(text)).collect();
    let headers: Vec<(&str, &[u8])> = request
        .headers
        .chunks_exact(2)
        .zip(values.chunks_exact(2))
        .map(|(names, values)| (names[0].as_str(), values[1].as_slice()))
        .collect();
    let head = Head {
        method: request.method,
        path,
        query,
        headers: &headers,
    };
    let mut databases = RequestDatabases::new(engines, request.now_ns);
    let mut otherwise = lost();
    let answer = match decide(&head, site, &mut databases, request.request_id) {
        Decision::Answer(answer) => answer,
        Decision::Write(plan) => {
            otherwise = plan.answer(&Err(WriteError::Poisoned));
            counts.add(Counter::Writes, 1);
            write(&plan, request, &mut databases, counts).unwrap_or_else(|refusal| refusal)
        }
        Decision::Query(plan) => {
            counts.add(Counter::Queries, 1);
            let answer = run(plan, request.body, &mut databases);
            let answer = answer.unwrap_or_else(|refusal| refusal);
            counts.add(Counter::QueryBytes, answer.body.len() as u64);
            answer
        }
        Decision::Metrics(responder) => figures::metrics(databases.engines(), counts, &responder),
        Decision::Vars(responder) => figures::vars(databases.engines(), counts, &responder),
    };
    counts.answered(path, answer.status);
    let handled = convert::answer(&answer);
    let (tickets, changes) = databases.into_parts();
    set(
        &handled,
        "tickets",
        &tickets.into_iter().map(ticket).collect::<Array>(),
    );
    set(
        &handled,
        "changes",
        &changes.iter().map(change).collect::<Array>(),
    );
    set(&handled, "otherwise", &convert::answer(&otherwise));
    handled
}

fn write(
    plan: &WritePlan,
    request: &Request<'_>,
    databases: &mut RequestDatabases<'_>,
    counts: &mut Counts,
) -> Result<Answer, Answer> {
    let inflated = if plan.gzip {
        Some(inflate(plan, request.body)?)
    } else {
        None
    };
    let body = inflated.as_deref().unwrap_or(request.body);
    if plan.body_bytes_max > 0 && body.len() as u64 > plan.body_bytes_max {
        return Err(plan.body_error(&BodyError::TooLarge));
    }
    counts.add(Counter::WriteBytes, body.len() as u64);
    let Some(result) = databases.write(&plan.database, &plan.request(request.now_ns), body) else {
        return Err(plan.answer(&Err(WriteError::Opening)));
    };
    counts.written(&result);
    Ok(plan.answer(&result))
}

fn inflate(plan: &WritePlan, body: &[u8]) -> Result<Vec<u8>, Answer> {
    // Upstream looks at the stated length only behind a good header.
    let mut head = Inflate::new(0);
    head.inflate(body, &mut [])
        .map_err(|error| plan.body_error(&error))?;
    match plan.too_large_as_declared() {
        Some(answer) if head.past_header() => Err(answer),
        _ => Inflate::whole(body, plan.body_bytes_max).map_err(|error| plan.body_error(&error)),
    }
}

fn run(
    plan: QueryPlan,
    body: &[u8],
    databases: &mut RequestDatabases<'_>,
) -> Result<Answer, Answer> {
    let form = if plan.wants_body() { body } else { &[] };
    if form.len() as u64 > plan.body_bytes_max() {
        return Err(plan.too_large());
    }
    let mut run = plan.begin(form)?;
    let mut answer = run.head();
    while run.next_piece(databases, &mut answer.body) {}
    Ok(answer)
}

/// The answer to a query that saw what then could not be made durable.
fn lost() -> Answer {
    let mut answer = Answer {
        status: 503,
        headers: Vec::new(),
        body: Vec::new(),
    };
    answer.set("Content-Type", b"application/json");
    answer.set("Retry-After", b"1");
    let text = WriteError::Poisoned.to_string();
    answer.body.extend_from_slice(b"{\"error\":");
    tidegate_core::http::json_string(&mut answer.body, text.as_bytes());
    answer.body.extend_from_slice(b"}\n");
    answer
}

fn ticket((engine, lsn): (u32, Lsn)) -> Object {
    convert::ticket(engine, lsn.0)
}

fn change(change: &Change) -> Object {
    let node_id = Uint8Array::from(&change.node_id.to_le_bytes()[..]);
    convert::object(&[
        (
            "kind",
            if change.created { "created" } else { "dropped" }.into(),
        ),
        ("database", change.database.as_str().into()),
        ("engine", change.engine.into()),
        ("nodeId", node_id.into()),
    ])
}

fn set(object: &Object, name: &str, value: &Object) {
    // Setting a property of a plain object does not fail.
    let _ = Reflect::set(object, &name.into(), value);
}

/// Path and query string of an address.
fn target(url: &str) -> (&str, &str) {
    let target = match url.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            let whole = rest.split('#').next().unwrap_or_default();
            whole.find(['/', '?']).map_or("/", |at| &whole[at..])
        }
        _ => url,
    };
    target.split_once('?').unwrap_or((target, ""))
}

/// The bytes of a header value, of which JavaScript makes one character each.
fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|character| u8::try_from(character).unwrap_or(b'?'))
        .collect()
}
