//! Handing effects to the host and taking its reports.

use alloc::collections::BTreeMap;

use super::{Effect, Engine, Misuse, State};
use crate::fault::StorageFault;
use crate::ids::EffectId;
use crate::planted::{Planted, planted};

/// Effects the host has not reported on.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    given: u64,
    waiting: BTreeMap<EffectId, Awaited>,
}

/// What a report is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// A persist of the log, with the log's own ticket.
    Persist(u64),
    /// A read of the replay.
    Read,
    /// A part of a snapshot.
    Part,
    /// Something nobody waits for.
    Other,
}

impl InFlight {
    /// Gives out the id of a new effect.
    pub(super) fn add(&mut self, awaited: Awaited) -> EffectId {
        self.given += 1;
        let id = EffectId(self.given);
        self.waiting.insert(id, awaited);
        id
    }
}

impl Engine {
    /// The next effect, if any; drain until `None`.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        if let Some(effect) = self.queue.pop_front() {
            return Some(effect);
        }
        let Some(persist) = self.log.as_mut()?.poll() else {
            return self.poll_snapshot();
        };
        let id = self.in_flight.add(Awaited::Persist(persist.ticket));
        Some(Effect::PersistLog {
            id,
            segment: persist.segment,
            offset: persist.offset,
            length: persist.length,
            up_to: persist.up_to,
            sync: persist.sync,
        })
    }

    /// The bytes of a `PersistLog` or `PutBlob` in flight; empty for any other effect.
    pub fn effect_bytes(&self, id: EffectId) -> &[u8] {
        match (self.in_flight.waiting.get(&id), &self.log) {
            (Some(&Awaited::Persist(ticket)), Some(log)) => log.bytes(ticket),
            (Some(Awaited::Part), _) => self.snapshot_bytes(),
            _ => &[],
        }
    }

    /// Reports a persist, part, delete or quarantine.
    ///
    /// # Errors
    ///
    /// [`Misuse`] if the effect is not in flight or is a read.
    pub fn complete(
        &mut self,
        id: EffectId,
        result: Result<(), StorageFault>,
    ) -> Result<(), Misuse> {
        match self.in_flight.waiting.get(&id) {
            None => return Err(Misuse::UnknownEffect),
            Some(Awaited::Read) => return Err(Misuse::WrongReport),
            Some(Awaited::Other) => {}
            Some(Awaited::Part) => self.complete_part(result),
            Some(&Awaited::Persist(ticket)) => {
                let log = self.log.as_mut().ok_or(Misuse::UnknownEffect)?;
                log.complete(ticket, result)
                    .map_err(|_| Misuse::UnknownEffect)?;
            }
        }
        self.in_flight.waiting.remove(&id);
        self.delete_obsolete();
        Ok(())
    }

    /// Answers a read.
    ///
    /// # Errors
    ///
    /// [`Misuse`] if the effect is not in flight or is no read.
    pub fn supply(
        &mut self,
        id: EffectId,
        result: Result<&[u8], StorageFault>,
    ) -> Result<(), Misuse> {
        match self.in_flight.waiting.get(&id) {
            None => return Err(Misuse::UnknownEffect),
            Some(Awaited::Read) => {}
            Some(_) => return Err(Misuse::WrongReport),
        }
        self.in_flight.waiting.remove(&id);
        if let State::Opening(opening) = &mut self.state {
            opening.supply(result);
        }
        self.advance_opening();
        Ok(())
    }

    /// Files that count for nothing go once this run has made something durable, and once
    /// the copies of their damage that were asked for are made.
    pub(super) fn delete_obsolete(&mut self) {
        let is_early = self
            .log
            .as_ref()
            .is_none_or(|log| log.durable() <= self.opened_at);
        let is_copied = !self
            .in_flight
            .waiting
            .values()
            .any(|&a| a == Awaited::Other);
        let waits = is_early && !planted(Planted::DeleteEarly);
        let loses = !is_copied && !planted(Planted::CopyRaced);
        if waits || loses {
            return;
        }
        for file in core::mem::take(&mut self.obsolete) {
            let id = self.in_flight.add(Awaited::Other);
            self.queue.push_back(Effect::Delete { id, file });
        }
    }
}
