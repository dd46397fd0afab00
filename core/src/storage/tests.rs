use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::{MemoryStorage, Storage, drive, open};
use crate::engine::{Config, Effect, Engine, Outcome, Phase, WriteReport, WriteRequest};
use crate::ids::{FileId, SegmentId, SeriesId};
use crate::model::Precision;
use crate::model::row;

mod snapshot;

const NOW: i64 = 1_767_225_600_000_000_000;

fn config() -> Config {
    Config::new("d", 7, 42)
}

fn new_database(storage: &mut MemoryStorage) -> Engine {
    let mut engine = open(config(), storage).expect("memory does not fail");
    engine.execute(NOW, "CREATE DATABASE d").expect("new");
    drive(&mut engine, storage).expect("in turn");
    engine
}

fn write(engine: &mut Engine, body: &[u8]) -> WriteReport {
    let request = WriteRequest {
        now_ns: NOW,
        retention_policy: String::new(),
        precision: Precision::Nanosecond,
        ..WriteRequest::default()
    };
    engine.write(&request, body).expect("not refused")
}

/// All points as (series key, time, field, value), in order of arrival per series.
fn dump(engine: &Engine) -> Vec<(String, i64, String, String)> {
    let mut points = Vec::new();
    for slot in &engine.slots_for_tests() {
        for series in 0..slot.index.series_count() as u32 {
            let key = String::from_utf8_lossy(slot.index.series_key(SeriesId(series))).into_owned();
            for row in slot.cache.rows(SeriesId(series), u32::MAX) {
                let layout = slot.index.layouts().get(row.layout).expect("interned");
                let owner = slot
                    .index
                    .measurement(layout.measurement)
                    .expect("interned");
                let mut reader = row::Reader::new(row.values, row.class, layout.integers);
                for (&slot, &field_type) in layout.slots.iter().zip(&layout.types) {
                    let name = &owner.field(slot).expect("interned").name;
                    let value = reader.next(field_type).expect("whole");
                    let text = alloc::format!("{value:?}");
                    let name = String::from_utf8_lossy(name).into_owned();
                    points.push((key.clone(), row.time, name, text));
                }
            }
        }
    }
    points.sort();
    points
}

fn fleet(hosts: usize, steps: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for step in 0..steps {
        for host in 0..hosts {
            let time = NOW + step as i64 * 10_000_000_000;
            let line = alloc::format!(
                "cpu,hostname=host_{host},region=eu-west-{} usage_user={}i,usage_system={}i,load={} {time}\n",
                host % 3,
                (host * 7 + step) % 100,
                step * 13 % 300,
                step as f64 / 8.0
            );
            body.extend_from_slice(line.as_bytes());
        }
    }
    body
}

#[test]
fn what_was_written_is_there_after_reopening() {
    let mut storage = MemoryStorage::default();
    let mut engine = new_database(&mut storage);
    let report = write(&mut engine, &fleet(20, 30));
    assert_eq!((report.outcome, report.written), (Outcome::Written, 600));
    assert!(engine.durable_lsn() < report.ticket);
    drive(&mut engine, &mut storage).expect("in turn");
    assert!(engine.durable_lsn() >= report.ticket);
    let report = write(
        &mut engine,
        b"m,b=1,a=2 s=\"x\\\"y\",t=t,f=1e3 7\nbad\nm v=1,v=2 8",
    );
    assert_eq!(
        (report.outcome, report.written, report.unparsed),
        (Outcome::Partial, 2, 1)
    );
    drive(&mut engine, &mut storage).expect("in turn");
    let before = dump(&engine);
    assert_eq!(before.len(), 600 * 3 + 4);
    let again = open(config(), &mut storage).expect("memory does not fail");
    assert_eq!(again.phase(), Phase::Running);
    assert_eq!(again.recovery().damage, []);
    assert_eq!(dump(&again), before);
}

