//! The append side alone.

use super::*;

fn row(log: &mut Log, byte: u8) -> Lsn {
    log.begin_record();
    log.append(FrameKind::Rows, &[byte; 8], 1, false)
}

#[test]
fn everything_that_waits_goes_out_as_one_and_one_at_a_time() {
    let mut log = first_log(1 << 20);
    assert!(log.poll().is_none());
    row(&mut log, 1);
    let first = log.poll().unwrap();
    assert_eq!(
        (first.segment, first.offset, first.sync),
        (SegmentId(1), 0, true)
    );
    assert_eq!(first.length as u64, HEADER_BLOCK_BYTES + 48);
    for byte in 2..10 {
        row(&mut log, byte);
    }
    assert!(log.poll().is_none(), "one in flight");
    assert_eq!(
        (log.durable(), log.submitted(), log.accepted()),
        (Lsn(0), Lsn(1), Lsn(9))
    );
    let before = log.bytes(first.ticket).as_ptr();
    log.append(FrameKind::Rows, &[0; 100_000], 1, false);
    assert_eq!(
        log.bytes(first.ticket).as_ptr(),
        before,
        "moved while in flight"
    );
    log.complete(first.ticket, Ok(())).unwrap();
    assert_eq!(log.durable(), Lsn(1));

    let register = log.poll().unwrap();
    assert_eq!((register.sync, register.length), (false, 512));
    let second = log.poll().unwrap();
    assert!(second.sync, "nothing waits for a register");
    assert_eq!(second.offset, HEADER_BLOCK_BYTES + 48);
    assert_eq!((second.length, second.up_to), (8 * 48 + 100_040, Lsn(10)));
    log.complete(second.ticket, Ok(())).unwrap();
    assert_eq!(log.durable(), Lsn(10));
    assert!(log.poll().is_none(), "a register at a time");
    log.complete(register.ticket, Ok(())).unwrap();
    let next = log.poll().unwrap();
    assert_ne!(next.offset, register.offset, "registers take turns");
    assert_eq!(log.pending_bytes(), 0);
}

#[test]
fn a_record_that_is_not_whole_is_not_persisted() {
    let mut log = first_log(1 << 20);
    log.begin_record();
    log.append(FrameKind::Definitions, b"d", 0, true);
    assert!(log.poll().is_none());
    log.append(FrameKind::Rows, b"r", 1, false);
    assert!(log.poll().is_some());
}

#[test]
fn a_fault_is_sticky_and_unknown_tickets_are_misuse() {
    let mut log = first_log(1 << 20);
    row(&mut log, 1);
    let persist = log.poll().unwrap();
    assert_eq!(log.complete(persist.ticket + 1, Ok(())), Err(UnknownTicket));
    log.complete(persist.ticket, Err(StorageFault::NoSpace))
        .unwrap();
    assert_eq!(log.complete(persist.ticket, Ok(())), Err(UnknownTicket));
    assert_eq!(log.fault(), Some(StorageFault::NoSpace));
    row(&mut log, 2);
    assert!(log.poll().is_none());
    assert_eq!(log.durable(), Lsn(0));
}

#[test]
fn a_payload_beyond_the_format_is_a_fault_and_never_durable() {
    let mut log = first_log(1 << 24);
    let mut store = Store::new();
    let longest = vec![7; PAYLOAD_BYTES_MAX];
    log.append(FrameKind::Rows, &longest, 1, false);
    drain(&mut log, &mut store, true);
    assert_eq!(log.durable(), Lsn(1));
    assert_eq!(replay(&store).rows()[0].payload, longest);

    row(&mut log, 2);
    let persist = log.poll().unwrap();
    let ticket = log.append(FrameKind::Rows, &vec![7; PAYLOAD_BYTES_MAX + 1], 1, false);
    log.complete(persist.ticket, Ok(())).unwrap();
    assert_eq!(log.fault(), Some(StorageFault::Io));
    assert!(log.poll().is_none());
    assert!(log.durable() < ticket);
}

