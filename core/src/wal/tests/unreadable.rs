//! Segments that cannot be read at one open, and can be at another.

use super::*;

/// Goes on behind what a replay found: logs again what it says to, then one row.
fn go_on(store: &mut Store, outcome: &Outcome, row: &[u8]) {
    let end = &outcome.end;
    let config = LogConfig {
        seed: 42 + end.next_segment.0,
        ..config(1 << 20)
    };
    let (segment, link) = (end.next_segment, end.predecessor);
    let mut log = Log::begin(config, segment, link, end.next_lsn, end.repair);
    if end.repair {
        for frame in outcome.frames.iter().filter(|frame| !frame.certified) {
            log.append(frame.kind, &frame.payload, frame.points, frame.more);
        }
        log.append(FrameKind::RepairComplete, b"", 0, false);
    }
    log.begin_record();
    log.append(FrameKind::Rows, row, 1, false);
    drain(&mut log, store, true);
    for segment in &end.obsolete {
        store.remove(&key(*segment));
    }
}

fn payloads(outcome: &Outcome) -> Vec<Vec<u8>> {
    let rows = outcome.rows().into_iter();
    rows.map(|frame| frame.payload.clone()).collect()
}

/// Whether all rows came, in order, LSNs rising, and nothing is wrong with the log.
fn assert_whole(outcome: &Outcome, expected: &[Vec<u8>], what: &str) {
    assert_eq!(payloads(outcome), expected, "{what}");
    assert_eq!(outcome.end.damage, [], "{what}");
    assert_eq!(outcome.end.obsolete, [], "{what}");
    let lsns = outcome.row_lsns();
    assert!(lsns.is_sorted_by(|a, b| a < b), "{what}: {lsns:?}");
    assert!(lsns.last() < Some(&outcome.end.next_lsn.0), "{what}");
}

/// Whether the damage that is reported covers all rows that did not come.
fn assert_told(whole: &Outcome, blind: &Outcome, what: &str) {
    let damage = &blind.end.damage;
    let came = blind.row_lsns();
    for lsn in whole.row_lsns() {
        let is_told = |one: &LogDamage| one.first.0 <= lsn && lsn <= one.last.0;
        let is_there = came.contains(&lsn) || damage.iter().any(is_told);
        assert!(is_there, "{what}: LSN {lsn} behind {damage:?}");
    }
}

#[test]
fn the_only_segment_unreadable_once_is_neither_lost_nor_deleted() {
    for registers in [true, false] {
        let (mut log, mut store) = (first_log(1 << 20), Store::new());
        for byte in 1..4 {
            log.begin_record();
            log.append(FrameKind::Rows, &[byte; 8], 1, false);
            drain(&mut log, &mut store, registers);
        }
        let mut expected: Vec<Vec<u8>> = (1..4).map(|byte| vec![byte; 8]).collect();
        for life in 0..3 {
            let blind = replay_failing(&store, |segment, _| segment == 1);
            assert_eq!(blind.end.damage.len(), 1, "each time until it can be read");
            assert_eq!(blind.end.damage[0].points, None);
            assert_eq!(blind.end.damage[0].first, Lsn(1));
            assert_eq!(
                (blind.end.repair, &blind.end.obsolete[..]),
                (false, &[][..])
            );
            assert_eq!(payloads(&blind), expected[3..]);
            go_on(&mut store, &blind, &[9, life]);
            expected.push(vec![9, life]);
            assert_whole(&replay(&store), &expected, "readable again");
        }
        let seen = replay(&store);
        go_on(&mut store, &seen, b"more");
        expected.push(b"more".to_vec());
        assert_whole(&replay(&store), &expected, "and after that");
        assert!(store.contains_key(&1));
    }
}

#[test]
fn whatever_reads_fail_once_what_was_written_comes_back_in_order() {
    for registers in [true, false] {
        let sample = sample(registers);
        let seen = replay(&sample.store);
        let whole = payloads(&seen);
        let ends = sample.store.values().map(|bytes| bytes.len() as u64);
        let starts = [0, 4096, 8192, HEADER_BLOCK_BYTES, ends.max().unwrap() / 2];
        for set in 1..8u64 {
            for from in starts {
                for skip in 0..4 {
                    // The first reads of a part succeed, as when a disk begins to fail.
                    let mut reads = 0;
                    let blind = replay_failing(&sample.store, |segment, offset| {
                        let is_hit = set >> (segment - 1) & 1 == 1 && offset >= from;
                        reads += u64::from(is_hit);
                        is_hit && reads > skip
                    });
                    let what = alloc::format!("{registers} {set} {from} {skip}");
                    let mut store = sample.store.clone();
                    let is_all = payloads(&blind) == whole;
                    assert!(is_all || !blind.end.damage.is_empty(), "{what}");
                    assert_told(&seen, &blind, &what);
                    go_on(&mut store, &blind, b"after");
                    let mut expected = whole.clone();
                    expected.push(b"after".to_vec());
                    assert_whole(&replay(&store), &expected, &what);
                }
            }
        }
    }
}

