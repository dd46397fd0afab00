use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::ids::{LayoutId, SeriesId, ShardId};
use crate::model::{FieldType, Value};

type Line<'a> = (&'a str, &'a [(&'a str, Value<'a>)]);

fn write(shard: &mut Shard, line: Line<'_>) -> Result<((SeriesId, LayoutId), Vec<usize>), String> {
    let (key, fields) = line;
    let mut admitted = Admitted::default();
    let named = fields.iter().map(|(name, value)| (name.as_bytes(), *value));
    shard
        .admit(key.as_bytes(), named.clone(), false, &mut admitted)
        .map_err(|rejection| {
            let mut text = Vec::new();
            rejection.describe(&mut text);
            String::from_utf8(text).expect("names are UTF-8 here")
        })?;
    let typed: Vec<_> = named
        .map(|(name, value)| (name, value.field_type()))
        .collect();
    let chosen = admitted.fields.iter().map(|&at| typed[at]);
    let stored = shard
        .store(key.as_bytes(), chosen, &mut Vec::new())
        .expect("admitted");
    Ok((stored, admitted.fields))
}

#[test]
fn the_first_type_of_a_field_wins() {
    let mut shard = Shard::new(ShardId(1), 1);
    assert!(write(&mut shard, ("cpu", &[("v", Value::Float(1.0))])).is_ok());
    assert_eq!(
        write(
            &mut shard,
            (
                "cpu,host=a",
                &[("w", Value::Integer(2)), ("v", Value::Integer(1))]
            )
        ),
        Err(
            "field type conflict: input field \"v\" on measurement \"cpu\" is type integer, \
             already exists as type float"
                .into()
        )
    );
    // The rejected point left nothing behind: neither its series nor its field.
    assert_eq!(shard.index.series(b"cpu,host=a"), None);
    let (_, cpu) = shard.index.measurement_named(b"cpu").expect("exists");
    assert_eq!(cpu.slot(b"w"), None);
    assert!(write(&mut shard, ("mem", &[("v", Value::Integer(1))])).is_ok());
}

#[test]
fn a_field_named_twice_keeps_its_last_value() {
    let mut shard = Shard::new(ShardId(1), 1);
    let fields = [
        ("v", Value::Float(1.0)),
        ("w", Value::Float(5.0)),
        ("v", Value::Float(2.0)),
    ];
    let (stored, chosen) = write(&mut shard, ("m", &fields)).expect("legal");
    assert_eq!(chosen, [1, 2]);
    assert_eq!(stored, (SeriesId(0), LayoutId(0)));
    let clash = [("v", Value::Float(1.0)), ("v", Value::Integer(2))];
    assert!(write(&mut shard, ("n", &clash)).is_err());
}

#[test]
fn many_fields_are_judged_like_few() {
    let names: Vec<String> = (0..60).map(|i| alloc::format!("f{}", i % 50)).collect();
    let fields: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), Value::Boolean(true)))
        .collect();
    let mut shard = Shard::new(ShardId(1), 1);
    let (_, chosen) = write(&mut shard, ("m", &fields)).expect("legal");
    assert_eq!(chosen, (10..60).collect::<Vec<_>>());
}

#[test]
fn time_is_neither_tag_nor_field() {
    let mut shard = Shard::new(ShardId(1), 1);
    let tagged = write(&mut shard, ("cpu,time=a", &[("v", Value::Float(1.0))]));
    let text = "invalid tag key: input tag \"time\" on measurement \"cpu\" is invalid";
    assert_eq!(tagged, Err(text.into()));
    let only = write(&mut shard, ("cpu", &[("time", Value::Float(1.0))]));
    let text = "invalid field name: input field \"time\" on measurement \"cpu\" is invalid";
    assert_eq!(only, Err(text.into()));
    let beside = [("time", Value::Float(1.0)), ("v", Value::Float(1.0))];
    assert_eq!(
        write(&mut shard, ("cpu", &beside)).map(|(_, chosen)| chosen),
        Ok([1].into())
    );
}

#[test]
fn strings_are_bounded() {
    let mut shard = Shard::new(ShardId(1), 1);
    let long = std::vec![b'x'; crate::limits::STRING_BYTES_MAX + 1];
    assert!(write(&mut shard, ("m", &[("v", Value::String(&long[1..]))])).is_ok());
    let text = "input field \"v\" on measurement \"m\" is too long, 1048577 > 1048576";
    assert_eq!(
        write(&mut shard, ("m", &[("v", Value::String(&long))])),
        Err(text.into())
    );
}

#[test]
fn reasons_of_keys_come_before_reasons_of_fields() {
    let conflict = Rejection::TypeConflict {
        field: b"v".to_vec(),
        measurement: b"m".to_vec(),
        is: FieldType::Float,
        was: FieldType::String,
    };
    let tag = Rejection::TagNamedTime {
        measurement: b"m".to_vec(),
    };
    let mut rejected = Rejected::default();
    rejected.add(conflict);
    rejected.add(tag);
    rejected.note_stripped(b"m");
    let mut text = Vec::new();
    rejected.describe(&mut text);
    assert!(text.starts_with(b"invalid tag key"));
    assert_eq!(rejected.count(), 2);
}

#[test]
fn unprintable_keys_are_masked() {
    let mut admitted = Admitted::default();
    let shard = Shard::new(ShardId(1), 1);
    let field = core::iter::once((&b"v"[..], Value::Boolean(true)));
    let key = "c\u{200b}\u{200b}\u{200b}\u{200b}pu,a=\u{e9}".as_bytes();
    let rejection = shard
        .admit(key, field.clone(), true, &mut admitted)
        .expect_err("masked");
    let mut text = Vec::new();
    rejection.describe(&mut text);
    assert_eq!(
        text,
        "key contains invalid unicode: \"c???pu,a=\u{e9}\"".as_bytes()
    );
    assert!(shard.admit(key, field, false, &mut admitted).is_ok());
}
