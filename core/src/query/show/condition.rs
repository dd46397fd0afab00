//! WHERE of a SHOW statement: tags and time.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::predicate::{self, Compiler, Condition, Filters, Kind};
use super::super::scope::{self, Found};
use super::super::{ShardView, View};
use crate::ids::SeriesId;
use crate::index::{Measurement, MeasurementId};
use crate::influxql::{Expr, ShowScope, VarRef, time_range};

/// The series a SHOW statement looks at.
pub(super) struct Scope<'v> {
    /// Measurements by name.
    pub(super) found: Found<'v>,
    condition: Condition,
}

impl<'v> Scope<'v> {
    /// # Errors
    ///
    /// Upstream's texts for what WHERE or FROM cannot say.
    pub(super) fn open(scope: &ShowScope, view: &'v View<'v>) -> Result<Self, String> {
        let (rest, range) =
            time_range(scope.condition.as_ref(), view.now_ns).map_err(|error| error.to_string())?;
        let condition = predicate::compile(rest.as_ref(), &mut Tags)?;
        Ok(Self {
            found: scope::found(&scope.sources, view, range)?,
            condition,
        })
    }

    /// The series of a measurement in one shard.
    pub(super) fn series<'s>(
        &self,
        shard: &'s ShardView<'v>,
        id: MeasurementId,
    ) -> Option<(&'v Measurement, Vec<SeriesId>)> {
        let measurement = shard.index.measurement(id)?;
        // No filters come out, since every comparison is one of tags.
        let selected = self.condition.select(measurement, &mut Filters::default());
        Some((measurement, selected.ids))
    }

    /// Whether WHERE leaves nothing out.
    pub(super) const fn is_everything(&self) -> bool {
        matches!(self.condition, Condition::Constant(true))
    }
}

/// Every variable is a tag.
pub(super) struct Tags;

impl Compiler for Tags {
    fn kind(&self, _var: &VarRef) -> Kind {
        Kind::Tag
    }

    fn row(&mut self, expr: &Expr) -> Result<Condition, String> {
        Err(alloc::format!("invalid tag comparison: {expr}"))
    }

    fn odd_operator(&self) -> Result<Condition, String> {
        Err("invalid tag comparison operator".into())
    }
}
