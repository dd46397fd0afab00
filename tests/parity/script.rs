//! A seeded script that both sides follow, and the storage they share.

use tidegate_core::engine::{
    Config, Effect, RECORD_BYTES, WriteRequest, decode_effect, decode_executed, encode_listing,
};
use tidegate_core::fault::StorageFault;
use tidegate_core::model::Precision;
use tidegate_core::storage::{MemoryStorage, Storage};
use tidegate_tests::r#gen::{Flavour, Rng, body};

use crate::guest::{Guest, GuestModule};
use crate::native::Native;
use crate::twin::Twin;

const NOW_NS: i64 = 1_767_300_000_000_000_000;
const STATEMENTS: [&str; 16] = [
    "SELECT * FROM cpu",
    "SELECT * FROM /.*/",
    "SELECT * FROM mem, disk WHERE host = 'a'",
    "SELECT f, i FROM net WHERE f > 0.5 OR i < 3 ORDER BY time DESC LIMIT 7",
    "SELECT f * 2, i % 3 FROM m GROUP BY *",
    "SELECT s FROM cpu WHERE s =~ /tex/ SLIMIT 3",
    "SHOW SERIES",
    "SHOW MEASUREMENTS",
    "SHOW TAG KEYS",
    "SHOW TAG VALUES WITH KEY = host",
    "SHOW FIELD KEYS",
    "SHOW RETENTION POLICIES ON p",
    "CREATE RETENTION POLICY r ON p DURATION 520w REPLICATION 1 SHARD DURATION 1d",
    "ALTER RETENTION POLICY r ON p SHARD DURATION 2d",
    "DROP RETENTION POLICY r ON p",
    "SELECT nonsense FROM",
];

/// What was compared.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    writes: u64,
    statements: u64,
    batches: u64,
    effects: u64,
    persisted_bytes: u64,
    segments: u64,
    snapshots: u64,
    faults: u64,
    reopened: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.writes += other.writes;
        self.statements += other.statements;
        self.batches += other.batches;
        self.effects += other.effects;
        self.persisted_bytes += other.persisted_bytes;
        self.segments += other.segments;
        self.snapshots += other.snapshots;
        self.faults += other.faults;
        self.reopened += other.reopened;
    }

    /// A comparison in which one of these never happened proves less than it says.
    pub(crate) fn require_all(&self) {
        let all = [
            self.writes,
            self.statements,
            self.batches,
            self.effects,
            self.persisted_bytes,
            self.faults,
            self.reopened,
            self.snapshots,
        ];
        assert!(all.iter().all(|&count| count > 0), "{self:?}");
        assert!(
            self.segments > 3 * self.reopened,
            "segments did not roll: {self:?}"
        );
    }
}

/// Both sides and their storage.
pub(crate) struct Pair<'a> {
    module: &'a GuestModule,
    native: Native,
    guest: Guest,
    storage: MemoryStorage,
    rng: Rng,
    counts: Counts,
    /// Effects that were polled and wait for their report, oldest first.
    waiting: Vec<Effect>,
}

impl<'a> Pair<'a> {
    pub(crate) fn new(module: &'a GuestModule, seed: u64) -> Self {
        let mut pair = Self {
            module,
            native: Native::default(),
            guest: module.instance(),
            storage: MemoryStorage::default(),
            rng: Rng::new(seed),
            counts: Counts::default(),
            waiting: Vec::new(),
        };
        pair.open();
        pair
    }

    /// Opens fresh engines on the storage.
    fn open(&mut self) {
        (self.native, self.guest) = (Native::default(), self.module.instance());
        self.waiting.clear();
        let mut config = Config::new("p", 7, self.rng.next_u64());
        config.segment_bytes_roll = 40_000;
        config.snapshot_log_bytes = 150_000;
        config.cache_bytes_max = 64 << 20;
        let mut params = Vec::new();
        config.encode(&mut params);
        let segments = self.storage.files().expect("listing");
        self.counts.segments += segments.len() as u64;
        encode_listing(&segments, &mut params);
        self.native.open(&params);
        self.guest.open(&params);
        self.drain(0);
        self.compare_state();
    }

    pub(crate) fn step(&mut self) {
        match self.rng.below(20) {
            0..=11 => self.write(),
            12..=16 => self.execute(),
            17 => self.drain(0),
            18 => self.fail(),
            _ if self.rng.one_in(3) => self.reopen(),
            _ => {}
        }
        // Some reports come late, so that several persists are in flight.
        let keep = self.rng.index(3);
        self.drain(keep);
        self.compare_state();
    }

    /// Settles everything, reopens once more, and compares all that is stored.
    pub(crate) fn finish(mut self) -> Counts {
        self.reopen();
        self.run_statement("SELECT * FROM /.*/ GROUP BY *");
        self.counts
    }

