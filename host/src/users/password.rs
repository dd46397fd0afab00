//! Passwords, of which only hashes are kept.
//!
//! argon2id with 19 MiB and two passes: what OWASP recommends as the least: tens of milliseconds of
//! one core. Upstream's bcrypt costs about as much, but no memory, so that it is cheaper to
//! guess with graphics cards. A login pays it once: see `verified`.

use std::fmt;
use std::io;

use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;

use crate::store::random;

/// Longest password: it is read before anybody has proven anything.
pub(super) const PASSWORD_BYTES_MAX: usize = 1024;

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PasswordHash {
    pub(super) cost: Cost,
    pub(super) salt: [u8; 16],
    pub(super) hash: [u8; 32],
}

/// What one guess costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) memory_kib: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
}

impl Cost {
    /// Of passwords that are set from now on.
    pub(super) const NOW: Self = Self {
        memory_kib: 19 << 10,
        passes: 2,
        lanes: 1,
    };

    /// Whether this can have been written by a version of ours: what a file says must not keep
    /// the server busy for minutes.
    pub(super) fn is_possible(self) -> bool {
        self.memory_kib <= 1 << 20
            && self.passes <= 64
            && self.lanes <= 64
            && Params::new(self.memory_kib, self.passes, self.lanes, None).is_ok()
    }
}

impl PasswordHash {
    /// Hashes a new password with a fresh salt. Takes tens of milliseconds.
    pub(super) fn new(password: &[u8]) -> Result<Self, String> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(format!(
                "a password has at most {PASSWORD_BYTES_MAX} bytes, this one has {}",
                password.len()
            ));
        }
        let salt = random().map_err(|error: io::Error| format!("no random numbers: {error}"))?;
        let cost = Cost::NOW;
        let hash = derive(cost, &salt, password).ok_or("the password cannot be hashed")?;
        Ok(Self { cost, salt, hash })
    }

    /// A hash that no password has, to compare with where there is no user: that there is none
    /// must not show in how long the answer takes.
    pub(super) const fn of_nobody() -> Self {
        Self {
            cost: Cost::NOW,
            salt: [0; 16],
            hash: [0; 32],
        }
    }

    /// Whether this is the password. Takes tens of milliseconds, whatever the answer.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        // One that is too long is nobody's; what is left of it is hashed all the same.
        let fits = password.len() <= PASSWORD_BYTES_MAX;
        let start = password.get(..PASSWORD_BYTES_MAX).unwrap_or(password);
        let derived = derive(self.cost, &self.salt, start);
        derived.is_some_and(|derived| bool::from(derived.ct_eq(&self.hash))) && fits
    }
}

fn derive(cost: Cost, salt: &[u8], password: &[u8]) -> Option<[u8; 32]> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).ok()?;
    let mut hash = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password, salt, &mut hash)
        .ok()?;
    Some(hash)
}

/// Without the hash: it may be guessed at.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_matches() {
        let hash = PasswordHash::new(b"pa:ss").expect("hashed");
        assert!(hash.matches(b"pa:ss"));
        for wrong in [&b""[..], b"pa:s", b"pa:ss ", b"PA:SS"] {
            assert!(!hash.matches(wrong));
        }
        let again = PasswordHash::new(b"pa:ss").expect("hashed");
        assert_ne!(hash, again, "each has a salt of its own");
    }

    #[test]
    fn a_password_has_an_end() {
        let longest = vec![b'x'; PASSWORD_BYTES_MAX];
        let hash = PasswordHash::new(&longest).expect("hashed");
        assert!(hash.matches(&longest));
        let longer = vec![b'x'; PASSWORD_BYTES_MAX + 1];
        assert!(!hash.matches(&longer), "the rest counts");
        let refused = PasswordHash::new(&longer).expect_err("too long");
        assert!(
            refused.contains("1025") && !refused.contains("xx"),
            "{refused}"
        );
    }

    #[test]
    fn the_hash_is_argon2id_as_others_compute_it() {
        // From the reference program: echo -n password | argon2 0123456789abcdef -id -k 19456 -t 2
        let hash = derive(Cost::NOW, b"0123456789abcdef", b"password").expect("derived");
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "d2ab07b39ef7f8b806227cd86fbb11aa5393066a98e17eacacd126eb26e9276d"
        );
    }

    #[test]
    fn nobody_has_no_password() {
        for guess in [&b""[..], b"\0", &[0; 32]] {
            assert!(!PasswordHash::of_nobody().matches(guess));
        }
    }
}
