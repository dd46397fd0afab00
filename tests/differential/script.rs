//! Requests of every kind, fixed by a seed.

use std::fmt;

use tidegate_core::line::{Lines, Options, Scanner};
use tidegate_tests::r#gen::{Flavour, Rng, body, mutate};
use tidegate_tests::kit::gzip;
use tidegate_tests::kit::http::percent_encode;
use tidegate_tests::proof::fixtures;

const DATABASES: [&str; 3] = ["one", "two", "three"];

/// One request.
#[derive(Clone)]
pub(crate) struct Request {
    pub method: &'static str,
    pub target: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body)
            .chars()
            .take(500)
            .collect();
        write!(
            f,
            "{} {} {:?} {body:?}",
            self.method, self.target, self.headers
        )
    }
}

impl Request {
    pub(crate) fn new(method: &'static str, target: &str, body: &[u8]) -> Self {
        Self {
            method,
            target: target.to_owned(),
            headers: Vec::new(),
            body: body.to_vec(),
        }
    }

    /// A statement by POST.
    pub(crate) fn statement(database: &str, statement: &str) -> Self {
        let (database, statement) = (percent_encode(database), percent_encode(statement));
        let target = format!("/query?db={database}&epoch=ns&q={statement}");
        Self::new("POST", &target, b"")
    }
}

