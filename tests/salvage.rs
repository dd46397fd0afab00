//! `tidegate wal salvage`: a data directory is written by the server, damaged, salvaged, and what
//! came out is imported into a fresh server. That one then has every point that can be had, and
//! none that was not sent.

#[path = "salvage/world.rs"]
mod world;

use std::fs;

use tidegate_tests::proof::say;
use tidegate_tests::proof::server::{Face, Server};
use world::{Salvaged, World, contents, lost_of, salvage, snapshot};

/// What the damage must not cost.
enum Expected {
    /// Nothing, and the account says so.
    All,
    /// Nothing, but how much there should be was in the damaged bytes, and the account says that.
    AllUnproven,
    /// At most so many points, and the account tells of each.
    AtMost(usize),
}

fn check(name: &str, world: &World, damage: impl FnOnce(&World), expected: &Expected) {
    damage(world);
    let before = contents(&world.data());
    let Salvaged { out, code, account } = salvage(&world.data(), &[]);
    assert_eq!(
        contents(&world.data()),
        before,
        "{name}: the source was changed"
    );
    let fresh = world::import(&out);
    let (mut lost, mut stored) = (0, 0);
    for (place, sent) in &world.points {
        let found = fresh.get(place).cloned().unwrap_or_default();
        stored += found.len();
        for (point, values) in &found {
            assert_eq!(
                sent.get(point),
                Some(values),
                "{name}: {point:?} was never sent"
            );
        }
        lost += sent.len() - found.len();
    }
    match expected {
        Expected::All => {
            assert_eq!((lost, code), (0, Some(0)), "{name}: {account}");
        }
        Expected::AllUnproven => {
            assert_eq!((lost, code), (0, Some(3)), "{name}: {account}");
            assert_eq!(lost_of(&account), None, "{name}: {account}");
        }
        Expected::AtMost(most) => {
            assert!(
                (1..=*most).contains(&lost),
                "{name}: {lost} lost: {account}"
            );
            assert_eq!(code, Some(3), "{name}: {account}");
            let told = lost_of(&account);
            assert!(
                told.is_none_or(|told| told == lost),
                "{name}: {lost} lost: {account}"
            );
        }
    }
    say(&format!(
        "salvage, {name}: {stored} points imported, {lost} lost"
    ));
}

#[test]
fn an_intact_directory_comes_out_whole() {
    let Some(world) = World::new("intact") else {
        return;
    };
    check("intact", &world, |_| {}, &Expected::All);
}

#[test]
fn a_destroyed_header_block_costs_nothing() {
    let Some(world) = World::new("header") else {
        return;
    };
    let destroy = |world: &World| {
        for number in [2, 3] {
            world.edit(1, number, |bytes| bytes[..12_288].fill(0));
        }
    };
    check("header blocks zeroed", &world, destroy, &Expected::All);
}

#[test]
fn a_flipped_byte_costs_its_record() {
    let Some(world) = World::new("flip") else {
        return;
    };
    let flip = |world: &World| {
        world.edit(1, 2, |bytes| {
            // In a value, so in a record of rows and in nothing that is written twice.
            let value = b"q\"uo\\te ";
            let found = bytes.windows(value.len()).rposition(|part| part == value);
            let at = found.expect("a value");
            bytes[at] ^= 4;
        });
    };
    check(
        "a byte flipped",
        &world,
        flip,
        &Expected::AtMost(world::BATCH),
    );
}

#[test]
fn a_missing_segment_costs_what_was_in_it() {
    let Some(world) = World::new("missing") else {
        return;
    };
    let remove = |world: &World| fs::remove_file(world.segment(1, 3)).expect("removed");
    let most = world
        .points
        .values()
        .map(|points| points.len())
        .sum::<usize>()
        / 2;
    check("a segment removed", &world, remove, &Expected::AtMost(most));
}

#[test]
fn names_that_are_gone_or_wrong_cost_nothing() {
    let Some(world) = World::new("names") else {
        return;
    };
    let lose = |world: &World| {
        fs::remove_file(world.data().join("TIDEGATE")).expect("removed");
        // Segments change places between two databases, and one gets another number.
        let (one, other) = (world.segment(1, 2), world.segment(2, 77));
        fs::rename(one, other).expect("renamed");
        fs::rename(world.segment(1, 4), world.segment(1, 99)).expect("renamed");
    };
    check("segments misplaced", &world, lose, &Expected::All);
}

