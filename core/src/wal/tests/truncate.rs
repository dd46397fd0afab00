//! Every length a segment can be cut to.

use super::flips::check;
use super::*;

#[test]
fn a_sealed_segment_cut_anywhere_is_damage() {
    let sample = sample(true);
    for id in [1, 2] {
        let mut store = sample.store.clone();
        let whole = store[&id].len();
        for length in (0..whole).rev() {
            store.get_mut(&id).unwrap().truncate(length);
            let outcome = replay(&store);
            check(
                &sample,
                &outcome,
                &alloc::format!("segment {id} cut to {length}"),
            );
            assert!(!outcome.end.damage.is_empty() || length > whole - 8);
            assert_eq!(
                (outcome.end.torn_bytes, outcome.end.next_lsn),
                (0, sample.accepted.next())
            );
        }
    }
}

#[test]
fn the_last_segment_cut_anywhere_is_damage_while_its_register_is_there() {
    let sample = sample(true);
    let mut store = sample.store.clone();
    let whole = store[&3].len();
    // The newest slot may be the later one.
    for length in (8192 + 64..whole).rev() {
        store.get_mut(&3).unwrap().truncate(length);
        let outcome = replay(&store);
        check(
            &sample,
            &outcome,
            &alloc::format!("last segment cut to {length}"),
        );
        assert!(!outcome.end.damage.is_empty() || length > whole - 8);
        assert_eq!(
            (outcome.end.torn_bytes, outcome.end.next_lsn),
            (0, sample.accepted.next())
        );
    }
}

#[test]
fn the_last_segment_cut_anywhere_is_torn_where_nothing_proves_more() {
    let mut log = first_log(1 << 20);
    let mut store = Store::new();
    let mut ends = vec![(HEADER_BLOCK_BYTES, 0)];
    for record in 0..6u8 {
        log.begin_record();
        log.append(FrameKind::Rows, &[record; 20], 1, true);
        let last = log.append(FrameKind::Rows, &[record; 30], 1, false);
        ends.push((ends[usize::from(record)].0 + 64 + 72, last.0));
    }
    drain(&mut log, &mut store, false);
    let whole = store[&1].len() as u64;
    assert_eq!(whole, ends[6].0);
    for length in (0..whole).rev() {
        store.get_mut(&1).unwrap().truncate(length as usize);
        let outcome = replay(&store);
        assert_eq!(outcome.end.damage, []);
        let usable = ends.iter().rev().find(|(end, _)| *end <= length).copied();
        let (end, last) = usable.unwrap_or((if length < 128 { 0 } else { length }, 0));
        assert_eq!(
            outcome.row_lsns().last().copied().unwrap_or(0),
            last,
            "{length}"
        );
        assert_eq!(outcome.row_lsns().len() as u64, last, "records come whole");
        assert_eq!(outcome.end.torn_bytes, length - end, "{length}");
        assert!(outcome.rows().iter().all(|frame| !frame.certified));
        assert_eq!(
            (outcome.end.next_lsn, outcome.end.predecessor),
            (Lsn(1), None)
        );
        assert_eq!(outcome.end.next_segment, SegmentId(2));
        assert_eq!(outcome.end.repair, last > 0);
        let obsolete = if length < 128 {
            segments([1]).to_vec()
        } else {
            vec![]
        };
        assert_eq!(outcome.end.obsolete, obsolete);
    }
}

#[test]
fn a_later_promise_certifies_what_came_before_it() {
    let sample = sample(false);
    let outcome = replay(&sample.store);
    assert_eq!(outcome.end.damage, []);
    let last = |frame: &&Seen| frame.segment == 3;
    let (proven, open): (Vec<_>, Vec<_>) = outcome
        .frames
        .iter()
        .filter(last)
        .partition(|frame| frame.certified);
    assert!(!proven.is_empty() && !open.is_empty());
    assert!(
        proven
            .iter()
            .all(|frame| frame.lsn < outcome.end.next_lsn.0)
    );
    assert!(open.iter().all(|frame| frame.lsn >= outcome.end.next_lsn.0));
}

#[test]
fn zeros_behind_the_end_are_nobodys_and_anything_else_there_is_torn() {
    for registers in [true, false] {
        let sample = sample(registers);
        let clean = replay(&sample.store);
        let whole = sample.store[&3].len();
        let facts = |outcome: &Outcome| {
            let end = &outcome.end;
            let damage = end.damage.clone();
            let links = (end.next_lsn, end.predecessor);
            (outcome.frames.clone(), damage, end.torn_bytes, links)
        };
        for zeros in (1..200).chain([4096, 65_536, (1 << 20) + 3]) {
            let mut store = sample.store.clone();
            store.get_mut(&3).unwrap().resize(whole + zeros, 0);
            let outcome = replay(&store);
            assert_eq!(facts(&outcome), facts(&clean), "{zeros} zeros");
            assert_eq!(outcome.quarantined, clean.quarantined);
            for at in [0, zeros / 2, zeros - 1] {
                let mut store = store.clone();
                store.get_mut(&3).unwrap()[whole + at] = 1;
                let outcome = replay(&store);
                assert_eq!(outcome.frames, clean.frames, "byte {at} of {zeros}");
                assert_eq!(outcome.end.torn_bytes, zeros as u64, "byte {at}");
            }
        }
    }
}
