use super::*;
use crate::testing::TempDir;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const ONE: SegmentId = SegmentId(1);
const FIRST: FileId = FileId::Segment(ONE);

fn storage(temp: &TempDir) -> FileStorage {
    fs::create_dir(temp.path().join("wal")).expect("mkdir");
    fs::create_dir(temp.path().join("quarantine")).expect("mkdir");
    FileStorage::new(temp.path(), Arc::new(Reserve::off()))
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
    let listing = storage.files().expect("listed");
    let listed: Vec<_> = listing
        .iter()
        .map(|info| (info.file.to_pair().1, info.length))
        .collect();
    assert_eq!(listed, [(1, 8), (0x1f, 1)]);
    let mut out = b">".to_vec();
    assert_eq!(storage.read(FIRST, 2, 4, &mut out), Ok(()));
    assert_eq!(out, b">ADbo");
    out.clear();
    assert_eq!(storage.read(FIRST, 6, 100, &mut out), Ok(()));
    assert_eq!(out, b"dy", "fewer only where the segment ends");
}

#[test]
fn only_bytes_that_the_medium_lost_are_damage() {
    let temp = TempDir::new();
    let mut storage = storage(&temp);
    let missing = storage.read(FileId::Segment(SegmentId(9)), 0, 1, &mut Vec::new());
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
    let mut second = FileStorage::new(temp.path(), Arc::new(Reserve::off()));
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
    assert!(storage.files().expect("listed").is_empty());
    let mut out = Vec::new();
    assert_eq!(storage.read(FIRST, 0, 6, &mut out), Err(StorageFault::Io));
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
    assert_eq!(storage.delete(FIRST), Ok(()));
    assert_eq!(storage.delete(FIRST), Ok(()));
    assert!(storage.files().expect("listed").is_empty());
    assert_eq!(storage.persist(ONE, 1, b"x", true), Err(StorageFault::Io));
}

#[test]
fn quarantine_copies_a_range_once_and_leaves_the_segment() {
    let temp = TempDir::new();
    let mut storage = storage(&temp);
    assert_eq!(storage.persist(ONE, 0, b"0123456789", true), Ok(()));
    for _ in 0..2 {
        assert_eq!(storage.quarantine(FIRST, 2, 3), Ok(()));
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
fn only_names_of_files_are_files() {
    for file in [FileId::Segment(SegmentId(10)), FileId::Blob(BlobId(10))] {
        assert_eq!(file_of(&name(file)), Some(file));
    }
    for other in [
        "a.wal",
        "000000000000000A.wal",
        "+00000000000000a.wal",
        "x",
        ".wal",
        "000000000000000a.part",
    ] {
        assert_eq!(file_of(other), None, "{other}");
    }
}

#[test]
fn a_file_that_could_not_be_read_is_kept_when_it_is_deleted() {
    let temp = TempDir::new();
    let mut storage = storage(&temp);
    let file = |id| FileId::Segment(SegmentId(id));
    for id in [1, 2] {
        let bytes = [id as u8; 5000];
        let made = storage.persist(SegmentId(id), 0, &bytes, true);
        assert_eq!(made, Ok(()));
    }
    storage.unreadable.insert(file(2));
    for id in [1, 2] {
        assert_eq!(storage.delete(file(id)), Ok(()));
    }
    assert!(storage.files().expect("listed").is_empty());
    let kept = fs::read_dir(&storage.quarantine).expect("listed");
    let kept: Vec<_> = kept
        .map(|entry| entry.expect("entry").file_name())
        .collect();
    assert_eq!(kept, ["0000000000000002.wal"]);
    let bytes = fs::read(storage.quarantine.join(&kept[0])).expect("read");
    assert_eq!(bytes, [2; 5000]);
}

#[test]
fn a_blob_is_there_with_its_last_part_and_not_before() {
    let temp = TempDir::new();
    let mut storage = storage(&temp);
    let (blob, file) = (BlobId(2), FileId::Blob(BlobId(2)));
    assert!(storage.files().expect("no directory yet").is_empty());
    assert_eq!(storage.put(BlobId(1), 4, b"left", false), Ok(()));
    let mut storage = FileStorage::new(temp.path(), Arc::new(Reserve::off()));
    assert_eq!(storage.put(blob, 4, b"body", false), Ok(()));
    let blobs = temp.path().join("blobs");
    assert!(
        !blobs.join("0000000000000001.part").exists(),
        "cleared away"
    );
    assert!(storage.files().expect("listed").is_empty());
    assert_eq!(storage.put(blob, 0, b"head", true), Ok(()));
    assert_eq!(storage.files().expect("listed")[0].file, file);
    let mut out = Vec::new();
    assert_eq!(storage.read(file, 2, 4, &mut out), Ok(()));
    assert_eq!(out, b"adbo");
    assert_eq!(storage.quarantine(file, 1, 2), Ok(()));
    let copy = temp.path().join("quarantine/blob-0000000000000002-1.bin");
    assert_eq!(fs::read(copy).expect("read"), b"ea");
    assert_eq!(storage.put(BlobId(3), 4, b"part", false), Ok(()));
    for file in [file, FileId::Blob(BlobId(3))] {
        assert_eq!(storage.delete(file), Ok(()));
        assert_eq!(storage.delete(file), Ok(()));
    }
    assert_eq!(fs::read_dir(blobs).expect("listed").count(), 0);
}
