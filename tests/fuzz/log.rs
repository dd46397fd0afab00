//! Logs: segments of any bytes.

use tidegate_core::engine::{Config, Engine, FileInfo, Phase, WriteRequest};
use tidegate_core::ids::{FileId, SegmentId};
use tidegate_core::storage::{MemoryStorage, Storage as _, drive, open};
use tidegate_tests::fuzz::Target;
use tidegate_tests::r#gen::{Flavour, Rng, body};

const NOW_NS: i64 = 1_767_225_600_000_000_000;

/// An engine opens, or refuses; if it runs it takes writes, and opens again without new damage.
pub(crate) struct Log;

impl Log {
    pub(crate) const fn new() -> Self {
        Self
    }
}

fn config() -> Config {
    Config::new("d", 7, 42)
}

fn write(engine: &mut Engine, storage: &mut MemoryStorage, bytes: &[u8]) {
    let request = WriteRequest {
        now_ns: NOW_NS,
        ..WriteRequest::default()
    };
    engine.write(&request, bytes).expect("it runs");
    drive(engine, storage).expect("in turn");
}

impl Target for Log {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let mut rng = Rng::new(3);
        let logs = (0..12).map(|number| {
            let mut storage = MemoryStorage::default();
            let mut engine = open(config(), &mut storage).expect("memory");
            engine.execute(NOW_NS, "CREATE DATABASE d").expect("new");
            drive(&mut engine, &mut storage).expect("in turn");
            for _ in 0..number {
                let bytes = body::body(&mut rng, Flavour::Valid, 5);
                write(&mut engine, &mut storage, &bytes);
            }
            let first = storage.segment(SegmentId(1));
            first.expect("a segment").to_vec()
        });
        logs.collect()
    }

    fn tokens(&self) -> &'static [&'static [u8]] {
        &[
            b"\0\0\0\0",
            b"\xff\xff\xff\xff",
            b"\0\0\0\0\0\0\0\0",
            b"\x01",
            b"\x80\x80\x80\x80\x80\x01",
        ]
    }

    fn read(&mut self, rng: &mut Rng, input: &[u8]) -> bool {
        let mut storage = MemoryStorage::default();
        let sync = true;
        if storage.persist(SegmentId(1), 0, input, sync).is_err() {
            return false;
        }
        let mut engine = open(config(), &mut storage).expect("memory");
        if engine.phase() != Phase::Running {
            assert_eq!(engine.phase(), Phase::Refused);
            assert!(engine.refusal().is_some_and(|text| !text.is_empty()));
            return false;
        }
        let recovered = engine.recovery().clone();
        // The database itself may be lost with its definition; then nothing can be written.
        let _ = engine.execute(NOW_NS, "CREATE DATABASE d");
        write(
            &mut engine,
            &mut storage,
            &body::body(rng, Flavour::Valid, 3),
        );
        let files = storage.files().expect("memory");
        assert!(files.iter().any(|file: &FileInfo| file.length > 0));
        let again = open(config(), &mut storage).expect("memory");
        assert_eq!(again.phase(), Phase::Running, "{:?}", again.refusal());
        let news =
            |damage: &&tidegate_core::engine::Damage| damage.file != FileId::Segment(SegmentId(1));
        let news: Vec<_> = again.recovery().damage.iter().filter(news).collect();
        assert_eq!(news.len(), 0, "damage where none was done: {news:?}");
        recovered.damage.is_empty() && recovered.points > 0
    }
}
