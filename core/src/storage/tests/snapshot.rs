//! Snapshots, and the log that they retire.

use super::*;
use crate::engine::{Effect, FileInfo};
use crate::fault::StorageFault;
use crate::ids::{BlobId, FileId};
use crate::storage::Storage;

fn small() -> Config {
    Config {
        segment_bytes_roll: 48 << 10,
        snapshot_log_bytes: 64 << 10,
        ..config()
    }
}

fn created(storage: &mut MemoryStorage) -> Engine {
    let mut engine = open(small(), storage).expect("memory does not fail");
    engine.execute(NOW, "CREATE DATABASE d").expect("new");
    drive(&mut engine, storage).expect("in turn");
    engine
}

/// With a policy `p`, and parts so small that a shard fills several.
fn created_in_parts(storage: &mut MemoryStorage) -> Engine {
    let config = Config {
        snapshot_part_bytes: 8 << 10,
        ..small()
    };
    let mut engine = open(config, storage).expect("memory does not fail");
    for statement in [
        "CREATE DATABASE d",
        "CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 1",
    ] {
        engine.execute(NOW, statement).expect("new");
    }
    engine
}

fn into_p() -> WriteRequest {
    WriteRequest {
        now_ns: NOW,
        retention_policy: "p".into(),
        precision: Precision::Nanosecond,
        ..WriteRequest::default()
    }
}

fn drop_p(engine: &mut Engine) {
    let drop = "DROP RETENTION POLICY p ON d";
    engine.execute(NOW, drop).expect("exists");
}

fn blobs(storage: &MemoryStorage) -> Vec<u64> {
    // Of a copy: a listing forgets blobs that are not whole.
    let files = storage.clone().files().expect("memory");
    let id = |info: FileInfo| match info.file {
        FileId::Blob(BlobId(id)) => Some(id),
        FileId::Segment(_) => None,
    };
    files.into_iter().filter_map(id).collect()
}

fn reopened(storage: &MemoryStorage) -> Engine {
    let engine = open(small(), &mut storage.clone()).expect("memory does not fail");
    assert_eq!(engine.phase(), Phase::Running);
    assert_eq!(engine.recovery().damage, []);
    engine
}

/// Performs one effect; parts of blobs end with `part`. False if there is none.
fn perform(
    engine: &mut Engine,
    storage: &mut MemoryStorage,
    part: Result<(), StorageFault>,
) -> bool {
    let Some(effect) = engine.poll_effect() else {
        return false;
    };
    carry_out(engine, storage, effect, part);
    true
}

fn carry_out(
    engine: &mut Engine,
    storage: &mut MemoryStorage,
    effect: Effect,
    part: Result<(), StorageFault>,
) {
    let id = effect.id();
    let bytes = engine.effect_bytes(id).to_vec();
    let result = match effect {
        Effect::PersistLog {
            segment,
            offset,
            sync,
            ..
        } => storage.persist(segment, offset, &bytes, sync),
        Effect::PutBlob {
            blob,
            offset,
            is_last,
            ..
        } => part.and_then(|()| storage.put(blob, offset, &bytes, is_last)),
        Effect::Delete { file, .. } => storage.delete(file),
        Effect::Read { .. } | Effect::Quarantine { .. } => panic!("{effect:?}"),
    };
    engine.complete(id, result).expect("in flight");
}

#[test]
fn snapshots_bound_the_log_and_keep_every_point() {
    let mut storage = MemoryStorage::default();
    let mut engine = created(&mut storage);
    let (mut names, mut longest) = (Vec::new(), 0);
    for round in 0..120 {
        write(&mut engine, &fleet(40, 10));
        write(
            &mut engine,
            alloc::format!("m,r={round} s=\"{}\",t=f {round}", "x".repeat(round)).as_bytes(),
        );
        drive(&mut engine, &mut storage).expect("in turn");
        names.extend(blobs(&storage));
        let files = storage.files().expect("memory");
        let log = files
            .iter()
            .filter(|info| matches!(info.file, FileId::Segment(_)));
        longest = longest.max(log.map(|info| info.length).sum::<u64>());
        if round % 17 == 5 {
            let before = dump(&engine);
            engine = open(small(), &mut storage).expect("memory does not fail");
            assert_eq!(dump(&engine), before, "round {round}");
            assert_eq!(engine.recovery().damage, []);
        }
    }
    names.dedup();
    assert!(names.len() > 3, "{names:?}");
    assert!(blobs(&storage).len() == 1, "older ones are deleted");
    // The next is due when as much has been logged as the last one holds.
    let bytes = storage.file(FileId::Blob(BlobId(names[names.len() - 1])));
    let bytes = bytes.expect("the last").len() as u64;
    assert!(longest < 2 * bytes + (200 << 10), "{longest} of {bytes}");
    assert_eq!(dump(&reopened(&storage)), dump(&engine));
}

