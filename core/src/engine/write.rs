//! A body of line protocol, from its bytes to a ticket. Reads like the flow in the crate's doc.

use alloc::vec::Vec;

use super::fast::FastRun;
use super::request::{Request, Verdict};
use super::slot::Slot;
use super::{Engine, Outcome, Phase, WriteError, WriteReport, WriteRequest};
use crate::fault::StorageFault;
use crate::ids::{LayoutId, SeriesId, ShardId};
use crate::limits;
use crate::line::{LineText, Point, TimeCursor};
use crate::meta::ShardGroup;
use crate::model::{Value, row};
use crate::planted::{Planted, planted};
use crate::route::{Bound, Window};

/// A field's name, unescaped, and its value.
type Field<'a> = (&'a [u8], Value<'a>);

/// A row whose values and field names are longer than this, in bytes, is split.
const ROW_BYTES_SPLIT: usize = limits::FRAME_BYTES_MAX / 4;

impl Engine {
    /// Writes a body of line protocol.
    ///
    /// Shape: one record in the log whatever the body holds; nothing becomes visible or durable
    /// by halves. Lines are judged one by one, in order.
    ///
    /// # Errors
    ///
    /// Refusals, which change nothing: see [`WriteError`]. Bad lines and points are no error
    /// here but part of the report.
    pub fn write(
        &mut self,
        request: &WriteRequest,
        body: &[u8],
    ) -> Result<WriteReport, WriteError> {
        self.admit_write(body.len())?;
        self.admit_points(request, body)?;
        let policy = self.catalog.policy(&request.retention_policy);
        let window = policy.map(|policy| Window::new(policy, request.now_ns));
        let name = policy.map(|policy| policy.name.clone());
        let (Some(window), Some(name), false) = (window, name, request.dry_run) else {
            return Ok(self.judge_only(request, body));
        };
        let mut request = Request::new(request, name, window, &self.config);
        self.write_lines(&mut request, body);
        if planted(Planted::RefusedLate) && self.log.as_ref().is_some_and(|log| log.is_full()) {
            return Err(WriteError::Busy);
        }
        let durable = self.durable_lsn();
        let ticket = match &mut self.log {
            Some(log) => self.recorder.finish(log),
            None => return Err(WriteError::Opening),
        };
        let ticket = if planted(Planted::WriteTicketEarly) {
            durable
        } else {
            ticket
        };
        Ok(request.report(ticket, &self.config.database, &self.catalog))
    }

    /// Refuses a write for what is the matter with the engine, not with the body.
    fn admit_write(&self, body_bytes: usize) -> Result<(), WriteError> {
        match (self.phase(), &self.log) {
            (Phase::Running, Some(log)) if log.is_full() && !planted(Planted::BusyIgnored) => {
                Err(WriteError::Busy)
            }
            (Phase::Running, Some(_)) if body_bytes as u64 > self.config.body_bytes_max => {
                Err(WriteError::BodyTooLarge)
            }
            (Phase::Running, Some(_))
                if self.bytes() >= self.config.cache_bytes_max
                    && !planted(Planted::CacheFullIgnored) =>
            {
                Err(WriteError::CacheFull)
            }
            (Phase::Running, Some(_)) => Ok(()),
            (Phase::Poisoned, Some(log)) if log.fault() == Some(StorageFault::NoSpace) => {
                Err(WriteError::NoSpace)
            }
            (Phase::Poisoned, _) => Err(WriteError::Poisoned),
            _ => Err(WriteError::Opening),
        }
    }

    /// Refuses a body with too many points. They are counted before any is judged, so that what is
    /// refused leaves nothing behind.
    fn admit_points(&self, request: &WriteRequest, body: &[u8]) -> Result<(), WriteError> {
        let max = usize::try_from(self.config.points_max).unwrap_or(usize::MAX);
        // The shortest line is a byte and its end: most bodies need no counting.
        if max == 0 || body.len() / 2 < max {
            return Ok(());
        }
        let lines = Request::judge_only(request, &self.config).lines(body);
        match lines.take(max.saturating_add(1)).count() > max {
            true => Err(WriteError::TooManyPoints),
            false => Ok(()),
        }
    }

