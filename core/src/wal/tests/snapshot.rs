//! A log on top of a snapshot.

use super::*;

const ROWS: u64 = 8;

/// A snapshot of `ROWS` rows in front of two segments of one row each, the first of which was
/// begun before it was there.
fn on_top() -> Store {
    let mut store = Store::new();
    let mut log = Log::begin(
        config(HEADER_BLOCK_BYTES + 10),
        SegmentId(4),
        Some((SegmentId(3), 20_000)),
        Lsn(50),
        false,
    );
    for byte in 0..2 {
        log.begin_record();
        log.append(FrameKind::Rows, &[byte; 20], 1, false);
        drain(&mut log, &mut store, true);
        log.raise_low_watermark(SegmentId(4));
    }
    let rows: Vec<_> = (0..ROWS).map(|row| vec![0x40 | row as u8; 60]).collect();
    store.insert(4 | BLOB, snapshot(4, 50, &rows));
    store
}

fn rows(outcome: &Outcome) -> Vec<u8> {
    outcome.rows().iter().map(|row| row.payload[0]).collect()
}

const WHOLE: [u8; 10] = [0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0, 1];

#[test]
fn a_snapshot_comes_first_and_stands_for_what_is_before_it() {
    let mut store = on_top();
    // Deletions that were undone, of what it covers and of what stood for that before.
    store.insert(3, vec![1; 700]);
    store.insert(2 | BLOB, snapshot(2, 9, &[vec![9; 9]]));
    let outcome = replay(&store);
    assert_eq!(rows(&outcome), WHOLE);
    let end = outcome.end;
    assert_eq!((end.damage, end.torn_bytes), (vec![], 0));
    assert_eq!(end.obsolete, [file(3), file(2 | BLOB)]);
    assert_eq!(end.kept, [file(4), file(5), file(4 | BLOB)]);
    assert!(end.may_retire && !end.repair);
    assert_eq!(end.low_watermark, SegmentId(4));
    assert_eq!((end.next_segment, end.next_lsn), (SegmentId(6), Lsn(52)));
}

#[test]
fn behind_a_snapshot_alone_the_log_goes_on() {
    let mut store = on_top();
    store.retain(|key, _| key & BLOB != 0);
    let outcome = replay(&store);
    assert_eq!(rows(&outcome), WHOLE[..8]);
    let end = outcome.end;
    assert_eq!(end.damage, []);
    assert_eq!((end.next_segment, end.next_lsn), (SegmentId(5), Lsn(50)));
    assert_eq!(end.predecessor, None);
}

#[test]
fn a_snapshot_that_is_gone_is_missed() {
    let mut store = on_top();
    store.remove(&(4 | BLOB));
    let outcome = replay(&store);
    assert_eq!(rows(&outcome), [0, 1]);
    let [damage] = outcome.end.damage[..] else {
        panic!("{:?}", outcome.end.damage);
    };
    assert_eq!((damage.file, damage.points), (file(4 | BLOB), None));
    assert_eq!((damage.first, damage.last), (Lsn(1), Lsn(49)));
}

#[test]
fn what_a_snapshot_alone_covered_is_told_when_only_its_name_is_left() {
    let mut store = on_top();
    store.retain(|key, _| key & BLOB != 0);
    for length in [0, 1, 127] {
        store.insert(4 | BLOB, vec![7; length]);
        let end = replay(&store).end;
        let [damage] = end.damage[..] else {
            panic!("{:?}", end.damage);
        };
        assert_eq!((damage.file, damage.points), (file(4 | BLOB), None));
        // Nothing tells how far it went.
        assert!(damage.first == Lsn(1) && damage.last > Lsn(1 << 39));
        assert!(end.next_lsn > damage.last);
    }
}

#[test]
fn what_is_lost_behind_a_snapshot_is_told_from_there_on() {
    let mut store = on_top();
    let blob = store[&(4 | BLOB)].clone();
    store.insert(4, blob);
    store.remove(&5);
    let end = replay(&store).end;
    let [damage] = end.damage[..] else {
        panic!("{:?}", end.damage);
    };
    assert_eq!((damage.file, damage.first), (file(4), Lsn(50)));
    assert!(damage.last >= Lsn(50) && end.next_lsn >= Lsn(50));
}

#[test]
fn a_snapshot_that_cannot_be_read_is_kept_for_another_day() {
    let store = on_top();
    let frames = store[&(4 | BLOB)].len() as u64 - 500;
    for from in [0, HEADER_BLOCK_BYTES, frames] {
        let outcome = replay_failing(&store, |key, offset| {
            key & BLOB != 0 && offset >= from.min(HEADER_BLOCK_BYTES)
        });
        assert_eq!(rows(&outcome), [0, 1]);
        assert_eq!(outcome.end.damage.len(), 1);
        assert!(!outcome.end.may_retire);
        assert!(!outcome.end.obsolete.contains(&file(4 | BLOB)));
    }
}

#[test]
fn files_under_wrong_names_are_no_snapshots() {
    let mut store = on_top();
    let blob = store[&(4 | BLOB)].clone();
    let segment = store[&5].clone();
    store.insert(9 | BLOB, blob);
    store.insert(5 | BLOB, segment);
    let outcome = replay(&store);
    assert_eq!(rows(&outcome), WHOLE);
    assert_eq!(outcome.end.obsolete, []);
    // It may have stood for all there is; under the other name it could not: the log goes on.
    let told = outcome.end.damage.iter().map(|damage| damage.file);
    assert_eq!(told.collect::<Vec<_>>(), [file(9 | BLOB)]);
    let aside: Vec<_> = outcome
        .quarantined
        .iter()
        .map(|note| (note.0, note.3))
        .collect();
    let misplaced = [5 | BLOB, 9 | BLOB].map(|key| (key, Reason::Misplaced));
    assert_eq!(aside, misplaced);
    assert_eq!(outcome.end.next_segment, SegmentId(10));
}

#[test]
fn a_flipped_bit_or_a_missing_end_costs_a_frame_and_is_told_in_points() {
    let pristine = on_top();
    let whole = pristine[&(4 | BLOB)].clone();
    let check = |damaged: Vec<u8>, most: u64, context: &str| {
        let mut store = pristine.clone();
        store.insert(4 | BLOB, damaged);
        let outcome = replay(&store);
        let found = rows(&outcome);
        let missing = WHOLE.iter().filter(|row| !found.contains(row)).count() as u64;
        assert_eq!(missing + found.len() as u64, 10, "invented; {context}");
        let told = outcome
            .end
            .damage
            .iter()
            .filter(|d| d.file == file(4 | BLOB));
        let told: u64 = told.map(|damage| damage.points.expect("counted")).sum();
        assert_eq!(told, missing, "{context}: {:?}", outcome.end.damage);
        assert!(missing <= most, "{context}");
    };
    for bit in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        check(damaged, 1, &alloc::format!("bit {bit}"));
    }
    for length in (HEADER_BLOCK_BYTES as usize..whole.len()).step_by(8) {
        check(
            whole[..length].to_vec(),
            ROWS,
            &alloc::format!("length {length}"),
        );
    }
}
