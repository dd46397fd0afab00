//! What values cost in a block, of the shapes that are asked for most.

use alloc::format;
use alloc::vec::Vec;

use super::twin::Lots;
use super::*;

/// Ten fields of `hosts` hosts, `rows` points each; bytes per value, all included.
fn cost(hosts: u64, rows: u64, mut value: impl FnMut(&mut Lots, &mut i64) -> Owned) -> f64 {
    let mut lots = Lots(1);
    let (mut writer, mut bytes) = (BlockWriter::new(identity(1), WriterConfig::default()), 0);
    let kind = value(&mut lots, &mut 50).field_type();
    let fields: Vec<_> = (0..10)
        .map(|field| writer.field(format!("usage_{field}").as_bytes(), kind))
        .collect();
    for host in 0..hosts {
        writer
            .series(format!("cpu,host=host_{host:05},region=eu-west-1").as_bytes())
            .unwrap();
        let mut walks = [0; 10].map(|_: i64| lots.draw(100) as i64);
        for row in 0..rows {
            let values = walks.each_mut().map(|walk| value(&mut lots, walk));
            let values: Vec<_> = fields
                .iter()
                .copied()
                .zip(values.iter().map(Owned::value))
                .collect();
            writer.row(row as i64 * 10_000_000_000, &values).unwrap();
        }
        while let Some(part) = writer.part() {
            bytes += part.bytes.len();
            writer.advance();
        }
    }
    writer.finish();
    while writer.step() {}
    while let Some(part) = writer.part() {
        bytes += part.bytes.len();
        writer.advance();
    }
    bytes as f64 / (hosts * rows * 10) as f64
}

#[test]
fn values_cost_at_most_this() {
    let walk = |lots: &mut Lots, walk: &mut i64| {
        *walk = (*walk + lots.draw(5) as i64 - 2).clamp(0, 100);
        Owned::Integer(*walk)
    };
    let tenths = |lots: &mut Lots, walk: &mut i64| {
        *walk += lots.draw(5) as i64 - 2;
        Owned::Float((*walk as f64 / 10.0).to_bits())
    };
    let wide =
        |lots: &mut Lots, _: &mut i64| Owned::Integer(100_000_000 + lots.draw(900_000_000) as i64);
    // Walks by five steps have 2.32 bits, nine random digits 29.7.
    for (what, found, bound) in [
        (
            "walks, 10 hosts of 2,000 points",
            cost(10, 2_000, walk),
            0.35,
        ),
        ("walks, 400 hosts of 50 points", cost(400, 50, walk), 0.40),
        ("walks, 3,000 hosts of 3 points", cost(3_000, 3, walk), 0.95),
        (
            "tenths, 10 hosts of 2,000 points",
            cost(10, 2_000, tenths),
            0.35,
        ),
        (
            "nine digits, 10 hosts of 2,000 points",
            cost(10, 2_000, wide),
            3.80,
        ),
    ] {
        std::println!("{what}: {found:.3} bytes a value");
        assert!(found < bound, "{what}: {found:.3}");
    }
}