/// A seeded source of requests.
pub(crate) struct Script {
    rng: Rng,
    extra: u64,
    /// Recorded bodies.
    rows: Vec<Vec<u8>>,
}

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            extra: 0,
            rows: recorded_rows(),
        }
    }

    /// Makes the databases.
    pub(crate) fn opening(&self) -> Vec<Request> {
        let create = |name| Request::statement("", &format!("CREATE DATABASE {name}"));
        DATABASES.iter().map(create).collect()
    }

    /// Reads everything that is stored.
    pub(crate) fn closing(&self) -> Vec<Request> {
        let mut requests = vec![Request::statement("", "SHOW DATABASES")];
        for database in DATABASES {
            for statement in [
                "SHOW SERIES",
                "SHOW FIELD KEYS",
                "SHOW RETENTION POLICIES",
                "SELECT * FROM /.*/",
                "SELECT * FROM /.*/ GROUP BY *",
            ] {
                requests.push(Request::statement(database, statement));
            }
        }
        requests
    }

    pub(crate) fn request(&mut self) -> Request {
        match self.rng.below(100) {
            0..=59 => self.write(),
            60..=82 => self.query(),
            83..=90 => self.definition(),
            _ => self.bad(),
        }
    }

    /// Lines of which every one that is a point bears its own time.
    pub(crate) fn lines(&mut self) -> Vec<u8> {
        let flavour = match self.rng.below(10) {
            0..=4 => Flavour::Valid,
            5..=7 => Flavour::NearValid,
            _ => Flavour::Hostile,
        };
        loop {
            let lines = 1 + self.rng.index(12);
            let bytes = body::body(&mut self.rng, flavour, lines);
            if every_point_has_a_time(&bytes) {
                return bytes;
            }
        }
    }

    /// A recorded body, or two, changed in places, and the unit of its times. Every line that is a
    /// point bears its own time.
    pub(crate) fn recorded(&mut self) -> (Vec<u8>, &'static str) {
        let precision = if self.rng.one_in(5) {
            self.rng.pick(&["n", "u", "ms", "s", "m", "h"])
        } else {
            ""
        };
        loop {
            let mut bytes = self.rows[self.rng.index(self.rows.len())].clone();
            if self.rng.one_in(2) {
                bytes.push(b'\n');
                bytes.extend_from_slice(&self.rows[self.rng.index(self.rows.len())]);
            }
            if !self.rng.one_in(8) {
                bytes = mutate(&mut self.rng, &bytes, &self.rows, TOKENS);
            }
            if every_point_has_a_time(&bytes) {
                return (bytes, precision);
            }
        }
    }

    fn write(&mut self) -> Request {
        let database = self.rng.pick(&DATABASES);
        let mut bytes = self.lines();
        let mut target = format!("/write?db={database}");
        if self.rng.one_in(12) {
            target = format!("/api/v2/write?bucket={database}");
        } else if self.rng.one_in(8) {
            let units = ["n", "ns", "u", "ms", "s", "m", "h", "us", "x", ""];
            target.push_str(&format!("&precision={}", self.rng.pick(&units)));
            // Times that fit every unit.
            bytes = (0..1 + self.rng.below(4))
                .map(|_| {
                    format!(
                        "unit,host=a f={} {}\n",
                        self.rng.below(9),
                        self.rng.below(99)
                    )
                })
                .collect::<String>()
                .into_bytes();
        }
        if self.rng.one_in(15) {
            let more = [
                "&rp=autogen",
                "&rp=nope",
                "&consistency=one",
                "&consistency=two",
                "&rp=",
            ];
            target.push_str(self.rng.pick(&more));
        }
        let mut request = Request::new("POST", &target, &bytes);
        if self.rng.one_in(5) {
            let level = 1 + self.rng.below(9) as u32;
            request.body = gzip::compress(&bytes, level).expect("compressed");
            request
                .headers
                .push(("Content-Encoding", "gzip".to_owned()));
        }
        if self.rng.one_in(25) {
            let kinds = ["application/csv", "application/x-msgpack", "text/plain"];
            request
                .headers
                .push(("Accept", self.rng.pick(&kinds).to_owned()));
        }
        request
    }

    fn query(&mut self) -> Request {
        let measurements = [
            "cpu", "mem", "disk", "net", "m", "\"c pu\"", "unit", "/c/", "/.*/",
        ];
        let from = self.rng.pick(&measurements);
        let fields = [
            "*", "f", "i, s", "f, host", "*::field", "f + i", "-f", "nope", "/f|i/",
        ];
        let fields = self.rng.pick(&fields);
        let conditions = [
            "",
            "",
            " WHERE host = 'a'",
            " WHERE f > 0",
            " WHERE i < 10 AND b = true",
            " WHERE time > 1767225600s",
            " WHERE time < 0",
            " WHERE host =~ /a|b/",
            " WHERE \"region\" != 'b'",
            " WHERE s = 'a' OR host = ''",
            " WHERE f > 'x'",
        ];
        let tails = [
            "",
            "",
            " GROUP BY host",
            " GROUP BY *",
            " ORDER BY time DESC",
            " LIMIT 3",
            " LIMIT 2 OFFSET 1",
            " GROUP BY host SLIMIT 1",
            " GROUP BY *, region LIMIT 1",
        ];
        let shows = [
            "SHOW MEASUREMENTS",
            "SHOW SERIES FROM cpu",
            "SHOW TAG KEYS",
            "SHOW FIELD KEYS FROM m",
            "SHOW TAG VALUES WITH KEY = host",
            "SHOW TAG VALUES WITH KEY =~ /o/ LIMIT 2",
            "SHOW SERIES WHERE host = 'a'",
            "SHOW DATABASES",
            "SHOW RETENTION POLICIES",
            "SHOW SHARD GROUPS",
            "SHOW SERIES LIMIT 5",
            "SELECT",
            "SHOW",
            "DROP",
            "",
            "SELECT f FROM cpu; SHOW MEASUREMENTS; SELECT",
            "SELECT f FROM cpu; SHOW DATABASES",
        ];
        let statement = if self.rng.one_in(3) {
            self.rng.pick(&shows).to_owned()
        } else {
            let (condition, tail) = (self.rng.pick(&conditions), self.rng.pick(&tails));
            format!("SELECT {fields} FROM {from}{condition}{tail}")
        };
        let mut request = Request::statement(self.rng.pick(&DATABASES), &statement);
        if self.rng.one_in(3) {
            request.method = "GET";
        }
        let more = [
            "&epoch=s",
            "&pretty=true",
            "&chunked=true",
            "&chunked=true&chunk_size=2",
        ];
        if self.rng.one_in(8) {
            request.target.push_str(self.rng.pick(&more));
        }
        if self.rng.one_in(12) {
            let kinds = ["application/csv", "application/x-msgpack", "*/*"];
            request
                .headers
                .push(("Accept", self.rng.pick(&kinds).to_owned()));
        }
        request
    }

    fn definition(&mut self) -> Request {
        let known = self.extra;
        let some = format!("x{}", self.rng.below(known + 1));
        let name = self.rng.pick(&["p", "q", "r s"]);
        // Endless: whether a point is too old must not depend on when the test runs.
        let statement = match self.rng.below(7) {
            0 | 1 => {
                self.extra += 1;
                format!("CREATE DATABASE x{known}")
            }
            2 => format!("DROP DATABASE {some}"),
            3 => format!("CREATE DATABASE {some} WITH DURATION INF REPLICATION 1 NAME \"{name}\""),
            4 => {
                let hours = 1 + self.rng.below(30);
                format!(
                    "CREATE RETENTION POLICY \"{name}\" ON {some} DURATION INF REPLICATION 1 \
                     SHARD DURATION {hours}h"
                )
            }
            5 => format!("ALTER RETENTION POLICY \"{name}\" ON {some} SHARD DURATION 3h DEFAULT"),
            _ => format!("DROP RETENTION POLICY \"{name}\" ON {some}"),
        };
        Request::statement("", &statement)
    }

    fn bad(&mut self) -> Request {
        let good = b"cpu,host=a f=1 1";
        let mut request = match self.rng.below(12) {
            0 => Request::new("POST", "/write", good),
            1 => Request::new("POST", "/write?db=nope", good),
            2 => Request::new("GET", "/write?db=one", b""),
            3 => Request::new("POST", "/nowhere", good),
            4 => Request::new("POST", "/query", b""),
            5 => Request::new("POST", "/write?db=one&precision=y", good),
            6 => Request::new("POST", "/api/v2/write?bucket=", good),
            7 => Request::new("DELETE", "/ping", b""),
            8 => Request::new("GET", "/ping?verbose=1", b""),
            9 => Request::new("OPTIONS", "/query", b""),
            10 => Request::new("POST", "/write?db=%zz&db=one", good),
            // Cut before its field is whole: with one, it would be a point without a time.
            _ => Request::new(
                "POST",
                "/write?db=one",
                &good[..self.rng.index(good.len() - 3)],
            ),
        };
        if request.body.is_empty() || self.rng.one_in(2) {
            return request;
        }
        // Something that is no gzip, or that ends too early.
        request
            .headers
            .push(("Content-Encoding", "gzip".to_owned()));
        let whole = gzip::compress(good, 6).expect("compressed");
        request.body = whole[..self.rng.index(whole.len() + 1)].to_vec();
        request
    }
}