#[test]
fn a_torn_tail_costs_nothing_and_is_not_written() {
    let Some(world) = World::new("torn") else {
        return;
    };
    let tear = |world: &World| {
        world.edit(1, world.last(1), |bytes| {
            let from = bytes.len() - 900;
            bytes.extend_from_within(from..);
            bytes.extend([0x5a; 333]);
        });
    };
    check("a torn tail", &world, tear, &Expected::All);
}

#[test]
fn a_log_that_the_server_refuses_is_salvaged() {
    let Some(world) = World::new("refused") else {
        return;
    };
    // The segment of another log among those of this one.
    let copy = world.segment(2, 55);
    let other = World::new("other").expect("it could be made before");
    fs::copy(other.segment(1, 2), copy).expect("copied");
    let refused = Server::start(Face::Native, world.home()).expect("it starts");
    let answer = refused.query("two", "SELECT v FROM m").expect("an answer");
    let text = answer.text();
    assert!(text.contains("was not opened"), "{text}");
    refused.kill().expect("killed");
    let done = salvage(&world.data(), &[]);
    // The segments before that one are elsewhere.
    assert_eq!(done.code, Some(3), "{}", done.account);
    let fresh = snapshot(&world::import_into_server(&done.out).0);
    for (place, sent) in &world.points {
        assert_eq!(fresh.get(place), Some(sent), "{}", done.account);
    }
    let mut strange: Vec<&str> = fresh.keys().map(|(database, _)| &**database).collect();
    strange.retain(|database| database.starts_with("recovered_"));
    strange.dedup();
    assert_eq!(strange.len(), 1, "the other log is a database of its own");
}

#[test]
fn a_snapshot_comes_out_whole_with_the_log_behind_it() {
    let Some(world) = World::with_snapshots("whole") else {
        return;
    };
    // A snapshot that was begun and never finished is nobody's.
    let begin = |world: &World| {
        let blob = world.blob(1);
        let part = blob.with_file_name("00000000000000ff.part");
        fs::copy(blob, part).expect("copied");
    };
    check("intact, with snapshots", &world, begin, &Expected::All);
}

#[test]
fn a_flipped_byte_in_a_snapshot_costs_its_frame() {
    let Some(world) = World::with_snapshots("frame") else {
        return;
    };
    let flip = |world: &World| {
        world::edit_file(&world.blob(1), |bytes| {
            let value = b"q\"uo\\te ";
            let found = bytes.windows(value.len()).position(|part| part == value);
            let at = found.expect("a value");
            bytes[at] ^= 4;
        });
    };
    // No frame of 4 KiB holds more points than that.
    let most = Expected::AtMost(400);
    check("a byte of a snapshot flipped", &world, flip, &most);
}

#[test]
fn a_snapshot_without_its_header_comes_out_whole() {
    let Some(world) = World::with_snapshots("headless") else {
        return;
    };
    let destroy = |world: &World| {
        world::edit_file(&world.blob(1), |bytes| bytes[..12_288].fill(0));
    };
    let name = "the header block of a snapshot zeroed";
    check(name, &world, destroy, &Expected::AllUnproven);
}

#[test]
fn a_missing_snapshot_costs_what_was_in_it_and_no_more() {
    let Some(world) = World::with_snapshots("gone") else {
        return;
    };
    let remove = |world: &World| fs::remove_file(world.blob(1)).expect("removed");
    let of_one = world.points.iter().filter(|((name, _), _)| name == "one");
    let most = of_one.map(|(_, points)| points.len() - world::BATCH).sum();
    check(
        "a snapshot removed",
        &world,
        remove,
        &Expected::AtMost(most),
    );
}

#[test]
fn one_database_of_several_is_written_if_asked_for() {
    let Some(world) = World::new("one") else {
        return;
    };
    let by_flag = salvage(&world.data(), &["--database", "two"]);
    let by_path = salvage(&world.data().join("databases/000002"), &[]);
    for done in [by_flag, by_path] {
        assert_eq!(done.code, Some(0), "{}", done.account);
        let fresh = world::import(&done.out);
        assert!(
            fresh.keys().all(|(database, _)| database == "two"),
            "{fresh:?}"
        );
        for (place, sent) in world
            .points
            .iter()
            .filter(|((database, _), _)| database == "two")
        {
            assert_eq!(fresh.get(place), Some(sent));
        }
    }
}

#[test]
fn a_running_server_is_left_alone() {
    let Some(world) = World::new("running") else {
        return;
    };
    let server = Server::start(Face::Native, world.home()).expect("it starts");
    let done = salvage(&world.data(), &[]);
    assert_eq!(done.code, Some(1), "{}", done.account);
    let pid = format!("process {}", server.pid());
    assert!(done.account.contains(&pid), "{}", done.account);
    assert!(!done.out.path().join("out").exists());
}
