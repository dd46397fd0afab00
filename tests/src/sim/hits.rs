//! How often every fault and every rare branch was met. One that never was proves nothing.

macro_rules! hits {
    ($($name:ident: $text:literal,)*) => {
        /// Something that a run has to have met.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Hit { $(#[doc = $text] $name,)* }

        const TEXTS: &[&str] = &[$($text),*];
    };
}

hits! {
    Power: "power lost",
    KeepAll: "power lost: all unsynced sectors kept",
    KeepNone: "power lost: none kept",
    KeepHalf: "power lost: half kept",
    KeepMost: "power lost: seven eighths kept",
    KeepPages: "power lost: kept by 4 KiB page",
    SectorLost: "unsynced sector lost",
    SectorGarbage: "unsynced sector became garbage",
    GrownWithoutData: "file grew without its data",
    NameLost: "name of a new file lost",
    DeleteUndone: "delete undone",
    CacheLied: "power loss after a failed sync dropped what the cache still showed",
    Kill: "killed, page cache kept",
    KillAfterFailedSync: "killed after a failed sync, cache shows what the disk lacks",
    DiedInWrite: "died within a write",
    DiedInSync: "died within a sync",
    DiedInCreate: "died between create and the sync of its name",
    Trap: "engine dropped in the middle of a call",
    Closed: "closed with everything durable",
    Poisoned: "poisoned engine reopened",
    CrashWhileOpening: "ended while opening",
    CrashInRepair: "ended before a repair was durable",
    Deep5: "5 lives in a row ended before they had recovered",
    Deep10: "10 lives in a row ended before they had recovered",
    Deep15: "15 lives in a row ended before they had recovered",
    WriteError: "write failed",
    SyncError: "sync failed",
    SyncNoSpace: "sync found no space",
    NamesError: "sync of names failed",
    NoSpace: "write found no space",
    CreateNoSpace: "create found no space",
    Held: "write without space repeated later",
    SpaceBack: "space returned",
    ShortWrite: "short write, the rest repeated",
    ReadError: "read failed",
    ClockForward: "clock jumped forward",
    ClockBack: "clock jumped back",
    ClockFrozen: "clock stood still",
    Body: "body of our own lines",
    NoTime: "line without time",
    Repeated: "same body again",
    Hostile: "hostile body",
    Partial: "partial write",
    NothingParsed: "nothing parsed",
    PolicyMissing: "retention policy not found",
    OutsidePolicy: "points outside a policy dropped",
    OtherPolicy: "write to a named policy",
    Busy: "refused: busy",
    CacheFull: "refused: cache full",
    RefusedNoSpace: "refused: no space",
    RefusedPoisoned: "refused: poisoned",
    RefusedOpening: "refused: opening",
    BodyTooLarge: "refused: body too large",
    SlowAck: "ticket waited 20 steps",
    Acked: "write acknowledged",
    AckFailed: "write never answered",
    Create: "policy created",
    Alter: "policy altered",
    Drop: "policy dropped",
    StatementError: "statement refused",
    Select: "SELECT shows what was written",
    QueryAnswered: "query answered",
    QueryUnanswered: "query never answered",
    Async: "effect completed later",
    Reordered: "effects completed out of order",
    Rolled: "segment rolled",
    Repair: "repair: rows logged again",
    Torn: "torn tail set aside",
    Obsolete: "obsolete segment deleted",
    Quarantine: "range quarantined",
    PartWritten: "snapshot: part written",
    Named: "snapshot: whole, and named",
    PartFailed: "snapshot: part failed",
    CutShort: "snapshot: life ended with one under way",
    PartLeft: "snapshot: one that was not whole found and ignored",
    BlobUnnamed: "snapshot: name lost with power",
    BlobBack: "snapshot: older one back after power loss",
    BlobRead: "snapshot: recovered from one",
    BlobDamaged: "snapshot: damaged at rest",
    Prefix: "recovered without something that was never acknowledged",
    Whole: "recovered with all that was attempted",
    Ghost: "recovered with a request that had failed in an earlier life",
    Flip: "damage: bit flipped",
    ZeroSector: "damage: sector zeroed",
    ZeroPage: "damage: page zeroed",
    Stale: "damage: sector of an earlier time",
    Misdirected: "damage: sector of another place",
    Cut: "damage: segment cut",
    Missing: "damage: segment gone",
    Renamed: "damage: segment under another's name",
    DamageReported: "damage reported",
    DamagePoints: "damage reported with its points",
    DamageUnknown: "damage reported, points unknown",
    DamageHarmless: "damage without consequence",
    LossExcused: "acknowledged points lost and reported",
}

/// So rare that a short run may miss it. No fault and no branch of the engine, but something
/// that the oracle has to allow.
const RARE: Hit = Hit::Ghost;

/// Counts of [`Hit`]s.
#[derive(Clone, Debug)]
pub struct Hits {
    counts: Vec<u64>,
}

impl Default for Hits {
    fn default() -> Self {
        Self {
            counts: vec![0; TEXTS.len()],
        }
    }
}

impl Hits {
    /// What there is to meet.
    pub const KINDS: usize = TEXTS.len();

    /// Counts one.
    pub fn note(&mut self, hit: Hit) {
        self.counts[hit as usize] += 1;
    }

    /// How often `hit` was met.
    pub fn of(&self, hit: Hit) -> u64 {
        self.counts[hit as usize]
    }

    /// How often something was damaged at rest.
    pub fn damages(&self) -> u64 {
        let kinds = Hit::Flip as usize..=Hit::Renamed as usize;
        self.counts[kinds].iter().sum()
    }

    /// Adds the counts of another world.
    pub fn add(&mut self, other: &Self) {
        let pairs = self.counts.iter_mut().zip(&other.counts);
        pairs.for_each(|(mine, theirs)| *mine += theirs);
    }

    /// What was never met.
    pub fn missing(&self) -> Vec<&'static str> {
        let counts = TEXTS.iter().zip(&self.counts).enumerate();
        counts
            .filter(|(at, (_, count))| **count == 0 && *at != RARE as usize)
            .map(|(_, (text, _))| *text)
            .collect()
    }

    /// A line for each.
    pub fn table(&self) -> String {
        let counts = TEXTS.iter().zip(&self.counts);
        counts
            .map(|(text, count)| format!("{count:>12}  {text}\n"))
            .collect()
    }
}
