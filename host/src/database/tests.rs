mod acks;

use super::*;
use crate::engine::{Died, EngineFace, Native};
use crate::store::DataDir;
use crate::testing::TempDir;
use crate::units::{Size, Span};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tidegate_core::engine::{
    Config as EngineSettings, Effect, Executed, FileInfo, Outcome, Phase, RecoveryReport,
    WriteError, WriteReport, WriteRequest,
};
use tidegate_core::fault::StorageFault;
use tidegate_core::http::AckLevel;
use tidegate_core::ids::{CursorId, EffectId, FileId, Lsn, SegmentId};
use tidegate_core::model::Precision;

/// A native engine that dies when it is given a body that begins with `TRAP`.
#[derive(Default)]
struct Mortal(Native, Quirks);

/// What else may be wrong with it.
#[derive(Default)]
struct Quirks {
    /// It is told of a segment that is not there.
    phantom: bool,
    /// A body that begins with `DOOM` was written: the next drain panics.
    doomed: bool,
}

impl EngineFace for Mortal {
    fn open(&mut self, config: &EngineSettings, files: &[FileInfo]) -> Result<(), Died> {
        let mut files = files.to_vec();
        if self.1.phantom {
            files.push(FileInfo {
                file: FileId::Segment(SegmentId(99)),
                length: 1 << 16,
            });
        }
        self.0.open(config, &files)
    }
    fn phase(&mut self) -> Result<Phase, Died> {
        self.0.phase()
    }
    fn refusal(&mut self) -> Result<String, Died> {
        self.0.refusal()
    }
    fn recovery(&mut self) -> Result<RecoveryReport, Died> {
        self.0.recovery()
    }
    fn input(&mut self, length: usize) -> Result<&mut [u8], Died> {
        self.0.input(length)
    }
    fn write(
        &mut self,
        request: &WriteRequest,
        length: usize,
    ) -> Result<Result<WriteReport, WriteError>, Died> {
        if self.0.input(length)?.starts_with(b"TRAP") {
            return Err(Died("trapped".into()));
        }
        assert!(
            !self.0.input(length)?.starts_with(b"PANIC"),
            "as the test wants it"
        );
        self.1.doomed = self.0.input(length)?.starts_with(b"DOOM");
        self.0.write(request, length)
    }
    fn execute(&mut self, now_ns: i64, text: &str) -> Result<Result<Executed, String>, Died> {
        self.0.execute(now_ns, text)
    }
    fn fetch(&mut self, cursor: CursorId, rows: u32, out: &mut Vec<u8>) -> Result<bool, Died> {
        self.0.fetch(cursor, rows, out)
    }
    fn close(&mut self, cursor: CursorId) -> Result<(), Died> {
        self.0.close(cursor)
    }
    fn poll(&mut self) -> Result<Option<Effect>, Died> {
        assert!(!self.1.doomed, "as the test wants it");
        self.0.poll()
    }
    fn effect_bytes(&mut self, id: EffectId, n: usize, out: &mut Vec<u8>) -> Result<(), Died> {
        self.0.effect_bytes(id, n, out)
    }
    fn complete(&mut self, id: EffectId, result: Result<(), StorageFault>) -> Result<(), Died> {
        self.0.complete(id, result)
    }
    fn supply(&mut self, id: EffectId, result: Result<usize, StorageFault>) -> Result<(), Died> {
        self.0.supply(id, result)
    }
    fn applying(&mut self) -> Lsn {
        self.0.applying()
    }
    fn durable(&mut self) -> Result<Lsn, Died> {
        self.0.durable()
    }
}

fn open(path: &Path, data: Data) -> DatabaseList {
    open_with(path, data, || Box::new(Mortal::default()))
}

fn open_with(path: &Path, data: Data, make: fn() -> Box<dyn EngineFace>) -> DatabaseList {
    let context = Context {
        maker: Maker::Test(make),
        data,
        body_bytes_max: 1 << 20,
        points_max: 0,
        reserve: Arc::new(Reserve::off()),
        open_timeout: Duration::from_secs(10),
        late_failures: AtomicU64::new(0),
    };
    let directory = DataDir::open(path).expect("opened");
    DatabaseList::load(directory, Arc::new(context)).expect("loaded")
}

