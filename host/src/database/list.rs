//! The list of databases, and how one comes and goes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::drive;
use super::instance::Database;
use super::{Context, now_ns};
use crate::engine::Died;
use crate::failure::Failure;
use crate::log::log;
use crate::store::{DataDir, DatabaseDir, FileStorage, Identity, random};

/// DatabaseList opened at start rather than by their first request.
const WARM_MAX: usize = 64;

/// All databases of a data directory.
#[derive(Debug)]
pub(crate) struct DatabaseList {
    data: DataDir,
    context: Arc<Context>,
    by_name: RwLock<BTreeMap<String, Arc<Database>>>,
    /// Held while a database is created or dropped: one at a time.
    changing: Mutex<()>,
}

/// Why a database could not be created.
#[derive(Debug)]
pub(crate) enum CreateError {
    /// A statement that was to be part of it was refused.
    Statement(String),
    /// Storage or the engine failed.
    Failed(String),
}

impl DatabaseList {
    /// Lists what is there. Nothing is opened yet.
    pub(crate) fn load(data: DataDir, context: Arc<Context>) -> Result<Self, Failure> {
        let mut by_name = BTreeMap::<String, Arc<Database>>::new();
        // In order of their numbers, so the older of two is the one that stays.
        for (dir, identity) in data.databases()? {
            match by_name.entry(identity.name.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(Database::new(dir, identity, Arc::clone(&context)));
                }
                Entry::Occupied(entry) => log!(
                    "leaving out {}: {} bears the name {:?} too, and is older; nothing was \
                     changed; move the one you do not want out of the data directory",
                    dir.path().display(),
                    entry.get().dir.path().display(),
                    identity.name
                ),
            }
        }
        Ok(Self {
            data,
            context,
            by_name: RwLock::new(by_name),
            changing: Mutex::new(()),
        })
    }

    /// Begins to open what is there, so that damage is reported now and not at the first write.
    pub(crate) fn warm(&self) {
        for database in self.all().into_iter().take(WARM_MAX) {
            database.begin_opening();
        }
    }

    /// Points that were acknowledged before they were durable, and whose write then failed.
    pub(crate) fn late_failures(&self) -> u64 {
        self.context.late_failures.load(Ordering::Relaxed)
    }

    /// The database of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Database>> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        by_name.get(name).cloned()
    }

    /// All databases, in order of their creation.
    pub(crate) fn all(&self) -> Vec<Arc<Database>> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = by_name.values().cloned().collect();
        all.sort_by_key(|database| database.dir.number());
        all
    }

    /// Creates a database that is not there yet, with `statements` carried out in it before it
    /// appears; whether it is new. Blocks.
    pub(crate) fn create(&self, name: &str, statements: &[String]) -> Result<bool, CreateError> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.get(name).is_some() {
            return Ok(false);
        }
        let failed = |why: String| {
            log!("cannot create database {name:?}: {why}");
            CreateError::Failed(why)
        };
        let number = self
            .data
            .next_number()
            .map_err(|failure| failed(failure.to_string()))?;
        let dir = DatabaseDir::new(self.data.databases_path(), number);
        let node_id = random().map_err(|error| failed(error.to_string()))?;
        let identity = Identity {
            name: name.to_owned(),
            node_id: u128::from_le_bytes(node_id),
        };
        let mut refused = None;
        let created = dir.create(&identity, |path| {
            self.fill(path, &identity, statements, &mut refused)
                .map_err(std::io::Error::other)
        });
        if let Some(text) = refused {
            return Err(CreateError::Statement(text));
        }
        created.map_err(|error| failed(error.to_string()))?;
        let database = Database::new(dir, identity, Arc::clone(&self.context));
        self.by_name
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), database);
        Ok(true)
    }

    fn fill(
        &self,
        path: &std::path::Path,
        identity: &Identity,
        statements: &[String],
        refused: &mut Option<String>,
    ) -> Result<(), String> {
        let died = |Died(why)| why;
        let config = self
            .context
            .engine_config(identity)
            .map_err(|error| error.to_string())?;
        let mut engine = self.context.maker.instance().map_err(died)?;
        let mut storage = FileStorage::new(path);
        drive::settle(engine.as_mut(), &config, &mut storage)?;
        for statement in statements {
            if let Err(text) = engine.execute(now_ns(), statement).map_err(died)? {
                *refused = Some(text.clone());
                return Err(text);
            }
            drive::settle_effects(engine.as_mut(), &mut storage)?;
        }
        Ok(())
    }

    /// Drops a database; whether there was one. Blocks.
    pub(crate) fn drop_database(&self, name: &str) -> Result<bool, String> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let removed = {
            let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
            by_name.remove(name)
        };
        let Some(database) = removed else {
            return Ok(false);
        };
        database.shut_down();
        if let Err(error) = database.dir.drop_name() {
            log!("cannot drop database {name:?}: {error}");
            if database.dir.path().exists() {
                let again = Database::new(
                    database.dir.clone(),
                    database.identity.clone(),
                    Arc::clone(&self.context),
                );
                let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
                by_name.insert(name.to_owned(), again);
            }
            return Err(format!("cannot drop the database: {error}"));
        }
        if let Err(error) = database.dir.remove_dropped() {
            // It no longer bears its name; the rest goes at the next start.
            log!("database {name:?} is dropped, but files of it remain: {error}");
        }
        Ok(true)
    }

    /// Closes all: what was accepted becomes durable first. Blocks.
    pub(crate) fn shut_down(&self) {
        for database in self.all() {
            database.shut_down();
        }
    }
}
