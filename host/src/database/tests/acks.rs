//! Acknowledgement levels: when each is told, and what becomes of what was told early.

use super::*;

/// For what is to happen; on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(10);
/// For what must not happen.
const GLANCE: Duration = Duration::from_millis(150);

/// A list with one open database that has taken a write.
async fn opened(temp: &TempDir) -> (DatabaseList, Arc<Database>) {
    let list = open(&temp.path().join("d"), Data::default());
    create(&list).expect("created");
    let database = list.get("a").expect("there");
    assert_eq!(write(&database, &line(0)).await, Some(1));
    (list, database)
}

/// A write of a point that goes on by itself.
fn begin(
    database: &Arc<Database>,
    number: u64,
    level: AckLevel,
) -> tokio::task::JoinHandle<Option<u64>> {
    let database = Arc::clone(database);
    tokio::spawn(async move { write_at(&database, &line(number), level).await })
}

async fn is_told(write: &mut tokio::task::JoinHandle<Option<u64>>) -> bool {
    let told = tokio::time::timeout(GLANCE, write).await;
    told.is_ok_and(|told| told.expect("no panic") == Some(1))
}

async fn ends(write: tokio::task::JoinHandle<Option<u64>>) -> Option<u64> {
    let told = tokio::time::timeout(PATIENCE, write).await;
    told.expect("in time").expect("no panic")
}

/// Waits until the database has failed and is open again.
async fn reopened(database: &Arc<Database>, epoch: u64) {
    let mut patience = 500;
    while database.ready().await.is_err() || database.lock().epoch == epoch {
        patience -= 1;
        assert!(patience > 0, "it comes back by itself");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_told_before_the_write_and_wal_before_the_sync() {
    let temp = TempDir::new();
    let (list, database) = opened(&temp).await;
    pretend(&database, "held-write", true);
    assert_eq!(ends(begin(&database, 1, AckLevel::Memory)).await, Some(1));
    pretend(&database, "held-write", false);
    assert_eq!(write(&database, &line(2)).await, Some(1));
    // Whether they become one group or two, the first one is written before the other is synced.
    pretend(&database, "held-write", true);
    let mut wal = begin(&database, 3, AckLevel::Wal);
    assert!(!is_told(&mut wal).await, "it is not written");
    let mut durable = begin(&database, 4, AckLevel::Durable);
    assert!(!is_told(&mut durable).await, "it is not written");
    pretend(&database, "held-sync", true);
    pretend(&database, "held-write", false);
    assert_eq!(ends(wal).await, Some(1), "written");
    assert!(!is_told(&mut durable).await, "it is not synced");
    pretend(&database, "held-sync", false);
    assert_eq!(ends(durable).await, Some(1));
    assert!(!database.lock().acks.owes(), "all of it is durable");
    list.shut_down();
    drop((list, database));
    let list = open(&temp.path().join("d"), Data::default());
    assert_eq!(points(&list.get("a").expect("there")).await, 5);
    assert_eq!(list.late_failures(), 0);
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_fails_after_the_ack_is_counted_and_told() {
    let temp = TempDir::new();
    let (list, database) = opened(&temp).await;
    let epoch = database.lock().epoch;
    pretend(&database, "held-sync", true);
    assert_eq!(ends(begin(&database, 1, AckLevel::Wal)).await, Some(1));
    assert_eq!(ends(begin(&database, 2, AckLevel::Memory)).await, Some(1));
    let durable = begin(&database, 3, AckLevel::Durable);
    tokio::time::sleep(GLANCE).await;
    assert_eq!(database.concern(), None);
    pretend(&database, "broken-sync", true);
    pretend(&database, "held-sync", false);
    assert_eq!(
        ends(durable).await,
        None,
        "a client that waits is told itself"
    );
    pretend(&database, "broken-sync", false);
    reopened(&database, epoch).await;
    assert_eq!(list.late_failures(), 2);
    let (text, fails) = database.concern().expect("told");
    assert!(text.contains("since the start: 2") && !fails, "{text}");
    // What the system had is found again: the point of the wal ack, not that of the memory one.
    assert_eq!(points(&database).await, 2);
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_write_to_a_segment_survives_its_failed_sync_as_well() {
    let temp = TempDir::new();
    let data = Data {
        // Every group begins a segment.
        wal_segment_size: Size(1),
        ..Data::default()
    };
    let list = open(&temp.path().join("d"), data);
    create(&list).expect("created");
    let database = list.get("a").expect("there");
    assert_eq!(write(&database, &line(0)).await, Some(1));
    let epoch = database.lock().epoch;
    pretend(&database, "held-sync", true);
    assert_eq!(ends(begin(&database, 1, AckLevel::Wal)).await, Some(1));
    pretend(&database, "broken-sync", true);
    pretend(&database, "held-sync", false);
    tokio::time::sleep(GLANCE).await;
    pretend(&database, "broken-sync", false);
    reopened(&database, epoch).await;
    assert_eq!(points(&database).await, 2);
    assert_eq!(list.late_failures(), 1);
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_costs_what_was_only_in_memory_and_says_so() {
    let temp = TempDir::new();
    let (list, database) = opened(&temp).await;
    pretend(&database, "held-write", true);
    for number in 1..4 {
        let told = ends(begin(&database, number, AckLevel::Memory)).await;
        assert_eq!(told, Some(1));
    }
    assert_eq!(write_at(&database, "TRAP", AckLevel::Memory).await, None);
    assert_eq!(list.late_failures(), 3);
    pretend(&database, "held-write", false);
    assert_eq!(write(&database, &line(9)).await, Some(1), "it is back");
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_early_waits_for_space_and_is_not_dropped() {
    let temp = TempDir::new();
    let (list, database) = opened(&temp).await;
    let epoch = database.lock().epoch;
    pretend(&database, "held-write", true);
    assert_eq!(ends(begin(&database, 1, AckLevel::Memory)).await, Some(1));
    assert_eq!(ends(begin(&database, 2, AckLevel::Memory)).await, Some(1));
    let durable = begin(&database, 3, AckLevel::Durable);
    let wal = begin(&database, 4, AckLevel::Wal);
    tokio::time::sleep(GLANCE).await;
    set_full(&database, true);
    pretend(&database, "held-write", false);
    assert_eq!(ends(durable).await, None, "told at once");
    assert_eq!(ends(wal).await, None, "told at once");
    assert_eq!(write_at(&database, &line(5), AckLevel::Memory).await, None);
    set_full(&database, false);
    let mut patience = 100;
    while write(&database, &line(6)).await.is_none() {
        patience -= 1;
        assert!(patience > 0, "it takes writes again by itself");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(database.lock().epoch, epoch, "the same engine");
    assert_eq!(list.late_failures(), 0);
    list.shut_down();
    drop((list, database));
    let list = open(&temp.path().join("d"), Data::default());
    // Those that were refused may be stored; those that were acknowledged are.
    let stored = points(&list.get("a").expect("there")).await;
    assert!((4..=6).contains(&stored), "{stored}");
    list.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_makes_durable_what_was_acknowledged_early() {
    let temp = TempDir::new();
    let (list, database) = opened(&temp).await;
    for number in 1..50 {
        let told = write_at(&database, &line(number), AckLevel::Memory).await;
        assert_eq!(told, Some(1));
    }
    list.shut_down();
    assert_eq!(list.late_failures(), 0);
    drop((list, database));
    let list = open(&temp.path().join("d"), Data::default());
    assert_eq!(points(&list.get("a").expect("there")).await, 50);
    list.shut_down();
}
