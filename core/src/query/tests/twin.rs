//! SELECT against the same answer computed the naive way from a list of points.

use std::collections::BTreeMap;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::store::Store;

/// A point that is known to all: two tags, some fields.
#[derive(Clone, Debug, Default)]
struct Point {
    a: &'static str,
    b: &'static str,
    time: i64,
    f: Option<f64>,
    i: Option<i64>,
    s: Option<String>,
}

impl Point {
    fn line(&self) -> String {
        let f = self.f.map(|f| format!("f={f}"));
        let i = self.i.map(|i| format!("i={i}i"));
        let s = self.s.as_ref().map(|s| format!("s=\"{s}\""));
        let fields: Vec<_> = [s, f, i].into_iter().flatten().collect();
        format!(
            "m,a={},b={} {} {}\n",
            self.a,
            self.b,
            fields.join(","),
            self.time
        )
    }

    fn overlay(&mut self, later: &Self) {
        self.f = later.f.or(self.f);
        self.i = later.i.or(self.i);
        self.s = later.s.clone().or_else(|| self.s.take());
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % bound
    }
}

/// Points in order of arrival: some series in order of time, some not, some times twice.
fn points(random: &mut Random, count: usize) -> Vec<Point> {
    // The fields a query knows are those of the shards it reads, so each shard gets all.
    let full = |at: i64| Point {
        a: "x",
        b: "p",
        time: at * 100 + 50,
        f: Some(0.5),
        i: Some(at),
        s: Some(String::from("s")),
    };
    let mut clock = 0;
    let mut points: Vec<_> = (0..60).map(full).collect();
    for _ in 0..count {
        let a = ["x", "y", "z"][random.below(3) as usize];
        let b = ["p", "q"][random.below(2) as usize];
        clock += random.below(12) as i64;
        let time = if a == "z" {
            random.below(3_000) as i64 / 4 * 4
        } else {
            clock
        };
        let mut point = Point {
            a,
            b,
            time,
            ..Point::default()
        };
        let which = 1 + random.below(7);
        point.f = (which & 1 != 0).then(|| random.below(80) as f64 / 8.0 - 5.0);
        point.i = (which & 2 != 0).then(|| random.below(600) as i64 - 300);
        point.s = (which & 4 != 0).then(|| format!("s{}", random.below(20)));
        points.push(point);
    }
    points
}

/// The columns of a SELECT, how the twin prints them, and which fields make a row of it.
type Shape = (
    &'static str,
    &'static [&'static str],
    fn(&Point) -> Vec<String>,
    fn(&Point) -> bool,
);

fn null<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| String::from("null"), |value| value.to_string())
}

fn text(value: Option<&str>) -> String {
    null(value.map(|value| format!("\"{value}\"")))
}

const SHAPES: [Shape; 4] = [
    (
        "*",
        &["a", "b", "f", "i", "s"],
        |p| {
            [
                text(Some(p.a)),
                text(Some(p.b)),
                null(p.f),
                null(p.i),
                text(p.s.as_deref()),
            ]
            .into()
        },
        |_| true,
    ),
    (
        "i, b, a",
        &["i", "b", "a"],
        |p| [null(p.i), text(Some(p.b)), text(Some(p.a))].into(),
        |p| p.i.is_some(),
    ),
    (
        "a, f + i AS sum, i / 2, b, s",
        &["a", "sum", "i", "b", "s"],
        |p| {
            let sum = p.f.zip(p.i).map(|(f, i)| f + i as f64);
            let half = p.i.map(|i| i as f64 / 2.0);
            [
                text(Some(p.a)),
                null(sum),
                null(half),
                text(Some(p.b)),
                text(p.s.as_deref()),
            ]
            .into()
        },
        |_| true,
    ),
    (
        "a, b, i::float, f::integer, f::string",
        &["a", "b", "i", "f", "f_1"],
        |p| {
            let f = p.f.map(|f| f as i64);
            [
                text(Some(p.a)),
                text(Some(p.b)),
                null(p.i),
                null(f),
                text(None),
            ]
            .into()
        },
        |p| p.i.is_some() || p.f.is_some(),
    ),
];

