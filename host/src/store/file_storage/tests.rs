use super::*;
use crate::testing::TempDir;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const ONE: SegmentId = SegmentId(1);

fn storage(temp: &TempDir) -> FileStorage {
    fs::create_dir(temp.path().join("wal")).expect("mkdir");
    fs::create_dir(temp.path().join("quarantine")).expect("mkdir");
    FileStorage::new(temp.path())
}

fn contents(temp: &TempDir, name: &str) -> Vec<u8> {
    fs::read(temp.path().join("wal").join(name)).expect("read")
}

#[test]
fn bytes_land_where_they_belong_and_are_listed_and_read() {
    let temp = TempDir::new();
    let mut storage = storage(&temp);
    assert_eq!(storage.persist(ONE, 0, b"head", true), Ok(()));
    assert_eq!(storage.persist(ONE, 4, b"body", true), Ok(()));
    assert_eq!(storage.persist(ONE, 2, b"AD", false), Ok(()));
    assert_eq!(storage.persist(SegmentId(0x1f), 0, b"x", true), Ok(()));
    assert_eq!(contents(&temp, "0000000000000001.wal"), b"heADbody");
    let listing = storage.segments().expect("listed");
    let listed: Vec<_> = listing
        .iter()
        .map(|info| (info.id.0, info.length))
        .collect();
    assert_eq!(listed, [(1, 8), (0x1f, 1)]);
    let mut out = b">".to_vec();
    assert_eq!(storage.read(ONE, 2, 4, &mut out), Ok(()));
    assert_eq!(out, b">ADbo");
    out.clear();
    assert_eq!(storage.read(ONE, 6, 100, &mut out), Ok(()));
    assert_eq!(out, b"dy", "fewer only where the segment ends");
}

#[test]
fn only_bytes_that_the_medium_lost_are_damage() {
    let temp = TempDir::new();
    let mut storage = storage(&temp);
    let missing = storage.read(SegmentId(9), 0, 1, &mut Vec::new());
    assert_eq!(missing, Err(StorageFault::Io), "not damage of the log");
    let trouble = storage.trouble();
    assert!(
        trouble.contains("0000000000000009.wal") && trouble.contains("put it back"),
        "{trouble}"
    );
    for (code, expected) in [(5, true), (74, true), (2, false), (13, false), (24, false)] {
        let error = io::Error::from_raw_os_error(code);
        assert_eq!(is_damage(&error), expected, "{error}");
    }
    let text = trouble_of(24);
    assert!(text.contains("ulimit -n"), "{text}");
}

fn trouble_of(code: i32) -> String {
    trouble("read", Path::new("x"), &io::Error::from_raw_os_error(code))
}

#[test]
fn files_are_private() {
    let temp = TempDir::new();
    let mut storage = storage(&temp);
    assert_eq!(storage.persist(ONE, 0, b"x", true), Ok(()));
    let path = temp.path().join("wal/0000000000000001.wal");
    let mode = fs::metadata(path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_segment_that_exists_is_never_overwritten() {
    let temp = TempDir::new();
    let mut first = storage(&temp);
    assert_eq!(first.persist(ONE, 0, b"mine", true), Ok(()));
    let mut second = FileStorage::new(temp.path());
    assert_eq!(
        second.persist(ONE, 0, b"yours", true),
        Err(StorageFault::Fenced)
    );
    let late = second.persist(ONE, 4, b"yours", true);
    assert_eq!(
        late,
        Err(StorageFault::Io),
        "segments of an earlier life are not written to"
    );
    assert_eq!(contents(&temp, "0000000000000001.wal"), b"mine");
}

#[test]
fn a_symbolic_link_is_neither_listed_nor_followed() {
    let temp = TempDir::new();
    let mut storage = storage(&temp);
    let target = temp.path().join("elsewhere");
    fs::write(&target, "secret").expect("write");
    std::os::unix::fs::symlink(&target, temp.path().join("wal/0000000000000001.wal"))
        .expect("symlink");
    assert!(storage.segments().expect("listed").is_empty());
    let mut out = Vec::new();
    assert_eq!(storage.read(ONE, 0, 6, &mut out), Err(StorageFault::Io));
    assert_eq!(
        storage.persist(ONE, 0, b"x", true),
        Err(StorageFault::Fenced)
    );
    assert_eq!(fs::read(&target).expect("read"), b"secret");
}

#[test]
fn a_deleted_segment_is_gone_and_may_be_deleted_again() {
    let temp = TempDir::new();
    let mut storage = storage(&temp);
    assert_eq!(storage.persist(ONE, 0, b"x", true), Ok(()));
    assert_eq!(storage.delete(ONE), Ok(()));
    assert_eq!(storage.delete(ONE), Ok(()));
    assert!(storage.segments().expect("listed").is_empty());
    assert_eq!(storage.persist(ONE, 1, b"x", true), Err(StorageFault::Io));
}

#[test]
fn quarantine_copies_a_range_once_and_leaves_the_segment() {
    let temp = TempDir::new();
    let mut storage = storage(&temp);
    assert_eq!(storage.persist(ONE, 0, b"0123456789", true), Ok(()));
    for _ in 0..2 {
        assert_eq!(storage.quarantine(ONE, 2, 3), Ok(()));
    }
    let copy = temp.path().join("quarantine/0000000000000001-2.bin");
    assert_eq!(fs::read(copy).expect("read"), b"234");
    assert_eq!(contents(&temp, "0000000000000001.wal"), b"0123456789");
}

#[test]
fn a_probe_leaves_nothing_behind() {
    let temp = TempDir::new();
    let storage = storage(&temp);
    assert_eq!(storage.probe_space(), Ok(()));
    assert!(!temp.path().join("probe").exists());
}

#[test]
fn a_full_disk_is_told_apart_from_a_broken_one() {
    for (code, expected) in [
        (28, StorageFault::NoSpace),
        (122, StorageFault::NoSpace),
        (27, StorageFault::NoSpace),
        (24, StorageFault::NoSpace),
        (17, StorageFault::Fenced),
        (5, StorageFault::Io),
    ] {
        assert_eq!(
            classify(&io::Error::from_raw_os_error(code)),
            expected,
            "{code}"
        );
    }
}

#[test]
fn only_names_of_segments_are_segments() {
    assert_eq!(segment_of("000000000000000a.wal"), Some(SegmentId(10)));
    for other in [
        "a.wal",
        "000000000000000A.wal",
        "+00000000000000a.wal",
        "x",
        ".wal",
    ] {
        assert_eq!(segment_of(other), None, "{other}");
    }
}

#[test]
fn a_segment_that_could_not_be_read_is_kept_when_it_is_deleted() {
    let temp = TempDir::new();
    let mut storage = storage(&temp);
    for id in [1, 2] {
        let bytes = [id as u8; 5000];
        storage
            .persist(SegmentId(id), 0, &bytes, true)
            .expect("created");
    }
    storage.unreadable.insert(SegmentId(2));
    for id in [1, 2] {
        storage.delete(SegmentId(id)).expect("deleted");
    }
    assert_eq!(storage.segments().expect("listed"), []);
    let kept = fs::read_dir(&storage.quarantine).expect("listed");
    let kept: Vec<_> = kept
        .map(|entry| entry.expect("entry").file_name())
        .collect();
    assert_eq!(kept, ["0000000000000002.wal"]);
    assert_eq!(
        fs::read(storage.quarantine.join(&kept[0])).expect("read"),
        [2; 5000]
    );
}
