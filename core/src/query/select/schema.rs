//! The fields and tags of everything a SELECT reads, and the types of its expressions.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::check::is_literal;
use crate::influxql::{BinaryOp, DataType, Expr, VarRef};
use crate::model::{FieldType, Value};
use crate::query::View;
use crate::query::scope::Target;
use crate::query::value::binary;

/// Fields, each with one type for all shards, and tag keys.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) fields: BTreeMap<Vec<u8>, FieldType>,
    pub(super) tags: BTreeSet<Vec<u8>>,
}

impl Schema {
    /// Of several types of a field the first counts in the order float, integer, unsigned,
    /// string, boolean.
    ///
    /// Source: influxql 1.4 `DataType.LessThan`.
    pub(super) fn of(targets: &[Target], view: &View<'_>) -> Self {
        let mut schema = Self::default();
        for (shard, measurement) in targets.iter().flat_map(|target| &target.parts) {
            let shard = view.shard(*shard);
            let Some(measurement) = shard.and_then(|s| s.index.measurement(*measurement)) else {
                continue;
            };
            for (_, field) in measurement.fields() {
                let known = schema.fields.get(&field.name);
                if known.is_none_or(|&known| rank(field.field_type) < rank(known)) {
                    schema.fields.insert(field.name.clone(), field.field_type);
                }
            }
            for key in measurement.tag_keys() {
                if !schema.tags.contains(key) {
                    schema.tags.insert(key.to_vec());
                }
            }
        }
        schema
    }

    /// The type a variable has: that of its cast, of the field, or tag. `None` if unknown.
    pub(super) fn type_of(&self, var: &VarRef) -> Option<DataType> {
        match var.data_type {
            None | Some(DataType::AnyField) => {}
            cast => return cast,
        }
        let name = var.name.as_bytes();
        match self.fields.get(name) {
            Some(&field_type) => Some(data_type(field_type)),
            // A tag is no field, whatever the cast asks for.
            None if var.data_type.is_some() && self.tags.contains(name) => var.data_type,
            None => self.tags.contains(name).then_some(DataType::Tag),
        }
    }

    /// Gives each variable of `expr` its type.
    pub(super) fn typed(&self, expr: &Expr) -> Expr {
        match expr {
            Expr::Variable(var) => {
                let data_type = self.type_of(var);
                Expr::Variable(VarRef {
                    name: var.name.clone(),
                    data_type,
                })
            }
            Expr::Paren(inner) => Expr::Paren(alloc::boxed::Box::new(self.typed(inner))),
            Expr::Binary(op, lhs, rhs) => Expr::binary(*op, self.typed(lhs), self.typed(rhs)),
            other => other.clone(),
        }
    }
}

const fn rank(field_type: FieldType) -> u8 {
    match field_type {
        FieldType::Float => 0,
        FieldType::Integer => 1,
        FieldType::Unsigned => 2,
        FieldType::String => 3,
        FieldType::Boolean => 4,
    }
}

pub(super) const fn data_type(field_type: FieldType) -> DataType {
    match field_type {
        FieldType::Float => DataType::Float,
        FieldType::Integer => DataType::Integer,
        FieldType::Unsigned => DataType::Unsigned,
        FieldType::String => DataType::String,
        FieldType::Boolean => DataType::Boolean,
    }
}

/// The place of a type among others where upstream sorts by type.
///
/// Source: influxql 1.4 `DataType`.
pub(super) const fn order(data_type: Option<DataType>) -> u8 {
    match data_type {
        None => 0,
        Some(DataType::Float) => 1,
        Some(DataType::Integer) => 2,
        Some(DataType::String) => 3,
        Some(DataType::Boolean) => 4,
        Some(DataType::Tag) => 7,
        Some(DataType::AnyField) => 8,
        Some(DataType::Unsigned) => 9,
    }
}

