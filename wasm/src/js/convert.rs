//! Plain objects for JavaScript.

use js_sys::{Array, BigInt, JsString, Object, Reflect, Uint8Array};
use tidegate_core::engine::{Engine, Phase};
use tidegate_core::http::Answer;
use tidegate_core::ids::FileId;
use wasm_bindgen::JsValue;

/// A plain object of these properties.
pub(super) fn object(properties: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in properties {
        // Setting a property of a fresh plain object does not fail.
        let _ = Reflect::set(&object, &JsString::from(*name), value);
    }
    object
}

/// `{ status, headers, body }`.
pub(super) fn answer(answer: &Answer) -> Object {
    let headers = Array::new();
    for (name, value) in &answer.headers {
        // Header values are bytes; in JavaScript these are the first 256 characters.
        let value: String = value.iter().copied().map(char::from).collect();
        headers.push(&Array::of2(&JsString::from(*name), &JsString::from(value)));
    }
    object(&[
        ("status", answer.status.into()),
        ("headers", headers.into()),
        ("body", Uint8Array::from(answer.body.as_slice()).into()),
    ])
}

/// `{ engine, lsn }`.
pub(super) fn ticket(engine: u32, lsn: u64) -> Object {
    object(&[("engine", engine.into()), ("lsn", BigInt::from(lsn).into())])
}

/// What an operator should know about how `engine` opened, in words.
pub(super) fn notice(engine: &Engine) -> Option<String> {
    if engine.phase() == Phase::Refused {
        return Some(engine.refusal().unwrap_or("the log was refused").into());
    }
    let report = engine.recovery();
    let first = report.damage.first()?;
    let lost = report
        .damage
        .iter()
        .try_fold(0, |sum, damage| Some(sum + damage.points?));
    let lost = lost.map_or_else(
        || "an unknown number of".into(),
        |points| points.to_string(),
    );
    let (file, unit) = match first.file {
        FileId::Segment(id) => (format!("segment {id}"), "LSN"),
        FileId::Blob(id) => (format!("snapshot {id}"), "frames"),
    };
    Some(format!(
        "damaged log: {} ranges, {lost} points lost; the first at byte {} of {}, {} bytes, \
         {unit} {} to {}. The rest of the log is in use; a copy is in quarantine.",
        report.damage.len(),
        first.offset,
        file,
        first.length,
        first.first,
        first.last,
    ))
}
