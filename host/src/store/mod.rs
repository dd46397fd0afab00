//! Files: the data directory, its lock, its databases, their logs.

mod database_dir;
mod directory;
mod faults;
mod file_storage;
mod files;
mod lock;
mod lock_node;
mod quarantine;
mod report;
mod reserve;
mod skipped;

pub(crate) use database_dir::{DatabaseDir, Identity};
pub(crate) use directory::{DataDir, knows_of_users, note_users};
pub(crate) use file_storage::{FileStorage, file_of};
pub(crate) use files::{create_dir, create_new, open_read, random, sync_dir, write_whole};
pub(crate) use lock::lock_holder;
pub(crate) use report::{damage_text, file_text, lost_text, points_text, write_report};
pub(crate) use reserve::Reserve;
pub(crate) use skipped::{add_skipped, read_skipped};
