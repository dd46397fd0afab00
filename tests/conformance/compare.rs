//! Comparing one answer, and counting.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use tidegate_tests::proof::say;
use tidegate_tests::proof::server::Face;

/// What became of the rows.
pub(crate) struct Tally {
    /// Whose answers are compared.
    pub(crate) face: Face,
    equal: u64,
    on_purpose: BTreeMap<&'static str, u64>,
    beyond: BTreeMap<String, u64>,
    unexplained: Vec<String>,
    purposes_met: Vec<(&'static str, &'static str)>,
}

impl Tally {
    pub(crate) fn new(face: Face) -> Self {
        Self {
            face,
            equal: 0,
            on_purpose: BTreeMap::new(),
            beyond: BTreeMap::new(),
            unexplained: Vec::new(),
            purposes_met: Vec::new(),
        }
    }

    /// Counts a row: its parts as (what, recorded, ours), and what it needs that is not built.
    pub(crate) fn row(
        &mut self,
        file: &'static str,
        name: &str,
        parts: &[(&str, String, String)],
        beyond: Option<&str>,
    ) {
        let differs = parts.iter().find(|(_, recorded, ours)| recorded != ours);
        let Some((what, recorded, ours)) = differs else {
            self.equal += 1;
            return;
        };
        let purpose = super::ON_PURPOSE
            .iter()
            .find(|&&(in_file, row, _)| in_file == file && row == name);
        if let Some(&(file, row, id)) = purpose {
            *self.on_purpose.entry(id).or_default() += 1;
            self.purposes_met.push((file, row));
        } else if let Some(beyond) = beyond {
            *self.beyond.entry(beyond.to_owned()).or_default() += 1;
        } else {
            self.unexplained.push(format!(
                "{file} {name}: {what}\n    recorded {recorded:?}\n    ours     {ours:?}"
            ));
        }
    }

    /// Prints the counts.
    ///
    /// # Panics
    /// If a difference is unexplained, or a purpose explains nothing any more.
    pub(crate) fn finish(self) {
        let name = self.face.name();
        let purposes: u64 = self.on_purpose.values().sum();
        let beyond: u64 = self.beyond.values().sum();
        let unexplained = self.unexplained.len();
        say(&format!(
            "conformance, {name}: {} equal, {purposes} differing on purpose {:?}, \
             {beyond} out of scope {:?}, {unexplained} unexplained",
            self.equal, self.on_purpose, self.beyond
        ));
        let shown: Vec<&String> = self.unexplained.iter().take(60).collect();
        for row in &shown {
            say(&format!("  {row}"));
        }
        assert_eq!(unexplained, 0, "differences without a reason");
        assert!(self.equal > 300, "only {} rows were equal", self.equal);
        for &(file, row, _) in super::ON_PURPOSE {
            let met = self.purposes_met.contains(&(file, row));
            assert!(met, "{file} {row} does not differ any more");
        }
    }
}

/// Nanoseconds since the epoch.
pub(crate) fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

/// What no test can know made equal: the clock of the server that was recorded, our own if it
/// read between `from` and `to`, and the two spellings of what is no UTF-8.
pub(crate) fn settled(text: &str, from: u64, to: u64) -> String {
    const RECORDED_FROM: u64 = 1_795_000_000_000_000_000;
    const RECORDED_TO: u64 = 1_796_000_000_000_000_000;
    // Default times are cut to the unit of the request, at most a second here.
    let ours = from.saturating_sub(1_000_000_000)..=to;
    let mut out = String::new();
    let mut digits = String::new();
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        let number = digits.parse::<u64>().unwrap_or(0);
        let clock = ours.contains(&number) || (RECORDED_FROM..RECORDED_TO).contains(&number);
        out.push_str(if clock { "CLOCK" } else { &digits });
        digits.clear();
        out.push(letter);
    }
    out.pop();
    out.replace("\\ufffd", "\u{fffd}")
}