    /// Parses without storing: for a request that fails anyway, unless its lines are worse.
    fn judge_only(&mut self, request: &WriteRequest, body: &[u8]) -> WriteReport {
        let mut judged = Request::judge_only(request, &self.config);
        for line in judged.lines(body) {
            match self.scanner.scan(line.bytes, &judged.options) {
                Ok(_) => judged.parsed += 1,
                Err(error) => judged.add_unparsed(&line, &error),
            }
        }
        let ticket = self.accepted_lsn();
        let mut report = judged.report(ticket, &self.config.database, &self.catalog);
        if report.outcome != Outcome::NothingParsed {
            report.outcome = Outcome::RetentionPolicyNotFound;
            report.message = judged.policy_not_found(&self.catalog);
        }
        report
    }

    /// Alternates between the fast path and, for each line that it leaves, the general one.
    fn write_lines(&mut self, request: &mut Request, body: &[u8]) {
        let times = TimeCursor::new(request.options.precision);
        let mut run = FastRun::new(times, core::mem::take(&mut self.bits));
        run.restrict(&request.window, self.current_group(request));
        let mut lines = request.lines(body);
        loop {
            if let (Some(slot), Some(log)) = (self.slots.get_mut(self.current), &mut self.log) {
                let position = lines.position();
                let taken = run.take(body, position, slot, &mut self.recorder, log, &self.catalog);
                request.take(taken.lines);
                lines.seek(taken.at, taken.lines);
            }
            let Some(line) = lines.next() else { break };
            if let Some(group) = self.write_line(request, &line) {
                run.restrict(&request.window, Some(group));
            }
        }
        self.bits = run.into_bits();
    }

    /// The group of the current shard, if it is one of the request's policy and takes points.
    fn current_group(&self, request: &Request) -> Option<ShardGroup> {
        let slot = self.slots.get(self.current)?;
        let (_, group) = self.catalog.group_of(slot.shard.id)?;
        let policy = self.catalog.policy(&request.policy)?;
        let taking = self.catalog.group_for(policy, group.start_ns);
        taking.filter(|taking| taking.id == group.id)
    }

    /// The general path: one line, right on every input. The group it was stored in, if it was.
    fn write_line(&mut self, request: &mut Request, line: &LineText<'_>) -> Option<ShardGroup> {
        let mut scanner = core::mem::take(&mut self.scanner);
        let mut stored = None;
        match scanner.scan(line.bytes, &request.options) {
            Ok(point) => {
                request.parsed += 1;
                match self.write_point(request, line, &point) {
                    Verdict::Stored(group) => {
                        request.written += 1;
                        stored = Some(group);
                    }
                    Verdict::Outside(bound) => request.add_outside(line, &point, bound),
                    Verdict::Rejected(rejection) => {
                        let fault = self.admitted.fault;
                        let at = fault.map_or(0, |field| point.field_offset(field));
                        request.add_rejected(line, at, rejection);
                    }
                }
            }
            Err(error) => request.add_unparsed(line, &error),
        }
        self.scanner = scanner;
        stored
    }

    /// Route, validate, record, store.
    fn write_point(
        &mut self,
        request: &mut Request,
        line: &LineText<'_>,
        point: &Point<'_>,
    ) -> Verdict {
        let time = point.time_ns();
        if let Some(bound) = request.window.violation(time) {
            return Verdict::Outside(bound);
        }
        let group = self
            .catalog
            .policy(&request.policy)
            .and_then(|policy| self.catalog.group_for(policy, time));
        let slot = group.and_then(|group| self.slot_of(group.shard));
        let shard = slot
            .and_then(|slot| self.slots.get(slot))
            .map_or(&self.blank, |s| &s.shard);
        let fields: Vec<_> = point
            .fields()
            .map(|field| (field.key, field.value))
            .collect();
        let validate_keys = self.config.validate_keys;
        let judged = shard.admit(
            point.key(),
            fields.iter().copied(),
            validate_keys,
            &mut self.admitted,
        );
        let is_about_key = matches!(&judged, Err(rejection) if rejection.is_about_key());
        if self.admitted.is_new_series
            && !is_about_key
            && let Some(rejection) = self
                .cardinality
                .violation(point.key(), &self.config.database)
        {
            self.admitted.fault = None;
            return Verdict::Rejected(rejection);
        }
        if let Err(rejection) = judged {
            return Verdict::Rejected(rejection);
        }
        if self.admitted.is_new_series {
            self.cardinality.add(point.key());
        }
        if self.admitted.stripped_time {
            request.note_stripped(line, point);
        }
        self.open_record();
        let Some(group) = group.or_else(|| self.add_group(request, time)) else {
            // The policy was there when the request began, and nothing came between.
            return Verdict::Outside(Bound::Retention);
        };
        self.current = slot.unwrap_or_else(|| self.add_slot(group.shard));
        self.store_point(point, &fields);
        Verdict::Stored(group)
    }

