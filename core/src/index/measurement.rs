//! One measurement: its fields and its tags.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::ids::SeriesId;
use crate::model::FieldType;

/// A measurement within its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MeasurementId(pub u32);

/// A field within its measurement, dense from 0 in order of first arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldSlot(pub u32);

/// A field: its name, unescaped, and the type the first write gave it.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name.
    pub name: Vec<u8>,
    /// The type.
    pub field_type: FieldType,
}

/// Charged to the budget for a measurement, beside its name.
pub(super) const MEASUREMENT_BYTES: u64 = 128;

/// Charged to the budget for a field, beside its name.
pub(super) const FIELD_BYTES: u64 = 48;

type Values = BTreeMap<Vec<u8>, Vec<SeriesId>>;

/// Fields, series and postings of one measurement.
#[derive(Clone, Debug)]
pub struct Measurement {
    name: Vec<u8>,
    fields: Vec<Field>,
    slots: BTreeMap<Vec<u8>, FieldSlot>,
    tags: BTreeMap<Vec<u8>, Values>,
    series: Vec<SeriesId>,
}

impl Measurement {
    pub(super) fn new(name: &[u8]) -> Self {
        Self {
            name: name.to_vec(),
            fields: Vec::new(),
            slots: BTreeMap::new(),
            tags: BTreeMap::new(),
            series: Vec::new(),
        }
    }

    /// The name, unescaped.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The field at a slot.
    pub fn field(&self, slot: FieldSlot) -> Option<&Field> {
        self.fields.get(slot.0 as usize)
    }

    /// How many fields there are.
    pub const fn field_count(&self) -> usize {
        self.fields.len()
    }

    /// The slot of a field.
    pub fn slot(&self, name: &[u8]) -> Option<FieldSlot> {
        self.slots.get(name).copied()
    }

    /// Fields in order of their names.
    pub fn fields(&self) -> impl Iterator<Item = (FieldSlot, &Field)> {
        self.slots
            .values()
            .filter_map(|&slot| self.field(slot).map(|field| (slot, field)))
    }

    /// Series in order of their ids.
    pub fn series(&self) -> &[SeriesId] {
        &self.series
    }

    /// Tag keys in order.
    pub fn tag_keys(&self) -> impl Iterator<Item = &[u8]> {
        self.tags.keys().map(Vec::as_slice)
    }

    /// Values of a tag key in order, each with its series in order of their ids.
    pub fn tag_values(&self, key: &[u8]) -> impl Iterator<Item = (&[u8], &[SeriesId])> {
        let values = self.tags.get(key).into_iter().flatten();
        values.map(|(value, series)| (value.as_slice(), series.as_slice()))
    }

    /// Series with `key=value`, in order of their ids.
    pub fn postings(&self, key: &[u8], value: &[u8]) -> &[SeriesId] {
        let values = self.tags.get(key).and_then(|values| values.get(value));
        values.map_or(&[], Vec::as_slice)
    }

    /// Whether a series of this measurement has the tag key.
    pub fn has_tag_key(&self, key: &[u8]) -> bool {
        self.tags.contains_key(key)
    }

    pub(super) fn add_field(&mut self, name: &[u8], field_type: FieldType) -> FieldSlot {
        let slot = FieldSlot(self.fields.len() as u32);
        self.fields.push(Field {
            name: name.to_vec(),
            field_type,
        });
        self.slots.insert(name.to_vec(), slot);
        slot
    }

    pub(super) fn add_series(&mut self, id: SeriesId) {
        self.series.push(id);
    }

    /// Adds a posting; the bytes that this costs the budget.
    pub(super) fn add_tag(&mut self, key: &[u8], value: &[u8], id: SeriesId) -> u64 {
        let mut cost = 4;
        if !self.tags.contains_key(key) {
            self.tags.insert(key.to_vec(), BTreeMap::new());
            cost += key.len() as u64 + 64;
        }
        let Some(values) = self.tags.get_mut(key) else {
            return cost;
        };
        if let Some(series) = values.get_mut(value) {
            series.push(id);
        } else {
            values.insert(value.to_vec(), Vec::from([id]));
            cost += value.len() as u64 + 64;
        }
        cost
    }
}
