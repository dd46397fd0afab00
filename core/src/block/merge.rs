//! Making one block of several, in bounded steps.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::damage::Damage;
use super::erased::Erased;
use super::fetch::Need;
use super::open::Block;
use super::scan::{Scan, Step, Wanted};
use super::writer::{BlockWriter, FeedError, FieldRef, Part};
use crate::model::Value;

/// What a step of a merge came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeStep {
    /// Supply this of one of the inputs, counted from the oldest, then go on.
    Read(usize, Need),
    /// A part is in [`Merge::part`]; take it, [`Merge::advance`], then go on.
    Part,
    /// Nothing yet: go on.
    More,
    /// The block is whole, all parts were taken.
    Done,
}

/// Why a merge ends early. The inputs stay what they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Something of an input cannot be read: merging would give it up for good.
    #[error("input {input} of a merge is damaged")]
    Damaged {
        /// Which input, counted from the oldest.
        input: usize,
        /// What of it.
        damage: Box<Damage>,
    },
    /// An input whose series or rows are out of order.
    #[error("an input of a merge: {0}")]
    Order(#[from] FeedError),
}

/// A merge under way. Of several values of the same series, field and time, the one of the newest
/// input counts, whatever its type; deletes are applied to the inputs they came with.
///
/// Bounds: one chunk of each input, and what the writer holds. Rows are merged by up to
/// `rows_max` in a step, beside at most one page that is decoded or encoded.
#[derive(Debug)]
pub struct Merge {
    inputs: Vec<Input>,
    writer: BlockWriter,
    /// The series under way.
    key: Option<Vec<u8>>,
    names: Names,
    /// Inputs that have the row under way.
    sharing: Vec<usize>,
    /// Kept for its memory.
    values: Vec<(FieldRef, Value<'static>)>,
}

/// Names of fields, whatever their types, and the last row that had each.
#[derive(Debug, Default)]
struct Names {
    numbers: BTreeMap<Vec<u8>, usize>,
    rows: Vec<u64>,
    row: u64,
}

#[derive(Debug)]
struct Input {
    block: Block,
    scan: Scan,
    /// The row that comes next, and where its series ends; none if the scan has to go on.
    row: Option<usize>,
    end: usize,
    has_ended: bool,
    /// Of each column of the chunk: the field, its name, the place of the next value.
    columns: Vec<(FieldRef, usize, usize)>,
    /// Which chunk they are of.
    chunk: Option<usize>,
}

impl Merge {
    /// Of these blocks, the oldest first, each with the deletes that came after it.
    pub fn new(inputs: Vec<(Block, Vec<Erased>)>, writer: BlockWriter) -> Self {
        let input = |(block, erased)| Input {
            block,
            scan: Scan::new(Wanted {
                erased,
                ..Wanted::default()
            }),
            row: None,
            end: 0,
            has_ended: false,
            columns: Vec::new(),
            chunk: None,
        };
        Self {
            inputs: inputs.into_iter().map(input).collect(),
            writer,
            key: None,
            names: Names::default(),
            sharing: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Goes on, by up to `rows_max` rows.
    ///
    /// # Errors
    ///
    /// What is damaged of an input, or out of order in it. The merge is over then.
    pub fn step(&mut self, rows_max: usize) -> Result<MergeStep, MergeError> {
        if self.writer.part().is_some() {
            return Ok(MergeStep::Part);
        }
        if self.writer.is_done() {
            return Ok(MergeStep::Done);
        }
        if self.writer.has_work() && self.writer.step() {
            return Ok(MergeStep::More);
        }
        let waiting = self.inputs.iter().position(Input::is_waiting);
        if let Some(input) = waiting {
            return self.advance_input(input);
        }
        for _ in 0..rows_max {
            if !self.merge_row()? {
                self.writer.finish();
                break;
            }
            if self.writer.is_full() || self.inputs.iter().any(Input::is_waiting) {
                break;
            }
        }
        Ok(MergeStep::More)
    }

    /// Takes what was to be read of an input.
    pub fn supply(&mut self, input: usize, bytes: &[u8]) {
        if let Some(input) = self.inputs.get_mut(input) {
            input.scan.supply(bytes);
        }
    }

    /// The part to put next.
    pub fn part(&self) -> Option<Part<'_>> {
        self.writer.part()
    }

    /// Goes on behind the part that was taken.
    pub fn advance(&mut self) {
        self.writer.advance();
    }

    /// The writer: totals and bytes, once it is done.
    pub const fn writer(&self) -> &BlockWriter {
        &self.writer
    }

    fn advance_input(&mut self, at: usize) -> Result<MergeStep, MergeError> {
        let Some(input) = self.inputs.get_mut(at) else {
            return Ok(MergeStep::More);
        };
        let step = input.scan.step(&input.block);
        if let Some(damage) = input.scan.damage().first() {
            return Err(MergeError::Damaged {
                input: at,
                damage: Box::new(damage.clone()),
            });
        }
        match step {
            Step::Read(need) => return Ok(MergeStep::Read(at, need)),
            Step::More => {}
            Step::Rows => input.begin(&mut self.writer, &mut self.names),
            Step::End => input.has_ended = true,
        }
        Ok(MergeStep::More)
    }

    /// Writes the row that comes first; false if there is none left.
    fn merge_row(&mut self) -> Result<bool, MergeError> {
        let mut first: Option<(&[u8], i64)> = None;
        self.sharing.clear();
        for (at, input) in self.inputs.iter().enumerate() {
            let Some(head) = input.head() else { continue };
            if first.is_none_or(|first| head < first) {
                first = Some(head);
                self.sharing.clear();
            }
            if first == Some(head) {
                self.sharing.push(at);
            }
        }
        let Some((key, time)) = first else {
            return Ok(false);
        };
        if self.key.as_deref() != Some(key) {
            self.key = Some(key.to_vec());
            self.writer.series(key)?;
        }
        let mut values = recycle(core::mem::take(&mut self.values));
        self.names.row += 1;
        for &at in self.sharing.iter().rev() {
            if let Some(input) = self.inputs.get(at) {
                input.collect(&mut self.names, &mut values);
            }
        }
        let fed = self.writer.row(time, &values);
        self.values = recycle(values);
        fed?;
        for &at in &self.sharing {
            if let Some(input) = self.inputs.get_mut(at) {
                input.leave_row();
            }
        }
        Ok(true)
    }
}

impl Names {
    fn number(&mut self, name: &[u8]) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        self.numbers.insert(name.to_vec(), self.rows.len());
        self.rows.push(0);
        self.rows.len() - 1
    }

