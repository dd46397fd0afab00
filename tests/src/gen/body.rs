//! Bodies of line protocol for parsers and servers to be tried with: good, nearly good, evil.

use super::Rng;
use super::tokens::{
    FIELD_KEYS, MEASUREMENTS, ODD_TIMES, ODD_VALUES, TAG_KEYS, TAG_VALUES, time, value_for,
};

/// How far from the rules a body strays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Every line is accepted by upstream on any database that only ever saw this flavour:
    /// escapes, quotes, newlines in strings, all value types, comments, tags out of order,
    /// odd spacing, no time, times at the edge of the range.
    Valid,
    /// Valid lines of which some carry one mistake, or what only looks like one.
    NearValid,
    /// Bytes that mean harm: noise, runs, truncation, flipped bits, huge tokens, no UTF-8.
    Hostile,
}

impl Flavour {
    /// All of them, for tests that walk through.
    pub const ALL: [Self; 3] = [Self::Valid, Self::NearValid, Self::Hostile];
}

/// A body of about `lines` lines. Only the generator's state decides its bytes.
pub fn body(rng: &mut Rng, flavour: Flavour, lines: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(lines * 80);
    for position in 0..lines {
        match flavour {
            Flavour::Valid => valid(rng, &mut out),
            Flavour::NearValid => near_valid(rng, &mut out),
            Flavour::Hostile => hostile(rng, &mut out),
        }
        if position + 1 < lines || !rng.one_in(4) {
            out.push(b'\n');
        }
    }
    out
}

/// The parts of a line, raw, in the order they are written.
struct Line {
    before: &'static str,
    measurement: String,
    tags: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    time: Option<String>,
    after: &'static str,
}

