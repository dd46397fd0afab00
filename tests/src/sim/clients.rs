//! What clients send: lines of which we know what they mean, and bytes of which we do not.

use tidegate_core::model::Value;

use super::hits::{Hit, Hits};
use super::observe::Point;
use super::plan::{Kind, Plan};
use super::trace::{of_key, of_value};
use crate::r#gen::{Flavour, Rng, body};

const MINUTE_NS: i64 = 60_000_000_000;
const POLICIES: [&str; 4] = ["brief", "long", "p \u{e9}", "tight"];

/// A request to write.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// Empty: the default one.
    pub(super) policy: String,
    /// What the lines mean, where we know.
    pub(super) lines: Option<Vec<Line>>,
}

/// A line, understood.
#[derive(Clone, Debug)]
pub(super) struct Line {
    series: String,
    time_ns: Option<i64>,
    fields: Vec<(&'static str, Field)>,
}

#[derive(Clone, Debug)]
enum Field {
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Boolean(bool),
    String(String),
}

/// All clients of a world.
#[derive(Debug)]
pub(super) struct Clients {
    plan: Plan,
    lots: Rng,
    /// Makes values that occur once.
    counter: i64,
    earlier: Vec<Body>,
    lines_max: usize,
    fleet: u64,
}

impl Clients {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut lots = Rng::new(plan.seed ^ 0xc11e);
        let lines_max = 1 << lots.below(6);
        let fleet = 1 + lots.below(20);
        Self {
            plan: plan.clone(),
            lots,
            counter: 0,
            earlier: Vec::new(),
            lines_max,
            fleet,
        }
    }

    /// The next body, at a clock reading.
    pub(super) fn body(&mut self, now_ns: i64, hits: &mut Hits) -> Body {
        if self.lots.one_in(self.plan.one_in(Kind::Repeat)) && !self.earlier.is_empty() {
            hits.note(Hit::Repeated);
            let at = self.lots.index(self.earlier.len());
            return self.earlier[at].clone();
        }
        if self.lots.one_in(self.plan.one_in(Kind::Hostile)) {
            hits.note(Hit::Hostile);
            let flavour = Flavour::ALL[self.lots.index(3)];
            let lines = 1 + self.lots.index(12);
            return Body {
                bytes: body::body(&mut self.lots, flavour, lines),
                policy: self.policy(),
                lines: None,
            };
        }
        hits.note(Hit::Body);
        let body = self.own_lines(now_ns, hits);
        if self.earlier.len() < 8 {
            self.earlier.push(body.clone());
        } else {
            let at = self.lots.index(8);
            self.earlier[at] = body.clone();
        }
        body
    }

    fn policy(&mut self) -> String {
        let named = self.plan.is_on(Kind::Statements) && self.lots.one_in(4);
        if named {
            self.lots.pick(&POLICIES).to_owned()
        } else {
            String::new()
        }
    }

    fn own_lines(&mut self, now_ns: i64, hits: &mut Hits) -> Body {
        let count = 1 + self.lots.index(self.lines_max);
        let spread = 1 << self.lots.below(12);
        let (mut bytes, mut lines) = (Vec::new(), Vec::new());
        for number in 0..count as u64 {
            let host = if self.lots.one_in(4) {
                self.lots.below(self.fleet)
            } else {
                number
            };
            let (host, kind) = (host % self.fleet, self.lots.below(8) / 3);
            let time_ns = if self.lots.one_in(6) {
                hits.note(Hit::NoTime);
                None
            } else {
                let back = self.lots.below(spread) as i64;
                Some((now_ns / MINUTE_NS - back) * MINUTE_NS)
            };
            self.counter += 1;
            let line = self.line(kind, host, time_ns);
            line.write(&mut bytes, self.lots.one_in(10));
            lines.push(line);
        }
        Body {
            bytes,
            policy: self.policy(),
            lines: Some(lines),
        }
    }

