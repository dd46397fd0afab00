//! What clients do to an engine, and what is remembered of it.

use std::collections::HashMap;

use tidegate_core::engine::{Outcome, WriteError, WriteReport, WriteRequest};
use tidegate_core::model::Precision;

use super::clients::{Body, Line};
use super::hits::Hit;
use super::life::Wait;
use super::mutation::Mutation;
use super::observe::{Counts, Point, observe, points, policy};
use super::plan::Kind;
use super::world::World;

impl World {
    /// A call from which the engine does not come back.
    pub(super) fn trap(&mut self) {
        let body = self.clients.body(self.now_ns, &mut self.hits);
        let Some(life) = &mut self.life else { return };
        let request = WriteRequest {
            now_ns: self.now_ns,
            retention_policy: body.policy.clone(),
            precision: Precision::Nanosecond,
            ..WriteRequest::default()
        };
        // Whatever it says, nobody learns.
        drop(life.engine.write(&request, &body.bytes));
        self.hits.note(Hit::Trap);
    }

    /// Some client asks for something.
    pub(super) fn ask(&mut self) -> Result<(), String> {
        if self.lots.one_in(self.plan.one_in(Kind::Queries)) {
            return self.query();
        }
        if self.lots.one_in(self.plan.one_in(Kind::Statements)) {
            return self.statement();
        }
        let body = self.clients.body(self.now_ns, &mut self.hits);
        if self.has(Mutation::TwoBodies) && body.bytes.len() > 1 {
            return self.write_in_halves(body);
        }
        self.write(&body)
    }

    /// One more write, which has to be taken.
    pub(super) fn last_write(&mut self) -> Result<(), String> {
        let body = Body {
            bytes: format!("last v={}i\n", self.step).into_bytes(),
            policy: String::new(),
            lines: None,
        };
        self.write(&body)
    }

    fn request(&self, body: &Body) -> WriteRequest {
        let forgets = self.has(Mutation::ForgetPolicy);
        WriteRequest {
            now_ns: self.now_ns,
            retention_policy: if forgets {
                String::new()
            } else {
                body.policy.clone()
            },
            precision: Precision::Nanosecond,
            ..WriteRequest::default()
        }
    }

    pub(super) fn write(&mut self, body: &Body) -> Result<(), String> {
        let request = self.request(body);
        let is_query = false;
        let Some(life) = &mut self.life else {
            return Ok(());
        };
        let before = Counts::of(&life.engine.view(self.now_ns));
        let accepted = life.engine.accepted_lsn().0;
        let bounds = [
            (life.waiting_bytes(), self.plan.pending_bytes_max),
            (life.engine.bytes(), self.plan.cache_bytes_max),
        ];
        let half = &body.bytes[..body.bytes.len() / 2];
        let is_half = self.bug == Some(Mutation::HalfBody);
        let result = life
            .engine
            .write(&request, if is_half { half } else { &body.bytes });
        let (since_step, count) = (self.step, self.history.records.len());
        let report = match result {
            Ok(report) => report,
            Err(error) => {
                let told_ok = self.has(Mutation::AckRefused) && body.lines.is_some();
                return if told_ok {
                    self.expect_written(body)
                } else {
                    self.refused(error, accepted)
                };
            }
        };
        if bounds.iter().any(|(held, max)| held >= max) {
            return Err(format!("UNBOUNDED: taken where {bounds:?} bytes are held"));
        }
        self.trace.number(report.ticket.0);
        self.trace.number(report.written);
        let view = life.engine.view(self.now_ns);
        let new = points(&view, &before);
        let name = if body.policy.is_empty() {
            view.default_policy
        } else {
            &body.policy
        };
        let owner = policy(name);
        if let Some(lines) = &body.lines {
            check_meaning(lines, &new, &report, owner, self.now_ns)?;
        }
        life.drain(&mut self.trace)?;
        self.note_outcome(&report, body);
        if report.ticket.0 > accepted {
            self.push(new, None, (accepted + 1, report.ticket.0))?;
        } else if !new.is_empty() {
            return Err("UNLOGGED: points without a record".into());
        }
        self.wait(Wait {
            ticket: report.ticket.0,
            count: self.history.records.len(),
            since_step,
            is_query,
        });
        self.say(|| {
            format!(
                "write {count}: {:?} ticket {}",
                report.outcome, report.ticket
            )
        });
        Ok(())
    }

    /// What a mutation answered with success although it was refused.
    fn expect_written(&mut self, body: &Body) -> Result<(), String> {
        let owner = policy("autogen");
        let meant: Vec<Point> = body
            .lines
            .iter()
            .flatten()
            .flat_map(|line| line.points(owner, self.now_ns))
            .collect();
        self.history.push(meant, None, (0, 0), 0);
        self.history.promise(self.history.records.len());
        Ok(())
    }

    fn write_in_halves(&mut self, mut body: Body) -> Result<(), String> {
        let at = body.bytes.len() / 2;
        let second = body.bytes.split_off(at);
        body.lines = None;
        self.write(&body)?;
        self.history.promise(self.history.records.len());
        body.bytes = second;
        self.write(&body)
    }

    pub(super) fn wait(&mut self, wait: Wait) {
        let answers_at_once = match self.bug {
            Some(Mutation::AckAtAccept) => !wait.is_query,
            Some(Mutation::AnswerQueryAtOnce) => wait.is_query,
            _ => false,
        };
        if answers_at_once {
            self.history.promise(wait.count);
        }
        if let Some(life) = &mut self.life {
            life.waits.push(wait);
        }
        self.release();
    }