    /// Stores the admitted fields of a point in the current shard and records them: as one
    /// row, or as several of the same time if one would be longer than a frame takes.
    fn store_point(&mut self, point: &Point<'_>, fields: &[Field<'_>]) {
        let chosen = self
            .admitted
            .fields
            .iter()
            .filter_map(|&at| fields.get(at).copied());
        let chosen: Vec<_> = chosen.collect();
        let parts = || chosen.chunk_by(same_row());
        if parts().nth(1).is_some() {
            for part in parts() {
                self.store_row(point, part);
            }
        } else if let Some(stored) = self.store_row(point, &chosen) {
            let is_whole_line = chosen.len() == point.field_count() && point.has_time();
            if let Some(slot) = self.slots.get_mut(self.current)
                && point.is_arrival_key_plain()
            {
                learn(slot, point, stored, is_whole_line);
            }
        }
        self.recorder.record.count_point();
    }

    /// Stores these fields of a point as a row.
    fn store_row(
        &mut self,
        point: &Point<'_>,
        fields: &[Field<'_>],
    ) -> Option<(SeriesId, LayoutId)> {
        let (slot, log) = (self.slots.get_mut(self.current)?, self.log.as_mut()?);
        let typed = fields
            .iter()
            .map(|(name, value)| (*name, value.field_type()));
        let (series, layout) = slot
            .shard
            .store(point.key(), typed, &mut self.field_slots)?;
        self.values.clear();
        let values: Vec<_> = fields.iter().map(|&(_, value)| value).collect();
        let class = row::encode(&values, &mut self.values);
        let time = point.time_ns();
        if planted(Planted::TimeLate) && !point.has_time() {
            let (place, values) = ((series, layout), &self.values);
            self.recorder
                .log_row(slot, log, place, class, time + 1, values);
            slot.shard.cache.append(series, layout, class, time, values);
            return Some(place);
        }
        self.recorder
            .store_row(slot, log, (series, layout), class, time, &self.values);
        Some((series, layout))
    }

    /// Makes the group that a time needs.
    fn add_group(&mut self, request: &Request, time: i64) -> Option<ShardGroup> {
        let policy = self.catalog.policy(&request.policy)?;
        let (change, group) = self.catalog.plan_group(policy, time);
        if !planted(Planted::GroupUnlogged) {
            self.recorder.put_change(self.log.as_mut()?, &change);
        }
        self.catalog.apply(&change);
        Some(group)
    }

    /// Opens the record that this request writes to.
    pub(super) fn open_record(&mut self) {
        if let Some(log) = &mut self.log {
            self.recorder.open(log, &self.catalog);
        }
    }

    /// The slot of a shard.
    pub(super) fn slot_of(&self, shard: ShardId) -> Option<usize> {
        let is_it = |slot: &Slot| slot.shard.id == shard;
        if self.slots.get(self.current).is_some_and(is_it) {
            return Some(self.current);
        }
        self.slots
            .binary_search_by_key(&shard, |slot| slot.shard.id)
            .ok()
    }

    /// Adds the slot of a new shard. Shard ids only grow, but replay may skip some.
    pub(super) fn add_slot(&mut self, shard: ShardId) -> usize {
        let at = self.slots.partition_point(|slot| slot.shard.id < shard);
        self.slots.insert(at, Slot::new(shard, self.config.seed));
        at
    }
}

/// Remembers how the series was spelled and what its lines look like.
fn learn(
    slot: &mut Slot,
    point: &Point<'_>,
    (series, layout): (SeriesId, LayoutId),
    is_whole_line: bool,
) {
    if is_whole_line {
        slot.compile(layout, point.fields_text());
    }
    if let Some(id) = slot.arrivals.learn(point.arrival_key(), series, layout) {
        slot.arrivals.follow(slot.latest, id);
        slot.latest = id;
    }
}

/// Tells whether a field still goes into the row of the one before: as long as the values and
/// names of a row, and so its definition, stay well below what a frame takes.
fn same_row<'a>() -> impl FnMut(&Field<'a>, &Field<'a>) -> bool {
    let cost = |(name, value): &Field<'_>| {
        let text = if let Value::String(text) = value {
            text.len()
        } else {
            0
        };
        name.len() + text + 16
    };
    let mut bytes = 0;
    move |before, next| {
        bytes += cost(before);
        let fits = bytes + cost(next) <= ROW_BYTES_SPLIT;
        if !fits {
            bytes = 0;
        }
        fits
    }
}
