//! The rows of one series in one shard, in order of time, one for each time.

use alloc::vec::Vec;
use core::ops::Range;

use super::merge::Feed;
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

/// A series under way. It borrows nothing, so it may rest between two steps.
#[derive(Debug)]
pub(super) struct Stream {
    part: usize,
    pin: Pin,
    /// The tags that are asked for, by place; none that is empty.
    pub(super) tags: Vec<(usize, Vec<u8>)>,
    source: Source,
    head: Option<Head>,
}

#[derive(Debug)]
enum Source {
    Unopened,
    /// The rows came in order and are read as they lie.
    InOrder(Position),
    /// Times and positions by time, then arrival; and those still to come.
    Sorted(Vec<(i64, Position)>, Range<usize>),
}

/// The row that comes next.
#[derive(Clone, Debug)]
struct Head {
    time_ns: i64,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    One(Position),
    /// Rows of equal time among the sorted ones, in order of arrival.
    Among(Range<usize>),
}

impl Stream {
    pub(super) const fn new(part: usize, pin: Pin) -> Self {
        Self {
            part,
            pin,
            tags: Vec::new(),
            source: Source::Unopened,
            head: None,
        }
    }

    pub(super) const fn time_ns(&self) -> Option<i64> {
        match &self.head {
            Some(head) => Some(head.time_ns),
            None => None,
        }
    }

    /// The values of the row at the head; empty without one.
    pub(super) fn values<'a>(&'a self, run: &'a Run<'_, '_>) -> Vec<Option<Value<'a>>> {
        let found = run.part(self.part);
        let Some(((part, shard), head)) = found.zip(self.head.as_ref()) else {
            return Vec::new();
        };
        self.decode(part, shard, &head.place)
    }

    fn decode<'a>(
        &'a self,
        part: &Part,
        shard: &'a ShardView<'a>,
        place: &Place,
    ) -> Vec<Option<Value<'a>>> {
        let mut values = part.blank(&self.tags);
        for row in self.rows_at(shard, place) {
            part.overlay(shard.index, &row, &mut values);
        }
        values
    }

    fn rows_at<'a>(
        &self,
        shard: &'a ShardView<'a>,
        place: &Place,
    ) -> impl Iterator<Item = Row<'a>> {
        let (one, among) = match (place, &self.source) {
            (Place::One(position), _) => (Some(*position), &[][..]),
            (Place::Among(range), Source::Sorted(rows, _)) => {
                (None, rows.get(range.clone()).unwrap_or_default())
            }
            (Place::Among(_), _) => (None, &[][..]),
        };
        let pin = self.pin;
        let positions = one
            .into_iter()
            .chain(among.iter().map(|&(_, position)| position));
        positions.filter_map(move |at| shard.cache.rows_from(pin.series, pin.rows, at).next())
    }

    fn open(&mut self, run: &mut Run<'_, '_>) {
        let (range, ascending) = (run.rules.range, run.rules.ascending);
        let Some((part, shard)) = run.part(self.part) else {
            self.source = Source::Sorted(Vec::new(), 0..0);
            return;
        };
        for place in part.tag_places() {
            let Some(wanted) = run.rules.refs.list.get(place) else {
                continue;
            };
            let mut tags = shard.index.series_tags(self.pin.series);
            if let Some((_, value)) = tags.find(|(key, _)| **key == *wanted.name)
                && !value.is_empty()
            {
                self.tags.push((place, value.into_owned()));
            }
        }
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

    /// Goes on to the next row that counts among rows that lie in order.
    fn advance_in_order(&mut self, run: &mut Run<'_, '_>, from: Position) -> bool {
        let range = run.rules.range;
        let Some(shard) = run.shard(self.part) else {
            return true;
        };
        let mut rows = shard.cache.rows_from(self.pin.series, self.pin.rows, from);
        loop {
            let at = rows.position();
            if run.work == 0 {
                self.source = Source::InOrder(at);
                return false;
            }
            let Some(row) = rows.next() else { return true };
            run.work -= 1;
            if row.time > range.max() {
                return true;
            }
            if row.time >= range.min() && self.counts(run, &Place::One(at)) {
                self.head = Some(Head {
                    time_ns: row.time,
                    place: Place::One(at),
                });
                self.source = Source::InOrder(rows.position());
                return true;
            }
        }
    }

    fn advance_sorted(&mut self, run: &mut Run<'_, '_>) -> bool {
        loop {
            let Source::Sorted(rows, left) = &mut self.source else {
                return true;
            };
            if run.work == 0 {
                return false;
            }
            let Some(found) = next_time(rows, left, run.rules.ascending) else {
                return true;
            };
            let time_ns = rows.get(found.start).map_or(0, |&(time, _)| time);
            run.work = run.work.saturating_sub(found.len());
            let place = Place::Among(found);
            if self.counts(run, &place) {
                self.head = Some(Head { time_ns, place });
                return true;
            }
        }
    }

    /// Whether a row has a selected field and passes the filter.
    fn counts(&self, run: &mut Run<'_, '_>, place: &Place) -> bool {
        let Some((part, shard)) = run.part_mut(self.part) else {
            return false;
        };
        let mut has_selected = false;
        for row in self.rows_at(shard, place) {
            has_selected |= part.prepare(shard.index, row.layout);
        }
        if !has_selected || self.pin.filter == FilterId::NONE {
            return has_selected;
        }
        let Some((part, shard)) = run.part(self.part) else {
            return false;
        };
        run.rules
            .filters
            .passes(self.pin.filter, &self.decode(part, shard, place))
    }
}

/// Takes the rows of the next time off `left`.
fn next_time(
    rows: &[(i64, Position)],
    left: &mut Range<usize>,
    ascending: bool,
) -> Option<Range<usize>> {
    let here = rows.get(left.clone())?;
    let (time, _) = *if ascending { here.first() } else { here.last() }?;
    let same = |&&(other, _): &&(i64, Position)| other == time;
    if ascending {
        let count = here.iter().take_while(same).count();
        let start = left.start;
        left.start += count;
        Some(start..start + count)
    } else {
        let count = here.iter().rev().take_while(same).count();
        left.end -= count;
        Some(left.end..left.end + count)
    }
}

impl Feed for Stream {
    fn advance(&mut self, run: &mut Run<'_, '_>) -> bool {
        if matches!(self.source, Source::Unopened) {
            self.open(run);
        }
        self.head = None;
        match self.source {
            Source::InOrder(from) => self.advance_in_order(run, from),
            _ => self.advance_sorted(run),
        }
    }

    fn stream(&self) -> Option<&Stream> {
        self.head.is_some().then_some(self)
    }
}
