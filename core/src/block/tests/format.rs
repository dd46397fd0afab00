//! Golden bytes: what these say is what other versions read.

use alloc::format;
use alloc::vec;

use super::*;
use crate::hash::checksum::crc32c;

/// Changes only with the format version.
const GOLDEN: &[u8] = include_bytes!("fixtures/block-1.bin");

/// Every type, every kind of page, and a series that goes on in another chunk.
fn sample() -> Twin {
    let mut twin = Twin::new();
    let mut put = |key: &str, time: i64, field: &str, value: Owned| {
        twin.insert((key.into(), time, field.into()), value);
    };
    for row in 0..100i64 {
        let time = 1_767_225_600_000_000_000 + row * 10_000_000_000;
        let key = format!("cpu,host=h{}", row % 3);
        put(&key, time, "integer", Owned::Integer(row * row % 17 - 5));
        put(
            &key,
            time,
            "float",
            Owned::Float((row as f64 / 4.0).to_bits()),
        );
        put(
            &key,
            time,
            "bits",
            Owned::Float((1.0 / (row - 7) as f64).to_bits()),
        );
        if row % 4 > 0 {
            put(
                &key,
                time,
                "unsigned",
                Owned::Unsigned(u64::MAX >> (row % 64)),
            );
        }
        put("log", row, "boolean", Owned::Boolean(row % 5 == 0));
        put(
            "log",
            row,
            "few",
            Owned::String(vec![b'a' + (row % 3) as u8; 5]),
        );
        put(
            "log",
            row,
            "many",
            Owned::String(format!("line {row}").into_bytes()),
        );
    }
    put("z", i64::MIN, "bits", Owned::Float(0x7ff0_0000_0000_0001));
    put("z", i64::MAX, "integer", Owned::Integer(i64::MIN));
    twin
}

fn write() -> Vec<u8> {
    block_of(&sample(), identity(5), SMALL)
}

#[test]
fn the_golden_block_is_read() {
    let (found, damage) = all(GOLDEN, 5);
    assert!(found == sample());
    assert_eq!(damage, []);
}

#[test]
fn the_golden_block_is_written() {
    assert!(
        write() == GOLDEN,
        "{} bytes, {} before",
        write().len(),
        GOLDEN.len()
    );
}

#[test]
fn a_header_and_a_prelude_have_these_bytes() {
    let hex = |bytes: &[u8]| -> alloc::string::String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let header = &GOLDEN[..HEADER_BYTES];
    assert_eq!(&header[..8], b"TGBLOCK\0");
    assert_eq!(hex(&header[8..16]), "01000100080c0b0a");
    assert_eq!(hex(&header[16..32]), "7766554433221100efcdab8967452301");
    assert_eq!(header[124..], crc32c(0, &header[..124]).to_le_bytes());
    assert_eq!(header, &GOLDEN[GOLDEN.len() - HEADER_BYTES..]);
    let number = |at: usize| u64::from_le_bytes(GOLDEN[at..at + 8].try_into().unwrap());
    assert_eq!((number(32), number(40)), (7, 5));
    let (index, length) = (number(48) as usize, number(56) as u32 as usize);
    let salt = 0x0a0b_0c08;
    let crc = crc32c(salt, &GOLDEN[index..index + length]);
    assert_eq!(number(56) >> 32, u64::from(crc));
    assert_eq!((number(64), number(72), number(80)), (5, 202, 677));
    assert_eq!((number(88), number(96)), (1 << 63, i64::MAX as u64));
    assert_eq!((number(104), number(112)), (GOLDEN.len() as u64, 6));
    assert_eq!(index + length + HEADER_BYTES, GOLDEN.len());

    let prelude = &GOLDEN[128..224];
    assert_eq!(&prelude[..8], b"TGCHUNK\0");
    assert_eq!(number(136), 128);
    assert_eq!(hex(&prelude[16..20]), "080c0b0a");
    assert_eq!(prelude[92..], crc32c(salt, &prelude[..92]).to_le_bytes());
}
