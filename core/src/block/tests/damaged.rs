//! Damage: never wrong data, never more lost than what was hit, nothing lost in silence.

use alloc::vec::Vec;

use super::twin::{Lots, points};
use super::*;

/// So small that every bit can be flipped.
const TINY: WriterConfig = WriterConfig {
    rows_max: 15,
    ..SMALL
};

/// Whether the damage covers a place.
fn covers(damage: &Damage, (key, time, field): &(Vec<u8>, i64, Vec<u8>)) -> bool {
    let series = damage.series.as_ref();
    let times = damage.times;
    let is_field = match &damage.part {
        DamagedPart::Page { field: other } => other == field,
        DamagedPart::Chunk => true,
        DamagedPart::Header | DamagedPart::Index => false,
    };
    is_field
        && series.is_none_or(|(first, last)| (first..=last).contains(&key))
        && times.is_none_or(|(first, last)| (first..=last).contains(time))
}

/// Holds what was found and reported against what was written; tells how many values were lost.
fn check(written: &Twin, found: &Twin, damage: &[Damage], what: &str) -> usize {
    for (place, value) in found {
        assert_eq!(written.get(place), Some(value), "{what}: wrong");
    }
    let lost: Vec<_> = written
        .keys()
        .filter(|place| !found.contains_key(*place))
        .collect();
    for place in &lost {
        assert!(
            damage.iter().any(|damage| covers(damage, place)),
            "{what}: lost in silence"
        );
    }
    let told: Option<u64> = damage.iter().map(|damage| damage.values).sum();
    if let Some(told) = told {
        assert_eq!(told, lost.len() as u64, "{what}: {damage:?}");
    }
    lost.len()
}

#[test]
fn no_flipped_bit_gives_wrong_data_or_loses_more_than_what_it_hit() {
    let twin = points(11, 5, 20);
    let mut bytes = block_of(&twin, identity(1), TINY);
    assert_eq!(check(&twin, &all(&bytes, 1).0, &[], "clean"), 0);
    let chunks = open(&bytes, 1).unwrap().chunk_count();
    assert!(
        chunks >= 3 && bytes.len() < 12_000,
        "{chunks} chunks, {} bytes",
        bytes.len()
    );
    let (mut lossless, mut most) = (0, 0);
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let (found, damage) = all(&bytes, 1);
        let what = alloc::format!("byte {} bit {}", bit / 8, bit % 8);
        let lost = check(&twin, &found, &damage, &what);
        assert!(damage.len() <= 1, "{what}: {damage:?}");
        let is_margin = bit / 8 < HEADER_BYTES || bit / 8 >= bytes.len() - HEADER_BYTES;
        assert!(!is_margin || lost == 0, "{what}");
        lossless += usize::from(lost == 0);
        most = most.max(lost);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    // Headers, index, padding; and a chunk has 15 rows of 7 fields.
    assert!(
        lossless > HEADER_BYTES * 16 && lossless < bytes.len() * 4,
        "{lossless}"
    );
    assert!((16..=105).contains(&most), "{most}");
}