/// Checks that the operators in a typed expression fit their sides, and gives its type:
/// `None` if nothing is known, `Some(None)` for a literal of a type that no field has.
///
/// # Errors
///
/// `type error: ` and upstream's text.
///
/// Source: influxql 1.4 `TypeValuerEval.EvalType`.
pub(super) fn check_types(expr: &Expr) -> Result<Known, String> {
    Ok(match expr {
        Expr::Paren(inner) => check_types(inner)?,
        Expr::Variable(var) => match var.data_type {
            None | Some(DataType::AnyField) => Known::Nothing,
            Some(data_type) => Known::Type(data_type.as_str(), zero(data_type)),
        },
        Expr::Number(_) => Known::Type("float", Some(Value::Float(0.0))),
        Expr::Integer(_) => Known::Type("integer", Some(Value::Integer(0))),
        Expr::Unsigned(_) => Known::Type("unsigned", Some(Value::Unsigned(0))),
        Expr::Boolean(_) => Known::Type("boolean", Some(Value::Boolean(false))),
        Expr::String(_) => Known::Type("string", Some(Value::String(b""))),
        Expr::Duration(_) => Known::Type("duration", None),
        Expr::Time(_) => Known::Type("time", None),
        Expr::Binary(op, lhs, rhs) => check_sides(expr, *op, lhs, rhs)?,
        _ => Known::Nothing,
    })
}

/// What is known of an expression's type.
#[derive(Clone, Copy)]
pub(super) enum Known {
    Nothing,
    /// Its name, and its zero if rows can have values of it.
    Type(&'static str, Option<Value<'static>>),
}

const fn zero(data_type: DataType) -> Option<Value<'static>> {
    Some(match data_type {
        DataType::Float => Value::Float(0.0),
        DataType::Integer => Value::Integer(0),
        DataType::Unsigned => Value::Unsigned(0),
        DataType::String | DataType::Tag => Value::String(b""),
        DataType::Boolean => Value::Boolean(false),
        DataType::AnyField => return None,
    })
}

fn check_sides(expr: &Expr, op: BinaryOp, lhs: &Expr, rhs: &Expr) -> Result<Known, String> {
    let (left, right) = (check_types(lhs)?, check_types(rhs)?);
    let (Known::Type(left_name, left), Known::Type(right_name, right)) = (left, right) else {
        return Ok(if matches!(left, Known::Nothing) {
            right
        } else {
            left
        });
    };
    let sign = op.as_str();
    let (unsigned, integer) = match (left_name, right_name) {
        ("unsigned", "integer") => (lhs, rhs),
        ("integer", "unsigned") => (rhs, lhs),
        _ => (expr, expr),
    };
    // An integer literal fits an unsigned field; everything else needs a cast.
    if is_literal(unsigned) {
        let text = format!("cannot use {sign} with an integer and unsigned literal");
        return Err(format!("type error: {expr}: {text}"));
    }
    if left_name != right_name
        && [left_name, right_name].contains(&"unsigned")
        && [left_name, right_name].contains(&"integer")
        && !is_literal(integer)
    {
        let text = "between an integer and unsigned, an explicit cast is required";
        return Err(format!("type error: {expr}: cannot use {sign} {text}"));
    }
    let result = left
        .zip(right)
        .and_then(|(left, right)| binary(op, Some(left), Some(right), false));
    match result {
        Some(value) => Ok(Known::Type(
            data_type(value.field_type()).as_str(),
            Some(zero_of(value)),
        )),
        None => {
            let text = format!("incompatible types: {left_name} and {right_name}");
            Err(format!("type error: {expr}: {text}"))
        }
    }
}

const fn zero_of(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Float(_) => Value::Float(0.0),
        Value::Integer(_) => Value::Integer(0),
        Value::Unsigned(_) => Value::Unsigned(0),
        Value::Boolean(_) => Value::Boolean(false),
        Value::String(_) => Value::String(b""),
    }
}
