//! Files: the data directory, its lock, its databases, their logs.

mod database_dir;
mod directory;
mod file_storage;
mod files;
mod lock;
mod report;

pub(crate) use database_dir::{DatabaseDir, Identity};
pub(crate) use directory::DataDir;
pub(crate) use file_storage::FileStorage;
pub(crate) use files::random;
pub(crate) use report::write_report;