#[test]
fn with_index_and_a_header_gone_a_flip_still_costs_only_what_it_hit() {
    let twin = points(11, 5, 20);
    let clean = block_of(&twin, identity(1), TINY);
    let chunks = open(&clean, 1).unwrap();
    let end = chunks.index.entries().last().unwrap();
    let end = (end.offset + u64::from(end.bytes)) as usize;
    let mut bytes = clean;
    for at in [end, 3] {
        bytes[at] ^= 0xff;
        let (found, damage) = all(&bytes, 1);
        assert_eq!(check(&twin, &found, &damage, "rebuilt"), 0);
    }
    assert_eq!(open(&bytes, 1).unwrap().totals(), chunks.totals());
    for bit in (HEADER_BYTES * 8..end * 8).step_by(3) {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let (found, damage) = all(&bytes, 1);
        let what = alloc::format!("byte {} bit {}", bit / 8, bit % 8);
        assert!(check(&twin, &found, &damage, &what) <= 105, "{what}");
        assert!(damage.len() <= 3, "{what}: {damage:?}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    // Without any header the chunks are still there.
    let length = bytes.len();
    bytes[length - HEADER_BYTES + 9] ^= 1;
    let (found, _) = all(&bytes, 1);
    assert!(found == twin);
}

#[test]
fn a_truncated_block_loses_what_was_cut_off_and_says_so() {
    let twin = points(12, 9, 30);
    let bytes = block_of(&twin, identity(1), SMALL);
    let mut seen = 0;
    for length in 0..bytes.len() {
        let cut = &bytes[..length];
        let Ok(block) = open(cut, 1) else {
            assert!(length < HEADER_BYTES, "{length}");
            continue;
        };
        let (found, scan) = scan(cut, &block, Wanted::default());
        let damage: Vec<_> = block
            .damage()
            .iter()
            .chain(scan.damage())
            .cloned()
            .collect();
        let lost = check(&twin, &found, &damage, &alloc::format!("cut at {length}"));
        assert!(twin.len() - lost >= seen, "{length}");
        seen = twin.len() - lost;
    }
    assert_eq!(seen, twin.len());
}

#[test]
fn no_garbage_stops_a_reader_or_gets_through() {
    let twin = points(13, 20, 60);
    let clean = block_of(&twin, identity(1), SMALL);
    let other = block_of(&points(14, 20, 60), identity(2), SMALL);
    let mut lots = Lots(3);
    for round in 0..1_500 {
        let mut bytes = clean.clone();
        for _ in 0..=lots.draw(6) {
            let at = lots.draw(bytes.len() as u64 + 1) as usize;
            let end = (at + 1 + lots.draw(900) as usize).min(bytes.len());
            match lots.draw(6) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes.resize(end + lots.draw(9_000) as usize, 0),
                2 => bytes[at..end].fill(0),
                3 => bytes[at..end].fill_with(|| lots.draw(256) as u8),
                4 => bytes[at..end].rotate_left((end - at) / 2),
                // Of another block, at its own place.
                _ => {
                    let end = end.min(other.len()).max(at.min(other.len()));
                    let part = &other[at.min(other.len())..end];
                    bytes[at..at + part.len()].copy_from_slice(part);
                }
            }
        }
        let Ok(block) = open(&bytes, 1) else { continue };
        let (found, scan) = scan(&bytes, &block, Wanted::default());
        for (place, value) in &found {
            assert_eq!(twin.get(place), Some(value), "round {round}: wrong");
        }
        let damage = block.damage().len() + scan.damage().len();
        assert!(
            damage > 0 || found == twin,
            "round {round}: lost in silence"
        );
    }
}

#[test]
fn chunks_that_changed_places_are_told_and_not_read() {
    let mut twin = Twin::new();
    for place in 0..60i64 {
        let key = alloc::format!("m,a={}", place / 15).into_bytes();
        twin.insert((key, place % 15, b"f".to_vec()), Owned::Integer(place / 15));
    }
    let mut bytes = block_of(&twin, identity(1), TINY);
    let block = open(&bytes, 1).unwrap();
    let [first, second] = [1, 2].map(|at| block.index.entries()[at]);
    assert_eq!(first.bytes, second.bytes);
    let (left, right) = bytes.split_at_mut(second.offset as usize);
    let length = first.bytes as usize;
    left[first.offset as usize..][..length].swap_with_slice(&mut right[..length]);
    let (found, damage) = all(&bytes, 1);
    assert_eq!(check(&twin, &found, &damage, "swapped"), 30);
    assert_eq!(damage.len(), 2);
}

#[test]
fn another_block_and_a_newer_version_are_refused() {
    let bytes = block_of(&points(1, 3, 9), identity(1), SMALL);
    let Err(OpenError::Foreign(identity)) = open(&bytes, 2) else {
        panic!("opened");
    };
    assert_eq!(identity.generation, 1);
    let mut newer = bytes;
    newer[8] = 2;
    let crc = crate::hash::checksum::crc32c(0, &newer[..HEADER_BYTES - 4]);
    newer[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(open(&newer, 1).err(), Some(OpenError::Newer(2)));
}

#[test]
fn pages_whose_checksum_were_right_stop_nobody_either() {
    let lots = &mut Lots(8);
    for field_type in (1..=5).filter_map(FieldType::from_code) {
        for count in [0usize, 1, 30, 300] {
            let mut values = Values::new(field_type);
            for _ in 0..count {
                let text = [lots.draw(4) as u8 + b'a'];
                values.push(match field_type {
                    FieldType::Float => Value::Float(lots.draw(99) as f64 / 7.0),
                    FieldType::Integer => Value::Integer(lots.draw(1 << 20) as i64),
                    FieldType::Unsigned => Value::Unsigned(lots.bits()),
                    FieldType::Boolean => Value::Boolean(lots.draw(2) == 0),
                    FieldType::String => Value::String(&text),
                });
            }
            let rows: Vec<u32> = (0..count as u32).map(|row| row * 2).collect();
            let mut page = Vec::new();
            column::encode_page(&rows, &values, 2 * count + 1, &mut page);
            let decode =
                |page: &[u8], values| column::decode_page(page, field_type, values, 2 * count + 1);
            assert_eq!(decode(&page, count), Some((Some(rows), values)));
            for bit in 0..page.len() * 8 {
                page[bit / 8] ^= 1 << (bit % 8);
                let decoded = decode(&page, count);
                assert!(decoded.is_none_or(|(_, values)| values.len() == count));
                page[bit / 8] ^= 1 << (bit % 8);
            }
            for _ in 0..300 {
                let garbage: Vec<u8> = (0..lots.draw(60)).map(|_| lots.draw(256) as u8).collect();
                let _ = decode(&garbage, lots.draw(2 * count as u64 + 1) as usize);
                let _ = decode(&page[..lots.draw(page.len() as u64) as usize], count);
            }
        }
    }
}
