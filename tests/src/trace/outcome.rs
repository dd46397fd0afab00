//! What comes out of a call.

use std::fmt;

use tidegate_core::engine::Phase;

use super::fold::Fold;

/// All that a host can see after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// What the call itself returned; for a poll 1 if there was an effect.
    pub code: u32,
    /// The answer: a report, rows, an effect's record, the recovery report, or what was wrong.
    pub output: &'a [u8],
    /// The bytes of an effect; the reason of a refusal.
    pub bytes: &'a [u8],
    /// As the guest numbers it.
    pub phase: u32,
    /// Accepted, submitted, durable.
    pub lsns: [u64; 3],
}

impl Outcome<'_> {
    /// Folds all of it in.
    pub fn fold_into(&self, fold: &mut Fold) {
        fold.word(self.code);
        fold.bytes(self.output);
        fold.bytes(self.bytes);
        fold.word(self.phase);
        self.lsns.iter().for_each(|&lsn| fold.number(lsn));
    }

    /// A copy to show.
    pub fn dump(&self) -> Dump {
        Dump {
            numbers: vec![
                u64::from(self.code),
                u64::from(self.phase),
                self.lsns[0],
                self.lsns[1],
                self.lsns[2],
            ],
            output: self.output.to_vec(),
            bytes: self.bytes.to_vec(),
        }
    }
}

/// A phase as the guest numbers it.
pub const fn phase_code(phase: Phase) -> u32 {
    match phase {
        Phase::Opening => 0,
        Phase::Running => 1,
        Phase::Poisoned => 2,
        Phase::Refused => 3,
    }
}

/// An outcome in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// Code, phase, accepted, submitted and durable LSN.
    pub numbers: Vec<u64>,
    /// See [`Outcome`].
    pub output: Vec<u8>,
    /// See [`Outcome`].
    pub bytes: Vec<u8>,
}

impl Dump {
    /// Where the two begin to differ, and what stands there.
    pub fn compare(&self, other: &Self) -> String {
        let texts = [
            (self.numbers != other.numbers).then(|| {
                let (mine, theirs) = (&self.numbers, &other.numbers);
                format!("code, phase and LSNs are {mine:?} here, {theirs:?} there")
            }),
            first_difference("output", &self.output, &other.output),
            first_difference("bytes", &self.bytes, &other.bytes),
        ];
        let texts: Vec<_> = texts.into_iter().flatten().collect();
        if texts.is_empty() {
            "this call gave the same on both sides; the one before left something else".into()
        } else {
            texts.join("; ")
        }
    }

    /// Five numbers and two strings of hexadecimal digits, as the script for V8 prints them.
    pub fn parse(words: &[&str]) -> Option<Self> {
        let (numbers, texts) = words.split_at_checked(5)?;
        let numbers = numbers.iter().map(|word| word.parse().ok());
        let bytes = |text: Option<&&str>| from_hex(text.copied().unwrap_or_default());
        Some(Self {
            numbers: numbers.collect::<Option<_>>()?,
            output: bytes(texts.first())?,
            bytes: bytes(texts.get(1))?,
        })
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let pairs = digits.chunks(2).map(|pair| str::from_utf8(pair).ok());
    let bytes = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok());
    bytes.collect()
}

fn first_difference(what: &str, mine: &[u8], theirs: &[u8]) -> Option<String> {
    if mine == theirs {
        return None;
    }
    let at = mine.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    let show = |bytes: &[u8]| {
        let part: Vec<u8> = bytes.iter().skip(at).take(24).copied().collect();
        format!("{part:02x?}")
    };
    Some(format!(
        "{what} of {} and {} bytes differ from byte {at} on: {} here, {} there",
        mine.len(),
        theirs.len(),
        show(mine),
        show(theirs)
    ))
}

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| bytes[..bytes.len().min(400)].escape_ascii().to_string();
        write!(
            f,
            "code, phase, LSNs {:?}; output \"{}\"; {} bytes \"{}\"",
            self.numbers,
            text(&self.output),
            self.bytes.len(),
            text(&self.bytes)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Dump, Fold, Outcome};

    const OUTCOME: Outcome<'_> = Outcome {
        code: 1,
        output: b"out",
        bytes: b"",
        phase: 2,
        lsns: [3, 4, 5],
    };

    #[test]
    fn every_part_of_an_outcome_changes_the_hash() {
        let hash = |outcome: &Outcome<'_>| {
            let mut fold = Fold::default();
            outcome.fold_into(&mut fold);
            fold.value()
        };
        let others = [
            Outcome { code: 0, ..OUTCOME },
            Outcome {
                output: b"",
                bytes: b"out",
                ..OUTCOME
            },
            Outcome {
                phase: 1,
                ..OUTCOME
            },
            Outcome {
                lsns: [3, 4, 5 | 1 << 40],
                ..OUTCOME
            },
        ];
        for other in others {
            assert_ne!(hash(&other), hash(&OUTCOME), "{other:?}");
            assert_ne!(other.dump(), OUTCOME.dump());
        }
    }

    #[test]
    fn a_printed_outcome_is_read_and_compared() {
        let words = ["1", "2", "3", "4", "5", "0x6f7578", "0x"];
        let other = Dump::parse(&words).expect("whole");
        let text = OUTCOME.dump().compare(&other);
        assert!(text.starts_with("output of 3 and 3 bytes differ from byte 2 on: [74]"));
        assert_eq!(Dump::parse(&words[..4]), None);
    }
}
