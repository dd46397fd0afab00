//! The host's part: performing effects, reporting them, answering clients, and dying.

use tidegate_core::engine::{Damage, Effect, FileInfo, Phase};
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::FileId;

use super::adapter::Halt;
use super::damage::damage;
use super::file::{File, number_of};
use super::format;
use super::history::Found;
use super::hits::Hit;
use super::life::{Lane, Life};
use super::loss;
use super::mutation::Mutation;
use super::observe::observe;
use super::plan::Kind;
use super::world::World;

/// More than any engine has to be done at once.
const JOBS_MAX: u32 = 10_000;

impl World {
    /// Does some of the work there is: all of it, in turn, or one thing out of order.
    pub(super) fn work(&mut self) -> Result<(), String> {
        if self.lots.one_in(self.plan.one_in(Kind::Async)) && !self.is_calm {
            return self.work_once();
        }
        self.work_all()
    }

    pub(super) fn work_all(&mut self) -> Result<(), String> {
        for _ in 0..JOBS_MAX {
            let Some(life) = &self.life else {
                return Ok(());
            };
            if life.jobs.is_empty() {
                return Ok(());
            }
            if !self.perform(0)? {
                return Ok(());
            }
            self.report(0)?;
        }
        Err(format!("STUCK: {JOBS_MAX} jobs done, and still more"))
    }

    /// One step of a host that does many things at once.
    fn work_once(&mut self) -> Result<(), String> {
        let Some(life) = &self.life else {
            return Ok(());
        };
        if life.jobs.is_empty() {
            return Ok(());
        }
        let (len, slow) = (life.jobs.len(), life.slow);
        let mut at = self.lots.index(len);
        if slow == Some(life.jobs[at].lane()) && !self.lots.one_in(30) {
            let is_quick = |at: &usize| slow != Some(life.jobs[*at].lane());
            let quick: Vec<usize> = (0..len).filter(is_quick).collect();
            at = quick
                .get(self.lots.index(quick.len()))
                .copied()
                .unwrap_or(at);
        }
        if life.jobs[at].done.is_none() {
            return self.perform(at).map(drop);
        }
        self.hits.note(Hit::Async);
        if life.jobs[..at].iter().any(|job| job.done.is_none()) {
            self.hits.note(Hit::Reordered);
        }
        self.report(at)
    }

    /// Performs a job; false if nothing can be reported, since it is held or the life is over.
    fn perform(&mut self, at: usize) -> Result<bool, String> {
        let early = self.life.as_ref().is_some_and(|life| !life.has_recovered());
        let kind = if early {
            Kind::CrashInRecovery
        } else {
            Kind::CrashInside
        };
        let is_frail = early && !self.is_calm && self.may_end();
        if is_frail && self.lots.one_in(self.plan.one_in(Kind::Frail)) {
            let kind = self.kind_of_crash();
            self.end_life(kind)?;
            return Ok(false);
        }
        let kinds = [self.plan.one_in(kind), self.plan.one_in(Kind::CrashInside)];
        let dies = !self.is_calm && self.may_end() && kinds.iter().any(|&n| self.lots.one_in(n));
        if dies && self.lots.one_in(3) {
            self.end_somehow()?;
            return Ok(false);
        }
        let operations = dies.then(|| 1 + self.lots.below(5));
        if self.has(Mutation::CompleteFirst) && self.tell_first(at)? {
            return Ok(false);
        }
        self.disk.die_after(operations);
        let Some(Life { adapter, jobs, .. }) = &mut self.life else {
            return Ok(false);
        };
        let Some(job) = jobs.get_mut(at).filter(|job| job.done.is_none()) else {
            return Ok(true);
        };
        let done = adapter.perform(&mut self.disk, &job.effect, &job.bytes);
        self.disk.die_after(None);
        let is_persist = matches!(job.effect, Effect::PersistLog { .. });
        match done {
            Err(Halt::Died) => {
                job.has_died = true;
                let kind = self.kind_of_crash();
                self.end_life(kind)?;
                return Ok(false);
            }
            Err(Halt::Gone) => return Err("GONE: a range that is to be set aside".into()),
            Err(Halt::Fault(StorageFault::NoSpace)) if is_persist && self.lots.one_in(2) => {
                job.was_held = true;
                return Ok(false);
            }
            Err(Halt::Fault(fault)) => {
                if matches!(job.effect, Effect::PutBlob { .. }) {
                    self.hits.note(Hit::PartFailed);
                }
                if fault == StorageFault::Unreadable {
                    (self.may_lose, self.was_unreadable) = (true, true);
                }
                job.done = Some(Err(fault));
            }
            Ok(bytes) => {
                if job.was_held {
                    self.hits.note(Hit::Held);
                }
                self.hits_of(at);
                if let Some(life) = &mut self.life {
                    life.jobs[at].done = Some(Ok(bytes));
                }
            }
        }
        Ok(true)
    }

