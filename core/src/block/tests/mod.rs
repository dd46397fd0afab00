//! Blocks in memory, and what they are held against.

mod bench;
mod damaged;
mod format;
mod merged;
mod ranges;
mod twin;
mod written;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::*;
use crate::ids::ShardId;
use crate::model::{FieldType, Value};

pub(super) const NODE: u128 = 0x0123_4567_89ab_cdef_0011_2233_4455_6677;

pub(super) fn identity(generation: u64) -> Identity {
    Identity {
        node_id: NODE,
        shard: ShardId(7),
        generation,
        salt: 0x0a0b_0c0d ^ generation as u32,
    }
}

/// A value that owns its bytes and is compared bit by bit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owned {
    Float(u64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    String(Vec<u8>),
}

impl Owned {
    pub(super) fn of(value: Value<'_>) -> Self {
        match value {
            Value::Float(value) => Self::Float(value.to_bits()),
            Value::Integer(value) => Self::Integer(value),
            Value::Unsigned(value) => Self::Unsigned(value),
            Value::Boolean(value) => Self::Boolean(value),
            Value::String(value) => Self::String(value.to_vec()),
        }
    }

    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Float(bits) => Value::Float(f64::from_bits(*bits)),
            Self::Integer(value) => Value::Integer(*value),
            Self::Unsigned(value) => Value::Unsigned(*value),
            Self::Boolean(value) => Value::Boolean(*value),
            Self::String(value) => Value::String(value),
        }
    }

    pub(super) fn field_type(&self) -> FieldType {
        self.value().field_type()
    }
}

/// What a block holds, told the naive way: by series, time and field.
pub(super) type Twin = BTreeMap<(Vec<u8>, i64, Vec<u8>), Owned>;

/// Small chunks, so that few points make many.
pub(super) const SMALL: WriterConfig = WriterConfig {
    rows_max: 40,
    chunk_bytes_max: 8 << 10,
    part_bytes_max: 512,
};

/// Appends the parts that are ready; the header comes last, in front of the others.
fn take_parts(writer: &mut BlockWriter, out: &mut Vec<u8>) {
    while let Some(part) = writer.part() {
        put(part, out);
        writer.advance();
    }
}

pub(super) fn put(part: Part<'_>, out: &mut Vec<u8>) {
    let start = part.offset as usize;
    assert_eq!(part.is_last, start == 0);
    if start == 0 {
        out[..part.bytes.len()].copy_from_slice(part.bytes);
        return;
    }
    assert_eq!(
        start,
        out.len().max(HEADER_BYTES),
        "parts follow each other"
    );
    out.resize(start, 0);
    out.extend_from_slice(part.bytes);
}

/// A writer that was fed all of a twin.
pub(super) fn fed(
    twin: &Twin,
    identity: Identity,
    config: WriterConfig,
    out: &mut Vec<u8>,
) -> BlockWriter {
    let mut writer = BlockWriter::new(identity, config);
    let mut entries = twin.iter().peekable();
    let mut series: Option<&[u8]> = None;
    while let Some(((key, time, _), _)) = entries.peek().copied() {
        if series != Some(key) {
            series = Some(key);
            writer.series(key).unwrap();
        }
        let mut row = Vec::new();
        while let Some(((_, _, field), value)) =
            entries.next_if(|((k, t, _), _)| (k, t) == (key, time))
        {
            row.push((writer.field(field, value.field_type()), value.value()));
        }
        writer.row(*time, &row).unwrap();
        take_parts(&mut writer, out);
    }
    writer
}

/// The bytes of a block of a twin.
pub(super) fn block_of(twin: &Twin, identity: Identity, config: WriterConfig) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = fed(twin, identity, config, &mut out);
    writer.finish();
    while writer.step() {
        take_parts(&mut writer, &mut out);
    }
    take_parts(&mut writer, &mut out);
    assert!(writer.is_done());
    assert_eq!(writer.bytes(), out.len() as u64);
    out
}

/// The bytes that are there of a range.
pub(super) fn read(bytes: &[u8], need: Need) -> &[u8] {
    assert!((1..=READ_BYTES_MAX).contains(&need.length));
    let start = (need.offset as usize).min(bytes.len());
    &bytes[start..(start + need.length).min(bytes.len())]
}

pub(super) fn open(bytes: &[u8], generation: u64) -> Result<Block, OpenError> {
    let mut opening = Opening::new(NODE, ShardId(7), generation, bytes.len() as u64);
    while let Some(need) = opening.need() {
        opening.supply(read(bytes, need));
    }
    opening.finish()
}

/// All that a scan gives, and the scan.
pub(super) fn scan(bytes: &[u8], block: &Block, wanted: Wanted) -> (Twin, Scan) {
    let (mut scan, mut twin) = (Scan::new(wanted), Twin::new());
    loop {
        match scan.step(block) {
            Step::Read(need) => scan.supply(read(bytes, need)),
            Step::More => {}
            Step::Rows => {
                let rows = scan.rows().unwrap();
                assert!(rows.times().is_sorted_by(|a, b| a < b));
                for column in rows.columns() {
                    for (time, value) in rows.values(column) {
                        let place = (rows.key().to_vec(), time, column.name.clone());
                        let before = twin.insert(place, Owned::of(value));
                        assert_eq!(before, None, "twice");
                    }
                }
            }
            Step::End => return (twin, scan),
        }
    }
}

/// All that a block holds.
pub(super) fn all(bytes: &[u8], generation: u64) -> (Twin, Vec<Damage>) {
    let block = open(bytes, generation).unwrap();
    let (twin, scan) = scan(bytes, &block, Wanted::default());
    let damage = block.damage().iter().chain(scan.damage());
    (twin, damage.cloned().collect())
}