    /// Whether the row under way has no field of this name yet; from now on it has.
    fn is_new(&mut self, number: usize) -> bool {
        let row = self.row;
        let last = self.rows.get_mut(number);
        last.is_some_and(|last| core::mem::replace(last, row) != row)
    }
}

impl Input {
    const fn is_waiting(&self) -> bool {
        self.row.is_none() && !self.has_ended
    }

    /// The series and time of the next row.
    fn head(&self) -> Option<(&[u8], i64)> {
        let rows = self.scan.rows()?;
        Some((rows.key, *rows.times.get(self.row?)?))
    }

    /// Begins the rows that the scan came to.
    fn begin(&mut self, writer: &mut BlockWriter, names: &mut Names) {
        let Some(rows) = self.scan.rows() else { return };
        if self.chunk != Some(self.scan.chunk()) {
            self.chunk = Some(self.scan.chunk());
            let known = rows.columns.iter().map(|column| {
                let field = writer.field(&column.name, column.field_type);
                (field, names.number(&column.name), 0)
            });
            self.columns = known.collect();
        }
        for (known, column) in self.columns.iter_mut().zip(rows.columns) {
            known.2 = column.places(&rows.rows).start;
        }
        (self.row, self.end) = (Some(rows.rows.start), rows.rows.end);
    }

    /// Appends the values of the next row that no newer input has.
    fn collect<'a>(&'a self, names: &mut Names, out: &mut Vec<(FieldRef, Value<'a>)>) {
        let Some(rows) = self.scan.rows() else { return };
        for (&(field, name, place), column) in self.columns.iter().zip(rows.columns) {
            if column.row(place) == self.row
                && let Some(value) = column.values.get(place)
                && names.is_new(name)
            {
                out.push((field, value));
            }
        }
    }

    fn leave_row(&mut self) {
        let (Some(rows), Some(row)) = (self.scan.rows(), self.row) else {
            return;
        };
        for (known, column) in self.columns.iter_mut().zip(rows.columns) {
            known.2 += usize::from(column.row(known.2) == Some(row));
        }
        self.row = (row + 1 < self.end).then_some(row + 1);
    }
}

/// The memory of a list, without what is in it.
fn recycle<'a>(mut values: Vec<(FieldRef, Value<'_>)>) -> Vec<(FieldRef, Value<'a>)> {
    values.clear();
    let none = |(field, _)| (field, Value::Boolean(false));
    values.into_iter().map(none).collect()
}