#[test]
fn the_fast_path_stores_what_the_general_path_stores() {
    // A leading space sends every line down the general path.
    let body = fleet(20, 30);
    let mut slow = Vec::new();
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        slow.push(b' ');
        slow.extend_from_slice(line);
    }
    let (mut storage, mut slow_storage) = (MemoryStorage::default(), MemoryStorage::default());
    let mut engine = new_database(&mut storage);
    let mut slow_engine = new_database(&mut slow_storage);
    write(&mut engine, &body);
    write(&mut slow_engine, &slow);
    drive(&mut engine, &mut storage).expect("in turn");
    drive(&mut slow_engine, &mut slow_storage).expect("in turn");
    assert_eq!(dump(&engine), dump(&slow_engine));
    let segment = SegmentId(1);
    assert_eq!(storage.segment(segment), slow_storage.segment(segment));
}

#[test]
fn a_run_that_lost_its_last_sync_logs_it_again() {
    let mut storage = MemoryStorage::default();
    let mut engine = new_database(&mut storage);
    write(&mut engine, &fleet(3, 3));
    drive(&mut engine, &mut storage).expect("in turn");
    write(&mut engine, b"late v=1 5");
    // The bytes reach storage, but nobody learns that they were synced.
    let effect = engine.poll_effect().expect("a persist");
    let Effect::PersistLog {
        id,
        segment,
        offset,
        ..
    } = effect
    else {
        panic!("not a persist: {effect:?}");
    };
    let bytes = engine.effect_bytes(id).to_vec();
    let held = storage.segment_mut(segment).expect("exists");
    held.truncate(offset as usize);
    held.extend_from_slice(&bytes);
    let mut again = open(config(), &mut storage).expect("memory does not fail");
    assert_eq!(again.recovery().points_relogged, 1);
    assert_eq!(dump(&again), dump(&engine));
    // Whatever the new run adds comes after; and a third run sees all of it once.
    write(&mut again, b"later v=1 6");
    drive(&mut again, &mut storage).expect("in turn");
    let third = open(config(), &mut storage).expect("memory does not fail");
    assert_eq!(third.recovery().damage, []);
    assert_eq!(dump(&third), dump(&again));
}

#[test]
fn segments_roll_and_each_defines_what_it_uses() {
    let mut storage = MemoryStorage::default();
    let config = Config {
        segment_bytes_roll: 64 << 10,
        ..config()
    };
    let mut engine = open(config.clone(), &mut storage).expect("memory does not fail");
    engine.execute(NOW, "CREATE DATABASE d").expect("new");
    let body = fleet(10, 100);
    for _ in 0..40 {
        write(&mut engine, &body);
        drive(&mut engine, &mut storage).expect("in turn");
    }
    assert!(Storage::files(&mut storage).is_ok_and(|all| all.len() > 5));
    let again = open(config.clone(), &mut storage).expect("memory does not fail");
    assert_eq!(dump(&again), dump(&engine));
    // Without its neighbours a segment still gives back its own points.
    let middle = SegmentId(3);
    let mut alone = MemoryStorage::default();
    let bytes = storage.segment(middle).expect("rolled").to_vec();
    Storage::persist(&mut alone, middle, 0, &bytes, true).expect("memory");
    let lonely = open(config, &mut alone).expect("memory does not fail");
    assert!(!dump(&lonely).is_empty());
}

#[test]
fn damage_costs_one_record_and_is_reported() {
    let mut storage = MemoryStorage::default();
    let mut engine = new_database(&mut storage);
    let mut ends = Vec::new();
    for value in 0..5 {
        write(
            &mut engine,
            alloc::format!("m v={value} {value}").as_bytes(),
        );
        drive(&mut engine, &mut storage).expect("in turn");
        ends.push(storage.segment(SegmentId(1)).expect("exists").len());
    }
    let held = storage.segment_mut(SegmentId(1)).expect("exists");
    held[ends[2] - 1] ^= 0x10;
    held[ends[2] - 9] ^= 0x10;
    let again = open(config(), &mut storage).expect("memory does not fail");
    let lost: Vec<_> = again
        .recovery()
        .damage
        .iter()
        .map(|damage| damage.points)
        .collect();
    assert_eq!(lost, [Some(1)]);
    let times: Vec<_> = dump(&again).iter().map(|point| point.1).collect();
    assert_eq!(times, [0, 1, 3, 4]);
    assert_eq!(storage.quarantined().len(), 1);
}

