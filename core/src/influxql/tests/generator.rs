//! Random statements of every kind, and the randomness for it.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use crate::influxql::{Identifier, Text};

/// splitmix64: small, and the same everywhere.
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(super) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn maybe(&mut self, percent: usize, make: impl FnOnce(&mut Self) -> String) -> String {
        if self.chance(percent) {
            make(self)
        } else {
            String::new()
        }
    }

    fn list(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> String) -> String {
        let items: Vec<_> = (0..=self.below(most)).map(|_| make(self)).collect();
        items.join(", ")
    }
}

/// A statement in its printed form, so that it must come back the same.
pub(super) fn statement(random: &mut Random) -> String {
    match random.below(12) {
        0..5 => select(random, 2, true),
        5 => format!(
            "EXPLAIN {}{}",
            random.pick(&["", "ANALYZE "]),
            select(random, 1, false)
        ),
        6 => show(random),
        7 => cardinality(random),
        8 => retention(random),
        9 => {
            let word = random.pick(&["DELETE", "DROP SERIES"]);
            let filter = condition_clause(random);
            format!("{word} FROM {}{filter}", name(random))
        }
        10 => admin(random),
        _ => continuous(random),
    }
}

fn select(random: &mut Random, depth: usize, into: bool) -> String {
    let fields = random.list(3, field);
    let into = random.maybe(if into { 15 } else { 0 }, |r| {
        format!(" INTO {}", measurement(r))
    });
    let sources = random.list(2, |r| {
        if depth > 0 && r.chance(20) {
            format!("({})", select(r, depth - 1, false))
        } else {
            source(r)
        }
    });
    let condition = random.maybe(50, condition_clause);
    let dimensions = random.maybe(40, |r| format!(" GROUP BY {}", r.list(3, dimension)));
    let fill = random.maybe(30, |r| {
        let fill = r.pick(&["none", "previous", "linear", "5", "-2", "0.5"]);
        format!(" fill({fill})")
    });
    let sort = sort(random);
    let mut limits = String::new();
    for word in ["LIMIT", "OFFSET", "SLIMIT", "SOFFSET"] {
        limits += &limit(random, word);
    }
    let zone = random.maybe(10, |_| " TZ('Europe/Berlin')".to_string());
    format!("SELECT {fields}{into} FROM {sources}{condition}{dimensions}{fill}{sort}{limits}{zone}")
}

fn field(random: &mut Random) -> String {
    let expr = match random.below(8) {
        0 => pattern(random),
        1 => random.pick(&["*", "*::tag", "*::field"]).to_string(),
        2 => format!("DISTINCT {}", random.pick(&["a", "b_c"])),
        3 => "distinct(a)".to_string(),
        _ => arithmetic(random, 3),
    };
    let alias = random.maybe(20, |r| format!(" AS {}", name(r)));
    format!("{expr}{alias}")
}

fn arithmetic(random: &mut Random, depth: usize) -> String {
    if depth == 0 || random.chance(30) {
        return operand(random);
    }
    match random.below(4) {
        0 => format!("({})", arithmetic(random, depth - 1)),
        1 => {
            let args = random.list(3, |r| arithmetic(r, depth - 1));
            format!(
                "{}({args})",
                random.pick(&["mean", "max", "percentile", "f"])
            )
        }
        _ => {
            let op = random.pick(&["+", "-", "*", "/", "%", "&", "|", "^"]);
            let lhs = arithmetic(random, depth - 1);
            format!("{lhs} {op} {}", arithmetic(random, depth - 1))
        }
    }
}

fn operand(random: &mut Random) -> String {
    match random.below(8) {
        0 => (random.next() >> 1).to_string(),
        1 => format!("-{}", random.below(1000) + 1),
        2 => format!("{}.{:03}", random.below(100), random.below(1000)),
        3 => random
            .pick(&["1h", "90m", "6d", "2w", "15ms", "3u", "9ns", "0s"])
            .to_string(),
        4 => random
            .pick(&["true", "false", "now()", "18446744073709551615"])
            .to_string(),
        5 => text(random),
        _ => {
            let name = name(random);
            let types = [
                "",
                "",
                "",
                "::float",
                "::integer",
                "::unsigned",
                "::string",
                "::tag",
            ];
            format!("{name}{}", random.pick(&types))
        }
    }
}