    /// A mutation: reports a persist that is still to be performed.
    fn tell_first(&mut self, at: usize) -> Result<bool, String> {
        let Some(life) = &mut self.life else {
            return Ok(false);
        };
        let Some(job) = life.jobs.get_mut(at) else {
            return Ok(false);
        };
        if job.is_told || !matches!(job.effect, Effect::PersistLog { .. }) {
            return Ok(false);
        }
        job.is_told = true;
        life.engine
            .complete(job.effect.id(), Ok(()))
            .map_err(|misuse| misuse.to_string())?;
        life.drain(&mut self.trace)?;
        self.release();
        Ok(true)
    }

    fn hits_of(&mut self, at: usize) {
        let Some(life) = &self.life else { return };
        match life.jobs[at].effect {
            Effect::Delete { .. } => self.hits.note(Hit::Obsolete),
            Effect::Quarantine { .. } => self.hits.note(Hit::Quarantine),
            Effect::PutBlob { is_last, .. } => {
                self.hits.note(if is_last {
                    Hit::Named
                } else {
                    Hit::PartWritten
                });
            }
            _ => {}
        }
    }

    fn report(&mut self, at: usize) -> Result<(), String> {
        let Some(life) = &mut self.life else {
            return Ok(());
        };
        if at >= life.jobs.len() || life.jobs[at].done.is_none() {
            return Ok(());
        }
        let job = life.jobs.remove(at);
        if !job.is_told {
            life.report(&job, &mut self.trace)?;
        }
        self.after_report()
    }

    /// What follows from whatever the engine was just told.
    pub(super) fn after_report(&mut self) -> Result<(), String> {
        self.release();
        let Some(life) = &self.life else {
            return Ok(());
        };
        match life.phase() {
            Phase::Refused => {
                let why = life.engine.refusal().unwrap_or_default().to_owned();
                Err(format!("REFUSED: {why}"))
            }
            Phase::Poisoned => {
                if self.lots.one_in(4) {
                    self.ask()?;
                }
                self.hits.note(Hit::Poisoned);
                if self.has(Mutation::AckPoisoned)
                    && let Some(life) = &self.life
                {
                    let counts = life.waits.iter().map(|wait| wait.count);
                    let count = counts.max().unwrap_or(0);
                    self.history.promise(count);
                }
                self.end_life(Kind::Trap)
            }
            Phase::Running if !life.is_open => self.opened(),
            Phase::Opening | Phase::Running => Ok(()),
        }
    }

    /// Answers whoever waits for what is durable now.
    pub(super) fn release(&mut self) {
        let Some(life) = &mut self.life else { return };
        let mut mark = life.engine.durable_lsn();
        if self.bug == Some(Mutation::AckAtSubmit) {
            mark = life.engine.submitted_lsn();
        }
        let answered = life.waits.extract_if(.., |wait| wait.ticket <= mark.0);
        let answered: Vec<_> = answered
            .chain(self.kept.extract_if(.., |wait| wait.ticket <= mark.0))
            .collect();
        for wait in answered {
            let records = &self.history.records;
            let new = records
                .get(self.history.floor..wait.count)
                .unwrap_or_default();
            self.acked += new
                .iter()
                .map(|record| record.points.len() as u64)
                .sum::<u64>();
            self.history.promise(wait.count);
            self.hits.note(if wait.is_query {
                Hit::QueryAnswered
            } else {
                Hit::Acked
            });
            if self.step > wait.since_step + 20 {
                self.hits.note(Hit::SlowAck);
            }
        }
    }

