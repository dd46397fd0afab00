//! The workloads that faults meet.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::server::Face;

use crate::book::{Book, RECOVERS_WITHIN, Told};
use crate::traced::{Plan, Started, Subject, start};

/// A workload, with what is on disk before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scene {
    /// No directory yet: the first start, the first database, the first writes.
    First,
    /// After two crashes and with a torn tail: recovery, new segments, databases that come and go.
    Again,
}

impl Scene {
    pub(crate) const ALL: [Self; 2] = [Self::First, Self::Again];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Again => "again",
        }
    }

    /// What the server is asked for, until it gives no answer.
    pub(crate) fn play(self, subject: &Subject, book: &mut Book) -> Result<(), String> {
        match self {
            Self::First => first(subject, book),
            Self::Again => again(subject, book),
        }
    }
}

/// Stops at the first request that nobody answers.
macro_rules! go_on {
    ($told:expr) => {
        if $told == Told::Nothing {
            return Ok(());
        }
    };
}

/// Creates a database, at another attempt if need be: the fault is over by then, or it is met
/// again by another thread, since they are counted a thread. A disk that was full counts as full
/// until the reserve is back.
fn create(subject: &Subject, book: &mut Book, name: &str) -> Result<Told, String> {
    let start = Instant::now();
    while start.elapsed() < RECOVERS_WITHIN {
        let told = book.create(subject, name);
        if told != Told::Refused || book.fault_stays {
            return Ok(told);
        }
        sleep(Duration::from_millis(20));
    }
    Err(format!(
        "CREATE DATABASE {name} was refused again and again"
    ))
}

fn first(subject: &Subject, book: &mut Book) -> Result<(), String> {
    go_on!(create(subject, book, "d")?);
    for count in [1, 3, 1] {
        go_on!(book.write(subject, "d", count, 20)?);
    }
    Ok(())
}

fn again(subject: &Subject, book: &mut Book) -> Result<(), String> {
    for count in [1, 4, 1, 2, 5, 3] {
        go_on!(book.write(subject, "d", count, 700)?);
    }
    go_on!(create(subject, book, "new")?);
    go_on!(book.write(subject, "new", 2, 20)?);
    go_on!(book.drop(subject, "old"));
    for count in [1, 6, 1] {
        go_on!(book.write(subject, "d", count, 700)?);
    }
    Ok(())
}

/// A home directory, and what its data has to hold.
pub(crate) struct Set {
    pub home: TempDir,
    pub book: Book,
}

impl Set {
    /// What is there before a scene begins.
    pub(crate) fn before(scene: Scene) -> io::Result<Self> {
        let home = TempDir::new("calls")?;
        let mut book = Book::default();
        if scene == Scene::Again {
            crashed_twice(home.path(), &mut book).map_err(io::Error::other)?;
        }
        Ok(Self { home, book })
    }

    /// The same once more, to be spoilt.
    pub(crate) fn copy(&self) -> io::Result<Self> {
        let home = TempDir::new("calls")?;
        for path in files(self.home.path())? {
            let relative = path.strip_prefix(self.home.path());
            let target = home.path().join(relative.map_err(io::Error::other)?);
            if path.is_dir() {
                fs::create_dir_all(&target)?;
            } else {
                fs::copy(&path, &target)?;
            }
        }
        let book = self.book.clone();
        Ok(Self { home, book })
    }
}

fn crashed_twice(home: &Path, book: &mut Book) -> Result<(), String> {
    for life in 0..2 {
        let mut subject = match start(Face::Native, home, Plan::Alone) {
            Ok(Started::Up(subject)) => subject,
            Ok(Started::Down(why)) => return Err(why),
            Err(error) => return Err(error.to_string()),
        };
        if life == 0 {
            book.create(&subject, "d");
            book.create(&subject, "old");
            book.write(&subject, "old", 2, 20)?;
        }
        for count in [2, 4, 1, 3, 1] {
            book.write(&subject, "d", count, 700)?;
        }
        subject.kill().map_err(|error| error.to_string())?;
    }
    let counts = book.counts();
    assert!(counts.refused + counts.unanswered == 0, "{counts:?}");
    tear(home).map_err(|error| error.to_string())
}

/// Garbage behind the end of the log of the first database.
fn tear(home: &Path) -> io::Result<()> {
    let log = Path::new("databases/000001/wal");
    let mut segments = files(home)?;
    segments.retain(|path| path.parent().is_some_and(|parent| parent.ends_with(log)));
    let last = segments.into_iter().max();
    let last = last.ok_or_else(|| io::Error::other("there is no segment"))?;
    let mut bytes = fs::read(&last)?;
    bytes.extend_from_slice(&[0xab; 300]);
    fs::write(&last, bytes)
}

/// All directories and files below `home`, parents first.
pub(crate) fn files(home: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![home.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path.clone());
            }
            found.push(path);
        }
    }
    Ok(found)
}
