//! Tapes in Node's V8: one process for many tapes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tidegate_tests::proof::server::root;
use tidegate_tests::trace::{Dump, Recorded};

use crate::player::{Played, Player};

/// No call is to be shown.
const NO_CALL: u32 = u32::MAX;

/// `node tests/trace/v8.mjs GUEST`, fed with tapes.
pub(crate) struct V8 {
    process: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl V8 {
    pub(crate) fn start(guest: &Path) -> Self {
        let mut process = Command::new("node")
            .arg(root().join("tests/trace/v8.mjs"))
            .arg(guest)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let (to, from) = (process.stdin.take(), process.stdout.take());
        let from = BufReader::new(from.expect("a pipe"));
        Self { process, to, from }
    }
}

impl Drop for V8 {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.to.take());
        let _ = self.process.wait();
    }
}

impl Player for V8 {
    fn name(&self) -> &'static str {
        "V8"
    }

    fn begin(&mut self, recorded: &Recorded, show: Option<u32>) {
        let to = self.to.as_mut().expect("a pipe");
        let length = recorded.tape.len() as u32;
        let head = [show.unwrap_or(NO_CALL).to_le_bytes(), length.to_le_bytes()];
        let sent = to.write_all(head.as_flattened());
        let sent = sent.and_then(|()| to.write_all(&recorded.tape));
        sent.and_then(|()| to.flush()).expect("node reads");
    }

    fn end(&mut self, _: &Recorded) -> Played {
        let mut line = String::new();
        self.from.read_line(&mut line).expect("node answers");
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse().ok());
        let played = match words.first() {
            Some(&"same") => {
                let lanes = [number(1), number(2)].map(|lane: Option<u32>| lane.map(u64::from));
                lanes[0]
                    .zip(lanes[1])
                    .map(|(a, b)| Played::Same(a << 32 | b))
            }
            Some(&"differs") => number(1).map(Played::Differs),
            Some(&"trapped") => number(1).map(|at| Played::Trapped(at, words[2..].join(" "))),
            Some(&"shown") => Dump::parse(&words[1..]).map(Played::Shown),
            _ => None,
        };
        played.unwrap_or_else(|| panic!("node answers {line:?}"))
    }
}
