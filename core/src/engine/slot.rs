//! A shard with what makes writing to it fast.

use alloc::vec::Vec;

use crate::ids::{LayoutId, SeriesId, ShardId};
use crate::index::{ArrivalId, Arrivals};
use crate::line::Template;
use crate::shard::Shard;

/// Charged to the budget for a shard.
const SLOT_BYTES: u64 = 4 << 10;

/// A shard, the spellings its series arrive in, and what the current segment defines of it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) shard: Shard,
    pub(super) arrivals: Arrivals,
    /// What came last; its successor is expected next.
    pub(super) latest: ArrivalId,
    templates: Vec<Compiled>,
    series_defined: Vec<u32>,
    layouts_defined: Vec<u32>,
}

#[derive(Debug)]
enum Compiled {
    Untried,
    Ineligible,
    Template(Template),
}

impl Slot {
    pub(super) fn new(id: ShardId, seed: u64) -> Self {
        Self {
            shard: Shard::new(id, seed),
            arrivals: Arrivals::new(seed),
            latest: ArrivalId(0),
            templates: Vec::new(),
            series_defined: Vec::new(),
            layouts_defined: Vec::new(),
        }
    }

    /// Logical bytes held, with a charge for being there: shards may be many and small.
    pub(super) const fn bytes(&self) -> u64 {
        SLOT_BYTES + self.shard.bytes() + self.arrivals.bytes()
    }

    /// The template of a layout, if its lines qualify for one.
    #[inline]
    pub(super) fn template(&self, layout: LayoutId) -> Option<&Template> {
        match self.templates.get(layout.0 as usize) {
            Some(Compiled::Template(template)) => Some(template),
            _ => None,
        }
    }

    /// Compiles the template of a layout from the fields of a line, once.
    pub(super) fn compile(&mut self, layout: LayoutId, fields_text: &[u8]) {
        let index = layout.0 as usize;
        while self.templates.len() <= index {
            self.templates.push(Compiled::Untried);
        }
        let Some(layout) = self.shard.index.layouts().get(layout) else {
            return;
        };
        if matches!(self.templates[index], Compiled::Untried) {
            let template = Template::compile(fields_text, &layout.types);
            self.templates[index] = template.map_or(Compiled::Ineligible, Compiled::Template);
        }
    }

    /// Whether the segment of this generation defines the series and the layout.
    #[inline]
    pub(super) fn is_defined(&self, series: SeriesId, layout: LayoutId, generation: u32) -> bool {
        let marked = |marks: &[u32], index: u32| marks.get(index as usize) == Some(&generation);
        marked(&self.series_defined, series.0) && marked(&self.layouts_defined, layout.0)
    }

    /// Marks the series as defined; whether it was not.
    pub(super) fn mark_series(&mut self, series: SeriesId, generation: u32) -> bool {
        mark(&mut self.series_defined, series.0, generation)
    }

    /// Marks the layout as defined; whether it was not.
    pub(super) fn mark_layout(&mut self, layout: LayoutId, generation: u32) -> bool {
        mark(&mut self.layouts_defined, layout.0, generation)
    }
}

fn mark(marks: &mut Vec<u32>, index: u32, generation: u32) -> bool {
    let index = index as usize;
    if marks.len() <= index {
        marks.resize(index + 1, 0);
    }
    core::mem::replace(&mut marks[index], generation) != generation
}
