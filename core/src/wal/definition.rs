//! The payload of a definitions frame: what the rows of this segment refer to.
//!
//! ```text
//! payload    entry ...
//! entry      tag u8 | body
//! 1 catalog  varint length | a change, in the form of `meta`
//! 2 series   varint shard | varint series | varint length | series key
//! 3 layout   varint shard | varint layout | varint length | measurement (unescaped)
//!            | varint fields | (type u8 | varint length | name (unescaped)) ...
//! ```
//!
//! Entries are idempotent: frames of them are written twice. Source: ours.

use alloc::vec::Vec;

use crate::ids::{LayoutId, SeriesId, ShardId};
use crate::model::{FieldType, varint};

/// An entry, borrowing its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition<'a> {
    /// A change to the catalog.
    Catalog(&'a [u8]),
    /// A series and its number in this segment.
    Series {
        /// Its shard.
        shard: ShardId,
        /// Its number.
        series: SeriesId,
        /// Its canonical key.
        key: &'a [u8],
    },
    /// A layout and its number in this segment.
    Layout {
        /// Its shard.
        shard: ShardId,
        /// Its number.
        layout: LayoutId,
        /// The measurement, unescaped.
        measurement: &'a [u8],
        /// Fields in row order: name, unescaped, and type.
        fields: Vec<(&'a [u8], FieldType)>,
    },
}

/// Appends a change to the catalog.
pub fn put_catalog(out: &mut Vec<u8>, change: &[u8]) {
    out.push(1);
    varint::put_bytes(out, change);
}

/// Appends a series.
pub fn put_series(out: &mut Vec<u8>, shard: ShardId, series: SeriesId, key: &[u8]) {
    out.push(2);
    varint::put(out, shard.0);
    varint::put(out, u64::from(series.0));
    varint::put_bytes(out, key);
}

/// Appends a layout.
pub fn put_layout<'a>(
    out: &mut Vec<u8>,
    shard: ShardId,
    layout: LayoutId,
    measurement: &[u8],
    fields: impl ExactSizeIterator<Item = (&'a [u8], FieldType)>,
) {
    out.push(3);
    varint::put(out, shard.0);
    varint::put(out, u64::from(layout.0));
    varint::put_bytes(out, measurement);
    varint::put(out, fields.len() as u64);
    for (name, field_type) in fields {
        out.push(field_type.code());
        varint::put_bytes(out, name);
    }
}

/// Walks the entries of a payload; `None` after the last, or where it is malformed.
pub fn entries(payload: &[u8]) -> impl Iterator<Item = Definition<'_>> {
    let mut at = 0;
    core::iter::from_fn(move || entry(payload, &mut at))
}

fn entry<'a>(bytes: &'a [u8], at: &mut usize) -> Option<Definition<'a>> {
    let tag = *bytes.get(*at)?;
    *at += 1;
    Some(match tag {
        1 => Definition::Catalog(varint::get_bytes(bytes, at)?),
        2 => Definition::Series {
            shard: ShardId(varint::get(bytes, at)?),
            series: SeriesId(small(bytes, at)?),
            key: varint::get_bytes(bytes, at)?,
        },
        3 => {
            let (shard, layout) = (
                ShardId(varint::get(bytes, at)?),
                LayoutId(small(bytes, at)?),
            );
            let measurement = varint::get_bytes(bytes, at)?;
            let mut fields = Vec::new();
            for _ in 0..varint::get(bytes, at)? {
                let field_type = FieldType::from_code(*bytes.get(*at)?)?;
                *at += 1;
                fields.push((varint::get_bytes(bytes, at)?, field_type));
            }
            Definition::Layout {
                shard,
                layout,
                measurement,
                fields,
            }
        }
        _ => return None,
    })
}

fn small(bytes: &[u8], at: &mut usize) -> Option<u32> {
    u32::try_from(varint::get(bytes, at)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_and_a_cut_loses_only_the_last() {
        let fields = [(&b"v"[..], FieldType::Float), (b"", FieldType::String)];
        let mut out = Vec::new();
        put_catalog(&mut out, b"change");
        put_series(&mut out, ShardId(3), SeriesId(u32::MAX), b"cpu,host=a");
        put_layout(
            &mut out,
            ShardId(3),
            LayoutId(0),
            b"cpu",
            fields.iter().copied(),
        );
        let expected = [
            Definition::Catalog(b"change"),
            Definition::Series {
                shard: ShardId(3),
                series: SeriesId(u32::MAX),
                key: b"cpu,host=a",
            },
            Definition::Layout {
                shard: ShardId(3),
                layout: LayoutId(0),
                measurement: b"cpu",
                fields: fields.to_vec(),
            },
        ];
        assert_eq!(entries(&out).collect::<Vec<_>>(), expected);
        for cut in 0..out.len() {
            assert!(expected.starts_with(&entries(&out[..cut]).collect::<Vec<_>>()));
        }
    }
}
