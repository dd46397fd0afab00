//! Writers that remember what they were told.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tidegate_tests::r#gen::Rng;
use tidegate_tests::proof::server::Server;

/// Both are written to by every writer.
pub(crate) const DATABASES: [&str; 2] = ["left", "right"];
const WRITERS: u64 = 4;
/// Keeps what has to be read back small; single lines come as fast as they are answered.
const BODIES_MAX: u64 = 150;

/// One body: consecutive points of one writer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body {
    pub database: usize,
    pub writer: u64,
    pub first: u64,
    pub count: u64,
    pub acknowledged: bool,
}

/// What one run of the server was sent.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub bodies: Vec<Body>,
    /// Databases whose creation was answered.
    pub created: Vec<String>,
}

/// The value of a point: different for every point of a run, checked when it is read back.
pub(crate) fn value(writer: u64, number: u64) -> u64 {
    writer * 1_000_000_007 + number * 31 + 1
}

/// The time of a point: a few of them fall into another shard group.
pub(crate) fn time_ns(number: u64) -> i64 {
    let week = if number.is_multiple_of(97) {
        604_800_000_000_000
    } else {
        0
    };
    1_767_225_600_000_000_000 + week + number as i64
}

/// Loads the server and kills it at a random moment.
pub(crate) fn run_until_killed(server: Server, cycle: u64, rng: &mut Rng) -> Run {
    let stop = AtomicBool::new(false);
    let answered = AtomicU64::new(0);
    let after_ms = 20 + rng.below(400);
    let seeds: Vec<u64> = (0..WRITERS).map(|_| rng.next_u64()).collect();
    thread::scope(|scope| {
        let (server_ref, stop, answered) = (&server, &stop, &answered);
        let writers: Vec<_> = (0..WRITERS)
            .zip(seeds)
            .map(|(writer, seed)| {
                let mut rng = Rng::new(seed);
                scope.spawn(move || write(server_ref, cycle, writer, &mut rng, stop, answered))
            })
            .collect();
        let creator = scope.spawn(move || create(server_ref, cycle, stop));
        let start = Instant::now();
        // A busy machine may need a moment for the first answers; without any, nothing is shown.
        let early = || answered.load(Ordering::Relaxed) < 20;
        while start.elapsed() < Duration::from_millis(after_ms)
            || (early() && start.elapsed() < Duration::from_secs(20))
        {
            thread::sleep(Duration::from_millis(2));
        }
        kill(server_ref.pid());
        stop.store(true, Ordering::Relaxed);
        let mut run = Run::default();
        for writer in writers {
            run.bodies.extend(writer.join().expect("writer"));
        }
        run.created = creator.join().expect("creator");
        run
    })
}

/// SIGKILL by number: the writers still hold the server.
fn kill(pid: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("pid"), Signal::KILL).expect("kill");
}

fn write(
    server: &Server,
    cycle: u64,
    writer: u64,
    rng: &mut Rng,
    stop: &AtomicBool,
    answered: &AtomicU64,
) -> Vec<Body> {
    let mut bodies = Vec::new();
    let Ok(mut client) = server.client() else {
        return bodies;
    };
    let mut next = 0;
    while !stop.load(Ordering::Relaxed) && (bodies.len() as u64) < BODIES_MAX {
        let count = if rng.one_in(3) { 1 + rng.below(60) } else { 1 };
        let mut body = Body {
            database: rng.index(DATABASES.len()),
            writer,
            first: next,
            count,
            acknowledged: false,
        };
        next += count;
        let lines: Vec<String> = (body.first..next)
            .map(|number| {
                let (value, time) = (value(writer, number), time_ns(number));
                format!("run{cycle},w={writer} v={value}i {time}")
            })
            .collect();
        // A kill leaves the system alive, so `wal` promises as much as `durable` here.
        let level = ["durable", "wal"][rng.index(2)];
        let target = format!("/write?db={}&ack={level}", DATABASES[body.database]);
        let answer = client.post(&target, lines.join("\n").as_bytes());
        body.acknowledged = answer.as_ref().is_ok_and(|answer| answer.status == 204);
        bodies.push(body);
        match answer {
            Ok(answer) if answer.status == 204 => {
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) => panic!(
                "a good body was answered {} {}",
                answer.status,
                answer.text()
            ),
            Err(_) => break,
        }
    }
    bodies
}

/// Creates databases while the others write; a few, since each is a log of its own.
fn create(server: &Server, cycle: u64, stop: &AtomicBool) -> Vec<String> {
    let mut created = Vec::new();
    for number in 0..3 {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("made_{cycle}_{number}");
        match server.execute(&format!("CREATE DATABASE {name}")) {
            Ok(()) => created.push(name),
            Err(_) => break,
        }
    }
    created
}
