//! Garbage at the boundary is refused, never a trap.

use tidegate_core::engine::{Config, WriteRequest, encode_listing};

use super::face::{Face, MISUSE, NO_ENGINE, OK};

fn put_params(face: &mut Face, bytes: &[u8]) -> u32 {
    let length = u32::try_from(bytes.len()).expect("a short parameter");
    face.params(length);
    face.fill_params(bytes);
    length
}

fn open_params() -> Vec<u8> {
    let mut bytes = Vec::new();
    Config::new("db", 7, 9).encode(&mut bytes);
    encode_listing(&[], &mut bytes);
    bytes
}

/// A face with the running engine of a database: every persist so far is reported as done.
fn running() -> Face {
    let mut face = Face::new();
    let length = put_params(&mut face, &open_params());
    assert_eq!(face.open(length), OK);
    let length = put_params(&mut face, b"CREATE DATABASE db");
    assert_eq!(face.execute(1, length), OK);
    assert_eq!(face.output().first(), Some(&0), "created");
    drain(&mut face);
    assert_eq!(face.phase(), 1);
    face
}

fn drain(face: &mut Face) {
    while let Some(record) = face.poll() {
        let id = u64::from_le_bytes(record[8..16].try_into().expect("eight bytes"));
        assert_eq!(record[0], 1, "a new database only persists");
        assert_eq!(face.complete(id, 0), OK);
    }
}

#[test]
fn without_an_engine_every_call_is_misuse() {
    let mut face = Face::new();
    assert_eq!(face.phase(), NO_ENGINE);
    assert_eq!(face.write(0, 0), MISUSE);
    assert_eq!(face.execute(0, 0), MISUSE);
    assert_eq!(face.fetch(0, 1), MISUSE);
    assert_eq!(face.close(0), MISUSE);
    assert_eq!(face.complete(1, 0), MISUSE);
    assert_eq!(face.supply(1, 0, 0), MISUSE);
    assert_eq!(face.recovery(), MISUSE);
    assert!(face.output().starts_with(b"no engine is open"));
    assert_eq!(face.poll(), None);
    assert_eq!(face.effect_bytes(1), b"");
    assert!(face.applying().is_none());
    assert_eq!(
        (face.accepted(), face.submitted(), face.durable()),
        (0, 0, 0)
    );
}

#[test]
fn a_length_beyond_the_room_is_misuse() {
    let mut face = Face::new();
    assert_eq!(face.open(u32::MAX), MISUSE);
    let mut face = running();
    assert_eq!(face.write(u32::MAX, 0), MISUSE);
    assert_eq!(face.write(0, u32::MAX), MISUSE);
    assert_eq!(face.execute(0, u32::MAX), MISUSE);
    assert_eq!(face.supply(0, 0, u32::MAX), MISUSE);
}

#[test]
fn every_cut_and_every_extension_of_the_open_params_is_misuse() {
    let good = open_params();
    for cut in 0..good.len() {
        let mut face = Face::new();
        let length = put_params(&mut face, &good[..cut]);
        assert_eq!(face.open(length), MISUSE, "cut at {cut}");
        assert_eq!(face.phase(), NO_ENGINE);
    }
    let mut face = Face::new();
    let length = put_params(&mut face, &[good.as_slice(), &[0]].concat());
    assert_eq!(face.open(length), MISUSE);
}

#[test]
fn a_second_open_is_misuse() {
    let mut face = running();
    let length = put_params(&mut face, &open_params());
    assert_eq!(face.open(length), MISUSE);
}

#[test]
fn garbage_params_of_a_running_engine_are_misuse_and_change_nothing() {
    let mut face = running();
    let accepted = face.accepted();
    for garbage in [&b""[..], b"short", &[0xff; 10], &[0xff; 300]] {
        let length = put_params(&mut face, garbage);
        assert_eq!(face.write(length, 0), MISUSE);
    }
    let length = put_params(&mut face, b"SELECT \xff");
    assert_eq!(face.execute(0, length), MISUSE);
    assert_eq!(face.fetch(77, 10), MISUSE);
    assert_eq!(face.close(77), MISUSE);
    for fault in [0, 1, 4, 5, 256, u32::MAX] {
        assert_eq!(face.complete(u64::MAX, fault), MISUSE);
        assert_eq!(face.supply(u64::MAX, fault, 0), MISUSE);
    }
    assert_eq!(face.accepted(), accepted);
    assert_eq!(face.phase(), 1);
}

#[test]
fn a_write_becomes_durable_when_its_persist_is_reported() {
    let mut face = running();
    let mut params = Vec::new();
    let request = WriteRequest {
        now_ns: 1_000_000_000,
        retention_policy: String::new(),
        precision: Default::default(),
        ..WriteRequest::default()
    };
    request.encode(&mut params);
    let length = put_params(&mut face, &params);
    let body = b"cpu,host=a v=1 1000000000\n";
    face.input(body.len() as u32);
    face.fill_input(body);
    assert_eq!(face.write(length, body.len() as u32), OK);
    assert_eq!(face.output().first(), Some(&0), "written");
    assert!(face.durable() < face.accepted());
    drain(&mut face);
    assert_eq!(face.durable(), face.accepted());
}