    fn write(&mut self) {
        let flavour = [Flavour::Valid, Flavour::NearValid, Flavour::Hostile];
        let flavour = flavour[self.rng.index(3)];
        let lines = 1 + self.rng.index(40);
        let mut bytes = body::body(&mut self.rng, flavour, lines);
        if self.rng.one_in(4) {
            // The same series in the same order: what the fast path takes.
            bytes = bytes.repeat(3);
        }
        let request = WriteRequest {
            now_ns: NOW_NS + self.rng.below(1_000) as i64,
            retention_policy: self
                .rng
                .pick(&["", "", "", "autogen", "r", "nope"])
                .to_owned(),
            precision: if self.rng.one_in(5) {
                Precision::from_code(self.rng.below(6) as u8).unwrap_or(Precision::Nanosecond)
            } else {
                Precision::Nanosecond
            },
            dry_run: self.rng.one_in(30),
            strict: self.rng.one_in(4),
            explain: self.rng.one_in(3),
        };
        let mut params = Vec::new();
        request.encode(&mut params);
        let native = self.native.write(&params, &bytes);
        let guest = self.guest.write(&params, &bytes);
        assert_eq!(
            native,
            guest,
            "write of {:?}",
            String::from_utf8_lossy(&bytes)
        );
        self.counts.writes += 1;
    }

    fn execute(&mut self) {
        let statement = self.rng.pick(&STATEMENTS);
        self.run_statement(statement);
    }

    fn run_statement(&mut self, statement: &str) {
        let native = self.native.execute(NOW_NS, statement);
        let guest = self.guest.execute(NOW_NS, statement);
        assert_eq!(native, guest, "{statement}");
        self.counts.statements += 1;
        let executed = decode_executed(&native).expect("decodes");
        let Some(cursor) = executed.ok().and_then(|executed| executed.cursor) else {
            return;
        };
        let rows = 1 + self.rng.below(50) as u32;
        loop {
            let native = self.native.fetch(cursor.0, rows);
            let guest = self.guest.fetch(cursor.0, rows);
            assert_eq!(native, guest, "rows of {statement}");
            self.counts.batches += 1;
            if native.0 != 1 {
                assert_eq!(native.0, 0, "rows of {statement}");
                return;
            }
        }
    }

    /// Polls both sides empty and carries out all but `keep` of the effects.
    fn drain(&mut self, keep: usize) {
        loop {
            while let Some(effect) = self.poll() {
                self.waiting.push(effect);
            }
            if self.waiting.len() <= keep {
                return;
            }
            let effect = self.waiting.remove(0);
            self.perform(&effect, None);
        }
    }

    fn poll(&mut self) -> Option<Effect> {
        let record: Option<[u8; RECORD_BYTES]> = self.native.poll();
        assert_eq!(record, self.guest.poll(), "the next effect");
        let effect = decode_effect(&record?).expect("a record");
        self.counts.effects += 1;
        Some(effect)
    }

    fn perform(&mut self, effect: &Effect, fault: Option<StorageFault>) {
        let id = effect.id().0;
        let code = fault.map_or(0, StorageFault::code);
        let done = match *effect {
            Effect::Read {
                file,
                offset,
                length,
                ..
            } => {
                let mut bytes = Vec::new();
                let read = self.storage.read(file, offset, length, &mut bytes);
                read.expect("readable");
                let native = self.native.supply(id, code, &bytes);
                return assert_eq!((native, self.guest.supply(id, code, &bytes)), (0, 0));
            }
            Effect::PersistLog {
                segment,
                offset,
                length,
                sync,
                ..
            } => {
                let bytes = self.native.effect_bytes(id, length);
                let same = bytes == self.guest.effect_bytes(id, length);
                assert!(same, "persisted bytes of {effect:?} differ");
                self.counts.persisted_bytes += length as u64;
                if fault.is_none() {
                    self.storage.persist(segment, offset, &bytes, sync)
                } else {
                    Ok(())
                }
            }
            Effect::Delete { file, .. } => self.storage.delete(file),
            Effect::PutBlob {
                blob,
                offset,
                length,
                is_last,
                ..
            } => {
                let bytes = self.native.effect_bytes(id, length);
                let same = bytes == self.guest.effect_bytes(id, length);
                assert!(same, "parts of {effect:?} differ");
                self.counts.snapshots += u64::from(is_last && fault.is_none());
                if fault.is_none() {
                    self.storage.put(blob, offset, &bytes, is_last)
                } else {
                    Ok(())
                }
            }
            Effect::Quarantine {
                file,
                offset,
                length,
                ..
            } => self.storage.quarantine(file, offset, length),
        };
        done.expect("memory does not fail");
        let native = self.native.complete(id, code);
        assert_eq!((native, self.guest.complete(id, code)), (0, 0));
    }

    /// A persist fails: both sides are poisoned alike and opened again.
    fn fail(&mut self) {
        self.drain(0);
        self.write();
        while let Some(effect) = self.poll() {
            let fault = self.rng.pick(&[&StorageFault::NoSpace, &StorageFault::Io]);
            let fails = matches!(effect, Effect::PersistLog { .. } | Effect::PutBlob { .. })
                .then_some(*fault);
            self.counts.faults += u64::from(fails.is_some());
            self.perform(&effect, fails);
            self.compare_state();
            if fails.is_some() {
                // A poisoned engine refuses alike.
                self.write();
                self.execute();
                self.open();
                return;
            }
        }
    }

    fn reopen(&mut self) {
        if !self.rng.one_in(4) {
            self.drain(0);
        }
        self.counts.reopened += 1;
        self.open();
    }

    fn compare_state(&mut self) {
        let native = self.native.state();
        assert_eq!(native, self.guest.state(), "phase, LSNs, recovery");
        let [accepted, submitted, durable] = native.1;
        assert!(durable <= submitted && submitted <= accepted, "{native:?}");
    }
}