#[test]
fn refusals_change_nothing() {
    let mut storage = MemoryStorage::default();
    let mut engine = new_database(&mut storage);
    let accepted = engine.accepted_lsn();
    let all_bad = write(&mut engine, b"bad\nworse");
    assert_eq!(all_bad.outcome, Outcome::NothingParsed);
    assert_eq!(
        all_bad.message,
        b"unable to parse 'bad': missing fields\nunable to parse 'worse': missing fields"
    );
    let no_policy = WriteRequest {
        now_ns: NOW,
        retention_policy: "nope".into(),
        precision: Precision::Nanosecond,
        ..WriteRequest::default()
    };
    let report = engine.write(&no_policy, b"m v=1 1").expect("judged");
    assert_eq!(report.outcome, Outcome::RetentionPolicyNotFound);
    assert_eq!(report.message, b"retention policy not found: nope");
    assert_eq!(engine.accepted_lsn(), accepted);
    assert!(dump(&engine).is_empty());
}

#[test]
fn the_log_of_another_node_is_refused_and_says_so() {
    let mut storage = MemoryStorage::default();
    new_database(&mut storage);
    let before = storage.segment(SegmentId(1)).map(<[u8]>::to_vec);
    let mut engine = open(Config::new("d", 8, 42), &mut storage).expect("memory does not fail");
    assert_eq!(engine.phase(), Phase::Refused);
    let why = engine.refusal().expect("refused").to_owned();
    assert!(why.contains("belongs to another log"), "{why}");
    assert_eq!(engine.execute(NOW, "SHOW RETENTION POLICIES"), Err(why));
    assert_eq!(engine.poll_effect(), None);
    assert_eq!(storage.segment(SegmentId(1)), before.as_deref());
}

#[test]
fn rows_whose_definitions_are_damaged_twice_are_reported_as_lost() {
    let mut storage = MemoryStorage::default();
    let mut engine = new_database(&mut storage);
    write(&mut engine, b"first v=1 1");
    drive(&mut engine, &mut storage).expect("in turn");
    write(&mut engine, b"second v=1 2\nsecond v=2 3");
    drive(&mut engine, &mut storage).expect("in turn");
    let whole = dump(&engine);
    let held = storage.segment_mut(SegmentId(1)).expect("exists");
    // The name occurs in the series and in the layout, in each of two copies.
    let places: Vec<_> = held
        .windows(6)
        .enumerate()
        .filter(|(_, window)| window == b"second")
        .map(|(at, _)| at)
        .collect();
    assert_eq!(places.len(), 4);
    for at in places {
        held[at] ^= 1;
    }
    let again = open(config(), &mut storage).expect("memory does not fail");
    assert_eq!(dump(&again), whole[..1]);
    let lost = again.recovery().damage.iter();
    let points: u64 = lost.filter_map(|damage| damage.points).sum();
    assert_eq!(points, 2, "{:?}", again.recovery());
    assert_eq!(again.recovery().points, 1);
}

#[test]
fn rows_that_come_back_after_damage_are_there_again_and_not_in_a_new_shard() {
    let mut storage = MemoryStorage::default();
    let mut engine = new_database(&mut storage);
    write(&mut engine, b"old v=1 1");
    drive(&mut engine, &mut storage).expect("in turn");
    let held = storage.segment_mut(SegmentId(1)).expect("exists");
    let whole = held.clone();
    held[crate::wal::HEADER_BLOCK_BYTES as usize..].fill(0);
    let mut engine = open(config(), &mut storage).expect("memory does not fail");
    assert!(!engine.recovery().damage.is_empty());
    engine
        .execute(NOW, "CREATE DATABASE d")
        .expect("all is lost");
    write(&mut engine, b"new v=2 2");
    drive(&mut engine, &mut storage).expect("in turn");
    let mut expected = dump(&engine);
    // The bytes can be read again: a cable, not the disk.
    *storage.segment_mut(SegmentId(1)).expect("exists") = whole;
    let again = open(config(), &mut storage).expect("memory does not fail");
    expected.push(("old".into(), 1, "v".into(), "Float(1.0)".into()));
    assert_eq!(dump(&again), expected);
    assert_eq!(again.slots_for_tests().len(), 2);
}

