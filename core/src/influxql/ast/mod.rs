//! What a statement says, as data.
//!
//! Every node prints itself (`Display`) the way upstream's `String()` does: the text of
//! warnings and of authorization errors. Lengths of time are nanoseconds.

mod admin;
mod expr;
mod retention;
mod select;
mod show;
mod source;
mod statement;

pub use admin::{
    CreateContinuousQuery, CreateSubscription, CreateUser, DatabaseGrant, DropContinuousQuery,
    DropSubscription, KillQuery, Privilege, SetPassword, SubscriptionMode,
};
pub use expr::{BinaryOp, Call, DataType, Expr, VarRef, WildcardKind};
pub use retention::{
    AlterRetentionPolicy, CreateDatabase, CreateRetentionPolicy, DropRetentionPolicy,
    RetentionOptions,
};
pub use select::{Explain, Field, Fill, FillValue, Select, SortField};
pub use show::{
    CardinalityKind, KeyFilter, ShowCardinality, ShowMeasurements, ShowMeasurementsOn, ShowScope,
    ShowTagValues,
};
pub use source::{Measurement, Source};
pub use statement::{ParsedStatement, SeriesFilter, Statement};
