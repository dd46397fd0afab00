//! What is written: a file of statements, and line protocol in files by database and policy.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::store::{create_dir, create_new, sync_dir};

/// A file is followed by another when it has got so long, so that each is a body that
/// `POST /write` takes with the limits that come with it.
const PART_BYTES_MAX: u64 = 20_000_000;
/// Longest part of a name that comes from a client.
const NAME_BYTES_MAX: usize = 80;

/// The directory that a salvage writes to.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    open: BTreeMap<(String, String), Part>,
    /// Names given out.
    names: Vec<String>,
}

#[derive(Debug)]
struct Part {
    name: String,
    number: u32,
    out: BufWriter<File>,
    bytes: u64,
}

impl Files {
    /// Creates the directory; one that is there must be empty.
    pub(super) fn create(directory: &Path) -> io::Result<Self> {
        match create_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if std::fs::read_dir(directory)?.next().is_some() {
                    return Err(io::Error::other("it is there already, and not empty"));
                }
            }
            made => made?,
        }
        Ok(Self {
            directory: directory.to_owned(),
            open: BTreeMap::new(),
            names: Vec::new(),
        })
    }

    /// Writes a small file.
    pub(super) fn whole(&mut self, name: &str, text: &str) -> io::Result<()> {
        let mut file = create_new(&self.directory.join(name))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// Appends whole lines to the file of a database and policy.
    pub(super) fn lines(&mut self, database: &str, policy: &str, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let owner = (database.to_owned(), policy.to_owned());
        let length = lines.len() as u64;
        let part = match self.open.remove(&owner) {
            Some(part) if part.bytes + length <= PART_BYTES_MAX => part,
            full => self.next_part(&owner, full)?,
        };
        let part = self.open.entry(owner).or_insert(part);
        part.bytes += length;
        part.out.write_all(lines)
    }

    /// Makes all that was written durable; the names of the files, in order of their creation.
    pub(super) fn finish(mut self) -> io::Result<Vec<String>> {
        for (_, part) in std::mem::take(&mut self.open) {
            close(part)?;
        }
        sync_dir(&self.directory)?;
        Ok(self.names)
    }

    fn next_part(&mut self, owner: &(String, String), full: Option<Part>) -> io::Result<Part> {
        let (name, number) = match full {
            Some(part) => {
                let next = (part.name.clone(), part.number + 1);
                close(part)?;
                next
            }
            None => (self.free_name(owner), 1),
        };
        let file = match number {
            1 => format!("{name}.lp"),
            number => format!("{name}.{number}.lp"),
        };
        let mut out = BufWriter::new(create_new(&self.directory.join(&file))?);
        let (database, policy) = (one_line(&owner.0), one_line(&owner.1));
        let head = format!(
            "# DML\n# CONTEXT-DATABASE: {database}\n# CONTEXT-RETENTION-POLICY: {policy}\n"
        );
        out.write_all(head.as_bytes())?;
        self.names.push(file);
        Ok(Part {
            name,
            number,
            out,
            bytes: head.len() as u64,
        })
    }

    /// Names come from clients: they may hold anything, be long, and look alike when cut.
    fn free_name(&self, (database, policy): &(String, String)) -> String {
        let plain = format!("{}.{}", harmless(database), harmless(policy));
        let taken = |name: &String| self.names.contains(&format!("{name}.lp"));
        let mut others = (2..).map(|number| format!("{plain}~{number}"));
        if taken(&plain) {
            others.find(|name| !taken(name)).unwrap_or(plain)
        } else {
            plain
        }
    }
}

fn close(part: Part) -> io::Result<()> {
    let file = part.out.into_inner().map_err(|error| error.into_error())?;
    file.sync_all()
}

fn harmless(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'-' => out.push(byte.into()),
            other => out += &format!("%{other:02x}"),
        }
    }
    out.truncate(NAME_BYTES_MAX);
    out
}

fn one_line(name: &str) -> String {
    name.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    #[test]
    fn names_of_clients_stay_in_the_directory_and_apart() {
        let temp = TempDir::new();
        let mut files = Files::create(&temp.path().join("out")).expect("created");
        let long = "x".repeat(100);
        for (database, policy) in [("../a", "b/c"), (&long[..], "p"), (&long[1..], "p")] {
            files
                .lines(database, policy, b"m v=1 1\n")
                .expect("written");
            files
                .lines(database, policy, b"m v=2 2\n")
                .expect("written");
        }
        let names = files.finish().expect("finished");
        let short = "x".repeat(80);
        let expected = [
            "%2e%2e%2fa.b%2fc.lp".to_owned(),
            format!("{short}.p.lp"),
            format!("{short}.p~2.lp"),
        ];
        assert_eq!(names, expected);
        let text = std::fs::read_to_string(temp.path().join("out").join(&names[0]));
        let expected = "# DML\n# CONTEXT-DATABASE: ../a\n# CONTEXT-RETENTION-POLICY: b/c\n\
                        m v=1 1\nm v=2 2\n";
        assert_eq!(text.expect("read"), expected);
    }

    #[test]
    fn no_file_is_longer_than_a_body_may_be() {
        let temp = TempDir::new();
        let mut files = Files::create(temp.path()).expect("an empty one will do");
        let lines = vec![b'm'; 9_000_000];
        for _ in 0..5 {
            files.lines("d", "p", &lines).expect("written");
        }
        let names = files.finish().expect("finished");
        assert_eq!(names, ["d.p.lp", "d.p.2.lp", "d.p.3.lp"]);
        for name in names {
            let length = temp.path().join(name).metadata().expect("there").len();
            assert!(length <= PART_BYTES_MAX);
        }
        assert!(
            Files::create(temp.path()).is_err(),
            "nothing is overwritten"
        );
    }
}
