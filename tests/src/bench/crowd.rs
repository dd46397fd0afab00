//! Many connections on one thread, each with one request under way.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::load::Outcome;
use super::servers::PATIENCE;
use super::workload::Requests;
use crate::kit::Client;

/// One connection, and what it waits for.
struct Slot {
    client: Client,
    waits: Option<(Instant, u32)>,
}

/// Sends the requests that nobody has taken yet, one at a time on every connection, until `stop`
/// or until none is left; then waits for the answers under way.
///
/// # Errors
/// If the system cannot watch the connections, or the server takes no new ones.
pub(super) fn send(
    clients: Vec<Client>,
    address: SocketAddr,
    requests: &Requests,
    next: &AtomicUsize,
    stop: Option<Instant>,
) -> io::Result<Outcome> {
    let mut poll = Poll::new()?;
    let mut outcome = Outcome::default();
    let mut slots = Vec::with_capacity(clients.len());
    for (index, client) in clients.into_iter().enumerate() {
        watch(&poll, &client, index)?;
        let waits = None;
        slots.push(Slot { client, waits });
    }
    let take = || {
        let open = stop.is_none_or(|stop| Instant::now() < stop);
        open.then(|| requests.request(next.fetch_add(1, Ordering::Relaxed)))?
    };
    for slot in &mut slots {
        slot.ask(take(), &mut outcome);
    }
    let mut events = Events::with_capacity(slots.len());
    while slots.iter().any(|slot| slot.waits.is_some()) {
        poll.poll(&mut events, Some(PATIENCE))?;
        if events.is_empty() {
            return Err(io::Error::other(format!("no answer within {PATIENCE:?}")));
        }
        for event in &events {
            let index = event.token().0;
            let Some(slot) = slots.get_mut(index) else {
                continue;
            };
            if slot.hear(&mut outcome) {
                slot.client = Client::connect(address, PATIENCE)?;
                watch(&poll, &slot.client, index)?;
            }
            if slot.waits.is_none() {
                slot.ask(take(), &mut outcome);
            }
        }
    }
    Ok(outcome)
}

fn watch(poll: &Poll, client: &Client, index: usize) -> io::Result<()> {
    let descriptor = client.stream().as_raw_fd();
    let mut source = SourceFd(&descriptor);
    // A closed socket leaves the list by itself.
    let registry = poll.registry();
    registry.register(&mut source, Token(index), Interest::READABLE)
}

impl Slot {
    fn ask(&mut self, request: Option<(&[u8], u32)>, outcome: &mut Outcome) {
        let Some((bytes, points)) = request else {
            return;
        };
        outcome.sent += 1;
        self.waits = Some((Instant::now(), points));
        // If it fails, so does reading the answer.
        let _ = self.client.send(bytes);
    }

    /// Takes the answer that is there; whether the connection is of no more use.
    fn hear(&mut self, outcome: &mut Outcome) -> bool {
        let Some((start, points)) = self.waits.take() else {
            return true;
        };
        match self.client.receive(false) {
            Ok(answer) if answer.status == 204 => {
                outcome.points_acked += u64::from(points);
                outcome.latencies_ns.push(start.elapsed().as_nanos() as u64);
                answer.closes()
            }
            Ok(answer) => {
                outcome.fail(format!("{} {}", answer.status, answer.text().trim()));
                answer.closes()
            }
            Err(error) => {
                outcome.fail(error.to_string());
                true
            }
        }
    }
}
