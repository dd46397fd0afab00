//! Where users are stored: the file `users` in the data directory, written whole at each change.
//!
//! | offset | size | what |
//! | --- | --- | --- |
//! | 0 | 8 | `TGUSERS` and a zero |
//! | 8 | 4 | version: 1 |
//! | 12 | 4 | bytes of the payload |
//! | 16 | 4 | CRC-32C of bytes 0 to 15 and the payload |
//! | 20 | | the payload: count of users, users |
//!
//! Numbers are little-endian; a name is its length in 4 bytes and its bytes. A user is its name, 1
//! if it is an admin, what a guess costs (KiB, passes, lanes: 4 bytes each), salt (16), hash (32),
//! count of databases, and for each its name and a byte of privileges.
//!
//! Source: ours.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use tidegate_core::wal::crc32c;

use super::accounts::Accounts;
use super::password::{Cost, PasswordHash};
use super::user::{Privileges, User};
use crate::failure::Failure;
use crate::store::{knows_of_users, note_users, open_read, write_whole};

const NAME: &str = "users";
const MAGIC: [u8; 8] = *b"TGUSERS\0";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 20;
/// Far more than anybody has users; a longer file is not ours.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The file of one data directory.
#[derive(Debug)]
pub(super) struct UsersFile {
    data: PathBuf,
}

/// Why bytes are not users.
#[derive(Debug, PartialEq, Eq)]
enum Bad {
    Newer(u32),
    Damaged(&'static str),
}

impl UsersFile {
    /// The file in the data directory `data`.
    pub(super) fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
        }
    }

    /// Reads the users. None yet is no failure; some that cannot be read are: without them the
    /// server would be open to whoever comes first.
    pub(super) fn load(&self) -> Result<Accounts, Failure> {
        let path = self.path();
        let mut bytes = Vec::new();
        let read =
            open_read(&path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
        let accounts = match read {
            Ok(_) => decode(&bytes).map_err(|bad| refuse(&path, &bad))?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let missed = knows_of_users(&self.data);
                if missed.map_err(|error| Failure::io("read", &self.data, &error))? {
                    return Err(refuse(&path, &Bad::Damaged("it is gone")));
                }
                return Ok(Accounts::default());
            }
            Err(error) => return Err(Failure::io("read", &path, &error)),
        };
        // A crash may have come between the file and the note.
        note_users(&self.data).map_err(|error| Failure::io("write", &self.data, &error))?;
        Ok(accounts)
    }

    /// Replaces the users, whole or not at all, durably.
    pub(super) fn store(&self, accounts: &Accounts) -> io::Result<()> {
        write_whole(&self.path(), encode(accounts))?;
        note_users(&self.data)
    }

    fn path(&self) -> PathBuf {
        self.data.join(NAME)
    }
}

fn refuse(path: &Path, bad: &Bad) -> Failure {
    let path = path.display();
    Failure::world(match bad {
        Bad::Newer(version) => format!(
            "{path} has version {version}, and this version reads version {VERSION}; use a newer \
             tidegate"
        ),
        Bad::Damaged(what) => format!(
            "the users in {path} cannot be read: {what}; nothing was changed, and nobody is let \
             in without them; put back a copy of the file, or, to begin again without any user, \
             remove it and the line \"users\" in TIDEGATE beside it"
        ),
    })
}

