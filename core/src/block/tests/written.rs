//! What is written is read, and only what may be written is.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::twin::points;
use super::*;

#[test]
fn what_is_written_is_read_whatever_the_size_of_chunks() {
    for seed in 0..60 {
        let twin = points(seed, 1 + seed % 30, [1, 3, 20, 300][seed as usize % 4]);
        let config = WriterConfig {
            rows_max: [1, 7, 40, 100_000][seed as usize / 4 % 4],
            chunk_bytes_max: [100, 5_000, 1 << 20][seed as usize % 3],
            part_bytes_max: [1, 700, 1 << 20][seed as usize / 3 % 3],
        };
        let bytes = block_of(&twin, identity(seed), config);
        let block = open(&bytes, seed).unwrap();
        assert_eq!(block.damage(), []);
        let (found, scan) = scan(&bytes, &block, Wanted::default());
        assert!(found == twin, "seed {seed}");
        assert_eq!(scan.damage(), []);
        check_totals(&block, &twin);
    }
}

fn check_totals(block: &Block, twin: &Twin) {
    let mut points: Vec<_> = twin.keys().map(|(key, time, _)| (key, time)).collect();
    points.dedup();
    let mut series: Vec<_> = points.iter().map(|(key, _)| key).collect();
    series.dedup();
    let times = || twin.keys().map(|(_, time, _)| *time);
    let totals = Totals {
        series: series.len() as u64,
        points: points.len() as u64,
        values: twin.len() as u64,
        time_min: times().min().unwrap_or(i64::MAX),
        time_max: times().max().unwrap_or(i64::MIN),
    };
    assert_eq!(block.totals(), totals);
}

#[test]
fn the_same_points_give_the_same_bytes_however_the_work_is_cut() {
    let twin = points(5, 30, 100);
    let once = block_of(&twin, identity(1), SMALL);
    assert!(once == block_of(&twin, identity(1), SMALL));
    let parts = WriterConfig {
        part_bytes_max: 1 << 20,
        ..SMALL
    };
    assert!(once == block_of(&twin, identity(1), parts));
    // Fields get numbers in another order.
    let mut writer = BlockWriter::new(identity(1), SMALL);
    for field in (0..7).rev() {
        for field_type in [FieldType::String, FieldType::Float, FieldType::Integer] {
            writer.field(format!("f{field}").as_bytes(), field_type);
        }
    }
    let (mut entries, mut out, mut last) = (twin.iter().peekable(), Vec::new(), None);
    while let Some(((key, time, _), _)) = entries.peek().copied() {
        if last != Some(key) {
            writer.series(key).unwrap();
            last = Some(key);
        }
        let mut row = Vec::new();
        while let Some(((_, _, field), value)) =
            entries.next_if(|(p, _)| (&p.0, &p.1) == (key, time))
        {
            row.push((writer.field(field, value.field_type()), value.value()));
        }
        writer.row(*time, &row).unwrap();
        while writer.is_full() && writer.step() {}
    }
    writer.finish();
    while writer.step() {}
    take_parts(&mut writer, &mut out);
    assert!(once == out);
}

#[test]
fn a_block_of_nothing_is_a_block() {
    let bytes = block_of(&Twin::new(), identity(1), SMALL);
    assert_eq!(all(&bytes, 1), (Twin::new(), vec![]));
    assert!(bytes.len() < 300);
}

#[test]
fn what_has_no_place_in_a_block_is_refused_and_leaves_no_trace() {
    let mut writer = BlockWriter::new(identity(1), SMALL);
    let a = writer.field(b"a", FieldType::Integer);
    let b = writer.field(b"b", FieldType::Float);
    let foreign = FieldRef(9);
    let one = Value::Integer(1);
    assert_eq!(writer.row(1, &[(a, one)]), Err(FeedError::NoSeries));
    assert_eq!(
        writer.series(&vec![b'k'; 65_536]),
        Err(FeedError::KeyTooLong)
    );
    writer.series(b"m").unwrap();
    writer.row(5, &[(a, one)]).unwrap();
    assert_eq!(writer.row(5, &[(a, one)]), Err(FeedError::RowOrder));
    assert_eq!(writer.row(4, &[(a, one)]), Err(FeedError::RowOrder));
    assert_eq!(
        writer.row(6, &[(a, one), (a, one)]),
        Err(FeedError::FieldTwice)
    );
    assert_eq!(
        writer.row(6, &[(a, one), (b, one)]),
        Err(FeedError::WrongField)
    );
    assert_eq!(
        writer.row(6, &[(a, one), (foreign, one)]),
        Err(FeedError::WrongField)
    );
    writer.row(6, &[]).unwrap();
    writer.row(6, &[(b, Value::Float(2.5)), (a, one)]).unwrap();
    assert_eq!(writer.series(b"m"), Err(FeedError::SeriesOrder));
    assert_eq!(writer.series(b"a"), Err(FeedError::SeriesOrder));
    writer.series(b"n").unwrap();
    writer.finish();
    assert_eq!(writer.series(b"o"), Err(FeedError::Finished));
    assert_eq!(writer.row(7, &[(a, one)]), Err(FeedError::Finished));
    while writer.step() {}
    let mut out = Vec::new();
    take_parts(&mut writer, &mut out);
    let place = |time, field: &[u8]| (b"m".to_vec(), time, field.to_vec());
    let twin = Twin::from([
        (place(5, b"a"), Owned::Integer(1)),
        (place(6, b"a"), Owned::Integer(1)),
        (place(6, b"b"), Owned::Float(2.5f64.to_bits())),
    ]);
    assert_eq!(all(&out, 1), (twin, vec![]));
}

#[test]
fn large_values_and_many_fields_fit_and_parts_stay_small() {
    let mut twin = Twin::new();
    for number in 0..3u8 {
        let place = (vec![b'k'; 65_535 - usize::from(number)], 1, b"big".to_vec());
        twin.insert(place, Owned::String(vec![number; 1 << 20]));
    }
    for field in 0..5_000u32 {
        let place = (
            b"wide".to_vec(),
            i64::from(field % 3),
            format!("f{field}").into_bytes(),
        );
        twin.insert(place, Owned::Unsigned(u64::from(field)));
    }
    let bytes = block_of(&twin, identity(1), WriterConfig::default());
    let (found, damage) = all(&bytes, 1);
    assert!(found == twin);
    assert_eq!(damage, []);
}