fn condition(random: &mut Random, depth: usize) -> String {
    if depth > 0 && random.chance(60) {
        let lhs = condition(random, depth - 1);
        let rhs = condition(random, depth - 1);
        return match random.below(3) {
            0 => format!("({lhs})"),
            1 => format!("{lhs} AND {rhs}"),
            _ => format!("{lhs} OR {rhs}"),
        };
    }
    let lhs = if random.chance(30) {
        "time".to_string()
    } else {
        operand(random)
    };
    match random.pick(&["=", "!=", "<", "<=", ">", ">=", "=~", "!~"]) {
        op @ ("=~" | "!~") => format!("{lhs} {op} {}", pattern(random)),
        op => format!("{lhs} {op} {}", arithmetic(random, 1)),
    }
}

fn condition_clause(random: &mut Random) -> String {
    format!(" WHERE {}", condition(random, 3))
}

fn dimension(random: &mut Random) -> String {
    match random.below(5) {
        0 => "*".to_string(),
        1 => pattern(random),
        2 => random.pick(&["time(5m)", "time(1h, 10m)"]).to_string(),
        _ => name(random),
    }
}

fn show(random: &mut Random) -> String {
    let on = random.maybe(40, |r| format!(" ON {}", name(r)));
    let from = random.maybe(50, |r| format!(" FROM {}", r.list(2, source)));
    let condition = random.maybe(50, condition_clause);
    let rest = format!(
        "{}{}{}",
        sort(random),
        limit(random, "LIMIT"),
        limit(random, "OFFSET")
    );
    match random.below(6) {
        0 => {
            let with = random.maybe(50, |r| format!(" WITH MEASUREMENT =~ {}", pattern(r)));
            format!("SHOW MEASUREMENTS{on}{with}{condition}{rest}")
        }
        1 => format!("SHOW SERIES{on}{from}{condition}{rest}"),
        2 => format!(
            "SHOW TAG KEYS{on}{from}{condition}{rest}{}",
            limit(random, "SLIMIT")
        ),
        3 => format!(
            "SHOW TAG VALUES{on}{from} WITH KEY {}{condition}{rest}",
            keys(random)
        ),
        4 => format!("SHOW FIELD KEYS{on}{from}{rest}"),
        _ => {
            let plain = [
                "SHOW DATABASES",
                "SHOW SHARD GROUPS",
                "SHOW SHARDS",
                "SHOW USERS",
                "SHOW QUERIES",
                "SHOW SUBSCRIPTIONS",
                "SHOW CONTINUOUS QUERIES",
                "SHOW STATS FOR 'x'",
                "SHOW DIAGNOSTICS",
                "SHOW RETENTION POLICIES",
            ];
            random.pick(&plain).to_string()
        }
    }
}

fn cardinality(random: &mut Random) -> String {
    let exact = random.pick(&["", " EXACT"]);
    let on = random.maybe(40, |r| format!(" ON {}", name(r)));
    let from = random.maybe(50, |r| format!(" FROM {}", source(r)));
    let what = random.pick(&[
        "SERIES",
        "MEASUREMENT",
        "TAG KEY",
        "FIELD KEY",
        "TAG VALUES",
    ]);
    let with = if what == "TAG VALUES" {
        format!(" WITH KEY {}", keys(random))
    } else {
        "".into()
    };
    let condition = random.maybe(50, condition_clause);
    let dimensions = random.maybe(40, |r| format!(" GROUP BY {}", name(r)));
    let limit = limit(random, "LIMIT");
    format!("SHOW {what}{exact} CARDINALITY{on}{from}{with}{condition}{dimensions}{limit}")
}

