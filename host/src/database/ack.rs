//! Tickets: who waits for which of them to be written or durable, and what was promised before.

use std::collections::VecDeque;

use tidegate_core::http::AckLevel;
use tidegate_core::ids::Lsn;
use tokio::sync::oneshot;

/// A promise that a ticket will be as safe as was asked. An error means that it will not be known.
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
    /// For `durable`.
    syncing: VecDeque<Waiter>,
    /// For `wal`.
    writing: VecDeque<Waiter>,
    /// Writes that ask for less than `durable`, until they are: what was told of them is owed.
    early: VecDeque<Early>,
    /// The last ticket whose bytes the operating system has.
    written: Lsn,
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

#[derive(Debug)]
struct Early {
    ticket: Lsn,
    level: AckLevel,
    points: u64,
}

/// Waiters to be told, once the mutex is free again.
#[derive(Debug, Default)]
#[must_use = "dropping it makes the requests fail"]
pub(super) struct Released(Vec<oneshot::Sender<()>>);

impl AckQueue {
    /// The ack for a ticket that stands for so many new points.
    pub(super) fn wait(&mut self, ticket: Lsn, durable: Lsn, level: AckLevel, points: u64) -> Ack {
        let is_writer = ticket > self.known;
        self.know(ticket);
        if ticket <= durable {
            return Ack::Now;
        }
        if level < AckLevel::Durable && points > 0 {
            self.early.push_back(Early {
                ticket,
                level,
                points,
            });
        }
        let queue = match level {
            AckLevel::Memory => return Ack::Now,
            AckLevel::Wal => &mut self.writing,
            AckLevel::Durable => &mut self.syncing,
        };
        let (sender, receiver) = oneshot::channel();
        queue.push_back(Waiter {
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

    /// Whether somebody waits for a ticket up to this one to be written.
    pub(super) fn awaits_writing(&self, up_to: Lsn) -> bool {
        let first = self.writing.front();
        first.is_some_and(|waiter| waiter.ticket <= up_to)
    }

    /// Whether somebody who has not given up waits for a record of their own.
    pub(super) fn has_writers(&self) -> bool {
        let mut waiting = self.syncing.iter().chain(&self.writing);
        waiting.any(|waiter| waiter.is_writer && !waiter.sender.is_closed())
    }

    /// Gives up on those who wait for records of their own.
    pub(super) fn fail_writers(&mut self) {
        self.syncing.retain(|waiter| !waiter.is_writer);
        self.writing.retain(|waiter| !waiter.is_writer);
        let written = self.written;
        self.early.retain(|early| early.is_owed(written));
    }

    /// Whether points are acknowledged that are not durable yet.
    pub(super) fn owes(&self) -> bool {
        self.early.iter().any(|early| early.is_owed(self.written))
    }

    /// Takes out those who waited for no more than this: the operating system has the bytes.
    pub(super) fn written(&mut self, up_to: Lsn) -> Released {
        self.written = self.written.max(up_to);
        let mut released = Released::default();
        released.take(&mut self.writing, up_to);
        released
    }

    /// Takes out those whose ticket is durable.
    pub(super) fn durable(&mut self, durable: Lsn) -> Released {
        let count = self.early.partition_point(|early| early.ticket <= durable);
        self.early.drain(..count);
        let mut released = self.written(durable);
        released.take(&mut self.syncing, durable);
        released
    }

    /// Gives up on all: their senders are dropped, which the receivers notice. The next engine
    /// may give out the same tickets again. How many points were acknowledged already.
    pub(super) fn fail(&mut self) -> u64 {
        let failed = std::mem::take(self);
        let owed = failed.early.iter();
        owed.filter(|early| early.is_owed(failed.written))
            .map(|early| early.points)
            .sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.syncing.is_empty() && self.writing.is_empty() && self.early.is_empty()
    }
}

impl Early {
    /// Whether its client was told that it is acknowledged.
    fn is_owed(&self, written: Lsn) -> bool {
        self.level == AckLevel::Memory || self.ticket <= written
    }
}

impl Released {
    fn take(&mut self, queue: &mut VecDeque<Waiter>, up_to: Lsn) {
        let count = queue.partition_point(|waiter| waiter.ticket <= up_to);
        self.0
            .extend(queue.drain(..count).map(|waiter| waiter.sender));
    }

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
        assert!(told(&mut queue.wait(Lsn(3), Lsn(3), AckLevel::Durable, 1)));
        let mut acks = [4, 5, 5, 6].map(|lsn| queue.wait(Lsn(lsn), Lsn(3), AckLevel::Durable, 1));
        queue.durable(Lsn(5)).tell();
        assert_eq!(acks.each_mut().map(told), [true, true, true, false]);
        assert!(!queue.is_empty());
        assert_eq!(queue.fail(), 0, "nothing was promised");
        let Ack::Later(last) = &mut acks[3] else {
            panic!("waits")
        };
        assert_eq!(last.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }

    #[test]
    fn who_waits_for_what_others_wrote_is_no_writer() {
        let mut queue = AckQueue::default();
        queue.know(Lsn(7));
        let mut reader = queue.wait(Lsn(7), Lsn(5), AckLevel::Durable, 1);
        assert!(!queue.has_writers());
        let writer = queue.wait(Lsn(8), Lsn(5), AckLevel::Durable, 1);
        assert!(queue.has_writers());
        drop(writer);
        assert!(!queue.has_writers(), "it gave up");
        let mut writer = queue.wait(Lsn(9), Lsn(5), AckLevel::Durable, 1);
        queue.fail_writers();
        queue.durable(Lsn(9)).tell();
        assert_eq!((told(&mut reader), told(&mut writer)), (true, false));
    }

    #[test]
    fn each_level_is_told_at_its_own_time() {
        use AckLevel::{Durable, Memory, Wal};
        let mut queue = AckQueue::default();
        let mut acks = [(4, Memory), (5, Durable), (6, Wal), (6, Durable), (7, Wal)]
            .map(|(ticket, level)| queue.wait(Lsn(ticket), Lsn(3), level, 1));
        assert!(matches!(acks[0], Ack::Now));
        assert!(queue.awaits_writing(Lsn(6)) && !queue.awaits_writing(Lsn(5)));
        let mut told_of = |which: [usize; 4]| which.map(|index| told(&mut acks[index]));
        assert_eq!(told_of([1, 2, 3, 4]), [false; 4]);
        queue.written(Lsn(6)).tell();
        assert_eq!(told_of([1, 2, 3, 4]), [false, true, false, false]);
        queue.durable(Lsn(6)).tell();
        assert_eq!(told_of([1, 3, 3, 4]), [true, true, false, false]);
        // Nobody said that it was written, and yet it is.
        queue.durable(Lsn(7)).tell();
        assert!(told_of([4; 4])[0]);
        assert!(queue.is_empty());
        assert_eq!(queue.fail(), 0);
    }

    #[test]
    fn what_was_promised_early_is_owed_until_it_is_durable() {
        use AckLevel::{Durable, Memory, Wal};
        let filled = || {
            let mut queue = AckQueue::default();
            let acks = [(4, Memory), (5, Wal), (6, Durable), (7, Memory), (8, Wal)]
                .map(|(ticket, level)| queue.wait(Lsn(ticket), Lsn(3), level, 10));
            (queue, acks)
        };
        let (mut queue, _acks) = filled();
        assert!(queue.owes() && queue.has_writers());
        assert_eq!(queue.fail(), 20, "both that were told");
        assert_eq!((queue.fail(), queue.owes()), (0, false), "once");
        let (mut queue, _acks) = filled();
        queue.written(Lsn(6)).tell();
        assert_eq!(queue.fail(), 30);
        let (mut queue, _acks) = filled();
        queue.written(Lsn(6)).tell();
        queue.durable(Lsn(6)).tell();
        assert_eq!(queue.fail(), 10);
        let (mut queue, mut acks) = filled();
        queue.fail_writers();
        queue.written(Lsn(8)).tell();
        assert!(!told(&mut acks[4]), "it was told that it failed");
        assert_eq!(queue.fail(), 20);
        // No points, nothing to owe.
        let _ = queue.wait(Lsn(9), Lsn(3), Memory, 0);
        assert!(!queue.owes());
    }
}