#[test]
fn rows_and_definitions_of_any_size_fit_the_log() {
    let mut storage = MemoryStorage::default();
    let unlimited = Config {
        fields_max: 0,
        ..config()
    };
    let mut engine = open(unlimited, &mut storage).expect("memory does not fail");
    engine.execute(NOW, "CREATE DATABASE d").expect("new");
    let long = "x".repeat(crate::limits::STRING_BYTES_MAX);
    let name = "n".repeat(50_000);
    let mut names = String::from("names ");
    let mut wide = String::from("wide ");
    for i in 0..60 {
        names.push_str(&alloc::format!("{name}{i}=1,"));
    }
    for i in 0..200_000 {
        wide.push_str(&alloc::format!("f{i}=1234567890123456789i,"));
    }
    let strings = alloc::format!("strings a=\"{long}\",b=\"{long}\",c=\"{long}\",d=1 1");
    for body in [&strings, &(names + "z=1 1"), &(wide + "z=1 1")] {
        let report = write(&mut engine, body.as_bytes());
        assert_eq!((report.outcome, report.written), (Outcome::Written, 1));
        drive(&mut engine, &mut storage).expect("in turn");
    }
    let again = open(config(), &mut storage).expect("memory does not fail");
    assert_eq!(again.recovery().damage, []);
    assert_eq!(again.recovery().points, 3);
    assert_eq!(dump(&again), dump(&engine));
}

#[test]
fn thousands_of_shard_groups_are_logged_opened_and_dropped() {
    const HOUR: i64 = 3_600_000_000_000;
    let mut storage = MemoryStorage::default();
    let mut engine = new_database(&mut storage);
    let policy = "p".repeat(250);
    let create = "DURATION INF REPLICATION 1 SHARD DURATION 1h DEFAULT";
    let statement = alloc::format!("CREATE RETENTION POLICY {policy} ON d {create}");
    engine.execute(NOW, &statement).expect("new");
    let mut body = String::new();
    for hour in 0..9_000 {
        body.push_str(&alloc::format!("m v={hour} {}\n", hour * HOUR));
    }
    assert_eq!(write(&mut engine, body.as_bytes()).written, 9_000);
    assert!(
        engine.bytes() > 9_000 * 4_096,
        "a shard costs the budget something"
    );
    drive(&mut engine, &mut storage).expect("in turn");
    let mut again = open(config(), &mut storage).expect("memory does not fail");
    assert_eq!(dump(&again).len(), 9_000);
    write(&mut again, b"m v=1 1");
    drive(&mut again, &mut storage).expect("in turn");
    let drop = alloc::format!("DROP RETENTION POLICY {policy} ON d");
    again.execute(NOW, &drop).expect("exists");
    drive(&mut again, &mut storage).expect("in turn");
    assert_eq!(again.bytes(), 0);
    let empty = open(config(), &mut storage).expect("memory does not fail");
    assert!(dump(&empty).is_empty());
}

#[test]
fn rows_of_a_policy_that_was_dropped_are_not_missed_where_a_segment_is_damaged() {
    let mut storage = MemoryStorage::default();
    let mut engine = new_database(&mut storage);
    let create = "CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 1";
    engine.execute(NOW, create).expect("new");
    let request = WriteRequest {
        now_ns: NOW,
        retention_policy: "p".into(),
        precision: Precision::Nanosecond,
        ..WriteRequest::default()
    };
    engine.write(&request, b"gone v=1 1").expect("not refused");
    drive(&mut engine, &mut storage).expect("in turn");
    // The second segment begins with rows of the policy that it drops.
    let mut engine = open(config(), &mut storage).expect("memory does not fail");
    engine.write(&request, b"gone v=2 2").expect("not refused");
    write(&mut engine, b"stays v=3 3");
    engine
        .execute(NOW, "DROP RETENTION POLICY p ON d")
        .expect("exists");
    drive(&mut engine, &mut storage).expect("in turn");
    let held = storage
        .segment_mut(SegmentId(2))
        .expect("a run has its own");
    held[crate::wal::HEADER_BLOCK_BYTES as usize] ^= 1;
    let again = open(config(), &mut storage).expect("memory does not fail");
    assert_eq!(dump(&again), dump(&engine));
    let damage = &again.recovery().damage;
    assert_eq!(damage.len(), 1, "{damage:?}");
}

