//! Bodies of line protocol, as an engine takes them.

use tidegate_core::engine::{Config, Engine, LineFate, Outcome, WriteReport, WriteRequest};
use tidegate_core::line;
use tidegate_core::model::Precision;
use tidegate_tests::fuzz::Target;
use tidegate_tests::r#gen::{Flavour, Rng, body};
use tidegate_tests::proof::fixtures;

const NOW_NS: i64 = 1_767_225_600_000_000_000;

/// An engine is replaced by a fresh one after so many bodies: types of fields and limits settle.
const LIFE: u64 = 200;

/// An engine that is written to, and two that are told the same and something else.
pub(crate) struct Lines {
    whole: Engine,
    single: Engine,
    written: u64,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self {
            whole: engine(),
            single: engine(),
            written: 0,
        }
    }
}

fn engine() -> Engine {
    let mut engine = Engine::open(Config::new("d", 1, 2), &[]);
    settle(&mut engine);
    engine.execute(NOW_NS, "CREATE DATABASE d").expect("new");
    settle(&mut engine);
    engine
}

fn settle(engine: &mut Engine) {
    while let Some(effect) = engine.poll_effect() {
        engine.complete(effect.id(), Ok(())).expect("in turn");
    }
}

fn write(engine: &mut Engine, request: &WriteRequest, body: &[u8]) -> WriteReport {
    let report = engine.write(request, body).expect("there is room");
    settle(engine);
    report
}

impl Target for Lines {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let rows = fixtures::rows("line-protocol.jsonl");
        let mut corpus: Vec<_> = rows.iter().map(|row| row.bytes("input_b64")).collect();
        corpus.retain(|body| body.len() < 4 << 10);
        let mut rng = Rng::new(7);
        for flavour in Flavour::ALL {
            corpus.extend((0..40).map(|_| body::body(&mut rng, flavour, 6)));
        }
        corpus
    }

    fn tokens(&self) -> &'static [&'static [u8]] {
        &[
            b" ",
            b",",
            b"=",
            b"\"",
            b"\\",
            b"\n",
            b"\r\n",
            b"\t",
            b"#",
            b"i",
            b"u",
            b"-",
            b".",
            b"e",
            b"\\,",
            b"\\ ",
            b"\\=",
            b"time",
            b"t",
            b" v=1 1",
            b"9223372036854775807",
            b"\ncpu v=3 3\n",
            b"# a=\"",
        ]
    }

    fn read(&mut self, rng: &mut Rng, input: &[u8]) -> bool {
        if self.written.is_multiple_of(LIFE) {
            *self = Self::new();
        }
        self.written += 1;
        let precision = Precision::from_code(rng.below(6) as u8);
        let request = WriteRequest {
            now_ns: NOW_NS,
            precision: precision.unwrap_or_default(),
            strict: rng.one_in(3),
            explain: true,
            ..WriteRequest::default()
        };
        // Twice: the second time all that may be expected is expected.
        let input = if rng.one_in(2) {
            [input, b"\n", input].concat()
        } else {
            input.to_vec()
        };
        let lines = if request.strict {
            line::Lines::strict(&input)
        } else {
            line::Lines::new(&input)
        };
        let lines: Vec<_> = lines.collect();
        let report = write(&mut self.whole, &request, &input);
        let all = report.written + report.dropped + report.unparsed;
        assert_eq!(all, lines.len() as u64, "a line is missing: {report:?}");
        let stored = |fate| fate == LineFate::Stripped;
        let listed = report
            .explained
            .lines
            .iter()
            .filter(|line| !stored(line.fate));
        let listed = listed.count() as u64 + report.explained.left_out;
        assert!(listed >= report.dropped + report.unparsed, "{report:?}");
        let mut single = (0, 0, 0);
        for line in &lines {
            let start = line.offset - line.indent;
            let end = (line.offset + line.bytes.len() + 1).min(input.len());
            let report = write(&mut self.single, &request, &input[start..end]);
            single.0 += report.written;
            single.1 += report.dropped;
            single.2 += report.unparsed;
        }
        let whole = (report.written, report.dropped, report.unparsed);
        assert_eq!(whole, single, "line by line it is another verdict");
        report.outcome == Outcome::Written && report.written > 0
    }
}