    /// The engine runs for the first time: compares what it found with what was promised.
    fn opened(&mut self) -> Result<(), String> {
        let now_ns = self.now_ns;
        let Some(life) = &mut self.life else {
            return Ok(());
        };
        life.is_open = true;
        let (durable, accepted) = (life.engine.durable_lsn().0, life.engine.accepted_lsn().0);
        life.repaired_at = accepted;
        let report = life.engine.recovery().clone();
        let seen = observe(&mut life.engine, now_ns)?;
        let mut bytes = Vec::new();
        report.encode(&mut bytes);
        self.trace.bytes(&bytes);
        self.trace.number(seen.content.mark().0);
        self.say(|| format!("opened at LSN {durable}, accepted {accepted}: {report:?}"));
        for (hit, is_met) in [
            (Hit::Repair, report.points_relogged > 0),
            (Hit::Torn, report.torn_bytes > 0),
            (Hit::BlobRead, self.disk.blobs().next().is_some()),
            (Hit::PartLeft, !self.disk.parts().is_empty()),
            (Hit::DamageReported, !report.damage.is_empty()),
            (
                Hit::DamagePoints,
                report.damage.iter().any(|one| one.points > Some(0)),
            ),
            (
                Hit::DamageUnknown,
                report.damage.iter().any(|one| one.points.is_none()),
            ),
            (
                Hit::DamageHarmless,
                self.may_lose && report.damage.is_empty(),
            ),
        ] {
            if is_met {
                self.hits.note(hit);
            }
        }
        if self.may_lose {
            let mut damage = report.damage;
            for one in &mut damage {
                // Frames of a blob have numbers of their own.
                if let FileId::Blob(_) = one.file
                    && let Some(file) = self.disk.files.get(&number_of(one.file))
                    && let Some(first_lsn) = format::first_lsn(&file.cached)
                {
                    (one.first.0, one.last.0) = (1, first_lsn - 1);
                }
                // At the end of a log only the last LSN that is known of can be told.
                if one.last.0 >= durable || self.is_at_end(one, report.torn_bytes) {
                    one.last.0 = u64::MAX;
                }
            }
            let content = &seen.content;
            let history = &mut self.history;
            let lost = loss::check(history, content, &damage, durable, accepted)?;
            if !lost.is_empty() {
                self.hits.note(Hit::LossExcused);
            }
            let (records, may) = (loss::records_hit(history, &lost), self.records_hit_max);
            if records > may && !self.was_unreadable {
                return Err(format!(
                    "GROWING: {records} records lost, {may} were damaged: requests {lost:?}; \
                     reported: {damage:?}"
                ));
            }
            self.records_hit_max = 0;
        } else {
            if !report.damage.is_empty() {
                return Err(format!("ALARM without damage: {:?}", report.damage));
            }
            let found = self.history.reopened(&seen, durable, accepted)?;
            self.hits.note(match found {
                Found::Ghost => Hit::Ghost,
                Found::Prefix { forgotten: 0 } => Hit::Whole,
                Found::Prefix { .. } => Hit::Prefix,
            });
        }
        if seen.policies.is_empty() && seen.default_policy.is_empty() {
            self.create_database()?;
        }
        Ok(())
    }

    /// Whether the damage reaches to the end of the newest segment that was opened, but for a
    /// torn piece.
    fn is_at_end(&self, damage: &Damage, torn_bytes: u64) -> bool {
        let has_header = |info: &FileInfo| {
            let file = self.disk.files.get(&number_of(info.file));
            file.is_some_and(File::has_header)
        };
        let mut headed = self
            .stale_listing
            .iter()
            .rev()
            .filter(|info| has_header(info));
        headed.next().is_some_and(|newest| {
            let end = damage.offset + damage.length + torn_bytes;
            newest.file == damage.file && end >= newest.length
        })
    }

    fn kind_of_crash(&mut self) -> Kind {
        let kinds = [Kind::Power, Kind::Kill];
        let on: Vec<Kind> = kinds
            .into_iter()
            .filter(|&kind| self.plan.is_on(kind))
            .collect();
        on.get(self.lots.index(on.len()))
            .copied()
            .unwrap_or(Kind::Kill)
    }

