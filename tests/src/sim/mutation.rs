//! Bugs that are planted into the simulated host and its disk, so that the oracle is seen to
//! find them.

macro_rules! mutations {
    ($($name:ident: $text:literal,)*) => {
        /// A bug of a host.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutation { $(#[doc = $text] $name,)* }

        impl Mutation {
            /// All of them, and what each does.
            pub const ALL: &[(Self, &str)] = &[$((Self::$name, $text)),*];
        }
    };
}

mutations! {
    AckAtAccept: "answers a write before its record is handed over",
    AckAtSubmit: "answers a write once its record is handed over",
    NoSync: "completes a persist without a sync",
    NoSyncOfCreate: "creates a segment without a sync of its data",
    NoSyncOfNames: "creates a segment without a sync of its directory",
    NoSyncOfLength: "syncs data but not the new length",
    SyncBeforeWrite: "syncs first and writes then",
    SyncOtherFile: "syncs the segment before instead",
    RetrySync: "repeats a failed sync on the same file",
    IgnoreSyncError: "takes a failed sync for a good one",
    IgnoreWriteError: "takes a failed write for a good one",
    IgnoreNoSpace: "takes a write without space for a good one",
    IgnoreShortWrite: "takes a short write for a whole one",
    RepeatShortWrite: "repeats a short write from its beginning, behind what was written",
    RoundDown: "writes whole sectors only and leaves the rest for later",
    CompleteFirst: "reports a persist before it performs it",
    ReorderGroups: "performs a group after the next one, reporting both at once",
    WrongOffset: "writes eight bytes too far where a segment goes on",
    ZeroFirst: "zeroes the sector in front of what it appends",
    AckPoisoned: "answers with success what waited when storage failed",
    KeepTickets: "keeps tickets of one engine for the next one",
    AnswerQueryAtOnce: "answers a query before what it saw is durable",
    AckRefused: "answers a refused write with success",
    StaleListing: "opens with the listing of the life before",
    ShortListing: "leaves the newest segment out of the listing",
    OldLengths: "lists segments with the length at their creation",
    CutTail: "cuts a segment where it should set a range aside",
    DropDamaged: "deletes a segment of which it should set a range aside",
    DeleteEarly: "deletes the segment before when it creates one",
    DeleteNext: "deletes the segment behind the one it should",
    DeleteOldest: "keeps only the newest four segments",
    Overwrite: "begins a run by zeroing the header of the newest segment",
    ShortRead: "gives half of a read for all of it",
    EmptyRead: "gives nothing for a read that should have bytes",
    SwapReads: "answers a read with the bytes of the segment before",
    HalfBody: "hands over half of a body and answers for all of it",
    TwoBodies: "hands over a body in halves and answers after the first",
    SwapBytes: "swaps two bytes on their way to the disk",
    BlobUnsynced: "names a blob that it did not sync",
    BlobUnnamed: "does not sync the name of a blob",
    BlobInPlace: "writes a blob under its own name from the start",
    NewNode: "draws a new node id at every start",
    ForgetPolicy: "writes to the default policy whatever was asked for",
}
