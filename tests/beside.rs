//! The same damage to ours and to Debian's InfluxDB, side by side in one table.
//!
//! * A torn tail, a start, acknowledged writes, `kill -9`, a start: what is left of those writes.
//! * One bit flipped in a small log: whether what is served is wrong, whether what is missing is
//!   told, whether the server starts.
//!
//! `make proof` does it with 1,000 writes (to our guest) and 300 bits (ours natively: it is the
//! same engine, and starts at once), `make test` with a few. Only ours is held
//! to anything; the other column is what happens. `BESIDE_SEED` repeats the bits.

#[path = "beside/flips.rs"]
mod flips;
#[path = "beside/torn.rs"]
mod torn;

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, PATIENCE, Server};

/// InfluxDB tells of damage in lines of this level; they count as telling.
const TELLS: [(&str, &str); 1] = [("INFLUXDB_LOGGING_LEVEL", "info")];

#[test]
fn writes_after_a_torn_tail_survive_the_next_crash() {
    let writes = if is_proof() { 1_000 } else { 50 };
    let ours = if is_proof() {
        Face::Guest
    } else {
        Face::Native
    };
    let columns = faces(ours).map(|face| (face, torn::run(face, writes)));
    let columns: Vec<_> = columns.collect();
    for (face, torn) in &columns {
        say(&format!(
            "beside, {:<8} torn tail, start, {writes} acknowledged writes, kill -9, start: {} of \
             them lost; before the tear {} acknowledged, {} lost",
            face.name(),
            torn.lost_after,
            torn.before,
            torn.lost_before
        ));
    }
    for (face, torn) in columns {
        let lost = torn.lost_after + torn.lost_before;
        assert!(
            face == Face::Influxd || lost == 0,
            "{}: {lost} lost",
            face.name()
        );
    }
}

#[test]
fn a_flipped_bit_is_never_served_and_its_loss_is_told() {
    let bits = if is_proof() { 300 } else { 6 };
    let seed = std::env::var("BESIDE_SEED").ok();
    let seed = seed.map_or_else(
        || u64::from(std::process::id()),
        |text| text.parse().expect("BESIDE_SEED is a number"),
    );
    say(&format!("beside: BESIDE_SEED={seed}"));
    let columns: Vec<_> = faces(Face::Native)
        .map(|face| (face, flips::run(face, bits, seed)))
        .collect();
    say(&format!(
        "beside: {bits} bits flipped, one a run, in a log of {} points:",
        flips::POINTS
    ));
    say("beside: server    wrong  lost unsaid  lost, said  refused  harmless  points lost a run");
    for (face, seen) in &columns {
        say(&format!(
            "beside: {:<8} {:>6} {:>12} {:>11} {:>8} {:>9}  {:.1} on average, {} at most",
            face.name(),
            seen.wrong,
            seen.unsaid,
            seen.said,
            seen.refused,
            seen.harmless,
            seen.lost as f64 / f64::from(u32::try_from(bits).expect("few")),
            seen.lost_max
        ));
    }
    for (face, seen) in columns {
        let bad = seen.wrong + seen.unsaid + seen.refused;
        assert!(
            face == Face::Influxd || bad == 0,
            "{}: {seen:?}",
            face.name()
        );
    }
}

/// Ours first.
fn faces(ours: Face) -> impl Iterator<Item = Face> {
    let faces = [ours, Face::Influxd];
    faces.into_iter().filter(|face| face.is_here())
}

fn is_proof() -> bool {
    std::env::var_os("PROOF_MINUTES").is_some()
}

fn start(face: Face, home: &Path) -> std::io::Result<Server> {
    Server::start_with(face, home, &TELLS)
}

/// Sends one body of lines, which has to be acknowledged.
fn write(client: &mut tidegate_tests::kit::Client, body: &str) {
    let answer = client.post("/write?db=d", body.as_bytes()).expect("answer");
    assert_eq!(answer.status, 204, "{}", answer.text());
}

/// What the server answers to a query, once it serves the database.
fn select(server: &Server, statement: &str) -> Result<Vec<u8>, String> {
    let start = std::time::Instant::now();
    loop {
        let answer = server
            .query("d", statement)
            .map_err(|error| error.to_string())?;
        if answer.status == 200 {
            return Ok(answer.body);
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("{} {}", answer.status, answer.text()));
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// The newest file of the log.
fn last_segment(home: &Path) -> PathBuf {
    let mut segments = files(home);
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "wal"));
    segments.sort();
    segments.pop().expect("a segment")
}

fn files(home: &Path) -> Vec<PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![home.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}
