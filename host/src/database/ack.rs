//! Tickets: who waits for which of them to become durable.

use std::collections::VecDeque;

use tidegate_core::ids::Lsn;
use tokio::sync::oneshot;

/// A promise that a ticket will be durable. An error means that it will not be known.
#[derive(Debug)]
pub(crate) enum Ack {
    /// It is already.
    Now,
    /// It will be told.
    Later(oneshot::Receiver<()>),
}

/// Those who wait, in order of their tickets: tickets are given out under the same mutex that
/// this queue is behind, so each is at least the one before.
#[derive(Debug, Default)]
pub(super) struct AckQueue {
    waiting: VecDeque<(Lsn, oneshot::Sender<()>)>,
}

/// Waiters to be told, once the mutex is free again.
#[derive(Debug, Default)]
#[must_use = "dropping it makes the requests fail"]
pub(super) struct Released(Vec<oneshot::Sender<()>>);

impl AckQueue {
    /// The ack for a ticket.
    pub(super) fn wait(&mut self, ticket: Lsn, durable: Lsn) -> Ack {
        if ticket <= durable {
            return Ack::Now;
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.push_back((ticket, sender));
        Ack::Later(receiver)
    }

    /// Takes out those whose ticket is durable.
    pub(super) fn release(&mut self, durable: Lsn) -> Released {
        let count = self
            .waiting
            .iter()
            .take_while(|(ticket, _)| *ticket <= durable)
            .count();
        Released(
            self.waiting
                .drain(..count)
                .map(|(_, sender)| sender)
                .collect(),
        )
    }

    /// Gives up on all: their senders are dropped, which the receivers notice.
    pub(super) fn fail(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Released {
    /// Tells them.
    pub(super) fn tell(self) {
        for sender in self.0 {
            // A client that went away is not an error.
            let _ = sender.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ack: &mut Ack) -> bool {
        match ack {
            Ack::Now => true,
            Ack::Later(receiver) => receiver.try_recv().is_ok(),
        }
    }

    #[test]
    fn a_ticket_is_told_when_it_is_durable_and_not_before() {
        let mut queue = AckQueue::default();
        assert!(told(&mut queue.wait(Lsn(3), Lsn(3))));
        let mut acks = [4, 5, 5, 6].map(|lsn| queue.wait(Lsn(lsn), Lsn(3)));
        queue.release(Lsn(5)).tell();
        assert_eq!(acks.each_mut().map(told), [true, true, true, false]);
        assert!(!queue.is_empty());
        queue.fail();
        let Ack::Later(last) = &mut acks[3] else {
            panic!("waits")
        };
        assert_eq!(last.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }
}
