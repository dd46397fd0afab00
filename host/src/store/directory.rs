//! The data directory: what makes it ours, and which databases it holds.
//!
//! ```text
//! DIR/TIDEGATE                     format marker and node id
//! DIR/lock                         held while a process uses the directory
//! DIR/lock.node                    the same, of a server under Node
//! DIR/reserve                      space for the moment when the disk is full
//! DIR/databases/000001/DATABASE    name and node id of a database
//! DIR/databases/000001/wal/        its log
//! DIR/databases/000001/quarantine/ copies of damaged ranges of it
//! DIR/databases/000001/skipped     records that ended the engine, left out of it
//! DIR/databases/000002.new         being created: removed at start
//! DIR/databases/000003.drop        being dropped: removed at start
//! ```
//!
//! Names of databases come from clients and are never part of a path.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::database_dir::{DatabaseDir, Identity};
use super::files;
use super::lock::Lock;
use crate::failure::Failure;
use crate::log::log;

const MARKER: &str = "TIDEGATE";
const FIRST_LINE: &str = "tidegate data, format ";
const FORMAT: u32 = 1;

/// A data directory that is ours and locked.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: Lock,
}

impl DataDir {
    /// Opens or creates the directory. A foreign, locked or newer one is refused, untouched.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if !path.exists() {
            files::create_dirs(path, &mut files::sync_parent)
                .map_err(|error| Failure::io("create", path, &error))?;
        }
        let marker = path.join(MARKER);
        let fresh = match files::read_small(&marker) {
            Ok(text) => {
                check_marker(&marker, &text)?;
                false
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                refuse_foreign(path)?;
                true
            }
            Err(error) => return Err(Failure::io("read", &marker, &error)),
        };
        let lock = Lock::take(path)?;
        if fresh {
            write_marker(&marker).map_err(|error| Failure::io("write", &marker, &error))?;
        }
        let this = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        let databases = this.databases_path();
        if !databases.exists() {
            files::create_dir(&databases)
                .map_err(|error| Failure::io("create", &databases, &error))?;
        }
        if !files::is_real_dir(&databases) {
            return Err(not_ours(&databases, "is not a directory"));
        }
        this.sync_names()?;
        Ok(this)
    }

    /// Makes durable what an earlier process, or whoever made the directory for us, may have
    /// left to chance.
    fn sync_names(&self) -> Result<(), Failure> {
        for directory in [&self.databases_path(), &self.path] {
            files::sync_dir(directory).map_err(|error| Failure::io("sync", directory, &error))?;
        }
        // Past symbolic links, so that it is the parent that holds the name.
        let path = self.path.canonicalize();
        let path = path.map_err(|error| Failure::io("resolve", &self.path, &error))?;
        match files::sync_parent(&path) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                // A directory that may be passed but not opened: it was made by somebody else.
                log!("cannot sync the parent of {}: {error}", path.display());
                Ok(())
            }
            synced => synced.map_err(|error| Failure::io("sync the parent of", &path, &error)),
        }
    }

    /// The databases there are, in order of their numbers, after removing what an earlier
    /// process left half created or half dropped.
    pub(crate) fn databases(&self) -> Result<Vec<(DatabaseDir, Identity)>, Failure> {
        let path = self.databases_path();
        let mut found = Vec::new();
        for name in names(&path)? {
            let entry = path.join(&name);
            if name.ends_with(".new") || name.ends_with(".drop") {
                log!("removing {}, left by an earlier process", entry.display());
                std::fs::remove_dir_all(&entry)
                    .map_err(|error| Failure::io("remove", &entry, &error))?;
                continue;
            }
            let number = name.parse::<u32>().ok();
            let number = number.filter(|number| format!("{number:06}") == name);
            let Some(number) = number.filter(|_| files::is_real_dir(&entry)) else {
                log!("ignoring {}: not a database of ours", entry.display());
                continue;
            };
            let dir = DatabaseDir::new(path.clone(), number);
            // Without it writes would be answered that there is no such database, for which agents
            // drop them; and a second one could be created under its name.
            let identity = dir.identity().map_err(|error| {
                Failure::world(format!(
                    "cannot read who the database in {} is: {error}; nothing was changed; \
                     check the disk and start again",
                    entry.display()
                ))
            })?;
            match identity {
                Ok(identity) => found.push((dir, identity)),
                Err(why) => log!("leaving out {}: {why}", entry.display()),
            }
        }
        found.sort_by_key(|(dir, _)| dir.number());
        Ok(found)
    }

    /// The first number that no directory bears, whatever its state.
    pub(crate) fn next_number(&self) -> Result<u32, Failure> {
        let used = names(&self.databases_path())?;
        let numbers = used
            .iter()
            .filter_map(|name| name.split('.').next()?.parse::<u32>().ok());
        Ok(numbers.max().unwrap_or(0) + 1)
    }

    /// Where databases live.
    pub(crate) fn databases_path(&self) -> PathBuf {
        self.path.join("databases")
    }
}