#[test]
fn a_crash_between_any_two_effects_loses_nothing() {
    let mut storage = MemoryStorage::default();
    let mut engine = created(&mut storage);
    let (mut durable, mut openings, mut blobs_seen) = (dump(&engine), 0, 0);
    for round in 0..24 {
        write(&mut engine, &fleet(30, 12));
        let whole = dump(&engine);
        while perform(&mut engine, &mut storage, Ok(())) {
            if engine.durable_lsn() == engine.accepted_lsn() {
                durable.clone_from(&whole);
            }
            if round % 3 == 0 || blobs(&storage).len() != blobs_seen {
                blobs_seen = blobs(&storage).len();
                assert_eq!(dump(&reopened(&storage)), durable, "round {round}");
                openings += 1;
            }
        }
    }
    assert!(openings > 12 && blobs_seen == 1, "{openings} {blobs_seen}");
}

#[test]
fn a_snapshot_that_finds_no_space_costs_nothing() {
    let mut storage = MemoryStorage::default();
    let mut engine = created(&mut storage);
    let mut rounds = 0;
    for part in [Err(StorageFault::NoSpace), Err(StorageFault::Io), Ok(())] {
        for _ in 0..12 {
            rounds += 1;
            write(&mut engine, &fleet(30, 12));
            write(
                &mut engine,
                alloc::format!("m v={rounds} {rounds}").as_bytes(),
            );
            while perform(&mut engine, &mut storage, part) {}
            assert_eq!(engine.phase(), Phase::Running);
            assert_eq!(engine.durable_lsn(), engine.accepted_lsn());
        }
        assert_eq!(blobs(&storage).len(), usize::from(part.is_ok()));
        assert_eq!(dump(&reopened(&storage)), dump(&engine));
    }
}

#[test]
fn what_is_written_and_dropped_while_a_snapshot_is_written_is_neither_lost_nor_kept() {
    let mut storage = MemoryStorage::default();
    let mut engine = created(&mut storage);
    let create = "CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 1";
    engine.execute(NOW, create).expect("new");
    let written = engine.write(&into_p(), &fleet(200, 40));
    written.expect("not refused");
    write(&mut engine, &fleet(100, 40));
    let mut steps = 0u64;
    while perform(&mut engine, &mut storage, Ok(())) {
        steps += 1;
        if steps < 40 && blobs(&storage).is_empty() {
            write(
                &mut engine,
                alloc::format!("late v={steps} {steps}").as_bytes(),
            );
        }
        if steps == 4 {
            drop_p(&mut engine);
        }
    }
    assert!(steps > 8);
    assert_eq!(blobs(&storage).len(), 1);
    let again = reopened(&storage);
    assert_eq!(dump(&again), dump(&engine));
    assert!(dump(&again).iter().any(|point| point.0 == "late"));
}

#[test]
fn a_drop_that_is_not_durable_keeps_a_snapshot_without_a_name() {
    let mut storage = MemoryStorage::default();
    let mut engine = created_in_parts(&mut storage);
    // Its turn comes behind the other one.
    write(&mut engine, &fleet(200, 40));
    let written = engine.write(&into_p(), &fleet(20, 4));
    written.expect("not refused");
    let (mut before, mut held) = (None, Vec::new());
    while let Some(effect) = engine.poll_effect() {
        if before.is_some() && matches!(effect, Effect::PersistLog { .. }) {
            held.push(effect);
            continue;
        }
        let is_part = matches!(effect, Effect::PutBlob { .. });
        carry_out(&mut engine, &mut storage, effect, Ok(()));
        if is_part && before.is_none() {
            before = Some(dump(&engine));
            drop_p(&mut engine);
        }
    }
    assert!(blobs(&storage).is_empty() && !held.is_empty());
    assert_eq!(Some(dump(&reopened(&storage))), before, "power fails");
    for effect in held {
        carry_out(&mut engine, &mut storage, effect, Ok(()));
    }
    while perform(&mut engine, &mut storage, Ok(())) {}
    assert_eq!(blobs(&storage).len(), 1);
    assert_eq!(dump(&reopened(&storage)), dump(&engine));
}

#[test]
fn a_shard_that_is_dropped_while_it_is_written_is_there_whole_where_the_drop_is_lost() {
    let mut storage = MemoryStorage::default();
    let mut engine = created_in_parts(&mut storage);
    let written = engine.write(&into_p(), &fleet(200, 40));
    written.expect("not refused");
    let (mut before, mut parts) = (None, 0);
    while let Some(effect) = engine.poll_effect() {
        parts += usize::from(matches!(effect, Effect::PutBlob { .. }));
        carry_out(&mut engine, &mut storage, effect, Ok(()));
        if parts == 2 && before.is_none() {
            before = Some(dump(&engine));
            drop_p(&mut engine);
        }
    }
    assert!(parts > 4, "{parts}");
    assert_eq!(dump(&reopened(&storage)), dump(&engine));
    let segments: Vec<FileId> = storage
        .files()
        .expect("memory")
        .into_iter()
        .map(|info| info.file)
        .filter(|file| matches!(file, FileId::Segment(_)))
        .collect();
    for segment in segments {
        storage.delete(segment).expect("memory");
    }
    let bare = open(small(), &mut storage).expect("memory does not fail");
    assert_eq!(Some(dump(&bare)), before);
}
