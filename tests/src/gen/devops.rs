//! Points as an agent on many hosts sends them: one `cpu` measurement, ten tags, ten fields.
//!
//! The shape (names and number of tags and fields, a step of ten seconds, hosts in turn) is
//! that of the Time Series Benchmark Suite's `cpu-only` use case, so figures can be held
//! against others'; the values are our own random walks.

use std::io::Write as _;

use super::Rng;

/// 2026-01-01T00:00:00Z: the time of the first point.
pub const START_NS: i64 = 1_767_225_600_000_000_000;
/// Between two points of one host.
pub const STEP_NS: i64 = 10_000_000_000;

const FIELDS: [&str; 10] = [
    "usage_user",
    "usage_system",
    "usage_idle",
    "usage_nice",
    "usage_iowait",
    "usage_irq",
    "usage_softirq",
    "usage_steal",
    "usage_guest",
    "usage_guest_nice",
];
const REGIONS: [&str; 9] = [
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
];
const SYSTEMS: [&str; 3] = ["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"];
const ARCHES: [&str; 2] = ["x86", "x64"];
const TEAMS: [&str; 4] = ["SF", "NYC", "LON", "CHI"];
const ENVIRONMENTS: [&str; 3] = ["production", "staging", "test"];

/// What the ten fields hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Integers of 0 to 100 that walk by at most 2 a step: the friendly case.
    Small,
    /// Integers of nine digits, unrelated from point to point.
    Wide,
    /// Floats of sixteen digits, unrelated from point to point.
    Floats,
}

/// How the lines of one body follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Hosts in turn, as agents behind one collector arrive.
    RoundRobin,
    /// The same lines, in random order within each body.
    Shuffled,
}

/// Everything that decides what is generated, apart from the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of series; at least 1.
    pub hosts: usize,
    /// What the fields hold.
    pub values: Values,
    /// The order of lines in a body.
    pub order: Order,
}

impl Shape {
    /// A thousand hosts in turn with small integers.
    pub const FRIENDLY: Self = Self {
        hosts: 1_000,
        values: Values::Small,
        order: Order::RoundRobin,
    };

    /// How many of the first `points` points belong to host number `host`.
    pub fn points_of_host(self, points: u64, host: usize) -> u64 {
        let hosts = self.hosts as u64;
        points / hosts + u64::from((host as u64) < points % hosts)
    }

    /// The time of the last of the first `points` points.
    pub fn last_ns(self, points: u64) -> i64 {
        let steps = points.saturating_sub(1) / self.hosts as u64;
        START_NS + STEP_NS * steps as i64
    }
}

/// An endless stream of lines for a shape and a seed.
pub struct Devops {
    shape: Shape,
    rng: Rng,
    /// Measurement and tags of each host, ready to copy.
    keys: Vec<String>,
    walks: Vec<[u8; 10]>,
    emitted: u64,
}

impl Devops {
    /// The stream's start. Costs one key of about 180 bytes a host.
    pub fn new(shape: Shape, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let keys = (0..shape.hosts)
            .map(|host| key_of_host(&mut rng, host))
            .collect();
        let walks = (0..shape.hosts)
            .map(|_| [(); 10].map(|()| rng.below(101) as u8))
            .collect();
        Self {
            shape,
            rng,
            keys,
            walks,
            emitted: 0,
        }
    }

    /// Appends the next `lines` lines, each with its newline, as one body.
    pub fn body(&mut self, lines: usize, out: &mut Vec<u8>) {
        if self.shape.order == Order::RoundRobin {
            for _ in 0..lines {
                self.line(out);
            }
            return;
        }
        let mut text = Vec::new();
        let mut spans = Vec::with_capacity(lines);
        for _ in 0..lines {
            let start = text.len();
            self.line(&mut text);
            spans.push(start..text.len());
        }
        self.rng.shuffle(&mut spans);
        for span in spans {
            out.extend_from_slice(&text[span]);
        }
    }

