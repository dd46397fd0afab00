//! Sending a load and timing its answers.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::crowd;
use super::servers::PATIENCE;
use super::workload::{Requests, Workload};
use crate::kit::Client;

/// More connections than this share one thread: a thread each would cost more than the server
/// that is measured, on the same cores.
const THREADS_MAX: usize = 4;

/// What came of a load.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// From the first byte sent to the last answer.
    pub elapsed: Duration,
    /// Requests sent: always the first ones, in order.
    pub sent: usize,
    /// Points in requests answered 204.
    pub points_acked: u64,
    /// Requests answered otherwise or not at all.
    pub failed: u64,
    /// What the first of those was answered.
    pub first_failure: Option<String>,
    /// Time from request to answer, acknowledged requests only, ascending.
    pub latencies_ns: Vec<u64>,
}

/// Sends `requests` over the workload's connections, each waiting for its answer before it
/// takes the next request that nobody has taken.
pub(super) fn send(
    address: SocketAddr,
    workload: &Workload,
    requests: &Requests,
) -> io::Result<Outcome> {
    let clients = (0..workload.connections).map(|_| Client::connect(address, PATIENCE));
    let clients: Vec<Client> = clients.collect::<io::Result<_>>()?;
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let stop = workload.limit.map(|limit| start + limit);
    let outcomes: Vec<Outcome> = if workload.connections > THREADS_MAX {
        vec![crowd::send(clients, address, requests, &next, stop)?]
    } else {
        thread::scope(|scope| {
            let one =
                |client| scope.spawn(|| one_connection(address, client, requests, &next, stop));
            let threads: Vec<_> = clients.into_iter().map(one).collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .collect()
        })
    };
    let mut total = Outcome {
        elapsed: start.elapsed(),
        ..Outcome::default()
    };
    if outcomes.len() < workload.connections.min(THREADS_MAX) && workload.connections <= THREADS_MAX
    {
        return Err(io::Error::other("a thread of the load generator died"));
    }
    for outcome in outcomes {
        total.sent += outcome.sent;
        total.points_acked += outcome.points_acked;
        total.failed += outcome.failed;
        total.first_failure = total.first_failure.or(outcome.first_failure);
        total.latencies_ns.extend(outcome.latencies_ns);
    }
    total.latencies_ns.sort_unstable();
    Ok(total)
}

fn one_connection(
    address: SocketAddr,
    client: Client,
    requests: &Requests,
    next: &AtomicUsize,
    stop: Option<Instant>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut client = Some(client);
    while stop.is_none_or(|stop| Instant::now() < stop) {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some((bytes, points)) = requests.request(index) else {
            break;
        };
        outcome.sent += 1;
        let start = Instant::now();
        match exchange(address, &mut client, bytes) {
            Ok(None) => {
                outcome.points_acked += u64::from(points);
                outcome.latencies_ns.push(start.elapsed().as_nanos() as u64);
            }
            Ok(Some(refusal)) => outcome.fail(refusal),
            Err(error) => {
                client = None;
                outcome.fail(error.to_string());
            }
        }
    }
    outcome
}

/// Sends one request, over a new connection if the last one broke; `None` if it was taken.
fn exchange(
    address: SocketAddr,
    client: &mut Option<Client>,
    bytes: &[u8],
) -> io::Result<Option<String>> {
    let open = match client {
        Some(open) => open,
        None => client.insert(Client::connect(address, PATIENCE)?),
    };
    open.send(bytes)?;
    let answer = open.receive(false)?;
    let closes = answer.closes();
    let refusal =
        (answer.status != 204).then(|| format!("{} {}", answer.status, answer.text().trim()));
    if closes {
        *client = None;
    }
    Ok(refusal)
}

impl Outcome {
    pub(super) fn fail(&mut self, what: String) {
        self.failed += 1;
        self.first_failure.get_or_insert(what);
    }
}
