//! What was sent and what was told, and holding a server to it.

use std::collections::BTreeMap;
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tidegate_tests::kit::Client;
use tidegate_tests::proof::points::points_of;
use tidegate_tests::proof::server::query_target;

use crate::traced::Subject;

/// How long a server may take to serve again once nothing is in its way.
pub(crate) const RECOVERS_WITHIN: Duration = Duration::from_secs(30);

/// What a server answered, as far as its storage is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is done, durably.
    Done,
    /// It says that it is not; yet it may be found done after a crash, whole.
    Refused,
    /// No answer.
    Nothing,
}

/// Everything so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    bodies: Vec<Body>,
    /// Databases, and what is known of each: there, gone, or open.
    databases: BTreeMap<String, Known>,
    /// A request got no answer.
    pub silence: bool,
    /// Whatever is refused now is refused at the second attempt too.
    pub fault_stays: bool,
}

#[derive(Clone, Debug)]
struct Body {
    database: String,
    first: u64,
    count: u64,
    told: Told,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    There,
    Gone,
    Open,
}

/// Counts of a book, for the last line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub acknowledged: u64,
    pub refused: u64,
    pub unanswered: u64,
}

impl Book {
    /// Sends `count` points to `database`, padded with strings of `pad` bytes.
    pub(crate) fn write(
        &mut self,
        subject: &Subject,
        database: &str,
        count: u64,
        pad: usize,
    ) -> Result<Told, String> {
        let first = self.bodies.iter().map(|body| body.count).sum();
        let pad = "p".repeat(pad);
        let line = |number| {
            let value = value(number);
            format!("m,w={} v={value}i,pad=\"{pad}\" {number}", number % 3)
        };
        let lines: Vec<String> = (first..first + count).map(line).collect();
        let target = format!("/write?db={database}");
        let answer = post(subject, &target, lines.join("\n").as_bytes());
        let is_there = self.databases.get(database) == Some(&Known::There);
        let told = match &answer {
            Ok((204, _)) => Told::Done,
            Ok((503, _)) => Told::Refused,
            Ok((404, _)) if !is_there => Told::Refused,
            Ok((status, text)) => return Err(format!("a write was answered {status} {text}")),
            Err(_) => Told::Nothing,
        };
        self.silence |= told == Told::Nothing;
        // Of a database that is not known to be there nothing is expected.
        if is_there {
            self.bodies.push(Body {
                database: database.to_owned(),
                first,
                count,
                told,
            });
        }
        Ok(told)
    }

    /// `CREATE DATABASE`.
    pub(crate) fn create(&mut self, subject: &Subject, name: &str) -> Told {
        let told = execute(subject, &format!("CREATE DATABASE {name}"));
        self.silence |= told == Told::Nothing;
        let known = self.databases.entry(name.to_owned()).or_insert(Known::Open);
        // One that is there stays there, whatever it is told of the second time.
        match told {
            Told::Done => *known = Known::There,
            _ if *known == Known::Gone => *known = Known::Open,
            _ => {}
        }
        told
    }

    /// `DROP DATABASE`.
    pub(crate) fn drop(&mut self, subject: &Subject, name: &str) -> Told {
        let told = execute(subject, &format!("DROP DATABASE {name}"));
        self.silence |= told == Told::Nothing;
        let known = if told == Told::Done {
            Known::Gone
        } else {
            Known::Open
        };
        self.databases.insert(name.to_owned(), known);
        self.bodies.retain(|body| body.database != name);
        told
    }

    /// Writes until the server takes it again.
    pub(crate) fn write_until_taken(
        &mut self,
        subject: &Subject,
        database: &str,
    ) -> Result<Duration, String> {
        let start = Instant::now();
        loop {
            if self.write(subject, database, 1, 10)? == Told::Done {
                return Ok(start.elapsed());
            }
            if start.elapsed() > RECOVERS_WITHIN {
                return Err(format!("no write was taken within {RECOVERS_WITHIN:?}"));
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// The server holds what it should and nothing else.
    pub(crate) fn check(&self, subject: &Subject) -> Result<(), String> {
        let listed = query(subject, "", "SHOW DATABASES")?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        for (name, known) in &self.databases {
            let there = listed.contains(&format!("[\"{name}\"]"));
            let wrong = match known {
                Known::There => !there,
                Known::Gone => there,
                Known::Open => false,
            };
            if wrong {
                return Err(format!(
                    "database {name} is {known:?}, but listed are {listed}"
                ));
            }
            if *known == Known::There {
                self.check_points(subject, name)?;
            }
        }
        Ok(())
    }

    fn check_points(&self, subject: &Subject, database: &str) -> Result<(), String> {
        let answer = query(subject, database, "SELECT v FROM m GROUP BY w")?;
        let stored = points_of(&answer)?;
        let mut explained = 0;
        let bodies = self.bodies.iter().filter(|body| body.database == database);
        for body in bodies {
            let mut there = 0;
            for number in body.first..body.first + body.count {
                let series = format!("m,w={}", number % 3);
                let Some(row) = stored.get(&(series, number as i64)) else {
                    continue;
                };
                there += 1;
                if row.get("v") != Some(&value(number).to_string()) {
                    return Err(format!("point {number} is {row:?}"));
                }
            }
            explained += there;
            let whole = there == body.count;
            if body.told == Told::Done && !whole || there > 0 && !whole {
                return Err(format!("{there} points are there of {body:?}"));
            }
        }
        let stored = stored.len() as u64;
        if explained != stored {
            let more = stored - explained;
            return Err(format!("{more} points in {database} that nobody sent"));
        }
        Ok(())
    }

    pub(crate) fn counts(&self) -> Counts {
        let sum = |told| {
            let of = self.bodies.iter().filter(|body| body.told == told);
            of.map(|body| body.count).sum()
        };
        Counts {
            acknowledged: sum(Told::Done),
            refused: sum(Told::Refused),
            unanswered: sum(Told::Nothing),
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.unanswered += other.unanswered;
    }
}

/// Different for every point, so that a swapped one shows.
fn value(number: u64) -> u64 {
    number * 1_000_003 + 7
}

fn execute(subject: &Subject, statement: &str) -> Told {
    match post(subject, &query_target("", statement), b"") {
        Ok((200, text)) if !text.contains("\"error\"") => Told::Done,
        Ok(_) => Told::Refused,
        Err(_) => Told::Nothing,
    }
}

/// The body of an answer; a database that is being opened is waited for.
pub(crate) fn query(subject: &Subject, database: &str, statement: &str) -> Result<Vec<u8>, String> {
    let start = Instant::now();
    loop {
        let mut client = client(subject).map_err(|error| error.to_string())?;
        let answer = client.post(&query_target(database, statement), b"");
        let answer = answer.map_err(|error| format!("{statement}: {error}"))?;
        if answer.status == 200 {
            return Ok(answer.body);
        }
        if start.elapsed() > RECOVERS_WITHIN {
            return Err(format!("{statement}: {} {}", answer.status, answer.text()));
        }
        sleep(Duration::from_millis(20));
    }
}

fn post(subject: &Subject, target: &str, body: &[u8]) -> io::Result<(u16, String)> {
    let answer = client(subject)?.post(target, body)?;
    Ok((answer.status, answer.text()))
}

pub(crate) fn client(subject: &Subject) -> io::Result<Client> {
    Client::connect(subject.address, Duration::from_secs(40))
}
