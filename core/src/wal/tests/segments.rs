//! Segments that are missing, foreign, misplaced, doubled, unreadable, or cut short.

use super::flips::check;
use super::*;
use crate::wal::header::{Header, HeaderFound};

#[test]
fn a_missing_segment_is_damage_with_its_lsns() {
    let sample = sample(true);
    for gone in [1, 2] {
        let mut store = sample.store.clone();
        store.remove(&gone);
        let outcome = replay(&store);
        check(&sample, &outcome, "missing");
        let lsns = sample.written.iter().filter(|frame| frame.segment == gone);
        let first = lsns.clone().map(|frame| frame.lsn).min().unwrap();
        let damage = &outcome.end.damage[..];
        assert_eq!(damage.len(), 1);
        assert_eq!((key(damage[0].file), damage[0].first.0), (gone, first));
        assert!(damage[0].last.0 >= lsns.map(|frame| frame.lsn).max().unwrap());
        assert_eq!((damage[0].points, damage[0].length), (None, 0));
    }
}

#[test]
fn the_order_of_the_listing_and_doubles_in_it_do_not_matter() {
    let sample = sample(true);
    let straight = replay(&sample.store);
    let mut listing = listing(&sample.store);
    listing.reverse();
    listing.push(listing[1]);
    let read = |segment, offset, length| {
        let bytes: &Vec<u8> = &sample.store[&segment];
        Ok(bytes[offset as usize..bytes.len().min(offset as usize + length)].to_vec())
    };
    let other = replay_with(&listing, read);
    assert_eq!((other.frames, other.end), (straight.frames, straight.end));
}

#[test]
fn every_permutation_of_files_is_noticed_and_nothing_wrong_is_replayed() {
    let sample = sample(true);
    for order in [[1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]] {
        let renamed = |at: usize| (at as u64 + 1, sample.store[&order[at]].clone());
        let store: Store = (0..3).map(renamed).collect();
        let outcome = replay(&store);
        assert_eq!(outcome.refused, None);
        let misplaced = |(_, _, _, reason): &&(_, _, _, Reason)| *reason == Reason::Misplaced;
        let count = (0..3).filter(|at| order[*at] != *at as u64 + 1).count();
        assert_eq!(outcome.quarantined.iter().filter(misplaced).count(), count);
        assert!(!outcome.end.damage.is_empty());
        assert!(
            outcome
                .frames
                .iter()
                .all(|frame| order[frame.segment as usize - 1] == frame.segment)
        );
    }
}

#[test]
fn a_copy_under_another_name_is_set_aside() {
    let sample = sample(true);
    let mut store = sample.store.clone();
    store.insert(7, store[&2].clone());
    let outcome = replay(&store);
    assert_eq!(outcome.quarantined[0].0, 7);
    assert_eq!(outcome.rows().len(), replay(&sample.store).rows().len());
    assert_eq!(outcome.end.next_segment, SegmentId(8));
    assert_eq!(outcome.end.predecessor.unwrap().0, SegmentId(3));
}

#[test]
fn another_node_and_a_newer_version_refuse_to_start() {
    let sample = sample(true);
    let mut store = sample.store.clone();
    let foreign = LogConfig {
        node_id: 5,
        ..config(1 << 20)
    };
    let mut log = Log::begin(foreign, SegmentId(9), None, Lsn(1), false);
    log.append(FrameKind::Rows, b"x", 1, false);
    drain(&mut log, &mut store, true);
    let text = replay(&store).refused.unwrap();
    assert!(text.contains("segment 9 belongs to another log"), "{text}");

    let mut store = sample.store;
    let bytes = store.get_mut(&2).unwrap();
    bytes[8] = 2;
    let crc = crc32c(0, &bytes[..124]);
    bytes[124..128].copy_from_slice(&crc.to_le_bytes());
    let text = replay(&store).refused.unwrap();
    assert!(text.contains("segment 2 has format version 2"), "{text}");
}

#[test]
fn an_empty_listing_begins_a_log() {
    let end = replay(&Store::new()).end;
    assert_eq!((end.next_segment, end.next_lsn), (SegmentId(1), Lsn(1)));
    assert_eq!((end.predecessor, end.repair), (None, false));
}

#[test]
fn a_creation_cut_short_is_torn_and_obsolete() {
    let sample = sample(true);
    for bytes in [vec![], vec![0; 12_400], vec![0xa5; 700]] {
        let mut store = sample.store.clone();
        let length = bytes.len() as u64;
        store.insert(4, bytes);
        let outcome = replay(&store);
        check(&sample, &outcome, "cut short");
        assert_eq!(
            (outcome.end.damage, outcome.end.torn_bytes),
            (vec![], length)
        );
        assert_eq!(outcome.end.obsolete, segments([4]));
        assert_eq!(outcome.end.next_segment, SegmentId(5));
        assert_eq!(outcome.end.predecessor.unwrap().0, SegmentId(3));
    }
}

#[test]
fn what_cannot_be_read_is_damage_and_the_rest_is_served() {
    let sample = sample(true);
    for (bad, from) in [
        (1, 0),
        (2, 0),
        (3, 0),
        (1, 12_288),
        (2, 12_288),
        (3, 12_288),
    ] {
        let outcome = replay_with(&listing(&sample.store), |segment, offset, length| {
            if segment == bad && offset >= from {
                return Err(StorageFault::Unreadable);
            }
            let bytes = &sample.store[&segment];
            Ok(bytes[offset as usize..bytes.len().min(offset as usize + length)].to_vec())
        });
        assert_eq!(outcome.refused, None);
        assert_eq!(outcome.end.damage.len(), 1, "{bad} {from}");
        assert_eq!(key(outcome.end.damage[0].file), bad);
        assert!(!outcome.end.obsolete.contains(&file(bad)));
        let others = sample
            .written
            .iter()
            .filter(|frame| frame.kind == FrameKind::Rows);
        let others = others.filter(|frame| frame.segment != bad).count();
        assert_eq!(outcome.rows().len(), others);
    }
}

