//! Merging feeds of rows by time.
//!
//! The order of rows of equal time is upstream's, which follows from its data structures:
//! series stand in order of their keys (backwards with ORDER BY time DESC) in a binary heap
//! that works exactly as Go's `container/heap`, compared by time and then by the selected
//! values, in order of their names, as long as both are strings (tags or fields). A row taken
//! off the heap is followed by the next one of its series, put back at the end. Shards of a
//! retention policy are merged one after the other, for hardly ever do they overlap; those that
//! do are merged as one. Entries of FROM that read the same measurement have a heap of their own.
//!
//! Source: influxdb 1.12 `query.floatSortedMergeIterator`, Go `container/heap`.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::run::Run;
use super::stream::{Span, Stream, streams};
use crate::model::Value;

/// Something that has rows in order of time.
pub(super) trait Feed {
    /// Goes on to the next row, or to the end. `false` if the work of this step is used up;
    /// then it has to be called again.
    fn advance(&mut self, run: &mut Run<'_, '_>) -> bool;

    /// The stream whose row is at the head; `None` at the end.
    fn stream(&self) -> Option<&Stream>;
}

/// What a merge has next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A row: that of this feed.
    Row(usize),
    /// No more.
    End,
    /// Work is used up.
    Later,
}

/// A merge of feeds under way.
#[derive(Debug)]
pub(super) struct Merge<F> {
    feeds: Vec<F>,
    /// How many feeds are at their first row.
    opened: usize,
    heap: Vec<usize>,
    /// The feed whose row was given out last, and which has to go on.
    moving: Option<usize>,
}

impl<F: Feed> Merge<F> {
    pub(super) const fn new(feeds: Vec<F>) -> Self {
        Self {
            feeds,
            opened: 0,
            heap: Vec::new(),
            moving: None,
        }
    }

    /// The stream of the row that was given out last.
    pub(super) fn current(&self) -> Option<&Stream> {
        self.feeds.get(self.moving?)?.stream()
    }

    pub(super) fn next(&mut self, run: &mut Run<'_, '_>) -> Next {
        while let Some(feed) = self.feeds.get_mut(self.opened) {
            if !feed.advance(run) {
                return Next::Later;
            }
            if feed.stream().is_some() {
                self.heap.push(self.opened);
            }
            self.opened += 1;
            if self.opened == self.feeds.len() {
                init(&mut self.heap, &|a, b| less(&self.feeds, run, a, b));
            }
        }
        if let Some(moving) = self.moving {
            let Some(feed) = self.feeds.get_mut(moving) else {
                return Next::End;
            };
            if !feed.advance(run) {
                return Next::Later;
            }
            let goes_on = feed.stream().is_some();
            self.moving = None;
            if goes_on {
                push(&mut self.heap, moving, &|a, b| less(&self.feeds, run, a, b));
            }
        }
        self.moving = pop(&mut self.heap, &|a, b| less(&self.feeds, run, a, b));
        self.moving.map_or(Next::End, Next::Row)
    }
}

fn less<F: Feed>(feeds: &[F], run: &Run<'_, '_>, a: usize, b: usize) -> bool {
    let stream = |at: usize| feeds.get(at).and_then(Feed::stream);
    let Some((a, b)) = stream(a).zip(stream(b)) else {
        return false;
    };
    let (before, order) = match run.rules.ascending {
        true => (Ordering::Less, a.time_ns().cmp(&b.time_ns())),
        false => (Ordering::Greater, a.time_ns().cmp(&b.time_ns())),
    };
    let order = order.then_with(|| compare_strings(a, b, run));
    order == before
}

/// Compares the leading selected values that are strings on both sides.
fn compare_strings(a: &Stream, b: &Stream, run: &Run<'_, '_>) -> Ordering {
    let mut rows = None;
    for place in 0..run.rules.refs.selected {
        let tag = |stream: &Stream| stream.tags.iter().position(|(at, _)| *at == place);
        let order = if let Some((x, y)) = tag(a).zip(tag(b)) {
            // Tags are at hand; rows are read only if these do not decide.
            a.tags
                .get(x)
                .map(|(_, value)| value)
                .cmp(&b.tags.get(y).map(|(_, value)| value))
        } else {
            if !run.rules.may_be_string(place) {
                return Ordering::Equal;
            }
            let (left, right) = rows.get_or_insert_with(|| (a.values(run), b.values(run)));
            match (left.get(place), right.get(place)) {
                (Some(Some(Value::String(x))), Some(Some(Value::String(y)))) => x.cmp(y),
                _ => return Ordering::Equal,
            }
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

type Less<'a> = &'a dyn Fn(usize, usize) -> bool;

fn is_less(heap: &[usize], i: usize, j: usize, less: Less<'_>) -> bool {
    heap.get(i)
        .zip(heap.get(j))
        .is_some_and(|(&a, &b)| less(a, b))
}

fn init(heap: &mut [usize], less: Less<'_>) {
    for i in (0..heap.len() / 2).rev() {
        down(heap, i, less);
    }
}

fn push(heap: &mut Vec<usize>, item: usize, less: Less<'_>) {
    heap.push(item);
    let mut j = heap.len() - 1;
    while j > 0 {
        let parent = (j - 1) / 2;
        if !is_less(heap, j, parent, less) {
            return;
        }
        heap.swap(parent, j);
        j = parent;
    }
}

fn pop(heap: &mut Vec<usize>, less: Less<'_>) -> Option<usize> {
    let last = heap.len().checked_sub(1)?;
    heap.swap(0, last);
    let popped = heap.pop();
    down(heap, 0, less);
    popped
}

fn down(heap: &mut [usize], from: usize, less: Less<'_>) {
    let mut i = from;
    loop {
        let left = 2 * i + 1;
        if left >= heap.len() {
            return;
        }
        let mut child = left;
        if left + 1 < heap.len() && is_less(heap, left + 1, left, less) {
            child = left + 1;
        }
        if !is_less(heap, child, i, less) {
            return;
        }
        heap.swap(i, child);
        i = child;
    }
}

/// The series that one entry of FROM contributes to a group: shard after shard.
#[derive(Debug)]
pub(super) struct Lane {
    /// The last of which comes first.
    spans: Vec<Span>,
    merge: Option<Merge<Stream>>,
}

impl Lane {
    /// `spans` in the order in which they are read.
    pub(super) fn new(mut spans: Vec<Span>) -> Self {
        spans.reverse();
        Self { spans, merge: None }
    }
}

impl Feed for Lane {
    fn advance(&mut self, run: &mut Run<'_, '_>) -> bool {
        loop {
            let Some(merge) = &mut self.merge else {
                let Some(span) = self.spans.pop() else {
                    return true;
                };
                self.merge = Some(Merge::new(streams(span, run)));
                continue;
            };
            match merge.next(run) {
                Next::Row(_) => return true,
                Next::Later => return false,
                Next::End => self.merge = None,
            }
        }
    }

    fn stream(&self) -> Option<&Stream> {
        self.merge.as_ref()?.current()
    }
}
