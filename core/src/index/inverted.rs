//! Measurement, tag key, tag value to series; and series key to series.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use hashbrown::HashTable;

use super::arena::{Arena, Span};
use super::layouts::Layouts;
use super::measurement::{self, FieldSlot, Measurement, MeasurementId};
use crate::hash::TableHasher;
use crate::ids::{LayoutId, SeriesId};
use crate::model::{FieldType, key};

/// Charged to the budget for a series, beside its key and its postings.
const SERIES_BYTES: u64 = 32;

#[derive(Clone, Copy, Debug)]
struct Series {
    key: Span,
    measurement: MeasurementId,
}

/// The inverted index of one shard.
#[derive(Clone, Debug)]
pub struct Index {
    hasher: TableHasher,
    keys: Arena,
    series: Vec<Series>,
    by_key: HashTable<SeriesId>,
    measurements: Vec<Measurement>,
    by_name: BTreeMap<Vec<u8>, MeasurementId>,
    layouts: Layouts,
    bytes: u64,
}

impl Index {
    /// An empty index whose tables hash with `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            hasher: TableHasher::new(seed),
            keys: Arena::default(),
            series: Vec::new(),
            by_key: HashTable::new(),
            measurements: Vec::new(),
            by_name: BTreeMap::new(),
            layouts: Layouts::new(seed),
            bytes: 0,
        }
    }

    /// Logical bytes held: keys, names and postings, with a fixed charge for each entry.
    pub const fn bytes(&self) -> u64 {
        self.bytes + self.layouts.bytes()
    }

    /// How many series there are; ids are dense from 0.
    pub const fn series_count(&self) -> usize {
        self.series.len()
    }

    /// The series with this canonical key.
    pub fn series(&self, key: &[u8]) -> Option<SeriesId> {
        let hash = self.hasher.hash(key);
        self.by_key
            .find(hash, |&id| self.series_key(id) == key)
            .copied()
    }

    /// The canonical key of a series; empty for an id that was never given out.
    pub fn series_key(&self, id: SeriesId) -> &[u8] {
        self.series
            .get(id.0 as usize)
            .map_or(&[], |series| self.keys.get(series.key))
    }

    /// The measurement of a series.
    pub fn series_measurement(&self, id: SeriesId) -> Option<MeasurementId> {
        self.series
            .get(id.0 as usize)
            .map(|series| series.measurement)
    }

    /// Tags of a series, unescaped, in key order.
    pub fn series_tags(
        &self,
        id: SeriesId,
    ) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
        let tags = key::parse(self.series_key(id)).tags();
        tags.map(|(key, value)| (key::unescape_tag(key), key::unescape_tag(value)))
    }

    /// Adds the series with this canonical key, which the caller knows to be new.
    pub fn add_series(&mut self, key: &[u8]) -> SeriesId {
        let id = SeriesId(self.series.len() as u32);
        let parsed = key::parse(key);
        let owner = self.intern_measurement(&key::unescape_measurement(parsed.measurement_raw));
        if let Some(measurement) = self.measurements.get_mut(owner.0 as usize) {
            measurement.add_series(id);
            for (tag_key, value) in parsed.tags() {
                let (tag_key, value) = (key::unescape_tag(tag_key), key::unescape_tag(value));
                self.bytes += measurement.add_tag(&tag_key, &value, id);
            }
        }
        let span = self.keys.push(key);
        self.series.push(Series {
            key: span,
            measurement: owner,
        });
        let (hasher, keys, series) = (&self.hasher, &self.keys, &self.series);
        let hash = |id: &SeriesId| hasher.hash(keys.get(series[id.0 as usize].key));
        self.by_key.insert_unique(hasher.hash(key), id, hash);
        self.bytes += key.len() as u64 + SERIES_BYTES;
        id
    }

    /// Measurements in order of their names.
    pub fn measurements(&self) -> impl Iterator<Item = (MeasurementId, &Measurement)> {
        self.by_name
            .values()
            .filter_map(|&id| self.measurement(id).map(|m| (id, m)))
    }

    /// The measurement with this (unescaped) name.
    pub fn measurement_named(&self, name: &[u8]) -> Option<(MeasurementId, &Measurement)> {
        let &id = self.by_name.get(name)?;
        Some((id, self.measurement(id)?))
    }

    /// The measurement with this id.
    pub fn measurement(&self, id: MeasurementId) -> Option<&Measurement> {
        self.measurements.get(id.0 as usize)
    }

    /// The id of the measurement with this (unescaped) name, made if it is new.
    pub fn intern_measurement(&mut self, name: &[u8]) -> MeasurementId {
        if let Some(&id) = self.by_name.get(name) {
            return id;
        }
        let id = MeasurementId(self.measurements.len() as u32);
        self.measurements.push(Measurement::new(name));
        self.by_name.insert(name.to_vec(), id);
        self.bytes += 2 * name.len() as u64 + measurement::MEASUREMENT_BYTES;
        id
    }

    /// The slot of a field, added with `field_type` if it is new. An existing field keeps its
    /// type: comparing is the caller's business.
    pub fn intern_field(
        &mut self,
        owner: MeasurementId,
        name: &[u8],
        field_type: FieldType,
    ) -> Option<FieldSlot> {
        let measurement = self.measurements.get_mut(owner.0 as usize)?;
        if let Some(slot) = measurement.slot(name) {
            return Some(slot);
        }
        self.bytes += 2 * name.len() as u64 + measurement::FIELD_BYTES;
        Some(measurement.add_field(name, field_type))
    }

    /// Field layouts of this shard's rows.
    pub const fn layouts(&self) -> &Layouts {
        &self.layouts
    }

    /// The layout of these fields in this order, made if it is new. `None` if the measurement
    /// or a field does not exist.
    pub fn intern_layout(&mut self, owner: MeasurementId, slots: &[FieldSlot]) -> Option<LayoutId> {
        let measurement = self.measurements.get(owner.0 as usize)?;
        self.layouts
            .intern(owner, measurement, slots)
            .map(|(id, _)| id)
    }
}