    fn line(&mut self, kind: u64, host: u64, time_ns: Option<i64>) -> Line {
        let mut fields = vec![("n", Field::Integer(self.counter))];
        if kind > 0 {
            fields.push(("load", Field::Float(self.lots.below(4_000) as f64 / 8.0)));
            fields.push(("idle", Field::Integer(self.lots.between(-3, 300))));
        }
        if kind > 1 && self.plan.has_unsigned() && self.counter % 3 == 0 {
            fields.push(("sent", Field::Unsigned(u64::MAX - self.counter as u64)));
        }
        if kind > 1 && self.lots.one_in(2) {
            fields.push(("up", Field::Boolean(self.lots.one_in(2))));
            let length = 1 << self.lots.below(11);
            let text = "x".repeat(self.lots.index(length));
            fields.push(("note", Field::String(text)));
        }
        // No lot is drawn for it, so that worlds stay what they were. Nobody selects these: over
        // several shards a field that has two types is shown in one of them.
        let clashes = self.plan.is_on(Kind::Clash) && self.counter % 11 == 0;
        let kind = if clashes { 3 } else { kind };
        if clashes {
            let is_float = self.counter % 2 == 0;
            let value = [Field::Integer(1), Field::Float(1.0)];
            fields.extend(
                value
                    .into_iter()
                    .nth(usize::from(is_float))
                    .map(|v| ("both", v)),
            );
        }
        Line {
            series: format!("own{kind},host=h{host},zone=z{}", host % 3),
            time_ns,
            fields,
        }
    }

    /// A statement that changes policies, and the policy it would drop.
    pub(super) fn statement(&mut self) -> (Hit, String, Option<&'static str>) {
        let name = POLICIES[self.lots.index(POLICIES.len())];
        let duration = self.lots.pick(&["INF", "1d", "2h", "52w", "30m"]);
        match self.lots.below(9) {
            0..5 => {
                let shard = self
                    .lots
                    .pick(&["", " SHARD DURATION 1h", " SHARD DURATION 7d"]);
                let default = self.lots.pick(&["", "", " DEFAULT"]);
                let text = format!(
                    "CREATE RETENTION POLICY \"{name}\" ON \"d\" DURATION {duration} \
                     REPLICATION 1{shard}{default}"
                );
                (Hit::Create, text, None)
            }
            5..7 => {
                let default = self.lots.pick(&["", " DEFAULT"]);
                let name = if self.lots.one_in(3) { "autogen" } else { name };
                let text = format!(
                    "ALTER RETENTION POLICY \"{name}\" ON \"d\" DURATION {duration}{default}"
                );
                (Hit::Alter, text, None)
            }
            _ => {
                let name = if self.lots.one_in(12) {
                    "autogen"
                } else {
                    name
                };
                let text = format!("DROP RETENTION POLICY \"{name}\" ON \"d\"");
                (Hit::Drop, text, Some(name))
            }
        }
    }
}

impl Line {
    fn write(&self, out: &mut Vec<u8>, is_odd: bool) {
        if is_odd {
            // Down the general path.
            out.push(b' ');
        }
        out.extend_from_slice(self.series.as_bytes());
        for (at, (name, value)) in self.fields.iter().enumerate() {
            out.push(if at == 0 { b' ' } else { b',' });
            let value = match value {
                Field::Integer(value) => format!("{value}i"),
                Field::Unsigned(value) => format!("{value}u"),
                Field::Float(value) => format!("{value}"),
                Field::Boolean(value) => format!("{value}"),
                Field::String(value) => format!("\"{value}\""),
            };
            out.extend_from_slice(format!("{name}={value}").as_bytes());
        }
        if let Some(time) = self.time_ns {
            out.extend_from_slice(format!(" {time}").as_bytes());
        }
        out.push(b'\n');
    }

    /// What it puts where.
    pub(super) fn points(&self, policy: u64, now_ns: i64) -> impl Iterator<Item = Point> + '_ {
        let time = self.time_ns.unwrap_or(now_ns);
        self.fields.iter().map(move |(name, value)| {
            let value = match value {
                Field::Integer(value) => Value::Integer(*value),
                Field::Unsigned(value) => Value::Unsigned(*value),
                Field::Float(value) => Value::Float(*value),
                Field::Boolean(value) => Value::Boolean(*value),
                Field::String(value) => Value::String(value.as_bytes()),
            };
            Point {
                key: of_key(policy, self.series.as_bytes(), time, name.as_bytes()),
                value: of_value(&value),
                policy,
            }
        })
    }
}
