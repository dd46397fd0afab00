//! The oracle of worlds in which bytes at rest are damaged: nothing wrong, and no loss that is
//! not reported.
//!
//! Per place, the writes and drops that concern it are in order. What an engine shows there has
//! to be the last of those that are certain, or one after it. If it is an earlier one, each
//! certain one in between has to lie within the LSNs of reported damage.

use std::collections::HashMap;

use tidegate_core::engine::Damage;

use super::history::{History, Record};
use super::observe::{Content, Point};

/// What concerns one place: the request, and the value that it wrote (`None`: dropped).
type Events = HashMap<u64, Vec<(usize, Option<u64>)>>;

/// Checks what a reopened engine holds; which requests lost something, reported.
pub(super) fn check(
    history: &mut History,
    seen: &Content,
    damage: &[Damage],
    durable: u64,
    accepted: u64,
) -> Result<Vec<usize>, String> {
    let events = events(&history.records);
    for key in seen.points.keys() {
        if !events.contains_key(key) {
            return Err("INVENTED: a place that nobody wrote to".into());
        }
    }
    let mut lost = Vec::new();
    for (key, events) in &events {
        let shown = seen.points.get(key).map(|&(value, _)| value);
        check_place(history, events, shown, damage, &mut lost)?;
    }
    check_whole(history, &events, seen, damage)?;
    settle(history, &events, seen, durable, accepted);
    lost.sort_unstable();
    lost.dedup();
    for &at in &lost {
        if let Some(record) = history.records.get_mut(at) {
            record.is_excused = true;
        }
    }
    excuse_hidden(history, &events, damage);
    history.content = seen.clone();
    Ok(lost)
}

/// Requests within reported damage may be lost without a trace: others wrote the same, or wrote
/// over it. Later, nobody will report them again.
fn excuse_hidden(history: &mut History, events: &Events, damage: &[Damage]) {
    for (at, record) in history.records.iter_mut().enumerate() {
        if record.is_excused || !is_reported(record, damage) {
            continue;
        }
        record.is_excused = record
            .points
            .iter()
            .any(|point| !is_alone(events, at, point));
    }
}

/// Whether the request wrote to that place last, and nobody else the same value.
fn is_alone(events: &Events, at: usize, point: &Point) -> bool {
    let place = events.get(&point.key).map_or(&[][..], Vec::as_slice);
    let same = place
        .iter()
        .filter(|event| event.1 == Some(point.value))
        .count();
    place.last() == Some(&(at, Some(point.value))) && same == 1
}

fn events(records: &[Record]) -> Events {
    let mut events = Events::new();
    let mut owners: HashMap<u64, Vec<u64>> = HashMap::new();
    for (at, record) in records.iter().enumerate() {
        let dropped = record.dropped.and_then(|policy| owners.get(&policy));
        for key in dropped.into_iter().flatten() {
            events.entry(*key).or_default().push((at, None));
        }
        for point in &record.points {
            let place = events.entry(point.key).or_default();
            if place.is_empty() {
                owners.entry(point.policy).or_default().push(point.key);
            }
            place.push((at, Some(point.value)));
        }
    }
    events
}

/// Walks back from the last event; whatever is passed by must be uncertain or reported.
fn check_place(
    history: &History,
    events: &[(usize, Option<u64>)],
    shown: Option<u64>,
    damage: &[Damage],
    lost: &mut Vec<usize>,
) -> Result<(), String> {
    for (position, &(at, value)) in events.iter().enumerate().rev() {
        let is_last_of_request = events.get(position + 1).is_none_or(|next| next.0 != at);
        let Some(record) = history.records.get(at) else {
            continue;
        };
        if value == shown && is_last_of_request {
            return Ok(());
        }
        // Of the values that a request gave a place, the last one may be lost and an earlier one
        // be there: they are in several frames of a snapshot, or of two types, of which one lost
        // its definition.
        let is_certain = at < history.floor && !record.is_excused;
        if value == shown && (record.is_excused || is_reported(record, damage)) {
            lost.extend(is_certain.then_some(at));
            return Ok(());
        }
        if !is_certain || !is_last_of_request {
            continue;
        }
        if !is_reported(record, damage) {
            let what = if shown.is_some() {
                "shows an older value"
            } else {
                "is gone"
            };
            return Err(format!(
                "UNREPORTED: a place of request {at} (LSN {} to {}) {what}; reported: {damage:?}",
                record.first_lsn, record.last_lsn
            ));
        }
        lost.push(at);
    }
    match shown {
        None => Ok(()),
        Some(shown) => Err(format!(
            "WRONG: a value that nobody wrote there: {shown:x} where requests wrote {events:x?}; \
             reported: {damage:?}"
        )),
    }
}

fn is_reported(record: &Record, damage: &[Damage]) -> bool {
    let touches =
        |damage: &Damage| damage.first.0 <= record.last_lsn && record.first_lsn <= damage.last.0;
    damage.iter().any(touches)
}

/// A request outside reported damage is there as a whole or not at all, as far as later ones
/// do not hide it.
fn check_whole(
    history: &History,
    events: &Events,
    seen: &Content,
    damage: &[Damage],
) -> Result<(), String> {
    for (at, record) in history.records.iter().enumerate() {
        if record.is_excused || is_reported(record, damage) {
            continue;
        }
        let (mut here, mut gone) = (0, 0);
        for point in &record.points {
            // Otherwise it cannot be told whose value is there.
            if !is_alone(events, at, point) {
                continue;
            }
            match seen.points.get(&point.key) {
                Some(&(value, _)) if value == point.value => here += 1,
                _ => gone += 1,
            }
        }
        if here > 0 && gone > 0 {
            return Err(format!(
                "HALF: request {at} has {here} values there, {gone} gone"
            ));
        }
    }
    Ok(())
}

/// What was never promised and is not all there will not be asked for; what is there and not
/// proven was logged again.
fn settle(history: &mut History, events: &Events, seen: &Content, durable: u64, accepted: u64) {
    let floor = history.floor;
    for record in history
        .records
        .iter_mut()
        .filter(|record| record.last_lsn > durable)
    {
        record.first_lsn = record.first_lsn.min(durable + 1);
        record.last_lsn = record.last_lsn.max(accepted);
    }
    for (at, record) in history.records.iter_mut().enumerate().skip(floor) {
        let is_there = record.points.iter().all(|point| {
            let shown = seen.points.get(&point.key);
            is_alone(events, at, point) && shown.is_some_and(|shown| shown.0 == point.value)
        });
        record.is_excused |= !is_there || record.points.is_empty();
    }
}

/// How many records of the log these requests lie in: what a repair wrote again is one.
pub(super) fn records_hit(history: &History, lost: &[usize]) -> usize {
    let range = |&at: &usize| {
        history
            .records
            .get(at)
            .map(|one| (one.first_lsn, one.last_lsn))
    };
    let mut ranges: Vec<(u64, u64)> = lost.iter().filter_map(range).collect();
    ranges.sort_unstable();
    let (mut count, mut end) = (0, 0);
    for (first, last) in ranges {
        count += usize::from(first > end);
        end = end.max(last);
    }
    count
}
