//! The users of a running server: who is who, and changes to them.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use tidegate_core::http::{Credentials, Denied};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::accounts::{Accounts, NOT_FOUND};
use super::failures::Failures;
use super::file::UsersFile;
use super::identity::Identity;
use super::password::PasswordHash;
use super::token;
use super::user::User;
use super::verified::Verified;
use crate::config::Secret;
use crate::failure::Failure;
use crate::log::log;
use crate::store::random;

/// Logins that may wait for their password to be checked, one after the other.
const WAITING_MAX: usize = 64;

/// All users of a data directory.
pub(crate) struct Users {
    accounts: RwLock<Arc<Accounts>>,
    /// Held while something is changed and stored: one at a time.
    changing: Mutex<()>,
    file: UsersFile,
    verified: Verified,
    failures: Failures,
    /// One password is hashed at a time: a flood of logins costs one core and 19 MiB.
    hashing: Arc<Semaphore>,
    waiting: Semaphore,
    shared_secret: Secret,
}

impl Users {
    /// Loads the users of the data directory `data`. An empty `shared_secret` takes no tokens.
    pub(crate) fn load(data: &Path, shared_secret: Secret) -> Result<Self, Failure> {
        let file = UsersFile::new(data);
        let key =
            random().map_err(|error| Failure::world(format!("no random numbers: {error}")))?;
        Ok(Self {
            accounts: RwLock::new(Arc::new(file.load()?)),
            changing: Mutex::new(()),
            file,
            verified: Verified::new(key),
            failures: Failures::default(),
            hashing: Arc::new(Semaphore::new(1)),
            waiting: Semaphore::new(WAITING_MAX),
            shared_secret,
        })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.current().all().len()
    }

    /// Finds out who a request comes from. `from` is its address, `now_ns` its time.
    ///
    /// Source: influxdb 1.12 `services/httpd.authenticate`.
    pub(crate) async fn identify(
        &self,
        credentials: Option<Credentials>,
        from: IpAddr,
        now_ns: i64,
    ) -> Result<Identity, Denied> {
        if !self.current().has_admin() {
            return Ok(Identity::Nobody);
        }
        let user = match credentials {
            None => Err(unauthorized(Credentials::UNREADABLE)),
            Some(Credentials::User { name, .. }) if name.is_empty() => {
                Err(unauthorized("username required"))
            }
            Some(Credentials::User { name, password }) => {
                self.by_password(&name, password, from).await
            }
            Some(Credentials::Bearer(token)) => self.by_token(&token, now_ns),
        };
        user.map(Identity::User)
    }

    fn by_token(&self, token: &[u8], now_ns: i64) -> Result<Arc<User>, Denied> {
        if self.shared_secret.is_empty() {
            return Err(unauthorized("bearer auth disabled"));
        }
        let now_s = now_ns.div_euclid(1_000_000_000);
        let name = token::user_of(token, self.shared_secret.bytes(), now_s);
        let name = name.map_err(Denied::Unauthorized)?;
        let accounts = self.current();
        let user = accounts.get(name.as_bytes());
        user.cloned().ok_or_else(|| unauthorized(NOT_FOUND))
    }

    async fn by_password(
        &self,
        name: &[u8],
        password: Vec<u8>,
        from: IpAddr,
    ) -> Result<Arc<User>, Denied> {
        if let Some(user) = self.known(name, &password) {
            return Ok(user);
        }
        let turn = self.turn(name, from).await?;
        // Another request may have proven it meanwhile.
        if let Some(user) = self.known(name, &password) {
            return Ok(user);
        }
        let user = self.current().get(name).cloned();
        let found = user.as_ref();
        let hash = found.map_or_else(PasswordHash::of_nobody, |user| user.password.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let right = hash.matches(&password);
            // Kept until here even if the client is gone.
            drop(turn);
            (right, password)
        });
        let Ok((right, password)) = checked.await else {
            return Err(later("the password cannot be checked", 1));
        };
        let now = Instant::now();
        match user {
            Some(user) if right => {
                self.failures.succeeded(from, name);
                self.verified.learn(&user, &password, now);
                Ok(user)
            }
            _ => {
                if self.failures.failed(from, name, now) {
                    log!("logins from {from} fail too often; they are slowed down");
                }
                Err(unauthorized("authorization failed"))
            }
        }
    }

    fn known(&self, name: &[u8], password: &[u8]) -> Option<Arc<User>> {
        let accounts = self.current();
        let user = accounts.get(name)?;
        let known = self.verified.knows(user, password, Instant::now());
        known.then(|| Arc::clone(user))
    }

    /// Waits for the right to have a password checked, unless too many of this name or from
    /// this address were wrong.
    async fn turn(&self, name: &[u8], from: IpAddr) -> Result<OwnedSemaphorePermit, Denied> {
        let held_back = || {
            let wait = self.failures.wait(from, name, Instant::now())?;
            let seconds = wait.as_secs() + 1;
            Some(later("too many failed logins, retry later", seconds))
        };
        if let Some(denied) = held_back() {
            return Err(denied);
        }
        let Ok(_waiting) = self.waiting.try_acquire() else {
            return Err(later("too many logins are being checked, retry later", 1));
        };
        let turn = Arc::clone(&self.hashing).acquire_owned().await;
        let turn = turn.map_err(|_| later("the server is stopping", 1))?;
        // What came before may have been wrong as well.
        held_back().map_or(Ok(turn), Err)
    }

    /// The users as of now.
    pub(super) fn current(&self) -> Arc<Accounts> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&accounts)
    }

    /// Changes users, durably: when this returns, the change is stored, or nothing changed.
    pub(super) fn change<E: Into<String>>(
        &self,
        change: impl FnOnce(&mut Accounts) -> Result<(), E>,
    ) -> Result<(), String> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.current();
        let mut after = Accounts::clone(&before);
        change(&mut after).map_err(Into::into)?;
        if after == *before {
            return Ok(());
        }
        self.file.store(&after).map_err(|error| {
            log!("cannot store users: {error}");
            format!("cannot store users: {error}")
        })?;
        let after = Arc::new(after);
        *self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::clone(&after);
        self.verified
            .retain(|name| after.get(name.as_bytes()).is_some());
        Ok(())
    }
}

/// Without anything that is secret.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Users")
    }
}

fn unauthorized(text: &str) -> Denied {
    Denied::Unauthorized(text.to_owned())
}

fn later(text: &str, seconds: u64) -> Denied {
    Denied::Later {
        text: text.to_owned(),
        seconds,
    }
}