    fn refused(&mut self, error: WriteError, accepted: u64) -> Result<(), String> {
        self.hits.note(match error {
            WriteError::Busy => Hit::Busy,
            WriteError::CacheFull => Hit::CacheFull,
            WriteError::NoSpace => Hit::RefusedNoSpace,
            WriteError::Poisoned => Hit::RefusedPoisoned,
            WriteError::Opening => Hit::RefusedOpening,
            WriteError::BodyTooLarge => Hit::BodyTooLarge,
            // No simulated engine has that limit.
            WriteError::TooManyPoints => {
                return Err("UNBOUNDED: refused for a limit that is off".into());
            }
        });
        self.trace.number(error as u64);
        let Some(life) = &self.life else {
            return Ok(());
        };
        if life.engine.accepted_lsn().0 != accepted {
            return Err(format!("CHANGED: a refused write ({error:?}) took LSNs"));
        }
        if self.is_calm && error != WriteError::CacheFull {
            return Err(format!("STUCK: {error} where nothing goes wrong"));
        }
        Ok(())
    }

    fn note_outcome(&mut self, report: &WriteReport, body: &Body) {
        match report.outcome {
            Outcome::Written => {}
            Outcome::Partial => self.hits.note(Hit::Partial),
            Outcome::NothingParsed => self.hits.note(Hit::NothingParsed),
            Outcome::RetentionPolicyNotFound => self.hits.note(Hit::PolicyMissing),
        }
        if body.lines.is_some() && report.dropped > 0 {
            self.hits.note(Hit::OutsidePolicy);
        }
        if !body.policy.is_empty() && report.written > 0 {
            self.hits.note(Hit::OtherPolicy);
        }
    }

    /// Remembers a request that took these LSNs.
    fn push(
        &mut self,
        points: Vec<Point>,
        dropped: Option<u64>,
        lsns: (u64, u64),
    ) -> Result<(), String> {
        let Some(life) = &mut self.life else {
            return Ok(());
        };
        let seen = observe(&mut life.engine, self.now_ns)?;
        self.history.push(points, dropped, lsns, seen.catalog);
        if seen.content.mark() != self.history.content.mark() {
            return Err("WRONG: a running engine holds something else than was written".into());
        }
        Ok(())
    }

    fn statement(&mut self) -> Result<(), String> {
        let (hit, text, dropped) = self.clients.statement();
        self.execute(hit, &text, dropped)
    }

    /// Creates the database where that was lost or never done.
    pub(super) fn create_database(&mut self) -> Result<(), String> {
        self.execute(Hit::Create, "CREATE DATABASE \"d\"", None)?;
        if self.plan.is_on(Kind::Statements) && !self.is_calm {
            for _ in 0..3 {
                self.statement()?;
            }
        }
        Ok(())
    }

    fn execute(&mut self, hit: Hit, text: &str, dropped: Option<&str>) -> Result<(), String> {
        let Some(life) = &mut self.life else {
            return Ok(());
        };
        let accepted = life.engine.accepted_lsn().0;
        let executed = life.engine.execute(self.now_ns, text);
        let Ok(executed) = executed else {
            self.hits.note(Hit::StatementError);
            return Ok(());
        };
        self.hits.note(hit);
        let view = life.engine.view(self.now_ns);
        if dropped.is_some_and(|name| view.policies.contains(&name)) {
            return Err(format!("WRONG: {text} left it there"));
        }
        life.drain(&mut self.trace)?;
        let last = executed.ticket.0;
        if last > accepted {
            self.push(Vec::new(), dropped.map(policy), (accepted + 1, last))?;
        }
        self.say(|| format!("{text}: ticket {last}"));
        self.wait(Wait {
            ticket: last,
            count: self.history.records.len(),
            since_step: self.step,
            is_query: false,
        });
        Ok(())
    }
}

/// What was stored is what the lines say; what is missing was reported as dropped.
fn check_meaning(
    lines: &[Line],
    new: &[Point],
    report: &WriteReport,
    owner: u64,
    now_ns: i64,
) -> Result<(), String> {
    if matches!(report.outcome, Outcome::RetentionPolicyNotFound) {
        return Ok(());
    }
    if report.written + report.dropped != lines.len() as u64 {
        return Err(format!("WRONG: {} lines, answered {report:?}", lines.len()));
    }
    let mut stored: HashMap<u64, Vec<u64>> = HashMap::new();
    new.iter()
        .for_each(|point| stored.entry(point.key).or_default().push(point.value));
    // The first value of a line occurs once.
    let is_there = |line: &&Line| {
        let first = line.points(owner, now_ns).next();
        first.is_some_and(|point| {
            let values = stored.get(&point.key);
            values.is_some_and(|values| values.contains(&point.value))
        })
    };
    let there: Vec<&Line> = lines.iter().filter(is_there).collect();
    if there.len() as u64 != report.written {
        return Err(format!(
            "WRONG: {} lines answered as written, {} are there",
            report.written,
            there.len()
        ));
    }
    let mut meant: HashMap<u64, Vec<u64>> = HashMap::new();
    let all = there.iter().flat_map(|line| line.points(owner, now_ns));
    all.for_each(|point| meant.entry(point.key).or_default().push(point.value));
    if stored != meant {
        return Err("WRONG: a line was stored as something else than it says".into());
    }
    Ok(())
}
