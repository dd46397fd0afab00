//! The oracle of worlds in which nothing is damaged: what was asked for, in order, and how much
//! of it was promised.
//!
//! Whatever ends a life, the next one finds the effect of a prefix of the requests: all of each
//! request or nothing of it, no less than what was promised, no more than what was asked for.

use super::observe::{Content, Observed, Point};

/// A request that changed something.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// In order of arrival per series.
    pub(super) points: Vec<Point>,
    /// The policy it dropped.
    pub(super) dropped: Option<u64>,
    /// The frames of the log that hold it.
    pub(super) first_lsn: u64,
    pub(super) last_lsn: u64,
    /// Never promised and not seen again, or lost and reported. Only where damage happens.
    pub(super) is_excused: bool,
    /// Content and catalog once it is done.
    mark: Mark,
}

type Mark = ((u64, usize), u64);

/// Requests in order, of which the first so many were promised.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) records: Vec<Record>,
    /// So many of them were promised: acknowledged, seen by an answered query, or proven
    /// durable at an opening.
    pub(super) floor: usize,
    /// What the running engine is to hold.
    pub(super) content: Content,
    /// What went on from so many requests and was not there at a later opening. It was never
    /// promised; but while nothing after that point is, it may come back: a segment whose
    /// creation failed is removed, and power is lost before the removal is durable.
    ghosts: Vec<(usize, Vec<Record>)>,
    empty: Mark,
}

/// What an opening found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// All but so many requests of the last life.
    Prefix { forgotten: usize },
    /// Requests that failed in an earlier life.
    Ghost,
}

impl History {
    /// Before anything; `catalog` is that of an empty database.
    pub(super) fn new(catalog: u64) -> Self {
        let content = Content::default();
        Self {
            records: Vec::new(),
            floor: 0,
            empty: (content.mark(), catalog),
            content,
            ghosts: Vec::new(),
        }
    }

    /// A request did this.
    pub(super) fn push(
        &mut self,
        points: Vec<Point>,
        dropped: Option<u64>,
        lsns: (u64, u64),
        catalog: u64,
    ) {
        if let Some(policy) = dropped {
            self.content.drop_policy(policy);
        }
        points.iter().for_each(|&point| self.content.put(point));
        self.records.push(Record {
            points,
            dropped,
            first_lsn: lsns.0,
            last_lsn: lsns.1,
            is_excused: false,
            mark: (self.content.mark(), catalog),
        });
    }

    /// The first `count` requests will not be forgotten any more.
    pub(super) fn promise(&mut self, count: usize) {
        self.floor = self.floor.max(count);
        let floor = self.floor;
        self.ghosts.retain(|ghost| ghost.0 >= floor);
    }

    /// Finds the prefix that an opened engine holds and forgets the rest.
    ///
    /// `durable` and `accepted` are the engine's: what the log proves, and with what was
    /// logged again.
    pub(super) fn reopened(
        &mut self,
        seen: &Observed,
        durable: u64,
        accepted: u64,
    ) -> Result<Found, String> {
        let mark = (seen.content.mark(), seen.catalog);
        // The shortest: a repeated body that changed nothing may not be there, and what is
        // thought of as there has to be reported when damage takes it.
        let mut counts = self.floor..=self.records.len();
        let found = match counts.find(|&count| self.mark_after(count) == mark) {
            Some(count) => {
                let forgotten = self.records.len() - count;
                self.forget_after(count);
                Found::Prefix { forgotten }
            }
            None if self.raise_ghost(mark) => Found::Ghost,
            None => return Err(self.explain(seen)),
        };
        self.content = seen.content.clone();
        let mut proven = 0;
        for (at, record) in self.records.iter_mut().enumerate() {
            if record.last_lsn <= durable {
                proven = at + 1;
            } else {
                (record.first_lsn, record.last_lsn) = (durable + 1, accepted);
            }
        }
        self.promise(proven);
        Ok(found)
    }

    fn forget_after(&mut self, count: usize) {
        let rest = self.records.split_off(count);
        for (base, ghost) in self.ghosts.iter_mut().filter(|ghost| ghost.0 > count) {
            let between = rest.iter().take(*base - count).cloned();
            *ghost = between.chain(std::mem::take(ghost)).collect();
            *base = count;
        }
        if !rest.is_empty() {
            self.ghosts.push((count, rest));
        }
    }

