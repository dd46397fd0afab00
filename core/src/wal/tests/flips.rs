//! Every bit of a small log, flipped.

use super::*;

/// Checks an outcome against what was written: nothing wrong, nothing silently lost, nothing
/// reported lost that came.
pub(super) fn check(sample: &Sample, outcome: &Outcome, what: &str) {
    assert_eq!(outcome.refused, None, "{what}");
    let lost = |lsn: u64| {
        let mut damage = outcome.end.damage.iter();
        damage.any(|range| range.first.0 <= lsn && lsn <= range.last.0)
    };
    let mut rows = outcome
        .frames
        .iter()
        .filter(|frame| frame.kind == FrameKind::Rows);
    let mut next = rows.next();
    for written in sample
        .written
        .iter()
        .filter(|frame| frame.kind == FrameKind::Rows)
    {
        match next {
            Some(seen) if seen.lsn == written.lsn => {
                assert_eq!(seen.payload, written.payload, "{what}");
                assert_eq!(
                    (seen.points, seen.segment),
                    (written.points, written.segment)
                );
                assert!(!lost(seen.lsn), "{what}: reported lost, and yet here");
                next = rows.next();
            }
            _ => assert!(lost(written.lsn), "{what}: {} lost in silence", written.lsn),
        }
    }
    assert_eq!(next, None, "{what}: invented, or out of order");
    for frame in outcome
        .frames
        .iter()
        .filter(|frame| frame.kind == FrameKind::Definitions)
    {
        let known = |other: &&Seen| other.payload == frame.payload && other.kind == frame.kind;
        assert!(
            sample.written.iter().any(|other| known(&other)),
            "{what}: invented"
        );
    }
    let points = |lsn: u64| sample.written.iter().find(|frame| frame.lsn == lsn);
    for damage in &outcome.end.damage {
        if let Some(told) = damage.points {
            assert_eq!(damage.first, damage.last);
            let really = points(damage.first.0).map_or(0, |frame| frame.points);
            assert_eq!(told, u64::from(really), "{what}");
        }
    }
}

/// Definitions come before the rows that were written behind them.
fn check_definitions(sample: &Sample, outcome: &Outcome, what: &str) {
    for written in sample
        .written
        .iter()
        .filter(|frame| frame.kind == FrameKind::Definitions)
    {
        let at = outcome
            .frames
            .iter()
            .position(|seen| seen.payload == written.payload);
        let at = at.unwrap_or_else(|| panic!("{what}: definitions lost"));
        let before = outcome.frames.get(..at).unwrap_or_default();
        let early = before.iter().find(|seen| {
            seen.kind == FrameKind::Rows
                && seen.segment == written.segment
                && seen.lsn > written.lsn
        });
        assert_eq!(early, None, "{what}: rows before their definitions");
    }
}

/// Which bits to flip: all of what is used, a sample of what is zero.
fn bits(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let zero = |at: usize| {
        let around = bytes.get(at.saturating_sub(40)..(at + 40).min(bytes.len()));
        around.is_some_and(|around| around.iter().all(|&byte| byte == 0))
    };
    (0..bytes.len() * 8).filter(move |bit| !zero(bit / 8) || bit % 1009 == 0)
}

#[test]
fn no_flipped_bit_gives_wrong_data_or_a_silent_loss() {
    let sample = sample(true);
    let clean = replay(&sample.store);
    check(&sample, &clean, "clean");
    assert_eq!(clean.end.damage, []);
    assert_eq!(clean.end.torn_bytes, 0);
    assert!(clean.rows().iter().all(|frame| frame.certified));
    let (mut flips, mut losses) = (0, 0);
    for (&id, bytes) in &sample.store {
        let mut store = sample.store.clone();
        for bit in bits(bytes) {
            store.get_mut(&id).unwrap()[bit / 8] ^= 1 << (bit % 8);
            let outcome = replay(&store);
            let what = alloc::format!("segment {id}, byte {}, bit {}", bit / 8, bit % 8);
            check(&sample, &outcome, &what);
            check_definitions(&sample, &outcome, &what);
            assert!(outcome.end.damage.len() <= 1, "{what}");
            assert_eq!(
                outcome.end.torn_bytes, 0,
                "{what}: damage taken for a torn tail"
            );
            let rows = sample
                .written
                .iter()
                .filter(|frame| frame.kind == FrameKind::Rows);
            assert!(
                outcome.rows().len() + 1 >= rows.count(),
                "{what}: a neighbour was lost"
            );
            if bit / 8 < HEADER_BLOCK_BYTES as usize {
                assert_eq!(outcome.end.damage, [], "{what}");
            }
            flips += 1;
            losses += outcome.end.damage.len();
            store.get_mut(&id).unwrap()[bit / 8] ^= 1 << (bit % 8);
        }
    }
    assert!(
        flips > 10_000 && losses > 5_000,
        "{flips} flips, {losses} losses"
    );
}