#[test]
fn a_policy_that_was_dropped_stays_dropped_where_nothing_proves_that_and_a_byte_is_damaged() {
    let mut storage = MemoryStorage::default();
    let mut engine = new_database(&mut storage);
    for number in 0..3 {
        let create = alloc::format!("CREATE RETENTION POLICY p{number} ON d DURATION INF");
        let create = create + " REPLICATION 1 DEFAULT";
        engine.execute(NOW, &create).expect("new");
        write(
            &mut engine,
            alloc::format!("m v={number} {number}").as_bytes(),
        );
        drive(&mut engine, &mut storage).expect("in turn");
    }
    let held = storage.segment_mut(SegmentId(1)).expect("there is one");
    held[crate::wal::HEADER_BLOCK_BYTES as usize] ^= 1;
    let drop = "DROP RETENTION POLICY p1 ON d";
    engine.execute(NOW, drop).expect("exists");
    // Written and synced; the engine never learns, and no register says so.
    while let Some(effect) = engine.poll_effect() {
        if let Effect::PersistLog {
            id,
            segment,
            offset,
            sync,
            ..
        } = effect
        {
            let bytes = engine.effect_bytes(id);
            storage
                .persist(segment, offset, bytes, sync)
                .expect("memory does not fail");
        }
    }
    for life in 0..3 {
        let mut again = open(config(), &mut storage).expect("memory does not fail");
        drive(&mut again, &mut storage).expect("in turn");
        assert_eq!(dump(&again), dump(&engine), "{life}");
        assert_eq!(again.recovery().damage.len(), 1, "{life}");
    }
}

#[test]
fn a_record_to_be_left_out_is_reported_and_its_neighbours_are_there() {
    let mut storage = MemoryStorage::default();
    let mut engine = new_database(&mut storage);
    let mut tickets = Vec::new();
    for number in 0..5 {
        let body = alloc::format!("m v={number} {number}\nm v={number} 10{number}");
        tickets.push(write(&mut engine, body.as_bytes()).ticket);
        drive(&mut engine, &mut storage).expect("in turn");
    }
    let skip = (FileId::Segment(SegmentId(1)), tickets[3]);
    let mut config = config();
    // An LSN of another segment is another record.
    config.skip = alloc::vec![skip, (FileId::Segment(SegmentId(9)), tickets[2])];
    let mut bytes = Vec::new();
    config.encode(&mut bytes);
    assert_eq!(Config::decode(&bytes, &mut 0), Some(config.clone()));
    let engine = open(config, &mut storage).expect("memory does not fail");
    assert_eq!(engine.phase(), Phase::Running);
    let times: Vec<i64> = dump(&engine).iter().map(|(_, time, ..)| *time).collect();
    assert_eq!(times, [0, 1, 2, 4, 100, 101, 102, 104]);
    let [damage] = &engine.recovery().damage[..] else {
        panic!("{:?}", engine.recovery());
    };
    assert_eq!(
        (damage.file, damage.first, damage.last),
        (skip.0, skip.1, skip.1)
    );
    assert_eq!(damage.points, Some(2));
    assert_eq!(
        storage.quarantined(),
        [(damage.file, damage.offset, damage.length)]
    );
    assert_eq!(engine.recovery().points, 8);
    let applying = engine
        .applying()
        .load(core::sync::atomic::Ordering::Relaxed);
    assert_eq!(applying, 0, "it is over");
}
