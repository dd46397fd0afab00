//! Statements and how a real server prints them.

use std::string::ToString;

use super::one;

#[test]
fn statements_print_as_real_servers_print_them() {
    for (text, expected) in PRINTED {
        assert_eq!(one(text).to_string(), *expected, "{text}");
    }
}

#[rustfmt::skip]
const PRINTED: &[(&str, &str)] = &[
    (
        "SELECT * FROM cpu WHERE host = 'a' AND time > now() - 1h GROUP BY time(5m), host fill(none) ORDER BY time DESC LIMIT 5 OFFSET 2 SLIMIT 3 SOFFSET 1 tz('UTC')",
        "SELECT * FROM cpu WHERE host = 'a' AND time > now() - 1h GROUP BY time(5m), host fill(none) ORDER BY time DESC LIMIT 5 OFFSET 2 SLIMIT 3 SOFFSET 1 TZ('UTC')",
    ),
    (
        "SELECT mean(usage) AS m, max(\"n\") / 2.5 INTO d.autogen.x FROM d.autogen.cpu, /c.*/ WHERE (a > 1 OR b <= 2) AND c =~ /x\\/y/ AND d !~ /z/",
        "SELECT mean(usage) AS m, max(n) / 2.500 INTO d.autogen.x FROM d.autogen.cpu, /c.*/ WHERE (a > 1 OR b <= 2) AND c =~ /x\\/y/ AND d !~ /z/",
    ),
    (
        "SELECT usage::float, *::tag, DISTINCT host, -v % 3 ^ 2 & 1 | 5 FROM (SELECT max(usage) FROM cpu GROUP BY *) WHERE time >= '2026-01-01T00:00:00Z'",
        "SELECT usage::float, *::tag, DISTINCT host, -1 * v % 3 ^ 2 & 1 | 5 FROM (SELECT max(usage) FROM cpu GROUP BY *) WHERE time >= '2026-01-01T00:00:00Z'",
    ),
    (
        "SELECT top(usage, host, 3), percentile(n, 90), /us.*/ FROM d..cpu",
        "SELECT top(usage, host, 3), percentile(n, 90), /us.*/ FROM d..cpu",
    ),
    (
        "SELECT a INTO \"x y\".:MEASUREMENT FROM \"n\".\"m\" -- hello",
        "SELECT a INTO \"x y\".:MEASUREMENT FROM n.m",
    ),
    (
        "SHOW MEASUREMENTS ON d WITH MEASUREMENT =~ /c.*/ WHERE host = 'a' ORDER BY ASC LIMIT 1 OFFSET 2",
        "SHOW MEASUREMENTS ON d WITH MEASUREMENT =~ /c.*/ WHERE host = 'a' ORDER BY ASC LIMIT 1 OFFSET 2",
    ),
    (
        "SHOW SERIES ON d FROM cpu, mem WHERE host != 'b' LIMIT 3 OFFSET 1",
        "SHOW SERIES ON d FROM cpu, mem WHERE host != 'b' LIMIT 3 OFFSET 1",
    ),
    (
        "SHOW SERIES EXACT CARDINALITY ON d FROM cpu WHERE a = 1 GROUP BY b LIMIT 1 OFFSET 2",
        "SHOW SERIES EXACT CARDINALITY ON d FROM cpu WHERE a = 1 GROUP BY b LIMIT 1 OFFSET 2",
    ),
    (
        "SHOW TAG KEYS ON d FROM cpu WHERE a = 'b' ORDER BY time LIMIT 1 OFFSET 1 SLIMIT 1 SOFFSET 1",
        "SHOW TAG KEYS ON d FROM cpu WHERE a = 'b' ORDER BY time ASC LIMIT 1 OFFSET 1 SLIMIT 1 SOFFSET 1",
    ),
    (
        "SHOW TAG VALUES ON d FROM cpu WITH KEY IN (host, \"region\") WHERE a = 'b' LIMIT 1",
        "SHOW TAG VALUES ON d FROM cpu WITH KEY IN (host, region) WHERE a = 'b' LIMIT 1",
    ),
    (
        "SHOW TAG VALUES CARDINALITY ON d FROM cpu WITH KEY = host",
        "SHOW TAG VALUES CARDINALITY ON d FROM cpu WITH KEY = host",
    ),
    ("SHOW TAG KEY EXACT CARDINALITY FROM cpu", "SHOW TAG KEY EXACT CARDINALITY FROM cpu"),
    (
        "SHOW FIELD KEYS ON d FROM /x/ ORDER BY DESC LIMIT 2",
        "SHOW FIELD KEYS ON d FROM /x/ ORDER BY DESC LIMIT 2",
    ),
    ("SHOW MEASUREMENT CARDINALITY ON d", "SHOW MEASUREMENT CARDINALITY ON d"),
    ("SHOW RETENTION POLICIES ON d", "SHOW RETENTION POLICIES ON d"),
    (
        "CREATE DATABASE x1 WITH DURATION 2d REPLICATION 1 SHARD DURATION 1h NAME \"r p\"",
        "CREATE DATABASE x1 WITH DURATION 48h0m0s REPLICATION 1 SHARD DURATION 1h0m0s NAME \"r p\"",
    ),
    (
        "CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 2 SHARD DURATION 1d DEFAULT",
        "CREATE RETENTION POLICY p ON d DURATION 0s REPLICATION 2 SHARD DURATION 1d DEFAULT",
    ),
    (
        "ALTER RETENTION POLICY p ON d DURATION 1w2d REPLICATION 1 SHARD DURATION 3h DEFAULT",
        "ALTER RETENTION POLICY p ON d DURATION 9d REPLICATION 1 SHARD DURATION 3h DEFAULT",
    ),
    ("DROP RETENTION POLICY p ON d", "DROP RETENTION POLICY p ON d"),
    ("DROP SERIES FROM cpu WHERE host = 'c'", "DROP SERIES FROM cpu WHERE host = 'c'"),
    (
        "DELETE FROM cpu WHERE time < '2026-01-01T00:30:00Z'",
        "DELETE FROM cpu WHERE time < '2026-01-01T00:30:00Z'",
    ),
    (
        "CREATE USER u WITH PASSWORD 'p' WITH ALL PRIVILEGES",
        "CREATE USER u WITH PASSWORD [REDACTED] WITH ALL PRIVILEGES",
    ),
    ("SET PASSWORD FOR u = 'q'", "SET PASSWORD FOR u = [REDACTED]"),
    ("GRANT READ ON d TO u", "GRANT READ ON d TO u"),
    ("REVOKE ALL PRIVILEGES ON d FROM u", "REVOKE ALL PRIVILEGES ON d FROM u"),
    ("REVOKE ALL PRIVILEGES FROM u", "REVOKE ALL PRIVILEGES FROM u"),
    (
        "CREATE SUBSCRIPTION s ON d.autogen DESTINATIONS ALL 'http://localhost:1', 'udp://localhost:2'",
        "CREATE SUBSCRIPTION s ON d.autogen DESTINATIONS ALL 'http://localhost:1', 'udp://localhost:2'",
    ),
    ("DROP SUBSCRIPTION s ON d.autogen", "DROP SUBSCRIPTION s ON d.autogen"),
    ("KILL QUERY 36 ON h", "KILL QUERY 36 ON h"),
    (
        "CREATE CONTINUOUS QUERY q ON d RESAMPLE EVERY 1m FOR 10m BEGIN SELECT mean(v) INTO x FROM cpu GROUP BY time(5m) END",
        "CREATE CONTINUOUS QUERY q ON d RESAMPLE EVERY 1m FOR 10m BEGIN SELECT mean(v) INTO x FROM cpu GROUP BY time(5m) END",
    ),
    ("DROP CONTINUOUS QUERY q ON d", "DROP CONTINUOUS QUERY q ON d"),
    ("EXPLAIN ANALYZE SELECT a FROM cpu", "EXPLAIN ANALYZE SELECT a FROM cpu"),
    (
        "SELECT a AS \"b c\", -5 * (3 - -x) FROM \"a b\".\"c\".d, e WHERE x = 'it\\'s' AND \"q\\\"r\" =~ /a\\/b/ GROUP BY time(1h30m, -5m), * fill(2.5)",
        "SELECT a AS \"b c\", -5 * (3 - -1 * x) FROM \"a b\".c.d, e WHERE x = 'it\\'s' AND \"q\\\"r\" =~ /a\\/b/ GROUP BY time(90m, -5m), * fill(2.5)",
    ),
    (
        "SELECT sum(a) + 1h - 90m + 1500ms + 10u + 7ns + 14d FROM x fill(linear) limit 3",
        "SELECT sum(a) + 1h - 90m + 1500ms + 10u + 7ns + 2w FROM x fill(linear) LIMIT 3",
    ),
    (
        "SELECT DISTINCT \"select\" FROM x GROUP BY /h.*/ fill(previous)",
        "SELECT DISTINCT select FROM x GROUP BY /h.*/ fill(previous)",
    ),
    (
        "SELECT \"time\", *, *::field FROM (SELECT a FROM b), (SELECT c FROM /d/) ORDER BY DESC tz('America/New_York')",
        "SELECT time, *, *::field FROM (SELECT a FROM b), (SELECT c FROM /d/) ORDER BY DESC TZ('America/New_York')",
    ),
    ("SHOW MEASUREMENTS WITH MEASUREMENT = cpu", "SHOW MEASUREMENTS WITH MEASUREMENT = cpu"),
    ("DELETE WHERE host = 'a'", "DELETE WHERE host = 'a'"),
    ("DROP SERIES WHERE a = true OR b != false", "DROP SERIES WHERE a = true OR b != false"),
    (
        "SELECT 9223372036854775808, -9223372036854775808, .5, 3. FROM x",
        "SELECT 9223372036854775808, -9223372036854775808, 0.500, 3.000 FROM x",
    ),
    (
        "CREATE RETENTION POLICY \"select\" ON \"a b\" DURATION 36h REPLICATION 1",
        "CREATE RETENTION POLICY \"select\" ON \"a b\" DURATION 36h REPLICATION 1",
    ),
    (
        "CREATE DATABASE z WITH DURATION 90m SHARD DURATION 1500ms NAME \"x\"",
        "CREATE DATABASE z WITH DURATION 1h30m0s SHARD DURATION 1.5s NAME x",
    ),
    (
        "CREATE SUBSCRIPTION s ON d.\"default\" DESTINATIONS ANY 'a\\nb'",
        "CREATE SUBSCRIPTION s ON d.\"default\" DESTINATIONS ANY 'a\\nb'",
    ),
    ("SHOW TAG VALUES WITH KEY =~ /a\\/b/", "SHOW TAG VALUES WITH KEY =~ /a\\/b/"),
    ("SHOW TAG VALUES WITH KEY !~ /x/ WHERE a = b", "SHOW TAG VALUES WITH KEY !~ /x/ WHERE a = b"),
    ("SHOW TAG VALUES WITH KEY != \"a b\"", "SHOW TAG VALUES WITH KEY != \"a b\""),
];
