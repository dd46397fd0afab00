//! The rows of one series in one shard, in order of time.

use alloc::vec::Vec;
use core::ops::Range;

use super::part::Part;
use super::run::Run;
use crate::cache::{Position, Row};
use crate::ids::SeriesId;
use crate::model::Value;
use crate::query::ShardView;
use crate::query::predicate::FilterId;

/// A series as the query saw it when it was opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pin {
    pub(super) series: SeriesId,
    /// How many of its rows existed.
    pub(super) rows: u32,
    pub(super) filter: FilterId,
}

/// A series of a shard under way. It borrows nothing, so it may rest between two steps.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) part: usize,
    pub(super) pin: Pin,
    source: Source,
    state: State,
}

#[derive(Debug)]
enum Source {
    Unopened,
    /// The rows came in order and are read as they lie.
    InOrder(Position),
    /// Times and positions by time, then arrival; and those still to come.
    Sorted(Vec<(i64, Position)>, Range<usize>),
}

#[derive(Clone, Debug)]
enum State {
    /// The next time is to be found.
    Moving,
    At(i64, Place),
    Ended,
}

/// The rows of one time.
#[derive(Clone, Debug)]
enum Place {
    One(Position),
    /// Among the sorted ones, in order of arrival.
    Among(Range<usize>),
}

impl Layer {
    pub(super) const fn new(part: usize, pin: Pin) -> Self {
        Self {
            part,
            pin,
            source: Source::Unopened,
            state: State::Moving,
        }
    }

    /// The time whose rows come next.
    pub(super) const fn time_ns(&self) -> Option<i64> {
        match self.state {
            State::At(time_ns, _) => Some(time_ns),
            State::Moving | State::Ended => None,
        }
    }

    /// Leaves the rows of a time, if it is at them.
    pub(super) fn leave(&mut self, time_ns: i64) {
        if self.time_ns() == Some(time_ns) {
            self.state = State::Moving;
        }
    }

    /// Goes on to the next time in the range, or to the end, if it has left the last one.
    /// `false` if the work of this step is used up; then it has to be called again.
    pub(super) fn advance(&mut self, run: &mut Run<'_, '_>) -> bool {
        if !matches!(self.state, State::Moving) {
            return true;
        }
        if matches!(self.source, Source::Unopened) {
            self.open(run);
        }
        match self.source {
            Source::InOrder(from) => self.advance_in_order(run, from),
            _ => self.advance_sorted(run),
        }
    }

    /// Makes the rows of `time_ns` readable. Whether one has a selected field.
    pub(super) fn prepare(&self, run: &mut Run<'_, '_>, time_ns: i64) -> bool {
        let Some((part, shard)) = run.part_mut(self.part) else {
            return false;
        };
        let mut has_selected = false;
        for row in self.rows_of(shard, time_ns) {
            has_selected |= part.prepare(shard.index, row.layout);
        }
        has_selected
    }

    /// Puts the values of the rows of `time_ns`, which are prepared, into their places.
    pub(super) fn overlay<'a>(
        &self,
        part: &Part,
        shard: &ShardView<'a>,
        time_ns: i64,
        values: &mut [Option<Value<'a>>],
    ) {
        for row in self.rows_of(shard, time_ns) {
            part.overlay(shard.index, &row, values);
        }
    }

    fn rows_of<'a>(&self, shard: &ShardView<'a>, time_ns: i64) -> impl Iterator<Item = Row<'a>> {
        let (one, among) = match (&self.state, &self.source) {
            (State::At(at, Place::One(position)), _) if *at == time_ns => {
                (Some(*position), &[][..])
            }
            (State::At(at, Place::Among(range)), Source::Sorted(rows, _)) if *at == time_ns => {
                (None, rows.get(range.clone()).unwrap_or_default())
            }
            _ => (None, &[][..]),
        };
        let (pin, cache) = (self.pin, shard.cache);
        let positions = one
            .into_iter()
            .chain(among.iter().map(|&(_, position)| position));
        positions.filter_map(move |at| cache.rows_from(pin.series, pin.rows, at).next())
    }

    fn open(&mut self, run: &mut Run<'_, '_>) {
        let (range, ascending) = (run.rules.range, run.rules.ascending);
        let Some(shard) = run.shard(self.part) else {
            self.source = Source::Sorted(Vec::new(), 0..0);
            return;
        };
        let mut rows = shard.cache.rows(self.pin.series, self.pin.rows);
        if ascending && shard.cache.is_in_order(self.pin.series) {
            self.source = Source::InOrder(rows.position());
            return;
        }
        let mut sorted = Vec::new();
        let mut at = rows.position();
        while let Some(row) = rows.next() {
            if (range.min()..=range.max()).contains(&row.time) {
                sorted.push((row.time, at));
            }
            at = rows.position();
        }
        run.work = run.work.saturating_sub(self.pin.rows as usize);
        // Stable: rows of equal time stay in order of arrival.
        sorted.sort_by_key(|&(time, _)| time);
        let all = 0..sorted.len();
        self.source = Source::Sorted(sorted, all);
    }

    /// Among rows that lie in order.
    fn advance_in_order(&mut self, run: &mut Run<'_, '_>, from: Position) -> bool {
        let (range, mut left) = (run.rules.range, run.work);
        let Some(shard) = run.shard(self.part) else {
            self.state = State::Ended;
            return true;
        };
        let mut rows = shard.cache.rows_from(self.pin.series, self.pin.rows, from);
        let found = loop {
            let at = rows.position();
            if left == 0 {
                self.source = Source::InOrder(at);
                break State::Moving;
            }
            let Some(row) = rows.next().filter(|row| row.time <= range.max()) else {
                break State::Ended;
            };
            left -= 1;
            if row.time >= range.min() {
                self.source = Source::InOrder(rows.position());
                break State::At(row.time, Place::One(at));
            }
        };
        run.work = left;
        self.state = found;
        !matches!(self.state, State::Moving)
    }

    fn advance_sorted(&mut self, run: &mut Run<'_, '_>) -> bool {
        let Source::Sorted(rows, left) = &mut self.source else {
            return true;
        };
        if run.work == 0 {
            return false;
        }
        self.state = match next_time(rows, left, run.rules.ascending) {
            Some((time_ns, found)) => {
                run.work = run.work.saturating_sub(found.len());
                State::At(time_ns, Place::Among(found))
            }
            None => State::Ended,
        };
        true
    }
}

/// Takes the rows of the next time off `left`.
fn next_time(
    rows: &[(i64, Position)],
    left: &mut Range<usize>,
    ascending: bool,
) -> Option<(i64, Range<usize>)> {
    let here = rows.get(left.clone())?;
    let (time, _) = *if ascending { here.first() } else { here.last() }?;
    let same = |&&(other, _): &&(i64, Position)| other == time;
    if ascending {
        let count = here.iter().take_while(same).count();
        let start = left.start;
        left.start += count;
        Some((time, start..start + count))
    } else {
        let count = here.iter().rev().take_while(same).count();
        left.end -= count;
        Some((time, left.end..left.end + count))
    }
}
