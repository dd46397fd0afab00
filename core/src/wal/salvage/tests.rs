use super::super::tests::{NODE, Store, drain, first_log, replay};
use super::*;
use crate::hash::checksum::crc32c;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

/// Three segments, of which the last has a register; LSNs and payloads of their rows.
fn log() -> (Store, Vec<(u64, Vec<u8>)>) {
    let mut log = first_log(20_000);
    let mut store = Store::new();
    for number in 0..60u8 {
        if log.begin_record() {
            log.append(FrameKind::Definitions, b"defined", 0, true);
        }
        let payload: Vec<u8> = (0..500).map(|at| number ^ at as u8).collect();
        log.append(FrameKind::Rows, &payload, 2, number % 3 == 0);
        drain(&mut log, &mut store, true);
    }
    let rows = replay(&store).frames.into_iter();
    let rows = rows.filter(|frame| frame.kind == FrameKind::Rows);
    let rows = rows.map(|frame| (frame.lsn, frame.payload)).collect();
    assert!(store.len() > 2);
    (store, rows)
}

struct Read {
    rows: Vec<(u64, Vec<u8>)>,
    lost: Vec<LogDamage>,
    torn: u64,
}

fn read(store: &Store) -> Read {
    let found = store
        .iter()
        .map(|(id, bytes)| Salvage::new(bytes, FileId::Segment(SegmentId(*id))));
    let found: Vec<Salvage<'_>> = found.filter_map(Result::ok).collect();
    let seals = found
        .iter()
        .filter_map(|f| Some((f.predecessor()?, f.seal()?)));
    let ends: BTreeMap<_, _> = seals.collect();
    let mut read = Read {
        rows: Vec::new(),
        lost: Vec::new(),
        torn: 0,
    };
    for segment in &found {
        let sealed = ends.get(&SegmentId(segment.file().to_pair().1)).copied();
        segment.read(sealed, |piece| match piece {
            Piece::Frame { frame, .. } if frame.kind == FrameKind::Rows => {
                read.rows.push((frame.lsn.0, frame.payload.to_vec()));
            }
            Piece::Frame { .. } => {}
            Piece::Lost(damage) => read.lost.push(damage),
            Piece::Torn { length, .. } => read.torn += length,
        });
    }
    read
}

#[test]
fn an_intact_log_is_read_as_replay_reads_it() {
    let (store, rows) = log();
    let read = read(&store);
    assert_eq!(read.rows, rows);
    assert_eq!((read.lost, read.torn), (Vec::new(), 0));
}

#[test]
fn a_segment_without_a_header_block_gives_all_its_frames() {
    let (store, rows) = log();
    for (id, keep_register) in store.keys().flat_map(|&id| [(id, false), (id, true)]) {
        let mut store = store.clone();
        let bytes = store.get_mut(&id).unwrap();
        let slot = bytes[4096..8192 + 512].to_vec();
        bytes[..HEADER_BLOCK_BYTES as usize].fill(0xa5);
        if keep_register {
            bytes[4096..4096 + 512].copy_from_slice(&slot[..512]);
            bytes[8192..8192 + 512].copy_from_slice(&slot[4096..]);
        }
        let told = Salvage::new(bytes, FileId::Segment(SegmentId(id)))
            .unwrap()
            .told();
        let is_last = store.keys().max() == Some(&id);
        let has_register = keep_register && Register::find(&store[&id], SegmentId(id)).is_some();
        assert!(has_register || !keep_register || !is_last);
        let expected = if has_register {
            Told::Register
        } else {
            Told::Frame
        };
        assert_eq!(told, expected);
        let read = read(&store);
        assert_eq!(read.rows, rows, "segment {id}");
        assert_eq!((read.lost, read.torn), (Vec::new(), 0), "segment {id}");
    }
}

#[test]
fn without_a_header_and_the_first_frame_the_rest_is_found() {
    let (mut store, rows) = log();
    let bytes = store.get_mut(&2).unwrap();
    bytes[..HEADER_BLOCK_BYTES as usize + 20].fill(0);
    let read = read(&store);
    // The first frame was the definitions.
    assert_eq!(read.rows, rows);
    assert_eq!(read.lost.len(), 1);
    assert_eq!(read.lost[0].offset, HEADER_BLOCK_BYTES);
}

#[test]
fn every_flipped_byte_costs_at_most_its_frame_and_is_told() {
    let (store, rows) = log();
    for (id, bytes) in &store {
        for at in (0..bytes.len()).step_by(7) {
            let mut store = store.clone();
            store.get_mut(id).unwrap()[at] ^= 0x10;
            let read = read(&store);
            let lost: Vec<_> = rows.iter().filter(|row| !read.rows.contains(row)).collect();
            assert!(read.rows.iter().all(|row| rows.contains(row)), "invented");
            assert!(lost.len() <= 1, "{} lost at {at} of {id}", lost.len());
            for (lsn, _) in lost {
                let told = |damage: &LogDamage| (damage.first.0..=damage.last.0).contains(lsn);
                assert!(read.lost.iter().any(told) || read.torn > 0, "{at} of {id}");
            }
        }
    }
}

#[test]
fn a_cut_segment_is_told_with_what_its_successor_knows() {
    let (mut store, rows) = log();
    let ends = {
        let three = Salvage::new(&store[&3], FileId::Segment(SegmentId(3))).unwrap();
        three.first_lsn()
    };
    store.get_mut(&2).unwrap().truncate(15_000);
    let read = read(&store);
    assert!(read.rows.len() < rows.len());
    assert_eq!(read.lost.len(), 1);
    assert_eq!(read.lost[0].last.0, ends.0 - 1);
    let gone = rows.len() - read.rows.len();
    assert!(gone as u64 <= read.lost[0].last.0 - read.lost[0].first.0 + 1);
}

#[test]
fn a_tail_is_torn_whether_or_not_the_register_is_left() {
    let (mut store, rows) = log();
    let last = *store.keys().max().unwrap();
    store.get_mut(&last).unwrap().extend([0x5a; 1000]);
    for is_left in [true, false] {
        if !is_left {
            let bytes = store.get_mut(&last).unwrap();
            bytes[..HEADER_BLOCK_BYTES as usize].fill(0xa5);
        }
        let found = read(&store);
        assert_eq!((found.rows.len(), found.torn), (rows.len(), 1000));
        assert!(found.lost.is_empty());
    }
}

#[test]
fn other_versions_and_garbage_are_told_apart() {
    let (store, _) = log();
    let mut newer = store[&1].clone();
    for at in [0, 4096 + 512, 8192 + 512] {
        newer[at + 8] = 2;
        let crc = crc32c(0, &newer[at..at + 124]);
        newer[at + 124..at + 128].copy_from_slice(&crc.to_le_bytes());
    }
    assert_eq!(
        Salvage::new(&newer, FileId::Segment(SegmentId(1))).err(),
        Some(Illegible::Newer(2))
    );
    for garbage in [Vec::new(), vec![0; 20_000], vec![0xff; 20_000]] {
        assert_eq!(
            Salvage::new(&garbage, FileId::Segment(SegmentId(1))).err(),
            Some(Illegible::Nothing)
        );
    }
    let renamed = Salvage::new(&store[&1], FileId::Segment(SegmentId(9))).unwrap();
    assert_eq!(
        (renamed.file(), renamed.node_id()),
        (FileId::Segment(SegmentId(1)), Some(NODE))
    );
}