fn request() -> WriteRequest {
    WriteRequest {
        now_ns: 1,
        retention_policy: String::new(),
        precision: Precision::Nanosecond,
        ..WriteRequest::default()
    }
}

/// Writes a body and waits until it is durable; `None` if it was not accepted, or lost.
async fn write(database: &Arc<Database>, body: &str) -> Option<u64> {
    write_at(database, body, AckLevel::Durable).await
}

/// Writes a body and waits until it is acknowledged at this level.
async fn write_at(database: &Arc<Database>, body: &str, level: AckLevel) -> Option<u64> {
    let written = loop {
        database.ready().await.ok()?;
        match database.write(&request(), body.as_bytes(), level) {
            Err(Unavailable::Opening) => {}
            written => break written,
        }
    };
    let (report, ack) = written.ok()?.ok()?;
    assert_eq!(report.outcome, Outcome::Written, "{:?}", report.message);
    if let Ack::Later(safe) = ack {
        safe.await.ok()?;
    }
    Some(report.written)
}

async fn points(database: &Arc<Database>) -> u64 {
    // The report of the last opening; so it has to be closed first.
    database.ready().await.expect("ready");
    let mut inner = database.lock();
    let engine = inner.engine.as_mut().expect("open");
    engine.recovery().expect("alive").points
}

/// As a client does it; whether it is new.
fn create(list: &DatabaseList) -> Result<bool, CreateError> {
    list.create("a", &["CREATE DATABASE a".to_owned()])
}

