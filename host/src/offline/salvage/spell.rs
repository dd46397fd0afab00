//! Rows as line protocol.

use std::io::Write as _;

use tidegate_core::line::{Lines, Options, Scanner};
use tidegate_core::model::row::{self, Class, Reader};
use tidegate_core::model::{FieldType, Value, key};
use tidegate_core::wal::LoggedRow;

/// The fields of a row: their names, spelled, with the `=`; and their types.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    names: Vec<Vec<u8>>,
    types: Vec<FieldType>,
    integers: usize,
    is_spellable: bool,
}

/// A series key, which the log holds as it came in.
#[derive(Clone, Debug)]
pub(super) struct Series {
    key: Vec<u8>,
    is_spellable: bool,
}

impl Fields {
    pub(super) fn new(fields: &[(&[u8], FieldType)]) -> Self {
        let spelled = |(name, _): &(&[u8], FieldType)| {
            let mut text = key::escape_field_key(name).into_owned();
            text.push(b'=');
            text
        };
        let types: Vec<FieldType> = fields.iter().map(|&(_, kind)| kind).collect();
        let mut this = Self {
            names: fields.iter().map(spelled).collect(),
            integers: row::integer_count(types.iter().copied()),
            types,
            is_spellable: false,
        };
        this.is_spellable = this.reads_back(fields);
        this
    }

    pub(super) fn types(&self) -> &[FieldType] {
        &self.types
    }

    /// A few names have no spelling that reads back, as one with a backslash at its end.
    fn reads_back(&self, fields: &[(&[u8], FieldType)]) -> bool {
        let values = fields.iter().map(|&(_, kind)| match kind {
            FieldType::Float => Value::Float(1.5),
            FieldType::Integer => Value::Integer(1),
            FieldType::Unsigned => Value::Unsigned(1),
            FieldType::Boolean => Value::Boolean(true),
            FieldType::String => Value::String(b"x"),
        });
        let values: Vec<Value<'_>> = values.collect();
        let mut encoded = Vec::new();
        let class = row::encode(&values, &mut encoded);
        let mut line = b"m".to_vec();
        self.append(class, &encoded, &mut line);
        line.extend_from_slice(b" 1");
        let mut scanner = Scanner::new();
        let Some(point) = sole_point(&line, &mut scanner) else {
            return false;
        };
        let read = point.fields().map(|field| (field.key, field.value));
        let written = fields
            .iter()
            .zip(&values)
            .map(|(&(name, _), &value)| (name, value));
        point.field_count() == fields.len() && read.eq(written)
    }

    fn append(&self, class: Class, values: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let mut reader = Reader::new(values, class, self.integers);
        for (index, (name, &kind)) in self.names.iter().zip(&self.types).enumerate() {
            out.push(if index == 0 { b' ' } else { b',' });
            out.extend_from_slice(name);
            append_value(reader.next(kind)?, out);
        }
        Some(())
    }
}

impl Series {
    pub(super) fn new(raw: &[u8]) -> Self {
        let line = [raw, b" f=1 1"].concat();
        let mut scanner = Scanner::new();
        let is_spellable = sole_point(&line, &mut scanner).is_some_and(|point| point.key() == raw);
        Self {
            key: raw.to_vec(),
            is_spellable,
        }
    }
}

/// Appends a line; `false`, and nothing, if there is none that reads back as this row.
pub(super) fn line(
    series: &Series,
    fields: &Fields,
    row: &LoggedRow<'_>,
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    if !series.is_spellable || !fields.is_spellable {
        return false;
    }
    out.extend_from_slice(&series.key);
    if fields.append(row.class, row.values, out).is_none() {
        out.truncate(start);
        return false;
    }
    // Writing to memory does not fail.
    let _ = writeln!(out, " {}", row.time);
    true
}

fn append_value(value: Value<'_>, out: &mut Vec<u8>) {
    let _ = match value {
        // The shortest text that reads back as the same bits.
        Value::Float(number) => write!(out, "{number:?}"),
        Value::Integer(number) => write!(out, "{number}i"),
        Value::Unsigned(number) => write!(out, "{number}u"),
        Value::Boolean(truth) => write!(out, "{truth}"),
        Value::String(text) => {
            out.push(b'"');
            out.extend_from_slice(&key::escape_string(text));
            out.push(b'"');
            Ok(())
        }
    };
}

/// The point of a body that is one line.
fn sole_point<'s>(
    body: &'s [u8],
    scanner: &'s mut Scanner,
) -> Option<tidegate_core::line::Point<'s>> {
    let mut lines = Lines::new(body);
    let line = lines.next()?;
    if lines.next().is_some() {
        return None;
    }
    let options = Options {
        unsigned: true,
        ..Options::default()
    };
    scanner.scan(line.bytes, &options).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_core::ids::{LayoutId, SeriesId};

    fn spell(key: &[u8], fields: &[(&[u8], Value<'_>)], time: i64) -> Option<String> {
        let typed: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.field_type()))
            .collect();
        let values: Vec<_> = fields.iter().map(|&(_, value)| value).collect();
        let mut encoded = Vec::new();
        let class = row::encode(&values, &mut encoded);
        let row = LoggedRow {
            series: SeriesId(0),
            layout: LayoutId(0),
            class,
            time,
            values: &encoded,
        };
        let mut out = Vec::new();
        let done = line(&Series::new(key), &Fields::new(&typed), &row, &mut out);
        assert_eq!(done, !out.is_empty());
        done.then(|| String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn every_type_reads_back_as_it_was() {
        let fields: [(&[u8], Value<'_>); 7] = [
            (b"f", Value::Float(-0.0)),
            (b"e", Value::Float(1e300)),
            (b"third", Value::Float(1.0 / 3.0)),
            (b"i", Value::Integer(i64::MIN)),
            (b"b", Value::Boolean(false)),
            (b"s", Value::String(b"a \"b\"\\ c,d=e\nf")),
            (b"a b,c=d", Value::Integer(7)),
        ];
        let text = spell(br"m\ x,t=a\,b", &fields, -5).expect("spelled");
        let expected = "m\\ x,t=a\\,b f=-0.0,e=1e300,third=0.3333333333333333,\
                        i=-9223372036854775808i,b=false,s=\"a \\\"b\\\"\\\\ c,d=e\nf\",\
                        a\\ b\\,c\\=d=7i -5\n";
        assert_eq!(text, expected);
        let mut scanner = Scanner::new();
        let point = sole_point(text.trim_end().as_bytes(), &mut scanner).expect("a point");
        assert_eq!(point.time_ns(), -5);
        let read: Vec<_> = point
            .fields()
            .map(|field| (field.key, field.value))
            .collect();
        assert_eq!(read, fields);
    }

    #[test]
    fn what_has_no_spelling_is_not_written_wrongly() {
        assert_eq!(spell(b"m", &[(br"ends in \", Value::Integer(1))], 1), None);
        assert_eq!(spell(b"m,=x", &[(b"v", Value::Integer(1))], 1), None);
    }
}