#[test]
fn a_repair_counts_only_once_it_is_complete() {
    let sample = sample(false);
    let before = replay(&sample.store);
    assert!(before.end.repair);
    let (next, link, lsn) = (
        before.end.next_segment,
        before.end.predecessor,
        before.end.next_lsn,
    );
    let mut log = Log::begin(
        LogConfig {
            seed: 43,
            ..config(1)
        },
        next,
        link,
        lsn,
        true,
    );
    let mut store = sample.store;
    for frame in before.frames.iter().filter(|frame| !frame.certified) {
        log.append(frame.kind, &frame.payload, frame.points, frame.more);
        drain(&mut log, &mut store, true);
    }
    let halfway = replay(&store);
    assert_eq!(halfway.frames, before.frames);
    assert_eq!(halfway.end.obsolete, [file(next.0)]);
    assert_eq!(halfway.end.damage, []);

    log.append(FrameKind::RepairComplete, b"", 0, false);
    log.append(FrameKind::Rows, b"after", 1, false);
    drain(&mut log, &mut store, true);
    let after = replay(&store);
    let payloads = |outcome: &Outcome| -> Vec<Vec<u8>> {
        outcome
            .rows()
            .iter()
            .map(|frame| frame.payload.clone())
            .collect()
    };
    let mut expected = payloads(&before);
    expected.push(b"after".to_vec());
    assert_eq!(payloads(&after), expected);
    assert!(after.rows().iter().all(|frame| frame.certified));
    assert_eq!((after.end.damage, after.end.torn_bytes), (vec![], 0));
    assert_eq!(after.end.obsolete, []);
}

#[test]
fn a_missing_repair_is_lost_from_the_end_of_the_proof_on() {
    let (mut first, mut store) = (first_log(1 << 20), Store::new());
    for rows in [1, 5] {
        for _ in 0..rows {
            first.append(FrameKind::Rows, b"before", 1, false);
        }
        drain(&mut first, &mut store, false);
    }
    let before = replay(&store);
    let end = &before.end;
    let mut log = Log::begin(
        config(1),
        end.next_segment,
        end.predecessor,
        end.next_lsn,
        true,
    );
    log.append(FrameKind::RepairComplete, b"", 0, false);
    let after = log.append(FrameKind::Rows, b"after", 1, false);
    drain(&mut log, &mut store, true);
    assert!(log.begin_record());
    log.append(FrameKind::Rows, b"later", 1, false);
    drain(&mut log, &mut store, true);
    // What it gave out again, the tail of its predecessor has too: that must not hide the loss.
    assert!(before.row_lsns().contains(&after.0));
    store.remove(&end.next_segment.0);
    let damage = replay(&store).end.damage;
    assert_eq!(damage.len(), 1);
    assert_eq!(damage[0].file, file(end.next_segment.0));
    assert_eq!(damage[0].first, end.next_lsn);
    assert!(damage[0].last >= after);
}

#[test]
fn a_damaged_repair_does_not_count_while_its_mark_is_unproven() {
    let sample = sample(false);
    let before = replay(&sample.store);
    let (next, link, lsn) = (
        before.end.next_segment,
        before.end.predecessor,
        before.end.next_lsn,
    );
    let mut log = Log::begin(config(1), next, link, lsn, true);
    let mut store = sample.store;
    for frame in before.frames.iter().filter(|frame| !frame.certified) {
        log.append(frame.kind, &frame.payload, frame.points, frame.more);
    }
    drain(&mut log, &mut store, false);
    // Its promise proves what is repeated, nothing proves the mark itself.
    log.append(FrameKind::RepairComplete, b"", 0, false);
    drain(&mut log, &mut store, false);
    store.get_mut(&next.0).unwrap()[HEADER_BLOCK_BYTES as usize + 41] ^= 1;
    let outcome = replay(&store);
    assert_eq!(
        (outcome.frames, outcome.end.damage),
        (before.frames, vec![])
    );
    assert_eq!(outcome.end.obsolete, [file(next.0)]);
}

#[test]
fn the_header_of_another_segment_over_one_copy_hides_nothing() {
    let sample = sample(true);
    for (id, other) in [(1, 2), (2, 1), (3, 1)] {
        for copy in [0, 4608, 8704] {
            let mut store = sample.store.clone();
            let header = store[&other][..128].to_vec();
            store.get_mut(&id).unwrap()[copy..][..128].copy_from_slice(&header);
            let outcome = replay(&store);
            check(&sample, &outcome, "a header of another segment");
            assert_eq!(outcome.end.damage, []);
        }
    }
}

#[test]
fn any_page_of_a_header_block_may_be_lost() {
    let sample = sample(true);
    for id in [1, 2, 3] {
        for page in 0..3 {
            let mut store = sample.store.clone();
            store.get_mut(&id).unwrap()[page * 4096..][..4096].fill(0xee);
            let outcome = replay(&store);
            check(&sample, &outcome, "page");
            assert_eq!(outcome.end.damage, []);
        }
    }
    let header = Header::find(&sample.store[&3], file(3));
    assert!(matches!(header, HeaderFound::Valid(_)));
}