#[test]
fn a_payload_flip_loses_one_frame_and_knows_its_points() {
    let sample = sample(true);
    for written in sample
        .written
        .iter()
        .filter(|frame| frame.kind == FrameKind::Rows)
    {
        let mut store = sample.store.clone();
        let bytes = store.get_mut(&written.segment).unwrap();
        let (start, length) = (HEADER_BLOCK_BYTES as usize, written.payload.len());
        let at = (start..bytes.len()).step_by(8).find(|at| {
            bytes[*at..].starts_with(&written.payload) && bytes[at - 4] == 2 && bytes[at - 32] != 0
        });
        bytes[at.unwrap() + length - 1] ^= 0x10;
        let damage = replay(&store).end.damage;
        assert_eq!(damage.len(), 1);
        assert_eq!(
            (damage[0].first.0, damage[0].last.0),
            (written.lsn, written.lsn)
        );
        assert_eq!(damage[0].points, Some(u64::from(written.points)));
    }
}

#[test]
fn whole_sectors_of_garbage_lose_only_what_they_hit() {
    let sample = sample(true);
    let mut lots = Lots(3);
    for (&id, bytes) in &sample.store {
        for sector in HEADER_BLOCK_BYTES as usize / 512..bytes.len() / 512 {
            let mut store = sample.store.clone();
            let place = &mut store.get_mut(&id).unwrap()[sector * 512..][..512];
            match lots.draw(2) {
                0 => place.fill(0),
                _ => place.fill_with(|| lots.draw(256) as u8),
            }
            let outcome = replay(&store);
            check(&sample, &outcome, "sector");
            check_definitions(&sample, &outcome, "sector");
            assert_eq!(outcome.end.torn_bytes, 0);
        }
    }
}

#[test]
fn frames_that_changed_places_are_not_replayed_in_the_wrong_order() {
    let mut log = first_log(1 << 20);
    let mut store = Store::new();
    for points in 1..6 {
        // The same payload each time, so that chain values do not give it away.
        log.begin_record();
        log.append(FrameKind::Rows, b"same all over", points, false);
    }
    drain(&mut log, &mut store, true);
    let frame = |number: usize| HEADER_BLOCK_BYTES as usize + 56 * number;
    let (left, right) = store.get_mut(&1).unwrap().split_at_mut(frame(3));
    left[frame(1)..frame(2)].swap_with_slice(&mut right[..56]);
    let outcome = replay(&store);
    assert!(outcome.row_lsns().is_sorted());
    assert_eq!(outcome.row_lsns(), [1, 3, 5]);
    let lost: Vec<u64> = outcome
        .end
        .damage
        .iter()
        .map(|damage| damage.first.0)
        .collect();
    assert_eq!(lost, [2, 4]);
}

/// Whatever is delivered was written, with its LSN.
fn check_nothing_wrong(sample: &Sample, outcome: &Outcome) {
    for seen in &outcome.frames {
        let mut written = sample.written.iter();
        let is_same = |other: &Seen| {
            let is_copy = seen.kind == FrameKind::Definitions;
            seen.payload == other.payload && (is_copy || seen.lsn == other.lsn)
        };
        assert!(written.any(is_same), "invented: {seen:?}");
    }
}

#[test]
fn without_registers_a_flip_still_gives_nothing_wrong_and_no_early_loss() {
    let sample = sample(false);
    for (&id, bytes) in &sample.store {
        let mut store = sample.store.clone();
        for bit in bits(bytes).step_by(5) {
            store.get_mut(&id).unwrap()[bit / 8] ^= 1 << (bit % 8);
            let outcome = replay(&store);
            check_nothing_wrong(&sample, &outcome);
            let is_last = |frame: &&Seen| frame.segment == 3;
            let lost = sample
                .written
                .iter()
                .filter(|frame| !is_last(frame))
                .count();
            let here = outcome
                .frames
                .iter()
                .filter(|frame| !is_last(frame))
                .count();
            assert!(here + 1 >= lost, "segment {id}, bit {bit}");
            store.get_mut(&id).unwrap()[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn no_heap_of_garbage_stops_a_replay_or_gets_through() {
    let sample = sample(true);
    let mut lots = Lots(11);
    for _ in 0..2_000 {
        let mut store = sample.store.clone();
        for _ in 0..=lots.draw(12) {
            let from = store[&(1 + lots.draw(3))].clone();
            let bytes = store.get_mut(&(1 + lots.draw(3))).unwrap();
            let at = lots.draw(bytes.len() as u64 + 1) as usize;
            let end = (at + 1 + lots.draw(900) as usize).min(bytes.len());
            match lots.draw(6) {
                0 => bytes.truncate(at),
                1 => bytes.resize(end + lots.draw(9_000) as usize, 0),
                2 => bytes[at..end].fill(0),
                3 => bytes[at..end].fill_with(|| lots.draw(256) as u8),
                4 => bytes[at..end].rotate_left((end - at) / 2),
                _ => {
                    let part = &from[at.min(from.len())..end.min(from.len())];
                    bytes[at..at + part.len()].copy_from_slice(part);
                }
            }
        }
        check_nothing_wrong(&sample, &replay(&store));
    }
}