#[test]
fn an_unfinished_repair_does_not_hide_what_it_did_not_repeat() {
    let sample = sample(false);
    let before = replay(&sample.store);
    let whole = payloads(&before);
    let end = &before.end;
    for is_complete in [false, true] {
        for unreadable in [3, 4] {
            let mut store = sample.store.clone();
            let (next, link) = (end.next_segment, end.predecessor);
            let mut log = Log::begin(config(1 << 20), next, link, end.next_lsn, true);
            let mut again = before.frames.iter().filter(|frame| !frame.certified);
            let first = again.next().unwrap();
            log.append(first.kind, &first.payload, first.points, first.more);
            drain(&mut log, &mut store, false);
            let mut expected = whole.clone();
            if is_complete {
                for frame in again {
                    log.append(frame.kind, &frame.payload, frame.points, frame.more);
                }
                log.append(FrameKind::RepairComplete, b"", 0, false);
                log.append(FrameKind::Rows, b"newer", 1, false);
                drain(&mut log, &mut store, false);
                expected.push(b"newer".to_vec());
            }
            for from in [0, HEADER_BLOCK_BYTES] {
                let mut store = store.clone();
                let blind = replay_failing(&store, |segment, offset| {
                    segment == unreadable && offset >= from
                });
                assert!(!blind.end.damage.is_empty());
                assert_eq!(blind.end.obsolete, []);
                go_on(&mut store, &blind, b"after");
                let outcome = replay(&store);
                let mut expected = expected.clone();
                expected.push(b"after".to_vec());
                assert_eq!(
                    payloads(&outcome),
                    expected,
                    "{is_complete} {unreadable} {from}"
                );
                assert_eq!(outcome.end.damage, []);
            }
        }
    }
}

#[test]
fn one_bad_page_of_a_header_block_costs_nothing() {
    let sample = sample(true);
    let whole = replay(&sample.store);
    for bad in 0..3 {
        let outcome = replay_with(&listing(&sample.store), |segment, offset, length| {
            let bytes = &sample.store[&segment];
            let (start, end) = (offset as usize, bytes.len().min(offset as usize + length));
            let is_hit = start < (bad + 1) * 4096 && end > bad * 4096;
            let part = bytes[start..end].to_vec();
            (!is_hit).then_some(part).ok_or(StorageFault::Unreadable)
        });
        assert_eq!(payloads(&outcome), payloads(&whole));
        assert_eq!(outcome.end.damage, []);
    }
}

#[test]
fn damage_beside_a_register_that_cannot_be_read_is_no_torn_tail() {
    let mut store = Store::new();
    let mut log = first_log(1 << 20);
    for row in [&b"first"[..], b"last"] {
        log.begin_record();
        log.append(FrameKind::Rows, row, 1, false);
        drain(&mut log, &mut store, true);
    }
    let bytes = store.get_mut(&1).unwrap();
    let at = bytes.len() - 5;
    bytes[at] ^= 1;
    // Both slots were written; the newer one is in the first page of the two or in the second.
    for bad in [1, 2] {
        let outcome = replay_with(&listing(&store), |segment, offset, length| {
            let bytes = &store[&segment];
            let (start, end) = (offset as usize, bytes.len().min(offset as usize + length));
            let is_hit = start < (bad + 1) * 4096 && end > bad * 4096;
            let part = bytes[start..end].to_vec();
            (!is_hit).then_some(part).ok_or(StorageFault::Unreadable)
        });
        assert_eq!(payloads(&outcome), [b"first"], "{bad}");
        let told: Vec<_> = outcome
            .end
            .damage
            .iter()
            .map(|damage| damage.file)
            .collect();
        assert_eq!((told, outcome.end.torn_bytes), (vec![file(1)], 0), "{bad}");
        assert!(!outcome.end.obsolete.contains(&file(1)));
    }
    let outcome = replay(&store);
    assert_eq!(outcome.end.damage.len(), 1, "read again, it is one frame");
}

#[test]
fn a_header_that_is_gone_for_good_is_damage_at_every_open() {
    let mut store = sample(true).store;
    let lost: Vec<u8> = store[&3].clone();
    let bytes = store.get_mut(&3).unwrap();
    for at in [0, 4096 + 512, 8192 + 512] {
        bytes[at..at + 128].fill(0xee);
    }
    for life in 0..3 {
        let outcome = replay(&store);
        assert_eq!(outcome.end.damage.len(), 1, "{life}");
        assert_eq!(outcome.end.damage[0].file, file(3));
        assert!(!outcome.end.obsolete.contains(&file(3)));
        go_on(&mut store, &outcome, &[life]);
    }
    store.insert(3, lost);
    let rows = payloads(&replay(&store));
    assert_eq!(rows[rows.len() - 3..], [[0], [1], [2]]);
    assert_eq!(replay(&store).end.damage, []);
}

#[test]
fn a_segment_without_header_and_register_is_kept_unless_it_is_blank() {
    let mut store = sample(true).store;
    store.get_mut(&3).unwrap()[..HEADER_BLOCK_BYTES as usize].fill(0xee);
    for _ in 0..2 {
        let outcome = replay(&store);
        assert!(!outcome.end.obsolete.contains(&file(3)));
        go_on(&mut store, &outcome, b"after");
    }
    assert!(store.contains_key(&3));
}

#[test]
fn what_the_newest_held_is_lost_from_its_beginning_though_the_one_before_cannot_be_read() {
    let sample = sample(false);
    let lsns = sample.written.iter().filter(|frame| frame.segment == 3);
    let first = lsns.map(|frame| frame.lsn).min().unwrap();
    let mut store = sample.store.clone();
    store.insert(3, store[&1].clone());
    for fails in [false, true] {
        let outcome = replay_failing(&store, |segment, offset| {
            fails && segment == 2 && offset >= 12_288
        });
        let damage = outcome.end.damage.iter().find(|one| one.file == file(3));
        assert!(damage.unwrap().first.0 <= first, "{damage:?}");
    }
}
