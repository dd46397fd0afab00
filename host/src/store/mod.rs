//! Files: the data directory, its lock, its databases, their logs.

mod database_dir;
mod directory;
mod file_storage;
mod files;
mod lock;
mod lock_node;
mod report;

pub(crate) use database_dir::{DatabaseDir, Identity};
pub(crate) use directory::DataDir;
pub(crate) use file_storage::{FileStorage, file_of};
pub(crate) use files::{create_dir, create_new, open_read, random, sync_dir};
pub(crate) use lock::lock_holder;
pub(crate) use report::{damage_text, file_text, points_text, write_report};
