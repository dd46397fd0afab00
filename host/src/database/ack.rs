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
    waiting: VecDeque<Waiter>,
    /// The last ticket that is known of: one beyond it is a new record, one that is not is that
    /// of a reader, who waits for what others wrote.
    known: Lsn,
}

#[derive(Debug)]
struct Waiter {
    ticket: Lsn,
    is_writer: bool,
    sender: oneshot::Sender<()>,
}

/// Waiters to be told, once the mutex is free again.
#[derive(Debug, Default)]
#[must_use = "dropping it makes the requests fail"]
pub(super) struct Released(Vec<oneshot::Sender<()>>);

impl AckQueue {
    /// The ack for a ticket.
    pub(super) fn wait(&mut self, ticket: Lsn, durable: Lsn) -> Ack {
        let is_writer = ticket > self.known;
        self.know(ticket);
        if ticket <= durable {
            return Ack::Now;
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.push_back(Waiter {
            ticket,
            is_writer,
            sender,
        });
        Ack::Later(receiver)
    }

    /// The engine has given out tickets up to this one.
    pub(super) fn know(&mut self, ticket: Lsn) {
        self.known = self.known.max(ticket);
    }

    /// The last ticket that is known of.
    pub(super) fn known(&self) -> Lsn {
        self.known
    }

    /// Whether somebody who has not given up waits for a record of their own.
    pub(super) fn has_writers(&self) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|waiter| waiter.is_writer && !waiter.sender.is_closed())
    }

    /// Gives up on those who wait for records of their own.
    pub(super) fn fail_writers(&mut self) {
        self.waiting.retain(|waiter| !waiter.is_writer);
    }

    /// Takes out those whose ticket is durable.
    pub(super) fn release(&mut self, durable: Lsn) -> Released {
        let count = self
            .waiting
            .iter()
            .take_while(|waiter| waiter.ticket <= durable)
            .count();
        Released(
            self.waiting
                .drain(..count)
                .map(|waiter| waiter.sender)
                .collect(),
        )
    }

    /// Gives up on all: their senders are dropped, which the receivers notice. The next engine
    /// may give out the same tickets again.
    pub(super) fn fail(&mut self) {
        *self = Self::default();
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

    #[test]
    fn who_waits_for_what_others_wrote_is_no_writer() {
        let mut queue = AckQueue::default();
        queue.know(Lsn(7));
        let mut reader = queue.wait(Lsn(7), Lsn(5));
        assert!(!queue.has_writers());
        let writer = queue.wait(Lsn(8), Lsn(5));
        assert!(queue.has_writers());
        drop(writer);
        assert!(!queue.has_writers(), "it gave up");
        let mut writer = queue.wait(Lsn(9), Lsn(5));
        queue.fail_writers();
        queue.release(Lsn(9)).tell();
        assert_eq!((told(&mut reader), told(&mut writer)), (true, false));
    }
}
