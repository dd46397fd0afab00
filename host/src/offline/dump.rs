//! Printing a log for a person: frames, definitions, rows.

use std::collections::HashMap;
use std::io::Write;

use tidegate_core::ids::{LayoutId, SeriesId, ShardId};
use tidegate_core::model::FieldType;
use tidegate_core::wal::definition::{self, Definition};
use tidegate_core::wal::{Frame, FrameKind, Step, sections};

use crate::store::file_text;

/// Prints steps, and remembers what the numbers of the current segment stand for.
pub(super) struct Dump<W> {
    out: W,
    series: HashMap<(ShardId, SeriesId), String>,
    layouts: HashMap<(ShardId, LayoutId), Layout>,
}

struct Layout {
    text: String,
    types: Vec<FieldType>,
}

impl<W: Write> Dump<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            series: HashMap::new(),
            layouts: HashMap::new(),
        }
    }

    /// Prints a step.
    pub(super) fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        let written = match step {
            Step::FileStart { file } => {
                self.series.clear();
                self.layouts.clear();
                writeln!(self.out, "{}", file_text(*file))
            }
            Step::Frame(frame) => self.frame(frame),
            Step::Quarantine {
                file,
                offset,
                length,
                reason,
            } => {
                let name = file_text(*file);
                writeln!(self.out, "{name} at {offset}: {length} bytes, {reason}")
            }
            Step::Read { .. } | Step::Refuse(_) | Step::Done(_) => Ok(()),
        };
        // `tidegate wal dump | head` ends here, not in a panic.
        written.map_err(|error| error.to_string())
    }

    fn frame(&mut self, frame: &Frame<'_>) -> std::io::Result<()> {
        let Frame {
            offset,
            lsn,
            kind,
            points,
            payload,
            ..
        } = frame;
        let proof = if frame.certified {
            ""
        } else {
            ", not proven durable"
        };
        let bytes = payload.len();
        writeln!(
            self.out,
            "  lsn {lsn} at {offset}: {kind:?}, {points} points, {bytes} bytes{proof}"
        )?;
        match kind {
            FrameKind::Definitions => self.definitions(payload),
            FrameKind::Rows => self.rows(payload),
            _ => Ok(()),
        }
    }

    fn definitions(&mut self, payload: &[u8]) -> std::io::Result<()> {
        for entry in definition::entries(payload) {
            match entry {
                Definition::Catalog(change) => {
                    writeln!(self.out, "    catalog change, {} bytes", change.len())?;
                }
                Definition::Series { shard, series, key } => {
                    let key = key.escape_ascii().to_string();
                    writeln!(self.out, "    shard {shard} series {series} = {key}")?;
                    self.series.insert((shard, series), key);
                }
                Definition::Layout {
                    shard,
                    layout,
                    measurement,
                    fields,
                } => {
                    let named: Vec<String> = fields
                        .iter()
                        .map(|(name, kind)| format!("{}: {kind:?}", name.escape_ascii()))
                        .collect();
                    let text = format!("{} ({})", measurement.escape_ascii(), named.join(", "));
                    writeln!(self.out, "    shard {shard} layout {layout} = {text}")?;
                    let types = fields.iter().map(|&(_, kind)| kind).collect();
                    self.layouts.insert((shard, layout), Layout { text, types });
                }
            }
        }
        Ok(())
    }

    fn rows(&mut self, payload: &[u8]) -> std::io::Result<()> {
        for mut section in sections(payload) {
            let shard = section.shard;
            let layouts = &self.layouts;
            let types = |layout| layouts.get(&(shard, layout)).map(|found| &*found.types);
            loop {
                let row = match section.next_row(types) {
                    Ok(Some(row)) => row,
                    Ok(None) => break,
                    Err(count) => {
                        writeln!(self.out, "    shard {shard}: {count} rows cannot be read")?;
                        break;
                    }
                };
                let key = self
                    .series
                    .get(&(shard, row.series))
                    .map_or("?", String::as_str);
                let fields = layouts
                    .get(&(shard, row.layout))
                    .map_or("?", |found| &found.text);
                let (time, bytes) = (row.time, row.values.len());
                writeln!(self.out, "    {time} {key} {fields}, {bytes} bytes")?;
            }
        }
        Ok(())
    }
}