#[test]
fn a_segment_rolls_between_records_and_says_so() {
    let mut log = first_log(HEADER_BLOCK_BYTES + 100);
    let mut store = Store::new();
    assert!(log.begin_record(), "the first record begins a segment");
    assert!(log.begin_record(), "and does until something is in it");
    row(&mut log, 1);
    assert!(!log.begin_record());
    row(&mut log, 2);
    row(&mut log, 3);
    assert!(log.begin_record());
    assert_eq!(log.segment(), SegmentId(2));
    let last = row(&mut log, 4);
    let first = log.poll().unwrap();
    assert_eq!((first.segment, first.up_to), (SegmentId(1), Lsn(3)));
    assert!(log.poll().is_none());
    apply(&mut store, &first, log.bytes(first.ticket));
    log.complete(first.ticket, Ok(())).unwrap();
    drain(&mut log, &mut store, true);
    assert_eq!(log.durable(), last);
    let outcome = replay(&store);
    assert_eq!(outcome.row_lsns(), [1, 2, 3, 4]);
    assert_eq!(
        outcome.end.predecessor,
        Some((SegmentId(2), HEADER_BLOCK_BYTES + 48))
    );
    assert_eq!((outcome.end.segments, outcome.end.records), (2, 4));
}

#[test]
fn a_repair_does_not_roll_before_it_is_complete() {
    let mut log = Log::begin(config(1), SegmentId(5), None, Lsn(9), true);
    assert!(log.begin_record());
    row(&mut log, 1);
    assert!(!log.begin_record());
    assert_eq!(
        log.append(FrameKind::RepairComplete, b"", 0, false),
        Lsn(10)
    );
    assert!(log.begin_record());
    assert_eq!(log.segment(), SegmentId(6));
}

#[test]
fn definitions_are_written_twice_a_page_apart_in_the_group_that_uses_them() {
    for payload in [3, 4000, 5000] {
        let mut log = first_log(1 << 20);
        let mut store = Store::new();
        log.begin_record();
        log.append(FrameKind::Definitions, &vec![7; payload], 0, true);
        log.append(FrameKind::Rows, b"rows", 1, false);
        drain(&mut log, &mut store, false);
        let bytes = &store[&1];
        let found: Vec<usize> = (0..=bytes.len() - payload)
            .filter(|at| bytes[*at..].starts_with(&vec![7; payload]) && bytes[at - 1] != 7)
            .collect();
        assert_eq!(found.len(), 2);
        assert!(found[1] - 40 >= found[0] + payload + 4096, "{found:?}");
        assert!(found[1] - 40 < found[0] + payload + 4096 + 200, "{found:?}");
        assert_eq!(replay(&store).end.records, 1);
    }
}

#[test]
fn segments_below_the_low_watermark_are_obsolete_wherever_they_reappear() {
    let mut log = first_log(HEADER_BLOCK_BYTES + 10);
    let mut store = Store::new();
    store.insert(3 | BLOB, snapshot(3, 3, &[]));
    for byte in 0..4 {
        log.raise_low_watermark(SegmentId(u64::from(byte)));
        row(&mut log, byte);
        drain(&mut log, &mut store, true);
    }
    let outcome = replay(&store);
    assert_eq!(outcome.end.low_watermark, SegmentId(3));
    assert_eq!(outcome.end.obsolete, segments([1, 2]));
    assert_eq!(outcome.row_lsns(), [3, 4]);
    store.remove(&2);
    let outcome = replay(&store);
    assert_eq!(outcome.end.damage, []);
    assert_eq!(outcome.end.obsolete, segments([1]));
}

#[test]
fn a_segment_that_is_cut_gets_its_register_though_none_follows_it() {
    let mut log = first_log(1 << 20);
    let mut store = Store::new();
    row(&mut log, 1);
    drain(&mut log, &mut store, true);
    row(&mut log, 2);
    let group = log.poll().unwrap();
    assert_eq!(log.cut(), (SegmentId(2), Lsn(3)));
    apply(&mut store, &group, log.bytes(group.ticket));
    log.complete(group.ticket, Ok(())).unwrap();
    drain(&mut log, &mut store, true);
    assert_eq!(store.len(), 1);
    *store.get_mut(&1).unwrap().last_mut().unwrap() ^= 1;
    let outcome = replay(&store);
    assert_eq!(outcome.row_lsns(), [1]);
    assert_eq!((outcome.end.torn_bytes, outcome.end.damage.len()), (0, 1));
}