impl Line {
    fn new(rng: &mut Rng) -> Self {
        let mut keys = TAG_KEYS;
        rng.shuffle(&mut keys);
        let tag_count = rng.index(5);
        if !rng.one_in(4) {
            keys[..tag_count].sort_unstable();
        }
        let tags = keys[..tag_count]
            .iter()
            .map(|key| (owned(key), owned(rng.pick(&TAG_VALUES))));
        let tags = tags.collect();
        let field_count = 1 + rng.index(5);
        let fields = (0..field_count).map(|_| {
            let key = rng.pick(&FIELD_KEYS);
            (owned(key), value_for(rng, key))
        });
        let fields = fields.collect();
        Self {
            before: if rng.one_in(12) {
                rng.pick(&[" ", "\t ", "\0", "\n\n"])
            } else {
                ""
            },
            measurement: owned(rng.pick(&MEASUREMENTS)),
            tags,
            fields,
            time: (!rng.one_in(12)).then(|| time(rng)),
            after: if rng.one_in(12) {
                rng.pick(&[" ", "  "])
            } else {
                ""
            },
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut put = |text: &str| out.extend_from_slice(text.as_bytes());
        put(self.before);
        put(&self.measurement);
        for (key, value) in &self.tags {
            put(&format!(",{key}={value}"));
        }
        for (position, (key, value)) in self.fields.iter().enumerate() {
            put(if position == 0 { " " } else { "," });
            put(&format!("{key}={value}"));
        }
        if let Some(time) = &self.time {
            put(&format!(" {time}"));
        }
        put(self.after);
    }
}

fn valid(rng: &mut Rng, out: &mut Vec<u8>) {
    if rng.one_in(30) {
        out.extend_from_slice(b"# a remark, v=1 without a quote\n");
    }
    Line::new(rng).write(out);
}

fn near_valid(rng: &mut Rng, out: &mut Vec<u8>) {
    let mut line = Line::new(rng);
    match rng.below(6) {
        0 => spoil_tags(rng, &mut line),
        1 => spoil_fields(rng, &mut line),
        2 => line.time = Some(owned(rng.pick(&ODD_TIMES))),
        3 => return spoil_text(rng, &line, out),
        _ => {}
    }
    line.write(out);
}

fn spoil_tags(rng: &mut Rng, line: &mut Line) {
    let spoilt = match rng.below(11) {
        0 => ("", "a"),
        1 => ("host", ""),
        2 => ("host", "a=b"),
        3 => ("host", "a b"),
        4 => ("ho st", "a"),
        5 => ("host", "a\\"),
        6 => ("time", "a"),
        7 => ("ho\0st", "\u{200b}"),
        8 => ("ho\\\nst", "a\\\nb"),
        9 => return line.tags.extend(line.tags.first().cloned()),
        _ => {
            return line
                .tags
                .push((owned("k"), "v".repeat(65_535 - rng.index(20))));
        }
    };
    let position = rng.index(line.tags.len() + 1);
    line.tags
        .insert(position, (owned(spoilt.0), owned(spoilt.1)));
}

fn spoil_fields(rng: &mut Rng, line: &mut Line) {
    let (key, other) = (owned(rng.pick(&FIELD_KEYS)), rng.pick(&FIELD_KEYS));
    let spoilt = match rng.below(8) {
        0 => (String::new(), owned("1")),
        1 => (owned("time"), owned("1")),
        2 => (owned("\t"), owned("1")),
        3 => (owned("a\\\\=1,b"), owned("2")),
        // Right value, wrong type for this name: a conflict once both are stored.
        4 => (key, value_for(rng, other)),
        5 => (key, format!("\"{}\"", "x".repeat(rng.index(3_000)))),
        _ => (key, owned(rng.pick(&ODD_VALUES))),
    };
    let position = rng.index(line.fields.len() + 1);
    line.fields.insert(position, spoilt);
}

fn spoil_text(rng: &mut Rng, line: &Line, out: &mut Vec<u8>) {
    match rng.below(8) {
        0 => out.extend_from_slice(b"# a=\"swallows the next lines\n"),
        1 => out.extend_from_slice(b"\xef\xbb\xbf"),
        2 => out.push(b','),
        _ => {}
    }
    let start = out.len();
    line.write(out);
    let structural = |byte: u8| b" ,=\"\\".contains(&byte);
    let places: Vec<usize> = (start..out.len())
        .filter(|&at| structural(out[at]))
        .collect();
    let at = places
        .get(rng.index(places.len()))
        .copied()
        .unwrap_or(start);
    match rng.below(6) {
        0 => drop(out.remove(at)),
        1 => out.insert(at, out[at]),
        2 => out.insert(at, b'\\'),
        3 => out[at] = rng.byte(b" ,=\"\\\t\0\r\n"),
        4 => out.push(b'\r'),
        _ => out.truncate(at),
    }
}

fn hostile(rng: &mut Rng, out: &mut Vec<u8>) {
    let start = out.len();
    match rng.below(9) {
        0 => noise(rng, out, |rng| rng.next_u64() as u8),
        1 => noise(rng, out, |rng| rng.byte(b" ,=\"\\\n\t\r\0#ait10.-+eE")),
        2 => {
            let byte = rng.byte(b" ,=\"\\\n0-#\0");
            out.extend(std::iter::repeat_n(byte, 1 + rng.index(3_000)));
        }
        3 => {
            out.extend_from_slice(b"cpu v=");
            out.extend(std::iter::repeat_n(b'9', 1 + rng.index(600)));
            out.extend_from_slice(
                rng.pick(&["", "i", ".5", "e9", "e-999", " 1", "\""])
                    .as_bytes(),
            );
        }
        4 => {
            out.extend_from_slice(b"cpu");
            for number in 0..rng.below(150) {
                out.extend_from_slice(format!(",t{}=v", number * 7 % 150).as_bytes());
            }
            out.extend_from_slice(b" v=1 1");
        }
        5 if rng.one_in(8) => {
            out.extend(std::iter::repeat_n(b'x', 65_500 + rng.index(80)));
            out.extend_from_slice(b" v=1 1");
        }
        6 => {
            Line::new(rng).write(out);
            let length = out.len() - start;
            out.truncate(start + rng.index(length));
        }
        _ => {
            near_valid(rng, out);
            for _ in 0..rng.index(4) {
                let length = (out.len() - start).max(1);
                let bit = 1 << rng.below(8);
                if let Some(byte) = out.get_mut(start + rng.index(length)) {
                    *byte ^= bit;
                }
            }
        }
    }
}

fn noise(rng: &mut Rng, out: &mut Vec<u8>, byte: fn(&mut Rng) -> u8) {
    for _ in 0..1 + rng.index(200) {
        out.push(byte(rng));
    }
}

fn owned(text: &str) -> String {
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Flavour, body};
    use crate::r#gen::Rng;

    #[test]
    fn the_same_seed_gives_the_same_body_and_another_does_not() {
        for flavour in Flavour::ALL {
            let make = |seed| body(&mut Rng::new(seed), flavour, 200);
            assert_eq!(make(1), make(1));
            assert_ne!(make(1), make(2));
        }
    }

    #[test]
    fn valid_bodies_show_every_feature() {
        let text = body(&mut Rng::new(1), Flavour::Valid, 5_000);
        let text = String::from_utf8(text).expect("valid bodies are UTF-8");
        for feature in [
            "\\ ", "\\,", "\\=", "\\\"", "\\\\", "\"", "# ", "=t", "i ", "e-", " -1\n", "\u{20ac}",
        ] {
            assert!(text.contains(feature), "{feature:?} is missing");
        }
    }

    #[test]
    fn near_valid_bodies_hold_good_lines_and_bad_ones() {
        let near = body(&mut Rng::new(1), Flavour::NearValid, 5_000);
        let near = String::from_utf8_lossy(&near);
        for mistake in ["NaN", "=\"a,", "time=", "\r", " 1e9", "# a=\"", ",=a"] {
            assert!(near.contains(mistake), "{mistake:?} is missing");
        }
    }

    #[test]
    fn hostile_bodies_are_not_text() {
        let hostile = body(&mut Rng::new(1), Flavour::Hostile, 500);
        assert!(std::str::from_utf8(&hostile).is_err());
        assert!(hostile.contains(&0));
    }
}