/// The bodies of the recorded rows, but for the few very long ones, of which mutants would differ
/// in length only.
fn recorded_rows() -> Vec<Vec<u8>> {
    let rows = fixtures::rows("line-protocol.jsonl");
    let bodies = rows.iter().map(|row| row.bytes("input_b64"));
    bodies.filter(|body| body.len() < 4 << 10).collect()
}

/// What means something in line protocol.
const TOKENS: &[&[u8]] = &[
    b" ",
    b",",
    b"=",
    b"\"",
    b"\\",
    b"\n",
    b"\r\n",
    b"\t",
    b"\0",
    b"#",
    b"i",
    b"u",
    b"-",
    b"+",
    b".",
    b"e",
    b"\\,",
    b"\\ ",
    b"\\=",
    b"\\\"",
    b"\\\\",
    b"time",
    b",time=1",
    b"time=a,",
    b"t",
    b"TRUE",
    b"NaN",
    b"1",
    b"0",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775806",
    b"1e400",
    b"1e-400",
    b".5",
    b" v=1 1",
    b",v=2i",
    b",h=a",
    b",h=b",
    b"\ncpu v=3 3\n",
    b"\ncpu,host=a v=\"s\" 4\n",
    b"\xff",
    b"\xc3\xa9",
    b"\xe2\x80\x8b",
    b"\x7f",
    b"# x\n",
    b"#!~#",
];

/// No test can know the server's clock.
fn every_point_has_a_time(bytes: &[u8]) -> bool {
    let options = Options::default();
    let mut scanner = Scanner::new();
    Lines::new(bytes).all(|line| {
        scanner
            .scan(line.bytes, &options)
            .map_or(true, |point| point.has_time())
    })
}
