//! One user.

use std::collections::BTreeMap;

use tidegate_core::influxql::Privilege;

use super::password::PasswordHash;

/// A user as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// What it calls itself; never empty.
    pub(super) name: String,
    /// Whether it may do everything.
    pub(super) admin: bool,
    /// What its password is compared with.
    pub(super) password: PasswordHash,
    /// What it was granted and what was taken from it again, by database.
    pub(super) privileges: BTreeMap<String, Privileges>,
}

impl User {
    /// Whether it may read or write a database.
    ///
    /// Source: influxdb 1.12 `services/meta.UserInfo.AuthorizeDatabase`.
    pub(super) fn may(&self, privilege: Privilege, database: &str) -> bool {
        let granted = self.privileges.get(database);
        self.admin || granted.is_some_and(|granted| granted.contain(Privileges::of(privilege)))
    }
}

/// What a user may do in one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Privileges(u8);

impl Privileges {
    /// All of it was revoked.
    pub(super) const NONE: Self = Self(0);
    const READ: Self = Self(1);
    const WRITE: Self = Self(2);
    const ALL: Self = Self(3);

    /// What a statement names.
    pub(super) const fn of(privilege: Privilege) -> Self {
        match privilege {
            Privilege::Read => Self::READ,
            Privilege::Write => Self::WRITE,
            Privilege::All => Self::ALL,
        }
    }

    /// As it is stored: bit 0 to read, bit 1 to write.
    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    /// The reverse of [`bits`](Self::bits).
    pub(super) const fn from_bits(bits: u8) -> Option<Self> {
        if bits <= Self::ALL.0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// These, but for `revoked`.
    pub(super) const fn without(self, revoked: Self) -> Self {
        Self(self.0 & !revoked.0)
    }

    /// As SHOW GRANTS prints it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NONE => "NO PRIVILEGES",
            Self::READ => "READ",
            Self::WRITE => "WRITE",
            _ => "ALL PRIVILEGES",
        }
    }

    const fn contain(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }
}