    fn line(&mut self, out: &mut Vec<u8>) {
        let hosts = self.shape.hosts as u64;
        let host = (self.emitted % hosts) as usize;
        let time_ns = START_NS + STEP_NS * (self.emitted / hosts) as i64;
        self.emitted += 1;
        out.extend_from_slice(self.keys[host].as_bytes());
        for (position, field) in FIELDS.iter().enumerate() {
            out.push(if position == 0 { b' ' } else { b',' });
            out.extend_from_slice(field.as_bytes());
            out.push(b'=');
            match self.shape.values {
                Values::Small => {
                    let value = step(&mut self.rng, &mut self.walks[host][position]);
                    write_to(out, format_args!("{value}i"));
                }
                Values::Wide => {
                    write_to(
                        out,
                        format_args!("{}i", self.rng.between(100_000_000, 999_999_999)),
                    );
                }
                Values::Floats => {
                    let (whole, rest) =
                        (self.rng.between(10, 99), self.rng.below(u64::pow(10, 14)));
                    write_to(out, format_args!("{whole}.{rest:014}"));
                }
            }
        }
        write_to(out, format_args!(" {time_ns}\n"));
    }
}

fn step(rng: &mut Rng, walk: &mut u8) -> u8 {
    let next = i64::from(*walk) + rng.between(-2, 2);
    *walk = next.clamp(0, 100) as u8;
    *walk
}

fn key_of_host(rng: &mut Rng, host: usize) -> String {
    let region = rng.pick(&REGIONS);
    let zone = char::from(b'a' + rng.below(3) as u8);
    format!(
        "cpu,hostname=host_{host},region={region},datacenter={region}{zone},rack={},os={},arch={},\
         team={},service={},service_version={},service_environment={}",
        rng.below(100),
        rng.pick(&SYSTEMS),
        rng.pick(&ARCHES),
        rng.pick(&TEAMS),
        rng.below(20),
        rng.below(2),
        rng.pick(&ENVIRONMENTS),
    )
}

fn write_to(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // A Vec takes whatever is written to it.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Devops, Order, START_NS, STEP_NS, Shape, Values};

    fn body(shape: Shape, seed: u64, lines: usize) -> String {
        let mut out = Vec::new();
        Devops::new(shape, seed).body(lines, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
        for order in [Order::RoundRobin, Order::Shuffled] {
            let shape = Shape {
                order,
                ..Shape::FRIENDLY
            };
            assert_eq!(body(shape, 5, 3_000), body(shape, 5, 3_000));
            assert_ne!(body(shape, 5, 3_000), body(shape, 6, 3_000));
        }
    }

    #[test]
    fn a_line_has_ten_tags_ten_fields_and_its_size() {
        let text = body(Shape::FRIENDLY, 1, 10_000);
        let mean = text.len() / 10_000;
        assert!((325..=365).contains(&mean), "mean line length is {mean}");
        for line in text.lines() {
            let parts: Vec<&str> = line.split(' ').collect();
            assert_eq!(parts.len(), 3);
            assert_eq!(parts[0].split(',').count(), 11);
            assert_eq!(parts[1].split(',').count(), 10);
        }
        assert!(text.ends_with(&format!(" {}\n", START_NS + 9 * STEP_NS)));
    }

    #[test]
    fn a_shuffled_body_holds_the_lines_of_no_other() {
        let shape = Shape {
            order: Order::Shuffled,
            ..Shape::FRIENDLY
        };
        let text = body(shape, 1, 5_000);
        let keys: HashSet<(&str, &str)> = text
            .lines()
            .map(|line| {
                let host = line.split(',').nth(1).expect("tag");
                (host, line.rsplit(' ').next().expect("time"))
            })
            .collect();
        assert_eq!(keys.len(), 5_000);
        assert!(!text.starts_with("cpu,hostname=host_0,"));
    }

    #[test]
    fn wide_integers_have_nine_digits_and_floats_sixteen() {
        let wide = body(
            Shape {
                values: Values::Wide,
                ..Shape::FRIENDLY
            },
            1,
            1,
        );
        let floats = body(
            Shape {
                values: Values::Floats,
                ..Shape::FRIENDLY
            },
            1,
            1,
        );
        for (text, digits) in [(wide, 9), (floats, 16)] {
            for field in text.split(' ').nth(1).expect("fields").split(',') {
                let value = field.split('=').nth(1).expect("value");
                assert_eq!(
                    value.bytes().filter(u8::is_ascii_digit).count(),
                    digits,
                    "{value}"
                );
            }
        }
    }

    #[test]
    fn points_of_hosts_add_up() {
        let shape = Shape {
            hosts: 7,
            ..Shape::FRIENDLY
        };
        let total: u64 = (0..7).map(|host| shape.points_of_host(100, host)).sum();
        assert_eq!(total, 100);
        assert_eq!(shape.points_of_host(1, 0), 1);
        assert_eq!(shape.points_of_host(1, 1), 0);
        assert_eq!(shape.last_ns(7), START_NS);
        assert_eq!(shape.last_ns(8), START_NS + STEP_NS);
    }
}
