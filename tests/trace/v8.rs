//! Tapes in Node's V8: one process for many tapes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tidegate_tests::proof::server::root;
use tidegate_tests::trace::{Dump, Recorded};

use crate::player::{Played, Player};

/// No call is to be shown.
const NO_CALL: u32 = u32::MAX;

/// `node tests/trace/v8.mjs`, fed with the guest and then with tapes.
pub(crate) struct V8 {
    process: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl V8 {
    pub(crate) fn start(guest: &[u8]) -> Self {
        let mut process = Command::new("node")
            .arg(root().join("tests/trace/v8.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let (to, from) = (process.stdin.take(), process.stdout.take());
        let from = BufReader::new(from.expect("a pipe"));
        let mut v8 = Self { process, to, from };
        v8.send(&[], guest);
        v8
    }

    /// A frame: words, the length of the bytes, the bytes.
    fn send(&mut self, words: &[u32], bytes: &[u8]) {
        let to = self.to.as_mut().expect("a pipe");
        let words = words.iter().copied().chain([bytes.len() as u32]);
        let head: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        let sent = to.write_all(&head).and_then(|()| to.write_all(bytes));
        sent.and_then(|()| to.flush()).expect("node reads");
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
        self.send(&[show.unwrap_or(NO_CALL)], &recorded.tape);
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