fn retention(random: &mut Random) -> String {
    let (policy, database) = (name(random), name(random));
    let limits = random.pick(&[
        "",
        " FUTURE LIMIT 1h",
        " PAST LIMIT 2d",
        " FUTURE LIMIT 5m PAST LIMIT 1u",
    ]);
    match random.below(4) {
        0 => {
            let duration = random.pick(&["", " DURATION 48h0m0s", " DURATION 1h30m0s"]);
            format!("CREATE DATABASE {database} WITH{duration} REPLICATION 2{limits} NAME {policy}")
        }
        1 => {
            let shard = random.pick(&["", " SHARD DURATION 1d", " DEFAULT"]);
            format!(
                "CREATE RETENTION POLICY {policy} ON {database} DURATION 3w REPLICATION 1{shard}{limits}"
            )
        }
        2 => format!("ALTER RETENTION POLICY {policy} ON {database} DURATION 0s{limits}"),
        _ => format!("DROP RETENTION POLICY {policy} ON {database}"),
    }
}

fn admin(random: &mut Random) -> String {
    let (user, database) = (name(random), name(random));
    let privilege = random.pick(&["READ", "WRITE", "ALL PRIVILEGES"]);
    match random.below(8) {
        0 => format!("GRANT {privilege} ON {database} TO {user}"),
        1 => format!("REVOKE {privilege} ON {database} FROM {user}"),
        2 => format!("GRANT ALL PRIVILEGES TO {user}"),
        3 => format!("KILL QUERY {} ON {user}", random.next()),
        4 => format!("DROP USER {user}"),
        5 => format!("SHOW GRANTS FOR {user}"),
        6 => {
            let urls = random.list(2, text);
            let mode = random.pick(&["ALL", "ANY"]);
            format!("CREATE SUBSCRIPTION {user} ON {database}.{user} DESTINATIONS {mode} {urls}")
        }
        _ => format!("DROP SUBSCRIPTION {user} ON {database}.{user}"),
    }
}

fn continuous(random: &mut Random) -> String {
    let (query, database) = (name(random), name(random));
    let resample = random.pick(&["", "RESAMPLE EVERY 1m ", "RESAMPLE EVERY 1m FOR 10m "]);
    let (into, from) = (measurement(random), source(random));
    format!(
        "CREATE CONTINUOUS QUERY {query} ON {database} {resample}BEGIN SELECT mean(v) \
         INTO {into} FROM {from} GROUP BY time(5m), * END"
    )
}

fn keys(random: &mut Random) -> String {
    match random.below(3) {
        0 => format!("{} {}", random.pick(&["=", "!="]), name(random)),
        1 => format!("{} {}", random.pick(&["=~", "!~"]), pattern(random)),
        _ => format!("IN ({})", random.list(3, name)),
    }
}

fn source(random: &mut Random) -> String {
    if random.chance(20) {
        let prefix = random.pick(&["", "d..", "d.r.", "r."]);
        return format!("{prefix}{}", pattern(random));
    }
    measurement(random)
}

fn measurement(random: &mut Random) -> String {
    let prefix = random.pick(&["", "", "d..", "\"d b\".r.", "r."]);
    format!("{prefix}{}", name(random))
}

fn sort(random: &mut Random) -> String {
    random
        .pick(&[
            "",
            "",
            " ORDER BY time ASC",
            " ORDER BY time DESC",
            " ORDER BY DESC",
        ])
        .to_string()
}

fn limit(random: &mut Random, word: &str) -> String {
    random.maybe(25, |r| format!(" {word} {}", r.below(1000) + 1))
}

fn name(random: &mut Random) -> String {
    let names = [
        "a", "b_c", "_x1", "a b", "select", "it's", "q\"q", "\\", "\u{e9}", "1a", "a.b", "n\nn",
    ];
    Identifier(random.pick(&names)).to_string()
}

fn text(random: &mut Random) -> String {
    Text(random.pick(&[
        "",
        "a",
        "it's",
        "q\"q",
        "\\",
        "n\nn",
        "\u{e9};--",
        "2026-01-01",
    ]))
    .to_string()
}

fn pattern(random: &mut Random) -> String {
    random
        .pick(&["/a.*/", "/^(x|y)$/", "/a\\/b/", "/\\d+/", "/[a-z]/"])
        .to_string()
}