/// Conditions and what they mean.
type Where = (&'static str, fn(&Point) -> bool);

const WHERES: [Where; 9] = [
    ("", |_| true),
    ("WHERE f > 0", |p| p.f.is_some_and(|f| f > 0.0)),
    ("WHERE a = 'x'", |p| p.a == "x"),
    ("WHERE a != 'x' AND i <= 5", |p| {
        p.a != "x" && p.i.is_some_and(|i| i <= 5)
    }),
    ("WHERE a =~ /[xz]/ OR s =~ /1$/", |p| {
        p.a != "y" || p.s.as_ref().is_some_and(|s| s.ends_with('1'))
    }),
    ("WHERE time >= 500 AND time < 2100", |p| {
        (500..2_100).contains(&p.time)
    }),
    ("WHERE (f > i OR b = 'p') AND time > 100", |p| {
        (p.b == "p" || p.f.zip(p.i).is_some_and(|(f, i)| f > i as f64)) && p.time > 100
    }),
    ("WHERE f + i > 20 AND s != 's3'", |p| {
        p.f.zip(p.i).is_some_and(|(f, i)| f + i as f64 > 20.0)
            && p.s.as_ref().is_some_and(|s| s != "s3")
    }),
    ("WHERE s = 5", |_| false),
];

struct Query {
    shape: Shape,
    condition: Where,
    grouped: bool,
    descending: bool,
    limit: usize,
    offset: usize,
}

impl Query {
    fn random(random: &mut Random) -> Self {
        Self {
            shape: SHAPES[random.below(4) as usize],
            condition: WHERES[random.below(9) as usize],
            grouped: random.below(2) == 0,
            descending: random.below(2) == 0,
            limit: [0, 1, 5, 40][random.below(4) as usize],
            offset: [0, 0, 3, 60][random.below(4) as usize],
        }
    }

    fn text(&self) -> String {
        let group = if self.grouped { "GROUP BY a" } else { "" };
        let order = if self.descending {
            "ORDER BY time DESC"
        } else {
            ""
        };
        let limit = if self.limit == 0 {
            String::new()
        } else {
            format!("LIMIT {}", self.limit)
        };
        let (columns, condition) = (self.shape.0, self.condition.0);
        let offset = self.offset;
        format!("SELECT {columns} FROM m {condition} {group} {order} {limit} OFFSET {offset}")
    }

    /// The naive answer.
    fn answer(&self, points: &[Point]) -> String {
        let mut merged = BTreeMap::<(i64, &str, &str), Point>::new();
        for point in points {
            let known = merged.entry((point.time, point.a, point.b));
            known
                .and_modify(|known| known.overlay(point))
                .or_insert_with(|| point.clone());
        }
        let (_, columns, print, is_row) = self.shape;
        let dropped = |at: &usize| self.grouped && self.shape.0 == "*" && columns[*at] == "a";
        let kept: Vec<_> = (0..columns.len()).filter(|at| !dropped(at)).collect();
        let mut groups = BTreeMap::<&str, Vec<String>>::new();
        let mut ordered: Vec<_> = merged.into_values().collect();
        if self.descending {
            ordered.reverse();
        }
        for point in ordered
            .iter()
            .filter(|p| is_row(p) && (self.condition.1)(p))
        {
            let cells = print(point);
            let cells: Vec<_> = kept.iter().map(|&at| cells[at].clone()).collect();
            let row = format!("[{},{}]", point.time, cells.join(","));
            groups
                .entry(if self.grouped { point.a } else { "" })
                .or_default()
                .push(row);
        }
        let limit = if self.limit == 0 {
            usize::MAX
        } else {
            self.limit
        };
        let names: Vec<_> = kept
            .iter()
            .map(|&at| format!(",\"{}\"", columns[at]))
            .collect();
        let series = groups.into_iter().filter_map(|(a, rows)| {
            let rows: Vec<_> = rows.into_iter().skip(self.offset).take(limit).collect();
            let tags = if self.grouped {
                format!("\"tags\":{{\"a\":\"{a}\"}},")
            } else {
                "".into()
            };
            let head = format!(
                "\"name\":\"m\",{tags}\"columns\":[\"time\"{}]",
                names.concat()
            );
            (!rows.is_empty()).then(|| format!("{{{head},\"values\":[{}]}}", rows.join(",")))
        });
        let mut series: Vec<_> = series.collect();
        if self.descending {
            series.reverse();
        }
        format!("[{}]", series.join(","))
    }
}

#[test]
fn select_equals_its_naive_twin() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let count = 1 + random.below(400) as usize;
        let points = points(&mut random, count);
        let mut store = Store::new([1_000, 100, 1 << 40][seed as usize % 3]);
        for point in &points {
            store.write("autogen", point.line().as_bytes());
        }
        for _ in 0..60 {
            let query = Query::random(&mut random);
            let rows_max = [1, 2, 17, 10_000][random.below(4) as usize];
            let text = query.text();
            assert_eq!(
                store.ask(&text, rows_max),
                query.answer(&points),
                "seed {seed}: {text}"
            );
        }
    }
}

#[test]
fn a_select_keeps_to_the_rows_there_were_when_it_began() {
    let mut store = Store::new(1 << 40);
    for point in points(&mut Random(5), 300) {
        store.write("autogen", point.line().as_bytes());
    }
    for text in ["SELECT * FROM m", "SELECT * FROM m ORDER BY time DESC"] {
        let expected = store.ask(text, 10);
        let mut cursor = store.open(text).expect("legal");
        let mut bytes = Vec::new();
        let mut random = Random(6);
        while cursor.fetch(&store.view(), 3, &mut bytes) {
            let point = points(&mut random, 1).pop().expect("one");
            store.write("autogen", point.line().as_bytes());
        }
        assert_eq!(super::store::json(&bytes), expected);
    }
}

#[test]
fn a_long_scan_goes_on_in_steps() {
    let mut store = Store::new(1 << 60);
    let mut body = String::new();
    for time in 0..50_000 {
        body.push_str(&format!("m v={time}i {time}\n"));
    }
    store.write("autogen", body.as_bytes());
    let mut cursor = store
        .open("SELECT v FROM m WHERE v > 49998")
        .expect("legal");
    let (mut bytes, mut steps) = (Vec::new(), 1);
    while cursor.fetch(&store.view(), 10, &mut bytes) {
        steps += 1;
    }
    assert!((25..=27).contains(&steps), "{steps}");
    let answer = "[{\"name\":\"m\",\"columns\":[\"time\",\"v\"],\"values\":[[49999,49999]]}]";
    assert_eq!(super::store::json(&bytes), answer);
}