fn check_marker(marker: &Path, text: &str) -> Result<(), Failure> {
    let version = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix(FIRST_LINE));
    match version.map(str::parse::<u32>) {
        Some(Ok(FORMAT)) => Ok(()),
        Some(Ok(newer)) if newer > FORMAT => Err(Failure::world(format!(
            "{} says format {newer}, and this version reads format {FORMAT}; \
             use a newer tidegate, or choose another directory with --data",
            marker.display()
        ))),
        _ => Err(not_ours(marker, "is not a marker of ours")),
    }
}

/// A directory without a marker must be empty, but for what a first start cut short leaves.
fn refuse_foreign(path: &Path) -> Result<(), Failure> {
    let ours = ["lock", "lock.node", "lock.node.takeover", "TIDEGATE.new"];
    match names(path)?
        .into_iter()
        .find(|name| !ours.contains(&name.as_str()))
    {
        None => Ok(()),
        Some(name) => Err(not_ours(
            path,
            &format!("holds {name:?} but no {MARKER} file, so it is not a data directory of ours"),
        )),
    }
}

fn not_ours(path: &Path, what: &str) -> Failure {
    Failure::world(format!(
        "{} {what}; nothing was changed; choose another directory with --data",
        path.display()
    ))
}

fn write_marker(marker: &Path) -> std::io::Result<()> {
    let node = u128::from_le_bytes(files::random()?);
    files::write_whole(marker, &format!("{FIRST_LINE}{FORMAT}\nnode {node:032x}\n"))
}

fn names(path: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error| Failure::io("list", path, &error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        names.push(
            entry
                .map_err(failed)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn refusal(path: &Path) -> String {
        let before = names(path).expect("listed");
        let failure = DataDir::open(path).expect_err("refused");
        assert_eq!(failure.code, 1);
        assert_eq!(
            names(path).expect("listed"),
            before,
            "nothing may be created"
        );
        failure.to_string()
    }

    #[test]
    fn a_missing_directory_is_made_private_and_opens_again() {
        let temp = TempDir::new();
        let path = temp.path().join("a/b");
        drop(DataDir::open(&path).expect("created"));
        let first = fs::read_to_string(path.join(MARKER)).expect("marker");
        drop(DataDir::open(&path).expect("opened"));
        assert_eq!(
            fs::read_to_string(path.join(MARKER)).expect("marker"),
            first
        );
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("databases")), 0o700);
        assert_eq!(mode(&path.join(MARKER)), 0o600);
    }

    #[test]
    fn a_foreign_directory_is_refused_and_left_alone() {
        let temp = TempDir::new();
        fs::write(temp.path().join("meta.db"), "x").expect("write");
        let text = refusal(temp.path());
        assert!(
            text.contains("meta.db") && text.contains("--data"),
            "{text}"
        );
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let temp = TempDir::new();
        fs::write(temp.path().join(MARKER), "tidegate data, format 2\n").expect("write");
        let text = refusal(temp.path());
        assert!(
            text.contains("format 2") && text.contains("newer tidegate"),
            "{text}"
        );
        fs::write(temp.path().join(MARKER), "something else\n").expect("write");
        assert!(refusal(temp.path()).contains("not a marker of ours"));
    }

    #[test]
    fn a_second_process_is_told_who_holds_the_lock() {
        let temp = TempDir::new();
        let path = temp.path().join("d");
        let held = DataDir::open(&path).expect("created");
        let text = refusal(&path);
        let pid = format!("process {}", std::process::id());
        assert!(text.contains(&pid) && text.contains("--data"), "{text}");
        drop(held);
        DataDir::open(&path).expect("free again");
    }

    #[test]
    fn a_first_start_cut_short_is_taken_up_again() {
        let temp = TempDir::new();
        fs::write(temp.path().join("lock"), "1\n").expect("write");
        fs::write(temp.path().join("TIDEGATE.new"), "tidegate da").expect("write");
        DataDir::open(temp.path()).expect("opened");
    }

    #[test]
    fn a_database_that_cannot_be_read_now_stops_the_start() {
        let temp = TempDir::new();
        let data = DataDir::open(&temp.path().join("d")).expect("created");
        let database = data.databases_path().join("000001");
        fs::create_dir_all(database.join("DATABASE")).expect("mkdir");
        let failure = data.databases().expect_err("a directory cannot be read");
        assert_eq!(failure.code, 1);
        assert!(failure.to_string().contains("000001"), "{failure}");
        fs::remove_dir(database.join("DATABASE")).expect("removed");
        fs::write(database.join("DATABASE"), "nonsense").expect("written");
        assert!(data.databases().expect("listed").is_empty(), "left out");
    }

    #[test]
    fn what_was_half_created_or_half_dropped_is_removed() {
        let temp = TempDir::new();
        let data = DataDir::open(&temp.path().join("d")).expect("created");
        let databases = data.databases_path();
        for name in ["000004.new", "000002.drop", "readme"] {
            fs::create_dir(databases.join(name)).expect("mkdir");
            fs::write(databases.join(name).join("x"), "").expect("write");
        }
        assert_eq!(data.next_number().expect("number"), 5);
        assert!(data.databases().expect("listed").is_empty());
        assert_eq!(names(&databases).expect("listed"), ["readme"]);
    }
}