fn encode(accounts: &Accounts) -> Vec<u8> {
    let mut payload = Vec::new();
    put_count(&mut payload, accounts.all().len());
    for user in accounts.all() {
        put_name(&mut payload, &user.name);
        payload.push(user.admin.into());
        let PasswordHash { cost, salt, hash } = &user.password;
        for number in [cost.memory_kib, cost.passes, cost.lanes] {
            payload.extend_from_slice(&number.to_le_bytes());
        }
        payload.extend_from_slice(salt);
        payload.extend_from_slice(hash);
        put_count(&mut payload, user.privileges.len());
        for (database, privileges) in &user.privileges {
            put_name(&mut payload, database);
            payload.push(privileges.bits());
        }
    }
    let mut bytes = Vec::with_capacity(HEAD_BYTES + payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    put_count(&mut bytes, payload.len());
    bytes.extend_from_slice(&crc32c(crc32c(0, &bytes), &payload).to_le_bytes());
    bytes.append(&mut payload);
    bytes
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_name(out: &mut Vec<u8>, name: &str) {
    put_count(out, name.len());
    out.extend_from_slice(name.as_bytes());
}

fn decode(bytes: &[u8]) -> Result<Accounts, Bad> {
    let mut head = Reader(bytes);
    let magic = head.array().ok_or(Bad::Damaged("it is cut short"))?;
    if magic != MAGIC {
        return Err(Bad::Damaged("it does not begin as users do"));
    }
    let mut number = || head.number().ok_or(Bad::Damaged("it is cut short"));
    let (version, length, crc) = (number()?, number()?, number()?);
    let payload = head.0;
    // A version whose checksum may lie elsewhere: told by its number alone.
    if version > VERSION {
        return Err(Bad::Newer(version));
    }
    if payload.len() != length as usize {
        return Err(Bad::Damaged("its length is wrong"));
    }
    let start = bytes.get(..HEAD_BYTES - 4).unwrap_or_default();
    if version != VERSION || crc32c(crc32c(0, start), payload) != crc {
        return Err(Bad::Damaged("its checksum is wrong"));
    }
    let mut reader = Reader(payload);
    let accounts = reader.accounts();
    accounts
        .filter(|_| reader.0.is_empty())
        .ok_or(Bad::Damaged("it says what no version of ours writes"))
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn name(&mut self) -> Option<String> {
        let length = self.number()?;
        let bytes = self.bytes(length as usize)?;
        String::from_utf8(bytes.to_vec()).ok()
    }

    fn accounts(&mut self) -> Option<Accounts> {
        let mut accounts = Accounts::default();
        for _ in 0..self.number()? {
            accounts.add(self.user()?).ok()?;
        }
        Some(accounts)
    }

    fn user(&mut self) -> Option<User> {
        let name = self.name()?;
        let admin = match self.byte()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let cost = Cost {
            memory_kib: self.number()?,
            passes: self.number()?,
            lanes: self.number()?,
        };
        let password = PasswordHash {
            cost: Some(cost).filter(|cost| cost.is_possible())?,
            salt: self.array()?,
            hash: self.array()?,
        };
        let mut privileges = BTreeMap::new();
        for _ in 0..self.number()? {
            let database = self.name()?;
            privileges.insert(database, Privileges::from_bits(self.byte()?)?);
        }
        Some(User {
            name,
            admin,
            password,
            privileges,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::DataDir;
    use crate::testing::TempDir;
    use tidegate_core::influxql::Privilege;

    fn some() -> Accounts {
        let hash = |byte| PasswordHash {
            cost: Cost::NOW,
            salt: [byte; 16],
            hash: [!byte; 32],
        };
        let mut accounts = Accounts::default();
        accounts.create("adm", hash(1), true).expect("new");
        accounts.create("w \u{e9}\n", hash(2), false).expect("new");
        for (database, privilege) in [("d", Privilege::Write), ("e", Privilege::Read)] {
            let grant = |_| Privileges::of(privilege);
            let granted = accounts.set_privileges("w \u{e9}\n", database, grant);
            granted.expect("there");
        }
        let none = |_| Privileges::NONE;
        accounts.set_privileges("adm", "", none).expect("there");
        accounts
    }

    fn opened() -> (TempDir, UsersFile, DataDir) {
        let temp = TempDir::new();
        let data = DataDir::open(temp.path()).expect("created");
        let file = UsersFile::new(temp.path());
        (temp, file, data)
    }

    #[test]
    fn what_is_stored_is_loaded() {
        let (temp, file, _data) = opened();
        assert_eq!(file.load().expect("none yet"), Accounts::default());
        assert!(!temp.path().join(NAME).exists());
        file.store(&some()).expect("stored");
        assert_eq!(file.load().expect("loaded"), some());
        file.store(&Accounts::default()).expect("stored");
        assert_eq!(file.load().expect("loaded"), Accounts::default());
    }

    #[test]
    fn the_bytes_are_the_documented_ones() {
        let mut accounts = Accounts::default();
        let password = PasswordHash {
            cost: Cost::NOW,
            salt: [7; 16],
            hash: [8; 32],
        };
        accounts.create("u", password, true).expect("new");
        let grant = |_| Privileges::of(Privilege::Write);
        accounts.set_privileges("u", "db", grant).expect("there");
        let mut payload = vec![1, 0, 0, 0, 1, 0, 0, 0, b'u', 1];
        payload.extend([0, 0x4c, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]);
        payload.extend([7; 16]);
        payload.extend([8; 32]);
        payload.extend([1, 0, 0, 0, 2, 0, 0, 0, b'd', b'b', 2]);
        let mut bytes = b"TGUSERS\0\x01\0\0\0".to_vec();
        bytes.extend([payload.len() as u8, 0, 0, 0]);
        let crc = crc32c(crc32c(0, &bytes), &payload);
        bytes.extend(crc.to_le_bytes());
        bytes.extend(payload);
        assert_eq!(encode(&accounts), bytes);
    }

    #[test]
    fn no_flipped_bit_and_no_missing_byte_lets_anybody_in() {
        let bytes = encode(&some());
        assert_eq!(decode(&bytes), Ok(some()));
        for at in 0..bytes.len() {
            assert!(decode(&bytes[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(decode(&flipped).is_err(), "bit {bit} of byte {at}");
            }
        }
        let longer = [&bytes[..], b"\0"].concat();
        assert!(decode(&longer).is_err());
    }

    #[test]
    fn damage_is_told_with_its_remedy_and_a_newer_version_by_its_number() {
        let (temp, file, _data) = opened();
        file.store(&some()).expect("stored");
        let path = temp.path().join(NAME);
        let good = std::fs::read(&path).expect("read");
        let told = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("written");
            let failure = file.load().expect_err("refused");
            assert_eq!(failure.code, 1);
            failure.to_string()
        };
        let mut other = good.clone();
        other[30] ^= 1;
        let text = told(&other);
        assert!(text.contains("checksum") && text.contains("copy"), "{text}");
        assert!(told(b"").contains("cut short"));
        other = good;
        other[8] = 2;
        assert!(told(&other).contains("version 2"));
    }

    #[test]
    fn users_that_are_gone_are_missed() {
        let (temp, file, _data) = opened();
        file.store(&some()).expect("stored");
        std::fs::remove_file(temp.path().join(NAME)).expect("removed");
        let failure = file.load().expect_err("refused");
        assert!(failure.to_string().contains("gone"), "{failure}");
    }

    #[test]
    fn a_file_made_before_a_crash_is_noted_at_the_next_start() {
        let (temp, file, _data) = opened();
        write_whole(&temp.path().join(NAME), encode(&some())).expect("written");
        assert_eq!(file.load().expect("loaded"), some());
        std::fs::remove_file(temp.path().join(NAME)).expect("removed");
        file.load().expect_err("missed");
    }
}