fn line(n: u64) -> String {
    format!("m,host=a v={n} {}\n", n * 1_000_000_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_closing() {
    let temp = TempDir::new();
    let path = temp.path().join("d");
    let list = open(&path, Data::default());
    assert!(create(&list).expect("created"));
    assert!(!create(&list).expect("there already"));
    let database = list.get("a").expect("there");
    for n in 0..10 {
        assert_eq!(write(&database, &line(n)).await, Some(1));
    }
    list.shut_down();
    assert_eq!(write(&database, &line(99)).await, None, "closed for good");
    drop((list, database));
    let list = open(&path, Data::default());
    assert_eq!(points(&list.get("a").expect("there")).await, 10);
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_dies_comes_back_with_all_that_was_acknowledged() {
    let temp = TempDir::new();
    let list = open(&temp.path().join("d"), Data::default());
    create(&list).expect("created");
    let database = list.get("a").expect("there");
    for n in 0..5 {
        assert_eq!(write(&database, &line(n)).await, Some(1));
    }
    assert_eq!(write(&database, "TRAP").await, None);
    assert_eq!(write(&database, &line(5)).await, Some(1), "it is back");
    assert_eq!(points(&database).await, 5);
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_costs_no_acknowledged_point() {
    let temp = TempDir::new();
    let data = Data {
        // Every group begins a segment, so that a missing directory is noticed at once.
        wal_segment_size: Size(1),
        ..Data::default()
    };
    let list = open(&temp.path().join("d"), data);
    create(&list).expect("created");
    let database = list.get("a").expect("there");
    assert_eq!(write(&database, &line(0)).await, Some(1));
    let wal = database.dir.path().join("wal");
    let away = database.dir.path().join("away");
    std::fs::rename(&wal, &away).expect("renamed");
    assert_eq!(write(&database, &line(1)).await, None, "not acknowledged");
    std::fs::rename(&away, &wal).expect("renamed");
    assert_eq!(
        write(&database, &line(2)).await,
        Some(1),
        "it is back by itself"
    );
    assert_eq!(points(&database).await, 1);
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_database_is_closed_and_opens_again_by_itself() {
    let temp = TempDir::new();
    let data = Data {
        idle_close: Span(Duration::from_millis(1)),
        ..Data::default()
    };
    let list = open(&temp.path().join("d"), data);
    create(&list).expect("created");
    let database = list.get("a").expect("there");
    assert_eq!(write(&database, &line(0)).await, Some(1));
    let mut patience = 400;
    while database.lock().engine.is_some() && patience > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        patience -= 1;
    }
    assert!(database.lock().engine.is_none(), "closed when idle");
    for n in 1..100 {
        // Just as it is about to close, now and then.
        tokio::time::sleep(Duration::from_micros(900 + n * 5)).await;
        assert_eq!(write(&database, &line(n)).await, Some(1), "write {n}");
    }
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_database_leaves_no_files_and_its_name_is_free() {
    let temp = TempDir::new();
    let path = temp.path().join("d");
    let list = open(&path, Data::default());
    create(&list).expect("created");
    let old = list.get("a").expect("there");
    assert_eq!(write(&old, &line(0)).await, Some(1));
    assert_eq!(list.drop_database("a"), Ok(true));
    assert_eq!(list.drop_database("a"), Ok(false));
    assert_eq!(write(&old, &line(1)).await, None);
    assert!(create(&list).expect("created"));
    assert_eq!(points(&list.get("a").expect("there")).await, 0);
    list.shut_down();
    let left = std::fs::read_dir(path.join("databases"))
        .expect("listed")
        .count();
    assert_eq!(left, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_is_refused_undoes_the_creation() {
    let temp = TempDir::new();
    let path = temp.path().join("d");
    let list = open(&path, Data::default());
    let statement = "CREATE RETENTION POLICY p ON a DURATION 1s REPLICATION 1".to_owned();
    let refused = list.create("a", &[statement]);
    assert!(
        matches!(refused, Err(CreateError::Statement(_))),
        "{refused:?}"
    );
    assert!(list.get("a").is_none());
    assert_eq!(
        std::fs::read_dir(path.join("databases"))
            .expect("listed")
            .count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_cannot_be_opened_is_not_damage_and_is_tried_again() {
    static PHANTOM: AtomicBool = AtomicBool::new(false);
    let temp = TempDir::new();
    let path = temp.path().join("d");
    let list = open(&path, Data::default());
    create(&list).expect("created");
    let database = list.get("a").expect("there");
    assert_eq!(write(&database, &line(0)).await, Some(1));
    list.shut_down();
    drop((list, database));
    let list = open_with(&path, Data::default(), || {
        let phantom = PHANTOM.swap(false, Ordering::Relaxed);
        Box::new(Mortal(
            Native::default(),
            Quirks {
                phantom,
                ..Quirks::default()
            },
        ))
    });
    PHANTOM.store(true, Ordering::Relaxed);
    let database = list.get("a").expect("there");
    assert_eq!(points(&database).await, 1);
    let (epoch, found) = {
        let mut inner = database.lock();
        let engine = inner.engine.as_mut().expect("open");
        let found = engine.recovery().expect("alive");
        (inner.epoch, found)
    };
    assert_eq!((epoch, found.damage), (2, vec![]), "opened twice");
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_databases_with_one_name_the_older_is_served_and_the_other_left_alone() {
    let temp = TempDir::new();
    let path = temp.path().join("d");
    let list = open(&path, Data::default());
    create(&list).expect("created");
    let database = list.get("a").expect("there");
    assert_eq!(write(&database, &line(0)).await, Some(1));
    list.shut_down();
    let first = database.dir.path();
    drop((list, database));
    let second = path.join("databases/000002");
    std::fs::create_dir(&second).expect("created");
    std::fs::copy(first.join("DATABASE"), second.join("DATABASE")).expect("copied");
    let list = open(&path, Data::default());
    assert_eq!(list.all().len(), 1);
    let database = list.get("a").expect("there");
    assert_eq!(database.dir.path(), first);
    assert_eq!(points(&database).await, 1);
    assert!(second.join("DATABASE").exists());
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_engine_costs_its_life_and_no_acknowledged_point() {
    let temp = TempDir::new();
    let list = open(&temp.path().join("d"), Data::default());
    create(&list).expect("created");
    let database = list.get("a").expect("there");
    assert_eq!(write(&database, &line(0)).await, Some(1));
    let doomed = Arc::clone(&database);
    let written = tokio::spawn(async move { write(&doomed, "PANIC").await });
    assert!(written.await.is_err(), "it panicked with the mutex held");
    let body = line(1);
    let again = write(&database, &body);
    let again = tokio::time::timeout(Duration::from_secs(5), again).await;
    assert_eq!(again, Ok(Some(1)));
    assert_eq!(points(&database).await, 1, "a fresh engine");
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_commit_thread_panicked_takes_no_more_writes() {
    let temp = TempDir::new();
    let list = open(&temp.path().join("d"), Data::default());
    create(&list).expect("created");
    let database = list.get("a").expect("there");
    for body in ["DOOM v=1\n", "m v=1\n"] {
        let written = tokio::time::timeout(Duration::from_secs(5), write(&database, body)).await;
        assert_eq!(written, Ok(None), "told at once");
    }
    assert!(matches!(
        database.ready().await,
        Err(Unavailable::Refused(_))
    ));
    assert!(matches!(database.concern(), Some((_, true))));
    list.shut_down();
}

/// Makes the disk of the database full, or no longer so.
fn set_full(database: &Database, full: bool) {
    pretend(database, "full", full);
}

/// Makes the storage of the database behave in a way that it understands, or no longer so.
fn pretend(database: &Database, how: &str, on: bool) {
    let path = database.dir.path().join(how);
    if on {
        std::fs::write(path, "").expect("written");
    } else {
        std::fs::remove_file(path).expect("removed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_wait_on_a_full_disk_without_ending_the_engine() {
    let temp = TempDir::new();
    let list = open(&temp.path().join("d"), Data::default());
    create(&list).expect("created");
    let database = list.get("a").expect("there");
    assert_eq!(write(&database, &line(0)).await, Some(1));
    set_full(&database, true);
    let epoch = {
        // A record that no client waits for.
        let mut inner = database.lock();
        let engine = inner.engine.as_mut().expect("open");
        let body = line(1);
        let input = engine.input(body.len()).expect("alive");
        input.copy_from_slice(body.as_bytes());
        let written = engine.write(&request(), body.len()).expect("alive");
        let ticket = written.expect("accepted").ticket;
        inner.acks.know(ticket);
        inner.epoch
    };
    let (_, _, ack) = database
        .execute(1, "SHOW RETENTION POLICIES ON a")
        .expect("running")
        .expect("understood");
    let Ack::Later(mut durable) = ack else {
        panic!("it waits for the record");
    };
    database.work.notify_one();
    let waited = tokio::time::timeout(Duration::from_millis(1500), &mut durable).await;
    assert!(waited.is_err(), "neither told nor failed");
    assert!(database.lock().full);
    assert_eq!(write(&database, &line(2)).await, None, "writes are refused");
    set_full(&database, false);
    let told = tokio::time::timeout(Duration::from_secs(5), durable).await;
    assert_eq!(told, Ok(Ok(())));
    assert_eq!(database.lock().epoch, epoch, "the same engine");
    assert_eq!(write(&database, &line(3)).await, Some(1));
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_waits_on_a_full_disk_is_told_at_once() {
    let temp = TempDir::new();
    let list = open(&temp.path().join("d"), Data::default());
    create(&list).expect("created");
    let database = list.get("a").expect("there");
    assert_eq!(write(&database, &line(0)).await, Some(1));
    set_full(&database, true);
    let began = std::time::Instant::now();
    assert_eq!(write(&database, &line(1)).await, None);
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(write(&database, &line(2)).await, None, "still full");
    set_full(&database, false);
    let mut patience = 100;
    while write(&database, &line(3)).await.is_none() {
        patience -= 1;
        assert!(patience > 0, "it takes writes again by itself");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    list.shut_down();
}
