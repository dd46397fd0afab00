//! One measurement in one shard: how its rows give the values that a SELECT asks for.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::columns::{Ref, Refs};
use crate::cache::Row;
use crate::ids::{LayoutId, ShardId};
use crate::index::{FieldSlot, Index, Measurement};
use crate::influxql::DataType;
use crate::model::{FieldType, Value, row};

/// Where the value of a place comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// A field, turned into this type.
    Field(FieldSlot, FieldType),
    /// The tag of the place's name.
    Tag,
    /// Nothing in this shard.
    Nothing,
}

/// A measurement in a shard.
#[derive(Debug)]
pub(super) struct Part {
    /// A newer shard has a higher one.
    pub(super) shard: ShardId,
    /// Shards of a measurement whose times overlap are in one span.
    pub(super) span: usize,
    origins: Vec<Origin>,
    selected: usize,
    decoders: BTreeMap<LayoutId, Decoder>,
}

/// What to take of rows of one layout.
#[derive(Debug, Default)]
struct Decoder {
    /// Position in the row, place, type to turn it into; in order of positions.
    takes: Vec<(usize, usize, FieldType)>,
    /// Whether a selected field is among them.
    has_selected: bool,
}

impl Part {
    pub(super) fn new(
        (shard, span): (ShardId, usize),
        measurement: &Measurement,
        refs: &Refs,
    ) -> Self {
        let origins = refs
            .list
            .iter()
            .map(|wanted| origin(measurement, wanted))
            .collect();
        Self {
            shard,
            span,
            origins,
            selected: refs.selected,
            decoders: BTreeMap::new(),
        }
    }

    /// Makes rows of a layout readable. Whether they have a selected field.
    pub(super) fn prepare(&mut self, index: &Index, layout: LayoutId) -> bool {
        if let Some(known) = self.decoders.get(&layout) {
            return known.has_selected;
        }
        let mut decoder = Decoder::default();
        let slots = index
            .layouts()
            .get(layout)
            .map_or(&[][..], |layout| &layout.slots);
        for (position, slot) in slots.iter().enumerate() {
            for (place, origin) in self.origins.iter().enumerate() {
                if let Origin::Field(field, wanted) = origin
                    && field == slot
                {
                    decoder.takes.push((position, place, *wanted));
                    decoder.has_selected |= place < self.selected;
                }
            }
        }
        let has_selected = decoder.has_selected;
        self.decoders.insert(layout, decoder);
        has_selected
    }

    /// A row without values, but with the tags, given as place and value.
    pub(super) fn blank<'a>(&self, tags: &'a [(usize, Vec<u8>)]) -> Vec<Option<Value<'a>>> {
        let mut values = vec![None; self.origins.len()];
        for (place, tag) in tags {
            if let Some(value) = values.get_mut(*place) {
                *value = Some(Value::String(tag));
            }
        }
        values
    }

    /// Puts the values of a row whose layout is prepared into their places.
    pub(super) fn overlay<'a>(
        &self,
        index: &Index,
        row: &Row<'a>,
        values: &mut [Option<Value<'a>>],
    ) {
        let layout = index.layouts().get(row.layout);
        let Some((layout, decoder)) = layout.zip(self.decoders.get(&row.layout)) else {
            return;
        };
        let mut reader = row::Reader::new(row.values, row.class, layout.integers);
        let mut takes = decoder.takes.iter().peekable();
        for (position, &field_type) in layout.types.iter().enumerate() {
            if takes.peek().is_none() {
                return;
            }
            let Some(value) = reader.next(field_type) else {
                return;
            };
            while let Some((_, place, wanted)) = takes.next_if(|take| take.0 == position) {
                if let Some(slot) = values.get_mut(*place) {
                    *slot = Some(cast(value, *wanted));
                }
            }
        }
    }

    /// The tags that rows are asked for, by place.
    pub(super) fn tag_places(&self) -> impl Iterator<Item = usize> {
        let is_tag = |(_, origin): &(usize, &Origin)| **origin == Origin::Tag;
        self.origins
            .iter()
            .enumerate()
            .filter(is_tag)
            .map(|(place, _)| place)
    }
}

/// Source: influxdb 1.12 `tsm1.Engine.buildCursor`.
fn origin(measurement: &Measurement, wanted: &Ref) -> Origin {
    let Some(data_type) = wanted.data_type else {
        return Origin::Tag;
    };
    if data_type == DataType::Tag {
        return Origin::Tag;
    }
    let slot = measurement.slot(&wanted.name);
    let Some((slot, field)) = slot.and_then(|slot| Some((slot, measurement.field(slot)?))) else {
        return Origin::Nothing;
    };
    let is = field.field_type;
    let is_number = matches!(
        is,
        FieldType::Float | FieldType::Integer | FieldType::Unsigned
    );
    match data_type {
        DataType::AnyField => Origin::Field(slot, is),
        DataType::Float if is_number => Origin::Field(slot, FieldType::Float),
        DataType::Integer if is_number => Origin::Field(slot, FieldType::Integer),
        DataType::Unsigned if is_number => Origin::Field(slot, FieldType::Unsigned),
        DataType::String if is == FieldType::String => Origin::Field(slot, is),
        DataType::Boolean if is == FieldType::Boolean => Origin::Field(slot, is),
        _ => Origin::Nothing,
    }
}

/// A number of another type. Floats are cut off and kept within the range of whole numbers,
/// where upstream leaves it to the processor.
const fn cast(value: Value<'_>, wanted: FieldType) -> Value<'_> {
    match (value, wanted) {
        (Value::Integer(v), FieldType::Float) => Value::Float(v as f64),
        (Value::Unsigned(v), FieldType::Float) => Value::Float(v as f64),
        (Value::Float(v), FieldType::Integer) => Value::Integer(v as i64),
        (Value::Unsigned(v), FieldType::Integer) => Value::Integer(v.cast_signed()),
        (Value::Float(v), FieldType::Unsigned) => Value::Unsigned(v as u64),
        (Value::Integer(v), FieldType::Unsigned) => Value::Unsigned(v.cast_unsigned()),
        (same, _) => same,
    }
}
