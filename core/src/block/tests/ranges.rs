//! Reading ranges: the right points, and little else touched.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::twin::{Lots, points};
use super::*;

/// What of a twin is wanted, the naive way.
fn narrowed(twin: &Twin, wanted: &Wanted) -> Twin {
    let is_wanted = |(key, time, field): &(Vec<u8>, i64, Vec<u8>)| {
        let is_erased = |erased: &Erased| {
            let concerns = match &erased.victims {
                Victims::All => true,
                Victims::Measurement(name) => {
                    key == name || key.starts_with(&[name, &b","[..]].concat())
                }
                Victims::Series(other) => other == key,
            };
            concerns && (erased.time_min..=erased.time_max).contains(time)
        };
        wanted.keys.as_ref().is_none_or(|keys| keys.contains(key))
            && wanted
                .fields
                .as_ref()
                .is_none_or(|fields| fields.contains(field))
            && (wanted.time_min..=wanted.time_max).contains(time)
            && !wanted.erased.iter().any(is_erased)
    };
    let entries = twin.iter().filter(|(place, _)| is_wanted(place));
    entries
        .map(|(place, value)| (place.clone(), value.clone()))
        .collect()
}

pub(super) fn some_erased(lots: &mut Lots, twin: &Twin) -> Vec<Erased> {
    let places: Vec<_> = twin.keys().collect();
    let mut erased = Vec::new();
    for _ in 0..lots.draw(4) {
        let (key, time, _) = places[lots.draw(places.len() as u64) as usize];
        let width = [0, 3, 40_000_000_000, 1 << 50][lots.draw(4) as usize];
        erased.push(Erased {
            victims: match lots.draw(5) {
                0 => Victims::All,
                1 => Victims::Measurement(b"cpu".to_vec()),
                _ => Victims::Series(key.clone()),
            },
            time_min: time - lots.draw(width + 1) as i64,
            time_max: time + lots.draw(width + 1) as i64,
        });
    }
    erased
}

fn some_wanted(lots: &mut Lots, twin: &Twin) -> Wanted {
    let places: Vec<_> = twin.keys().collect();
    let mut place = || places[lots.draw(places.len() as u64) as usize];
    let mut keys: Vec<_> = (0..4).map(|_| place().0.clone()).collect();
    keys.push(b"cpu,host=nobody".to_vec());
    keys.sort();
    keys.dedup();
    let fields = vec![place().2.clone(), b"nothing".to_vec()];
    let (from, to) = (place().1, place().1);
    Wanted {
        keys: (lots.draw(2) == 0).then_some(keys),
        fields: (lots.draw(2) == 0).then_some(fields),
        time_min: [i64::MIN, from][lots.draw(2) as usize],
        time_max: [i64::MAX, to][lots.draw(2) as usize],
        erased: some_erased(lots, twin),
    }
}

#[test]
fn any_range_gives_what_the_naive_twin_gives() {
    let mut lots = Lots(17);
    for seed in 0..40 {
        let twin = points(seed, 1 + seed % 25, 60);
        let bytes = block_of(&twin, identity(seed), SMALL);
        let block = open(&bytes, seed).unwrap();
        for round in 0..20 {
            let wanted = some_wanted(&mut lots, &twin);
            let (found, scan) = scan(&bytes, &block, wanted.clone());
            assert!(
                found == narrowed(&twin, &wanted),
                "{seed} {round} {wanted:?}"
            );
            assert_eq!(scan.damage(), []);
        }
    }
}

/// Twenty fields of a hundred series with 500 points each.
fn wide() -> Twin {
    let mut twin = Twin::new();
    for series in 0..100u32 {
        let key = format!("cpu,host=h{series:03}").into_bytes();
        for row in 0..500i64 {
            for field in 0..20 {
                let value = (i64::from(series) * 7 + row * row + field) % 101;
                let place = (key.clone(), row, format!("f{field:02}").into_bytes());
                twin.insert(place, Owned::Integer(value));
            }
        }
    }
    twin
}

#[test]
fn a_range_touches_the_chunks_and_pages_that_it_needs() {
    let twin = wide();
    let bytes = block_of(&twin, identity(1), WriterConfig::default());
    let block = open(&bytes, 1).unwrap();
    let chunks = block.chunk_count() as u64;
    assert!((6..=10).contains(&chunks), "{chunks}");
    let touched = |wanted: Wanted| scan(&bytes, &block, wanted).1.touched();
    let everything = touched(Wanted::default());
    assert_eq!((everything.chunks, everything.pages), (chunks, 20 * chunks));
    assert!(everything.bytes <= bytes.len() as u64);

    let one_key = || Some(vec![b"cpu,host=h005".to_vec()]);
    let one = Wanted {
        keys: one_key(),
        fields: Some(vec![b"f03".to_vec()]),
        ..Wanted::default()
    };
    let touched_one = touched(one);
    assert_eq!(
        (touched_one.chunks, touched_one.pages, touched_one.reads),
        (1, 1, 2)
    );
    assert!(
        touched_one.bytes * 15 * chunks < bytes.len() as u64,
        "{touched_one:?}"
    );

    let apart = Wanted {
        fields: Some(vec![b"f00".to_vec(), b"f19".to_vec()]),
        keys: one_key(),
        ..Wanted::default()
    };
    let touched_apart = touched(apart);
    assert_eq!((touched_apart.pages, touched_apart.reads), (2, 3));
    assert!(touched_apart.bytes < 3 * touched_one.bytes);

    let nobody = Wanted {
        keys: Some(vec![b"cpu,host=h005x".to_vec()]),
        ..Wanted::default()
    };
    let touched_nobody = touched(nobody);
    assert_eq!((touched_nobody.chunks, touched_nobody.pages), (1, 0));
    let later = Wanted {
        time_min: 500,
        ..Wanted::default()
    };
    assert_eq!(touched(later), Touched::default());
    let all_erased = Wanted {
        erased: vec![Erased {
            victims: Victims::All,
            time_min: i64::MIN,
            time_max: i64::MAX,
        }],
        ..Wanted::default()
    };
    assert_eq!(touched(all_erased).pages, 0);
}