    /// Ends this life in one of the ways that the plan knows.
    pub(super) fn end_somehow(&mut self) -> Result<(), String> {
        let kinds = [
            Kind::Power,
            Kind::Power,
            Kind::Kill,
            Kind::Trap,
            Kind::Close,
        ];
        let on = kinds.into_iter().filter(|&kind| self.plan.is_on(kind));
        let mut on: Vec<Kind> = on.collect();
        if self.plan.is_on(Kind::Damage) {
            // Only a log at rest is damaged, so that it is known what may be lost.
            on.extend([Kind::Close; 4]);
        }
        let kind = on
            .get(self.lots.index(on.len()))
            .copied()
            .unwrap_or(Kind::Kill);
        if kind == Kind::Close && !self.is_calm {
            // Fate is blind while everything is made durable; it may fail all the same.
            self.work_all()?;
        }
        if kind == Kind::Trap {
            self.trap();
        }
        self.end_life(kind)
    }

    pub(super) fn end_life(&mut self, kind: Kind) -> Result<(), String> {
        let Some(mut life) = self.life.take() else {
            return Ok(());
        };
        self.lives += 1;
        self.say(|| format!("ends by {kind:?} with {} jobs", life.jobs.len()));
        let is_clean = life.jobs.is_empty() && life.has_recovered() && life.waits.is_empty();
        self.depth = if life.has_recovered() {
            0
        } else {
            self.depth + 1
        };
        self.note_end(&life);
        // What was under way may still happen, or half of it.
        for job in life.jobs.drain(..).filter(|job| job.done.is_none()) {
            if self.lots.one_in(2) && !self.is_calm {
                let operations = 1 + self.lots.below(6);
                // A part that was cut short lost its file: begun again, it would be another blob.
                if job.has_died && job.lane() == Lane::Blob {
                    continue;
                }
                self.disk.die_after(Some(operations));
                let _ = life
                    .adapter
                    .perform(&mut self.disk, &job.effect, &job.bytes);
                self.disk.die_after(None);
            }
        }
        match kind {
            Kind::Power => self.disk.lose_power(),
            Kind::Kill => {
                self.hits.note(Hit::Kill);
                if self.disk.lies() {
                    self.hits.note(Hit::KillAfterFailedSync);
                }
            }
            Kind::Close if is_clean => {
                self.hits.note(Hit::Closed);
                self.rest();
            }
            _ => {}
        }
        if self.has(Mutation::KeepTickets) {
            // They are taken for those of the next engine.
            self.kept.clone_from(&life.waits);
        }
        Ok(())
    }

    fn note_end(&mut self, life: &Life) {
        if life.adapter.under_way.is_some() {
            self.hits.note(Hit::CutShort);
        }
        (0..life.rolled).for_each(|_| self.hits.note(Hit::Rolled));
        if !life.is_open {
            self.hits.note(Hit::CrashWhileOpening);
        } else if !life.has_recovered() {
            self.hits.note(Hit::CrashInRepair);
        }
        for (depth, hit) in [(5, Hit::Deep5), (10, Hit::Deep10), (15, Hit::Deep15)] {
            if self.depth == depth {
                self.hits.note(hit);
            }
        }
        for wait in &life.waits {
            let hit = if wait.is_query {
                Hit::QueryUnanswered
            } else {
                Hit::AckFailed
            };
            self.hits.note(hit);
        }
    }

    /// Nobody touches the disk for a while; in some worlds it decays.
    fn rest(&mut self) {
        if !self.plan.is_on(Kind::Damage) {
            return;
        }
        self.disk.write_back();
        if self.lots.one_in(self.plan.one_in(Kind::Damage)) && !self.is_calm {
            let done = damage(&mut self.disk, &mut self.past, &mut self.lots);
            if let Some((text, records)) = done {
                self.may_lose = true;
                self.records_hit_max = self.records_hit_max.saturating_add(records);
                self.say(|| text);
            }
        }
        self.past.remember(&self.disk, &mut self.lots);
    }
}
