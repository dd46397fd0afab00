//! Validating a point against the schema, and storing it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Rejection;
use super::rejected::is_printable_key;
use crate::cache::Cache;
use crate::ids::{LayoutId, SeriesId, ShardId};
use crate::index::{FieldSlot, Index, Measurement, MeasurementId};
use crate::limits;
use crate::model::{FieldType, Value, key};
use crate::planted::{Planted, planted};

/// Schema, index and cache of one shard group.
#[derive(Clone, Debug)]
pub struct Shard {
    /// Which shard.
    pub id: ShardId,
    /// Series, fields and layouts.
    pub index: Index,
    /// Rows.
    pub cache: Cache,
}

/// A point that passed: what is to be stored of it. Nothing has changed yet.
#[derive(Clone, Debug, Default)]
pub struct Admitted {
    /// Positions, in the line, of the fields to store, in row order: without `time`, and of
    /// several with one name only the last.
    pub fields: Vec<usize>,
    /// Whether a field named `time` was left out.
    pub stripped_time: bool,
    /// Whether the shard does not have the series yet.
    pub is_new_series: bool,
    /// Position of the field that a point was rejected for, if it was one.
    pub fault: Option<usize>,
}

impl Admitted {
    fn clear(&mut self) {
        self.fields.clear();
        self.stripped_time = false;
        self.fault = None;
    }
}

/// The fields met so far in a line. Most lines are short enough for a look at each; the
/// others get a map, so that a hostile line costs no square.
enum Seen<'a, F> {
    Few(F),
    Many(BTreeMap<&'a [u8], (usize, FieldType)>),
}

const FEW: usize = 24;

impl<'a, F: Iterator<Item = (&'a [u8], Value<'a>)> + Clone> Seen<'a, F> {
    fn new(fields: F) -> Self {
        match fields.clone().nth(FEW) {
            None => Self::Few(fields),
            Some(_) => Self::Many(BTreeMap::new()),
        }
    }

    /// Notes a field; the type it was met with before.
    fn replace(
        &mut self,
        name: &'a [u8],
        position: usize,
        field_type: FieldType,
    ) -> Option<FieldType> {
        match self {
            Self::Many(map) => map.insert(name, (position, field_type)).map(|(_, was)| was),
            Self::Few(fields) => {
                let mut earlier = fields.clone().take(position);
                earlier
                    .find(|(other, _)| *other == name)
                    .map(|(_, value)| value.field_type())
            }
        }
    }

    /// Leaves only the last position of each name, in order.
    fn keep_last(&self, positions: &mut Vec<usize>) {
        match self {
            Self::Many(map) => {
                positions.clear();
                positions.extend(map.values().map(|&(position, _)| position));
                positions.sort_unstable();
            }
            Self::Few(fields) => positions.retain(|&position| {
                let mut from = fields.clone().skip(position);
                let name = from.next().map(|(name, _)| name);
                !from.any(|(other, _)| Some(other) == name)
            }),
        }
    }
}

impl Shard {
    /// An empty shard whose tables hash with `seed`.
    pub fn new(id: ShardId, seed: u64) -> Self {
        Self {
            id,
            index: Index::new(seed),
            cache: Cache::default(),
        }
    }

    /// Judges a point; changes nothing.
    ///
    /// Shape: `fields` as (unescaped name, value) in line order, into `admitted`, which is
    /// reused from point to point.
    /// Source: influxdb 1.12 `tsdb.Shard.validateSeriesAndFields`; what differs: a rejected
    /// point leaves neither series nor fields behind.
    pub fn admit<'a>(
        &self,
        series_key: &[u8],
        fields: impl Iterator<Item = (&'a [u8], Value<'a>)> + Clone,
        validate_keys: bool,
        admitted: &mut Admitted,
    ) -> Result<(), Rejection> {
        let measurement_raw = key::parse(series_key).measurement_raw;
        let name = key::unescape_measurement(measurement_raw);
        admitted.clear();
        admitted.is_new_series = self.index.series(series_key).is_none();
        if admitted.is_new_series {
            check_key(series_key, &name, validate_keys)?;
        }
        let measurement = self
            .index
            .measurement_named(&name)
            .map(|(_, measurement)| measurement);
        let mut seen = Seen::new(fields.clone());
        for (position, (field, value)) in fields.enumerate() {
            if let Value::String(text) = value
                && text.len() > limits::STRING_BYTES_MAX
            {
                let (field, measurement) = (field.to_vec(), name.to_vec());
                admitted.fault = Some(position);
                return Err(Rejection::StringTooLong {
                    field,
                    measurement,
                    length: text.len(),
                });
            }
            if field == b"time" {
                admitted.stripped_time = true;
                continue;
            }
            let is = value.field_type();
            let earlier = seen.replace(field, position, is);
            let was = known_type(measurement, field).or(earlier);
            let was = was.filter(|_| !planted(Planted::TypesUnchecked));
            if let Some(was) = was.filter(|&was| was != is) {
                let (field, measurement) = (field.to_vec(), name.to_vec());
                admitted.fault = Some(position);
                return Err(Rejection::TypeConflict {
                    field,
                    measurement,
                    is,
                    was,
                });
            }
            admitted.fields.push(position);
        }
        seen.keep_last(&mut admitted.fields);
        if admitted.fields.is_empty() {
            admitted.fault = Some(0);
            return Err(Rejection::FieldNamedTime {
                measurement: name.into_owned(),
            });
        }
        Ok(())
    }

    /// Gives an admitted point its series and layout, making what is new.
    ///
    /// Shape: `fields` as (name, type) in row order.
    pub fn store<'a>(
        &mut self,
        series_key: &[u8],
        fields: impl Iterator<Item = (&'a [u8], FieldType)>,
        slots: &mut Vec<FieldSlot>,
    ) -> Option<(SeriesId, LayoutId)> {
        let known = self.index.series(series_key);
        let series = known.unwrap_or_else(|| self.index.add_series(series_key));
        let measurement = self.index.series_measurement(series)?;
        Some((series, self.intern_layout(measurement, fields, slots)?))
    }

    /// The layout of these fields of a measurement, made if it is new. `None` if a field
    /// exists with another type, which only a damaged log can ask for.
    pub fn intern_layout<'a>(
        &mut self,
        measurement: MeasurementId,
        fields: impl Iterator<Item = (&'a [u8], FieldType)>,
        slots: &mut Vec<FieldSlot>,
    ) -> Option<LayoutId> {
        slots.clear();
        for (name, field_type) in fields {
            let slot = self.index.intern_field(measurement, name, field_type)?;
            let field = self.index.measurement(measurement)?.field(slot)?;
            if field.field_type != field_type {
                return None;
            }
            slots.push(slot);
        }
        self.index.intern_layout(measurement, slots)
    }

    /// Logical bytes held.
    pub const fn bytes(&self) -> u64 {
        self.index.bytes() + self.cache.bytes()
    }
}

fn check_key(series_key: &[u8], name: &[u8], validate_keys: bool) -> Result<(), Rejection> {
    let mut tags = key::parse(series_key).tags();
    if tags.any(|(tag, _)| &*key::unescape_tag(tag) == b"time") {
        return Err(Rejection::TagNamedTime {
            measurement: name.to_vec(),
        });
    }
    if validate_keys && !is_printable_key(series_key) {
        return Err(Rejection::UnprintableKey {
            key: series_key.to_vec(),
        });
    }
    Ok(())
}

fn known_type(measurement: Option<&Measurement>, field: &[u8]) -> Option<FieldType> {
    let measurement = measurement?;
    Some(measurement.field(measurement.slot(field)?)?.field_type)
}
