//! Passwords that were proven lately, so that not every request costs a password hash.
//!
//! What is kept of one is a keyed digest: the key is random and dies with the process, and the
//! password itself is gone with its request. An entry holds for one salt only, and a password
//! that is set anew has a new one, so no entry outlives what it proves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::user::User;

/// An entry that nobody used for this long is dropped.
const IDLE_MAX: Duration = Duration::from_secs(300);

/// One proven password per user.
pub(super) struct Verified {
    key: [u8; 32],
    proven: Mutex<HashMap<String, Proven>>,
}

struct Proven {
    salt: [u8; 16],
    digest: [u8; 32],
    used: Instant,
}

impl Verified {
    /// `key` is random.
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            proven: Mutex::default(),
        }
    }

    /// Whether `password` was proven to be the user's and still is.
    pub(super) fn knows(&self, user: &User, password: &[u8], now: Instant) -> bool {
        let Some(digest) = self.digest(user, password) else {
            return false;
        };
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = proven.get_mut(&user.name) else {
            return false;
        };
        let idle = now.saturating_duration_since(entry.used) > IDLE_MAX;
        if idle || entry.salt != user.password.salt {
            proven.remove(&user.name);
            return false;
        }
        let same = bool::from(entry.digest.ct_eq(&digest));
        if same {
            entry.used = now;
        }
        same
    }

    /// `password` is proven to be the user's.
    pub(super) fn learn(&self, user: &User, password: &[u8], now: Instant) {
        if let Some(digest) = self.digest(user, password) {
            let entry = Proven {
                salt: user.password.salt,
                digest,
                used: now,
            };
            let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
            proven.insert(user.name.clone(), entry);
        }
    }

    /// Drops what is known of users that `stay` does not name.
    pub(super) fn retain(&self, stay: impl Fn(&str) -> bool) {
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        proven.retain(|name, _| stay(name));
    }

    /// `None` never happens: a key of any length will do.
    fn digest(&self, user: &User, password: &[u8]) -> Option<[u8; 32]> {
        let mut digest = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        digest.update(&user.password.salt);
        digest.update(password);
        Some(digest.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::password::{Cost, PasswordHash};
    use std::collections::BTreeMap;

    fn user(name: &str, salt: u8) -> User {
        User {
            name: name.into(),
            admin: false,
            password: PasswordHash {
                cost: Cost::NOW,
                salt: [salt; 16],
                hash: [0; 32],
            },
            privileges: BTreeMap::new(),
        }
    }

    #[test]
    fn only_what_was_proven_of_this_password_is_known() {
        let verified = Verified::new([3; 32]);
        let now = Instant::now();
        let before = user("u", 1);
        assert!(!verified.knows(&before, b"pw", now));
        verified.learn(&before, b"pw", now);
        assert!(verified.knows(&before, b"pw", now));
        assert!(!verified.knows(&before, b"pv", now));
        assert!(
            verified.knows(&before, b"pw", now),
            "a wrong one takes nothing away"
        );
        assert!(!verified.knows(&user("v", 1), b"pw", now));
        // Set anew, even to the same text: another salt.
        assert!(!verified.knows(&user("u", 2), b"pw", now));
    }

    #[test]
    fn what_nobody_uses_is_forgotten() {
        let verified = Verified::new([3; 32]);
        let (now, user) = (Instant::now(), user("u", 1));
        verified.learn(&user, b"pw", now);
        let later = now + IDLE_MAX;
        assert!(verified.knows(&user, b"pw", later));
        let later = later + IDLE_MAX;
        assert!(verified.knows(&user, b"pw", later), "use keeps it");
        let later = later + IDLE_MAX + Duration::from_secs(1);
        assert!(!verified.knows(&user, b"pw", later));
        verified.learn(&user, b"pw", later);
        verified.retain(|name| name != "u");
        assert!(!verified.knows(&user, b"pw", later));
    }

    #[test]
    fn no_password_is_kept() {
        let verified = Verified::new([3; 32]);
        verified.learn(&user("u", 1), b"0123456789abcdef", Instant::now());
        let proven = verified.proven.lock().expect("alone");
        let entry = proven.get("u").expect("known");
        assert!(!entry.digest.windows(4).any(|part| part == b"0123"));
    }
}
