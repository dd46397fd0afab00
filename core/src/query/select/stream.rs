//! The rows of one series, in order of time, one for each time.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::layer::{Layer, Pin};
use super::merge::Feed;
use super::run::Run;
use crate::model::Value;
use crate::query::predicate::FilterId;

/// A series under way.
///
/// It has a layer for every shard of a span, see [`Span`]; of the values of one field at one time
/// that of the newest shard counts.
#[derive(Debug)]
pub(super) struct Stream {
    newest: Layer,
    /// Older ones, the oldest first. Hardly ever any.
    older: Vec<Layer>,
    /// The tags that are asked for, by place; none that is empty.
    pub(super) tags: Vec<(usize, Vec<u8>)>,
    is_open: bool,
    time_ns: Option<i64>,
}

/// Shards whose times overlap, with the series to read of each. All but those that were made
/// while others could not be read are alone.
pub(super) type Span = Vec<(usize, Vec<Pin>)>;

/// The series of a span, whose shards stand in order of their age; in order of their keys or,
/// if the pins are, backwards.
pub(super) fn streams(span: Span, run: &Run<'_, '_>) -> Vec<Stream> {
    if let [(part, pins)] = &span[..] {
        return pins.iter().map(|&pin| Stream::new(*part, pin)).collect();
    }
    let mut by_key = BTreeMap::<&[u8], Stream>::new();
    for (part, pins) in span {
        let Some(shard) = run.shard(part) else {
            continue;
        };
        for pin in pins {
            let key = shard.index.series_key(pin.series);
            if let Some(stream) = by_key.get_mut(key) {
                let newer = Layer::new(part, pin);
                let older = core::mem::replace(&mut stream.newest, newer);
                stream.older.push(older);
            } else {
                by_key.insert(key, Stream::new(part, pin));
            }
        }
    }
    let in_order = by_key.into_values();
    if run.rules.ascending {
        in_order.collect()
    } else {
        in_order.rev().collect()
    }
}

impl Stream {
    const fn new(part: usize, pin: Pin) -> Self {
        Self {
            newest: Layer::new(part, pin),
            older: Vec::new(),
            tags: Vec::new(),
            is_open: false,
            time_ns: None,
        }
    }

    pub(super) const fn time_ns(&self) -> Option<i64> {
        self.time_ns
    }

    /// The values of the row at the head; empty without one.
    pub(super) fn values<'a>(&'a self, run: &'a Run<'_, '_>) -> Vec<Option<Value<'a>>> {
        self.time_ns
            .map(|time_ns| self.values_at(run, time_ns))
            .unwrap_or_default()
    }

    fn values_at<'a>(&'a self, run: &'a Run<'_, '_>, time_ns: i64) -> Vec<Option<Value<'a>>> {
        let mut values = Vec::new();
        for layer in self.layers() {
            let Some((part, shard)) = run.part(layer.part) else {
                continue;
            };
            if values.is_empty() {
                values = part.blank(&self.tags);
            }
            layer.overlay(part, shard, time_ns, &mut values);
        }
        values
    }

    fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.older.iter().chain([&self.newest])
    }

    fn layers_mut(&mut self) -> impl Iterator<Item = &mut Layer> {
        self.older.iter_mut().chain([&mut self.newest])
    }

    /// Reads its tags.
    fn open(&mut self, run: &Run<'_, '_>) {
        self.is_open = true;
        let Some((part, shard)) = run.part(self.newest.part) else {
            return;
        };
        for place in part.tag_places() {
            let Some(wanted) = run.rules.refs.list.get(place) else {
                continue;
            };
            let mut tags = shard.index.series_tags(self.newest.pin.series);
            if let Some((_, value)) = tags.find(|(key, _)| **key == *wanted.name)
                && !value.is_empty()
            {
                self.tags.push((place, value.into_owned()));
            }
        }
    }

    /// Whether the row at a time has a selected field and passes the filter.
    fn counts(&self, run: &mut Run<'_, '_>, time_ns: i64) -> bool {
        let (mut has_selected, mut filter) = (false, FilterId::NONE);
        for layer in self.layers().filter(|l| l.time_ns() == Some(time_ns)) {
            has_selected |= layer.prepare(run, time_ns);
            filter = layer.pin.filter;
        }
        if !has_selected || filter == FilterId::NONE {
            return has_selected;
        }
        let values = self.values_at(run, time_ns);
        run.rules.filters.passes(filter, &values)
    }
}

impl Feed for Stream {
    fn advance(&mut self, run: &mut Run<'_, '_>) -> bool {
        if !self.is_open {
            self.open(run);
        }
        loop {
            if let Some(time_ns) = self.time_ns.take() {
                self.layers_mut().for_each(|layer| layer.leave(time_ns));
            }
            if !self.layers_mut().all(|layer| layer.advance(run)) {
                return false;
            }
            let times = self.layers().filter_map(Layer::time_ns);
            let next = if run.rules.ascending {
                times.min()
            } else {
                times.max()
            };
            self.time_ns = next;
            if next.is_none_or(|time_ns| self.counts(run, time_ns)) {
                return true;
            }
        }
    }

    fn stream(&self) -> Option<&Stream> {
        self.time_ns.is_some().then_some(self)
    }
}
