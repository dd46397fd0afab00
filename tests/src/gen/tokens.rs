//! The pieces bodies are made of: names, values and times, good and bad.

use super::Rng;
use super::devops::{START_NS, STEP_NS};

/// Raw measurement names; each is legal.
pub(super) const MEASUREMENTS: [&str; 12] = [
    "cpu", "mem", "disk", "net", "m", "c\\ pu", "c\\,pu", "c=pu", "c\"pu", "c\\\\pu", "m\u{fc}",
    "\\#m",
];
/// Raw tag keys; each is legal. `a-b` and `a\ b` sort by their raw bytes.
pub(super) const TAG_KEYS: [&str; 14] = [
    "host", "region", "dc", "a", "b", "a-b", "a.b", "a\\ b", "a\\,b", "a\\=b", "\"q\"", "Host",
    "\u{e9}t", "z\\\\z",
];
/// Raw tag values; each is legal.
pub(super) const TAG_VALUES: [&str; 13] = [
    "a",
    "b",
    "eu-west-1",
    "0",
    "1i",
    "t",
    "x\\ y",
    "x\\,y",
    "x\\=y",
    "\"x\"",
    "=x",
    "x\\y",
    "\u{6e2c}\u{5b9a}",
];
/// Raw field keys; the first letter fixes the type, so that lines never conflict.
pub(super) const FIELD_KEYS: [&str; 16] = [
    "f",
    "f1",
    "f\\ x",
    "f\\,x",
    "i",
    "i1",
    "i\\=x",
    "i\"x\"",
    "b",
    "b1",
    "s",
    "s1",
    "s\\ x",
    "f\u{b5}",
    "i_long_name_of_a_field_that_exceeds_32_bytes",
    "s-x",
];
const BOOLEANS: [&str; 10] = [
    "t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE",
];
const FLOATS: [&str; 14] = [
    "0",
    "-0",
    "1.",
    ".1",
    "-.1",
    "00",
    "1.e5",
    "1e+1",
    "1E-7",
    "1e-400",
    "5e-324",
    "1.7976931348623157e308",
    "0.1234567890123456789",
    "100000000000000000000",
];
const INTEGERS: [&str; 7] = [
    "0i",
    "-0i",
    "01i",
    "9223372036854775807i",
    "-9223372036854775808i",
    "255i",
    "256i",
];
const STRING_PARTS: [&str; 14] = [
    "a", "text", " ", ",", "=", "\\\"", "\\\\", "\\n", "\n", "#", "'", "\u{20ac}", "\t", "1i",
];
const TIMES: [&str; 9] = [
    "0",
    "-0",
    "1",
    "-1",
    "000123",
    "-9223372036854775806",
    "9223372036854775806",
    "1000000000",
    "604800000000000",
];
/// Values no field may have, and a few that only look so.
pub(super) const ODD_VALUES: [&str; 40] = [
    "",
    "-",
    ".",
    "-.",
    "-i",
    "i",
    "u",
    "1u",
    "18446744073709551616u",
    "+1",
    "+1i",
    "1.0i",
    "1e3i",
    "1i1",
    "1ii",
    "1.0.0",
    "1e",
    "1e1e1",
    "e1",
    "1e400",
    ".e1",
    "1.7976931348623159e308",
    "NaN",
    "nan",
    "Inf",
    "-Inf",
    "inf",
    "n",
    "tr",
    "TRue",
    "tt",
    "nil",
    "\"",
    "\"a",
    "a\"",
    "\"a\"b",
    "\"\\\"",
    "9223372036854775808i",
    "-9223372036854775809i",
    "0x1",
];
/// Times no point may have, and a few that only look so.
pub(super) const ODD_TIMES: [&str; 16] = [
    "-",
    "+1",
    "1.0",
    "1e9",
    "1x",
    "1i",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775807",
    "-9223372036854775809",
    "99999999999999999999",
    "1 2",
    "1\t",
    "1\r",
    "1\0",
    "--1",
];

/// A legal value for a field named `key`, of the type its first letter stands for.
pub(super) fn value_for(rng: &mut Rng, key: &str) -> String {
    match key.as_bytes().first() {
        Some(b'i') => integer(rng),
        Some(b'b') => rng.pick(&BOOLEANS).to_owned(),
        Some(b's') => string(rng),
        _ => float(rng),
    }
}

/// A legal time near the start of the year 2026, at times one at the edge of what there is.
pub(super) fn time(rng: &mut Rng) -> String {
    if rng.one_in(10) {
        return rng.pick(&TIMES).to_owned();
    }
    (START_NS + STEP_NS * rng.between(0, 1_000) + rng.between(0, 3)).to_string()
}

fn integer(rng: &mut Rng) -> String {
    match rng.below(8) {
        0 => rng.pick(&INTEGERS).to_owned(),
        1 => format!("{}i", rng.next_u64() as i64),
        2..=4 => format!("{}i", rng.between(-100_000, 100_000)),
        _ => format!("{}i", rng.below(100)),
    }
}

fn float(rng: &mut Rng) -> String {
    match rng.below(8) {
        0 => rng.pick(&FLOATS).to_owned(),
        1 => any_finite(rng, |value| format!("{value:e}")),
        2 => any_finite(rng, |value| format!("{value:?}")),
        3..=5 => format!("{}.{}", rng.between(-99, 99), rng.below(1_000_000)),
        _ => rng.between(-1_000, 1_000).to_string(),
    }
}

/// Any bit pattern that is a number, printed.
fn any_finite(rng: &mut Rng, print: fn(f64) -> String) -> String {
    let value = f64::from_bits(rng.next_u64());
    print(if value.is_finite() { value } else { 0.5 })
}

fn string(rng: &mut Rng) -> String {
    let parts = rng.below(8);
    let mut text = String::from("\"");
    for _ in 0..parts {
        text.push_str(rng.pick(&STRING_PARTS));
    }
    text.push('"');
    text
}
