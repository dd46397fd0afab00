//! Mistakes that somebody could make, each at the one place where it would be made.
//!
//! The simulator has to find every one of them (`tests/planted`). Without the feature `planted`,
//! which the product refuses to be built with, [`planted`] is `false` to the compiler, and
//! nothing of it is left.

#[cfg(feature = "planted")]
use core::cell::Cell;

/// Whether this build can be made to make mistakes.
pub const IS_PLANTED: bool = cfg!(feature = "planted");

macro_rules! mistakes {
    ($($name:ident: $text:literal,)*) => {
        /// A mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Planted { $(#[doc = $text] $name,)* }

        impl Planted {
            /// All of them, and what the engine does with each.
            pub const ALL: &[(Self, &str)] = &[$((Self::$name, $text)),*];
        }
    };
}

mistakes! {
    // Acknowledging.
    AckBeforeSync: "counts a group as durable once it is handed over",
    WriteTicketEarly: "gives a write the ticket of what was durable before it",
    StatementTicketEarly: "gives a statement the ticket of what was durable before it",
    QueryTicketEarly: "answers a query whatever of it is durable",
    RefusedLate: "finds that too much waits only after it stored the lines",
    BusyIgnored: "takes writes however much waits for storage",
    CacheFullIgnored: "takes writes however much the cache holds",
    // After a fault.
    FaultIsSuccess: "takes a failed persist for a good one",
    FaultRetried: "hands a group that failed to the same segment again",
    // Writing the log.
    LsnReused: "gives a copy the LSN of the frame before it",
    LsnBackAtOpen: "gives out the last LSN of the run before once more",
    PromiseEarly: "promises the frames of its own group durable",
    RegisterEarly: "writes the register when a group is handed over",
    RollEndEarly: "names as the end of a segment where its last group begins",
    SaltDropped: "uses the same salt for all segments",
    CopyOmitted: "writes definitions once",
    CopiesClose: "writes both copies into one page",
    GenerationKept: "does not define again in a new segment",
    AccountOmitted: "does not repeat the catalog in a new segment",
    DefaultOmitted: "leaves the default policy out of the account of the catalog",
    DropUnlogged: "drops a policy without a record of it",
    GroupUnlogged: "makes a shard group without a record of it",
    TimeLate: "logs another time for a line without one than it shows",
    // Repair.
    MarkOmitted: "does not mark a repair as complete",
    MarkFirst: "marks a repair as complete before what it repeats",
    MarkUnsettled: "does not notice that its repair is complete",
    HalfRepairCounts: "takes a repair without its mark for complete",
    RowsNotRepeated: "does not repeat what nothing proves durable",
    FoundIsProven: "takes all that it finds for durable",
    UnprovenDropped: "gives up what nothing proves durable",
    EndLate: "vouches for what nothing proves durable",
    VanishingNamed: "follows a segment of which nothing is proven",
    // Deleting.
    DeleteEarly: "deletes segments before anything of this run is durable",
    DeleteInForce: "deletes the segments behind the newest one",
    StandInDeleted: "deletes what may stand in for a segment that cannot be read",
    CopyRaced: "deletes a segment before what is damaged in it is set aside",
    WatermarkHigh: "raises the low watermark over segments in force",
    // Reading.
    PayloadUnchecked: "does not check payloads",
    HeadUnchecked: "does not check frame heads",
    OrderUnchecked: "takes any frame for the next one",
    ScanUnbounded: "takes any head behind damage for believable",
    HeaderAlone: "reads only the first copy of the header",
    NodeUnchecked: "reads segments of other databases",
    RegisterIgnored: "does not read the register",
    RegisterOld: "believes the older slot of the register",
    PromiseIgnored: "does not read how far frames promise durability",
    RecordByHalves: "applies the first half of a torn record",
    SlotForgotten: "takes a register that it could not read for one that was never written",
    TornIsDamage: "reports a torn tail as damage",
    DamageIsTorn: "takes damage for a torn tail",
    DamageSilent: "does not report damage",
    DamageEndsSegment: "reads nothing behind damage",
    PointsMiscounted: "reports a point too many",
    MissingSilent: "does not notice that a segment is gone",
    OpenEndClosed: "goes on behind a segment that it could not read as if that had ended",
    DefinitionsLate: "does not look ahead for the second copy of definitions",
    UndefinedSilent: "does not report rows that nothing defines",
    DropNotReplayed: "does not drop a policy again",
    // Snapshots.
    SnapshotEarly: "names a snapshot before what it covers is durable",
    SnapshotUncut: "does not end the segment that a snapshot covers",
    SnapshotShort: "leaves the last row of a series out of a snapshot",
    SnapshotLate: "puts rows into a snapshot that came after it was begun",
    SnapshotBare: "leaves the catalog out of a snapshot",
    SnapshotHole: "goes on with a snapshot of which a part failed",
    SnapshotDespite: "writes a snapshot while something cannot be read",
    RetireEarly: "retires the log when it hands over the last part of a snapshot",
    RetireHigh: "retires the first segment that a snapshot does not cover",
    RetireOmitted: "does not delete what a snapshot covers",
    RetireUnmarked: "does not note in later segments what is retired",
    SnapshotOld: "reads the oldest of several snapshots",
    RetiredRead: "reads what a snapshot covers too",
    SnapshotLostSilent: "does not report a snapshot that has no header any more",
    // The catalog and the schema.
    IdsNotSkipped: "gives out ids that damage may hide",
    PartForgets: "lets the part of the catalog that it could read stand for all of it",
    CopiesAgain: "takes a copy of a drop for another drop, where something is damaged",
    SealIgnored: "writes to a shard group that an unreadable one may stand behind",
    OverlapByStart: "writes to the later of two overlapping shard groups, not to the newer",
    ShardReused: "gives out the ids of dropped shards again",
    AlterForgetsGroups: "forgets the shard groups of a policy that is altered",
    TypesUnchecked: "takes a field of another type than before",
}

/// Whether the mistake is made.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub(crate) const fn planted(_: Planted) -> bool {
    false
}

#[cfg(feature = "planted")]
std::thread_local! {
    static MADE: Cell<Option<Planted>> = const { Cell::new(None) };
}

/// Whether the mistake is made.
#[cfg(feature = "planted")]
pub(crate) fn planted(mistake: Planted) -> bool {
    MADE.get() == Some(mistake)
}

/// Makes all engines of this thread make a mistake, or none any more.
#[cfg(feature = "planted")]
pub fn plant(mistake: Option<Planted>) {
    MADE.set(mistake);
}
