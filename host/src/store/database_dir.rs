//! The directory of one database.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files;
use crate::log::log;

/// Where a database lives: `databases/000001`.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseDir {
    parent: PathBuf,
    number: u32,
}

/// What the `DATABASE` file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The name clients use.
    pub name: String,
    /// Tells the database's segments from any other's.
    pub node_id: u128,
}

#[derive(Deserialize, Serialize)]
struct Written {
    name: String,
    node: String,
}

impl DatabaseDir {
    pub(crate) fn new(parent: PathBuf, number: u32) -> Self {
        Self { parent, number }
    }

    /// Its number; directories are named by it, never by a client.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Where it is once created.
    pub(crate) fn path(&self) -> PathBuf {
        self.suffixed("")
    }

    /// Reads who it is; the outer error is a file that cannot be read now, the inner one a file
    /// that does not say.
    pub(crate) fn identity(&self) -> io::Result<Result<Identity, String>> {
        let path = self.path().join("DATABASE");
        match files::read_small(&path) {
            Ok(text) => Ok(Self::parse(&path, &text)),
            // Not text, or not there: it will not be another time either.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::NotFound) => {
                Ok(Err(format!("{}: {error}", path.display())))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads who the database in `directory` is.
    pub(crate) fn identity_in(directory: &Path) -> Result<Identity, String> {
        let path = directory.join("DATABASE");
        let text = files::read_small(&path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Identity, String> {
        let written: Written = toml::from_str(text)
            .map_err(|error| format!("{}: {}", path.display(), error.message()))?;
        let node_id = u128::from_str_radix(&written.node, 16)
            .map_err(|error| format!("{}: node: {error}", path.display()))?;
        Ok(Identity {
            name: written.name,
            node_id,
        })
    }

    /// Begins to create it, under a name that a start removes. `fill` brings in what it must
    /// hold from the first moment on; then it appears under its own name, durably.
    pub(crate) fn create(
        &self,
        identity: &Identity,
        fill: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let building = self.suffixed(".new");
        let built = self
            .build(&building, identity, fill)
            .and_then(|()| self.rename_durably(&building, &self.path(), files::sync_dir));
        if built.is_err() {
            // Best effort; the next start does it otherwise.
            let _ = std::fs::remove_dir_all(&building);
        }
        built
    }

    fn build(
        &self,
        building: &Path,
        identity: &Identity,
        fill: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<()> {
        files::create_dir(building)?;
        files::create_dir(&building.join("wal"))?;
        files::create_dir(&building.join("quarantine"))?;
        let written = Written {
            name: identity.name.clone(),
            node: format!("{:032x}", identity.node_id),
        };
        let text = toml::to_string(&written).map_err(io::Error::other)?;
        files::write_whole(&building.join("DATABASE"), &text)?;
        fill(building)?;
        files::sync_dir(building)
    }

    /// Takes its name away, durably: from then on it is dropped. After an error it is as before,
    /// unless [`path`](Self::path) is gone nevertheless.
    pub(crate) fn drop_name(&self) -> io::Result<()> {
        self.rename_durably(&self.path(), &self.suffixed(".drop"), files::sync_dir)
    }

    /// Removes the files of one that was dropped; the next start does it otherwise.
    pub(crate) fn remove_dropped(&self) -> io::Result<()> {
        std::fs::remove_dir_all(self.suffixed(".drop"))
    }

    /// Renames, and takes it back if that cannot be made durable: who is told of an error must
    /// not find it done.
    fn rename_durably(
        &self,
        from: &Path,
        to: &Path,
        mut sync: impl FnMut(&Path) -> io::Result<()>,
    ) -> io::Result<()> {
        std::fs::rename(from, to)?;
        let synced = sync(&self.parent);
        if synced.is_err() {
            let back = std::fs::rename(to, from).and_then(|()| sync(&self.parent));
            if let Err(error) = back {
                log!(
                    "cannot take back that {} became {}: {error}; check the disk",
                    from.display(),
                    to.display()
                );
            }
        }
        synced
    }

    fn suffixed(&self, suffix: &str) -> PathBuf {
        self.parent.join(format!("{:06}{suffix}", self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    fn identity(name: &str) -> Identity {
        Identity {
            name: name.into(),
            node_id: 0xfeed,
        }
    }

    #[test]
    fn a_database_appears_whole_and_keeps_any_name() {
        let temp = TempDir::new();
        let dir = DatabaseDir::new(temp.path().into(), 7);
        let who = identity("a \"b\" ../\u{e9}");
        dir.create(&who, |path| {
            assert!(path.ends_with("000007.new") && !dir.path().exists());
            std::fs::write(path.join("wal/x"), "x")
        })
        .expect("created");
        assert_eq!(dir.identity().expect("read"), Ok(who));
        assert!(dir.path().join("wal/x").exists());
        dir.drop_name().expect("dropped");
        assert!(!dir.path().exists());
        dir.remove_dropped().expect("removed");
        assert_eq!(std::fs::read_dir(temp.path()).expect("listed").count(), 0);
    }

    #[test]
    fn a_name_that_cannot_be_made_durable_is_taken_back() {
        let temp = TempDir::new();
        let dir = DatabaseDir::new(temp.path().into(), 1);
        let (old, new) = (temp.path().join("old"), temp.path().join("new"));
        std::fs::create_dir(&old).expect("created");
        let mut syncs = 0;
        let failed = dir.rename_durably(&old, &new, |path| {
            assert_eq!(path, temp.path());
            syncs += 1;
            match syncs {
                1 => Err(io::Error::other("broken")),
                _ => Ok(()),
            }
        });
        assert!(failed.is_err());
        assert!(old.exists() && !new.exists() && syncs == 2);
    }

    #[test]
    fn a_database_that_cannot_be_filled_leaves_nothing() {
        let temp = TempDir::new();
        let dir = DatabaseDir::new(temp.path().into(), 1);
        let failed = dir.create(&identity("a"), |_| Err(io::Error::other("no")));
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(temp.path()).expect("listed").count(), 0);
    }
}