    /// Goes on with requests that failed, if they explain what is there.
    fn raise_ghost(&mut self, mark: Mark) -> bool {
        let found = self.ghosts.iter().find_map(|(base, ghost)| {
            let last = ghost.iter().position(|record| record.mark == mark)?;
            Some((
                *base,
                ghost.iter().take(last + 1).cloned().collect::<Vec<_>>(),
            ))
        });
        let Some((base, raised)) = found else {
            return false;
        };
        self.forget_after(base);
        self.records.extend(raised);
        true
    }

    fn mark_after(&self, count: usize) -> Mark {
        let last = count.checked_sub(1).and_then(|at| self.records.get(at));
        last.map_or(self.empty, |record| record.mark)
    }

    /// Why no prefix fits.
    fn explain(&self, seen: &Observed) -> String {
        let mut shorter = (0..self.floor).rev();
        if let Some(count) = shorter.find(|&n| self.mark_after(n).0 == seen.content.mark()) {
            return format!(
                "LOST: {} requests were promised, {count} of {} are there",
                self.floor,
                self.records.len()
            );
        }
        let mut content = Content::default();
        let mut best = (usize::MAX, 0, 0, 0);
        for (at, record) in self.records.iter().enumerate() {
            if let Some(policy) = record.dropped {
                content.drop_policy(policy);
            }
            record.points.iter().for_each(|&point| content.put(point));
            let is_missing = |(key, value)| seen.content.points.get(key) != Some(value);
            let is_extra = |(key, value)| content.points.get(key) != Some(value);
            let missing = content
                .points
                .iter()
                .filter(|&pair| is_missing(pair))
                .count();
            let extra = seen
                .content
                .points
                .iter()
                .filter(|&pair| is_extra(pair))
                .count();
            if missing + extra < best.0 {
                best = (missing + extra, at + 1, missing, extra);
            }
        }
        let (_, count, missing, extra) = best;
        format!(
            "WRONG: holds the effect of no prefix of {} requests ({} promised); nearest is {count}, \
             with {missing} values missing, {extra} that should not be there, catalog {}",
            self.records.len(),
            self.floor,
            if self.mark_after(count).1 == seen.catalog {
                "equal"
            } else {
                "different"
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Found, History, Observed, Point};

    fn point(key: u64, value: u64) -> Point {
        Point {
            key,
            value,
            policy: 1,
        }
    }

    fn seen(points: &[Point]) -> Observed {
        let mut content = Content::default();
        points.iter().for_each(|&point| content.put(point));
        Observed {
            content,
            catalog: 0,
            policies: Vec::new(),
            default_policy: String::new(),
        }
    }

    fn history() -> History {
        let mut history = History::new(0);
        history.push(vec![point(1, 10), point(2, 20)], None, (1, 2), 0);
        history.push(vec![point(1, 11)], None, (3, 4), 0);
        history.push(vec![point(3, 30)], None, (5, 6), 0);
        history.promise(2);
        history
    }

    #[test]
    fn a_prefix_with_all_that_was_promised_is_right() {
        let all = [point(1, 11), point(2, 20), point(3, 30)];
        let prefix = |forgotten| Ok(Found::Prefix { forgotten });
        assert_eq!(history().reopened(&seen(&all), 6, 6), prefix(0));
        let mut shorter = history();
        assert_eq!(shorter.reopened(&seen(&all[..2]), 4, 4), prefix(1));
        assert_eq!((shorter.records.len(), shorter.floor), (2, 2));
    }

    #[test]
    fn what_failed_may_come_back_until_something_after_it_is_promised() {
        let all = [point(1, 11), point(2, 20), point(3, 30)];
        let mut history = history();
        history.reopened(&seen(&all[..2]), 4, 4).expect("a prefix");
        assert_eq!(
            history.clone().reopened(&seen(&all), 4, 6),
            Ok(Found::Ghost)
        );
        history.push(vec![point(4, 40)], None, (5, 6), 0);
        history.promise(3);
        assert!(history.reopened(&seen(&all), 6, 6).is_err());
    }

    #[test]
    fn loss_halves_old_values_and_inventions_are_told() {
        for wrong in [
            vec![point(1, 10), point(2, 20)],
            vec![point(1, 11), point(3, 30)],
            vec![point(1, 10), point(2, 20), point(3, 30)],
            vec![point(1, 11), point(2, 20), point(4, 40)],
            vec![],
        ] {
            assert!(
                history().reopened(&seen(&wrong), 6, 6).is_err(),
                "{wrong:?}"
            );
        }
    }
}
