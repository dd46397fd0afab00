//! The orders of fields that rows come in.

use alloc::vec::Vec;

use hashbrown::HashTable;

use super::{FieldSlot, Measurement, MeasurementId};
use crate::hash::TableHasher;
use crate::ids::LayoutId;
use crate::model::{FieldType, row};

/// An ordered list of fields of one measurement: what gives a row's values names and types.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Whose fields they are.
    pub measurement: MeasurementId,
    /// The fields, in row order, without duplicates.
    pub slots: Vec<FieldSlot>,
    /// Their types, in the same order.
    pub types: Vec<FieldType>,
    /// How many of them are integers of either kind.
    pub integers: usize,
}

/// All layouts of a shard.
#[derive(Clone, Debug)]
pub struct Layouts {
    hasher: TableHasher,
    layouts: Vec<Layout>,
    table: HashTable<LayoutId>,
    bytes: u64,
}

impl Layouts {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            hasher: TableHasher::new(seed),
            layouts: Vec::new(),
            table: HashTable::new(),
            bytes: 0,
        }
    }

    /// The layout with this id.
    #[inline]
    pub fn get(&self, id: LayoutId) -> Option<&Layout> {
        self.layouts.get(id.0 as usize)
    }

    /// How many there are; ids are dense from 0.
    pub const fn len(&self) -> usize {
        self.layouts.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.layouts.is_empty()
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The layout of these fields, and whether it is new. `None` if `owner` lacks a field.
    pub(super) fn intern(
        &mut self,
        measurement: MeasurementId,
        owner: &Measurement,
        slots: &[FieldSlot],
    ) -> Option<(LayoutId, bool)> {
        let hash = hash(&self.hasher, measurement, slots);
        let same = |id: &LayoutId| {
            let layout = self.layouts.get(id.0 as usize);
            layout.is_some_and(|l| l.measurement == measurement && l.slots == slots)
        };
        if let Some(&id) = self.table.find(hash, same) {
            return Some((id, false));
        }
        let types: Option<Vec<_>> = slots
            .iter()
            .map(|&slot| owner.field(slot).map(|field| field.field_type))
            .collect();
        let types = types?;
        let id = LayoutId(self.layouts.len() as u32);
        let integers = row::integer_count(types.iter().copied());
        self.layouts.push(Layout {
            measurement,
            slots: slots.to_vec(),
            types,
            integers,
        });
        let rehash = |id: &LayoutId| {
            let layout = &self.layouts[id.0 as usize];
            self::hash(&self.hasher, layout.measurement, &layout.slots)
        };
        self.table.insert_unique(hash, id, rehash);
        self.bytes += 64 + 3 * slots.len() as u64;
        Some((id, true))
    }
}

fn hash(hasher: &TableHasher, measurement: MeasurementId, slots: &[FieldSlot]) -> u64 {
    // Folded by hand: the list is short and hashing must not allocate.
    let seed = hasher.hash(&measurement.0.to_le_bytes());
    slots.iter().fold(seed, |hash, slot| {
        (hash.rotate_left(5) ^ u64::from(slot.0)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}
