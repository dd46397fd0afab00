//! Texts that are refused, with the answers of real servers (1.6.7 and 1.12 agree on these).

use std::string::ToString;

use crate::influxql::parse_query;

#[test]
fn refused_texts_get_the_words_and_positions_of_real_servers() {
    for (text, expected) in REFUSED {
        let error = parse_query(text).expect_err(text).to_string();
        assert_eq!(error, *expected, "{text}");
    }
}

#[rustfmt::skip]
const REFUSED: &[(&str, &str)] = &[
    ("SHOW TAG VALUES FROM cpu", "found EOF, expected WITH at line 1, char 26"),
    (
        "SELECT * FROM cpu WHERE",
        "found EOF, expected identifier, string, number, bool at line 1, char 25",
    ),
    ("SELECT * FROM cpu LIMIT", "found EOF, expected integer at line 1, char 25"),
    ("SELECT * FROM cpu LIMIT x", "found x, expected integer at line 1, char 25"),
    ("SELECT * FROM cpu ORDER BY host", "only ORDER BY time supported at this time"),
    ("CREATE DATABASE 1x", "found 1x, expected identifier at line 1, char 17"),
    ("CREATE DATABASE IF NOT EXISTS x", "found NOT, expected ; at line 1, char 20"),
    ("CREATE DATABASE", "found EOF, expected identifier at line 1, char 17"),
    (
        "CREATE RETENTION POLICY p4 ON x1 DURATION 1w",
        "found EOF, expected REPLICATION at line 1, char 45",
    ),
    (
        "CREATE RETENTION POLICY p4 ON x1 REPLICATION 1",
        "found REPLICATION, expected DURATION at line 1, char 34",
    ),
    (
        "CREATE RETENTION POLICY p8 ON x1 DURATION 2d REPLICATION 0",
        "invalid value 0: must be 1 <= n <= 2147483647 at line 1, char 58",
    ),
    (
        "ALTER RETENTION POLICY p ON x1",
        "found EOF, expected DURATION, REPLICATION, SHARD, DEFAULT, FUTURE, PAST at line 1, char 32",
    ),
    ("DROP DATABASE", "found EOF, expected identifier at line 1, char 15"),
    ("DROP SERIES", "found EOF, expected FROM, WHERE at line 1, char 13"),
    ("DELETE", "found EOF, expected FROM, WHERE at line 1, char 8"),
    ("SHOW TAG VALUES+ WITH KEY != \"a b\"", "found +, expected WITH at line 1, char 16"),
    ("SHOW FIELD", "found EOF, expected KEY, KEYS at line 1, char 12"),
    (
        "DROPDROP CONTINUOUS/* QUERY q ON #  d",
        "found DROPDROP, expected SELECT, DELETE, SHOW, CREATE, DROP, EXPLAIN, GRANT, REVOKE, ALTER, SET, KILL at line 1, char 1",
    ),
    (
        "DROP'' s ON d.autogen",
        "found STRING, expected CONTINUOUS, DATABASE, MEASUREMENT, RETENTION, SERIES, SHARD, SUBSCRIPTION, USER at line 1, char 4",
    ),
    ("DROP CONTINUOUS QUERY q", "found EOF, expected ON at line 1, char 25"),
    ("SHOW FIELD KEYS  d FROM /x/ ORDER BY DESC LIMIT 2", "found d, expected ; at line 1, char 18"),
    (
        "SELECT sum()+ 1h - 90m 5  + 1500ms + 10u + 7ns + 14d FROM x fill(linear) limit 3",
        "found 5, expected FROM at line 1, char 24",
    ),
    (
        "SHOW GRANTS FOR u ; SHOW USERS; SHOW ;;",
        "found ;, expected CONTINUOUS, DATABASES, DIAGNOSTICS, FIELD, GRANTS, MEASUREMENT, MEASUREMENTS, QUERIES, RETENTION, SERIES, SHARD, SHARDS, STATS, SUBSCRIPTIONS, TAG, USERS at line 1, char 38",
    ),
    ("SHOW TAG VALUES WITH *KEY/a\\/=~  b/", "found *, expected KEY at line 1, char 22"),
    (
        "CREATE SUBSCRIPTION s ON d.\"default\" DESTINATIONSANY 'a\\nb'",
        "found DESTINATIONSANY, expected DESTINATIONS at line 1, char 38",
    ),
    (
        "SHOW TAG VALUES ON d FROM cpu WITH KEY IN (host, \"region\") WHERE a =  LIMIT 1",
        "found LIMIT, expected identifier, string, number, bool at line 1, char 71",
    ),
    ("SHOW TAG VALUES WITH KEY INTO  =~", "found INTO, expected IN, =, =~ at line 1, char 26"),
    ("DROP SUBSCRIPTION s ON d..autogen", "found ., expected identifier at line 1, char 26"),
    (
        "SHOW MEASUREMENTS ON d WITH  =~ /c.*/ WHERE host = 'a' ORDERINFBY ASC LIMIT 1 OFFSET 2",
        "found =~, expected MEASUREMENT at line 1, char 30",
    ),
    ("KILL QUERY 36a\"b\"c ON h", "found 36a, expected integer at line 1, char 12"),
    ("SHOW TAG", "found EOF, expected KEY, KEYS, VALUES at line 1, char 10"),
    (
        "CREATE INFDATABASE z WITH DURATION 90m SHARD DURATION 1500ms",
        "found INFDATABASE, expected CONTINUOUS, DATABASE, USER, RETENTION, SUBSCRIPTION at line 1, char 8",
    ),
    ("SET true  PASSWORD FOR == u 'q'", "found TRUE, expected PASSWORD at line 1, char 5"),
    ("DROP SERIES  = WHERE a cpu 'c'", "found =, expected FROM, WHERE at line 1, char 14"),
    (
        "ALTER  % RETENTION POLICY p ON d DURATION 1w2d REPLICATION 1 SHARD DURATION 3h DEFAULT",
        "found %, expected RETENTION at line 1, char 8",
    ),
    ("REVOKE ALL PRIVILEGES  u", "found u, expected ON, FROM at line 1, char 24"),
    (
        "CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 2 SHARD DURATION 1dDEFAULT",
        "invalid duration at line 1, char 74",
    ),
    ("SHOW TAG KEY EXACT CARDINALITY FROM /*cpu", "bad regex:  at line 1, char 36"),
    (
        "SHOW GRANTS 5x  FOR u ; SHOW USERS; SHOW QUERIES;;",
        "found 5x, expected FOR at line 1, char 13",
    ),
    (
        "SHOW TAG KEY EXACT  'u CARDINALITY FROM cpu",
        "found u CARDINALITY FROM cpu, expected CARDINALITY at line 1, char 20",
    ),
    ("SELECT DISTINCT \"select\" FROM x GROUP", "found EOF, expected BY at line 1, char 39"),
    ("KILL false 36 ON h", "found FALSE, expected QUERY at line 1, char 6"),
    ("SHOW RETENTION '", "found BADSTRING, expected POLICIES at line 1, char 15"),
    (
        "SELECT 9223372036854775808, - '\\n' 9223372036854775808, .5, 3. FROM x",
        "found \n, expected identifier, number, duration, ( at line 1, char 30",
    ),
    (
        "CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 2 SHARD  1d DEFAULT",
        "found 1d, expected DURATION at line 1, char 66",
    ),
    (
        "CREATE RETENTION POLICY p ON d DURATION INF  2 SHARD DURATION 1d DEFAULT",
        "found 2, expected REPLICATION at line 1, char 46",
    ),
    (
        "CREATE SUBSCRIPTION ANYs ON d.\"default\" DESTINATIONS ; ::  'a\\nb'",
        "found ;, expected ALL, ANY at line 1, char 54",
    ),
    (
        "EXPLAIN ANALYZEANALYZE SELECT a FROM cpu",
        "found ANALYZEANALYZE, expected SELECT at line 1, char 9",
    ),
    (
        "REVOKE$ ALL PRIVILEGES ON  CARDINALITY d FROM u",
        "found $, expected READ, WRITE, ALL [PRIVILEGES] at line 1, char 7",
    ),
    ("GRANT READ ON dTO  u", "found u, expected TO at line 1, char 20"),
    ("SHOW CONTINUOUS 5x; SHOW SUBSCRIPTIONS", "found 5x, expected QUERIES at line 1, char 17"),
    (
        "SELECT DISTINCT \"select\" FROM x GROUP BY /h.*/ fill $ (previous)",
        "fill must be a function call",
    ),
    ("CREATE RETENTION", "found EOF, expected POLICY at line 1, char 18"),
    ("SHOW TAG KEY", "found EOF, expected EXACT, CARDINALITY at line 1, char 14"),
    (
        "SELECT top(usage, host  3), percentile(n, 90),,/us.*/ FROM d..cpu",
        "found 3, expected ) at line 1, char 25",
    ),
    (
        "SELECT*::fieldtop(usage, host, 3), percentile(n,FROM90), /us.*//us.*/   d..cpu",
        "found fieldtop, expected field, tag at line 1, char 10",
    ),
    ("SET PASSWORD FOR u", "found EOF, expected = at line 1, char 20"),
    ("SHOW TAG VALUES WITH KEY =~", "found EOF, expected regex at line 1, char 29"),
    (
        "CREATE DATABASE x1 WITH DURATION \"r p\" REPLICATION",
        "found r p, expected duration at line 1, char 34",
    ),
    (
        "SHOW SHARD GROUPS; SHOW SHARDS; SHOW STATS FOR",
        "found EOF, expected string at line 1, char 48",
    ),
    (
        "SELECT DISTINCT's'\"select\" FROM x GROUP BY /h.*/ fill(previous)",
        "found s, expected (, identifier at line 1, char 15",
    ),
    (
        "CREATE USER u WITH PASSWORD 'p' WITH SELECT  ALL PRIVILEGES",
        "found SELECT, expected ALL at line 1, char 38",
    ),
    (
        "CREATE CONTINUOUS QUERY q ON d RESAMPLE EVERY 1m FOR 10m",
        "found EOF, expected BEGIN at line 1, char 57",
    ),
    ("SHOW SHARD ; SHOW SHARDS", "found ;, expected GROUPS at line 1, char 12"),
    (
        "CREATE USER u WITH PASSWORD 'p' WITH ALL",
        "found EOF, expected PRIVILEGES at line 1, char 42",
    ),
    ("DROP SUBSCRIPTION s ON d\\", "found \\, expected . at line 1, char 25"),
    (
        "SELECT  $ 9223372036854775808, -9223372036854775808, .5, 3. FROM .5",
        "empty bound parameter",
    ),
    (
        "SHOW MEASUREMENTS WITH MEASUREMENT  1h3 = cpu",
        "found 1h3, expected =, =~ at line 1, char 37",
    ),
    (
        "SELECT 9223372036854775808, time-9223372036854775808INfill, .5, 3. FROM x",
        "invalid duration",
    ),
    (
        "SHOW FIELD KEYS ON d FROM /x/ ORDER BY:DESC LIMIT 2",
        "found :, expected identifier, ASC, DESC at line 1, char 39",
    ),
    (
        "SELECT sum(a) + 1h - 90m + 1500ms + x::foo10u + 7ns + 14d FROM x fill(linear) limit 3",
        "found foo10u, expected float, integer, unsigned, string, boolean, field, tag at line 1, char 40",
    ),
    (
        "SELECT 9223372036854775808, 59223372036854775808, .-, 3. FROM x",
        "unable to parse integer at line 1, char 29",
    ),
    (
        "SELECT sum(aa) =  + 1h - 90m + 1500ms + 10u + AS7ns + 14d FROM x fill(linear) limit 3",
        "invalid operator = in SELECT clause at line 1, char 8; operator is intended for WHERE clause",
    ),
    (
        "SELECT a INTO \"x y\"hello:MEASUREMENT FROM \"n\".\"m\" -- .",
        "found hello, expected : at line 1, char 20",
    ),
    (
        "CREATE CONTINUOUS QUERY q ON d RESAMPLE EVERYAS 1mFOR 10m",
        "found EVERYAS, expected EVERY, FOR at line 1, char 41",
    ),
    ("SELECT$pa INTO \"x y\".:MEASUREMENT FROM \"n\"..\"m\" -- hello", "missing parameter: pa"),
    (
        "SHOW TAG KEY EXACT CARDINALITY FROM/(/ cpu",
        "error parsing regexp: missing closing ): `(` at line 1, char 35",
    ),
    (
        "SELECT sum(a) + 1h - 90m + 1500ms + 10u + 7ns + 14d FROM x fill(linearlinear) limit 3",
        "expected number argument in fill()",
    ),
    (
        "SELECT a INTO b FROM c; SELECT a INTO b...c FROM",
        "too many segments in \"b\"...c at line 1, char 1",
    ),
    (
        "SHOW FIELD KEYS ON d FROM /x/ ORDER BY DESCDESC LIMIT 2",
        "only ORDER BY time supported at this time",
    ),
    (
        "SHOW TAG VALUES ON d FROM cpucpu WITH KEY IN INhost'b' \"region\") WHERE a = , LIMIT 1",
        "found INhost, expected ( at line 1, char 46",
    ),
    (
        "SELECT/*c*/9223372036854775808, =-9223372036854775808, .5, 3.  x",
        "error parsing regexp: missing argument to repetition operator: `*` at line 1, char 6",
    ),
    ("SELECT top(usage, host,$p 3), percentile(n, 90), /us.*/ FROM d..cpu", "missing parameter: p"),
    (
        "KILL QUERY 9999999999999999999936 ON h",
        "strconv.ParseUint: parsing \"9999999999999999999936\": value out of range at line 1, char 12",
    ),
    (
        "ALTER RETENTION POLICY p ON d DURATION 1w2d REPLICATION 1  DURATION 3h DEFAULT",
        "found duplicate DURATION option at line 1, char 60",
    ),
    ("SELECT 'a", "found a, expected identifier, string, number, bool at line 1, char 7"),
    ("SELECT 'a\\q'", "found \\q, expected identifier, string, number, bool at line 1, char 11"),
    ("SELECT \"a", "found a, expected identifier, string, number, bool at line 1, char 7"),
    (
        "SELECT a FROM b\r\nWHERE",
        "found EOF, expected identifier, string, number, bool at line 2, char 7",
    ),
    ("SELECT a\n  FROM\n\t5", "found 5, expected identifier at line 3, char 2"),
    ("SELECT a FROM b WHERE c = 5 5", "found 5, expected ; at line 1, char 29"),
    ("SELECT a FROM b -- x\n 5", "found 5, expected ; at line 2, char 2"),
    ("SELECT a FROM b /* x\n */ 5", "found  , expected regex at line 1, char 16"),
    ("SELECT \u{e9}", "found \u{e9}, expected identifier, string, number, bool at line 1, char 8"),
    ("SELECT a FROM b WHERE c =~ /x", "bad regex:  at line 1, char 27"),
    ("SELECT a FROM \"x\ny\"", "found x, expected identifier at line 1, char 14"),
    ("CREATE USER u WITH PASSWORD 5", "found 5, expected string at line 1, char 29"),
    ("SELECT a FROM b WHERE c = $", "empty bound parameter"),
    ("SELECT a FROM b WHERE c = $x", "missing parameter: x"),
    (
        "SELECT a, FROM b",
        "found FROM, expected identifier, string, number, bool at line 1, char 11",
    ),
    ("SELECT (a FROM b", "found FROM, expected ) at line 1, char 11"),
    ("SELECT f(a b) FROM c", "found b, expected ) at line 1, char 12"),
    ("SELECT a FROM (SELECT b FROM c", "found EOF, expected ) at line 1, char 32"),
    ("SELECT a FROM (SHOW SERIES)", "found SHOW, expected SELECT at line 1, char 16"),
    ("SELECT a FROM b LIMIT 1.5", "found 1.5, expected integer at line 1, char 23"),
    ("SELECT a FROM b LIMIT -1", "found -, expected integer at line 1, char 23"),
    ("SELECT a FROM b OFFSET 1 LIMIT 1", "found LIMIT, expected ; at line 1, char 26"),
    ("SELECT a FROM b ORDER BY time, x", "only ORDER BY time supported at this time"),
    ("SELECT a FROM b ORDER BY 5", "found 5, expected identifier, ASC, DESC at line 1, char 26"),
    ("SELECT a FROM b GROUP time", "found time, expected BY at line 1, char 23"),
    (
        "SELECT a FROM b GROUP BY time(5m) fill()",
        "fill requires an argument, e.g.: 0, null, none, previous, linear",
    ),
    ("SELECT a FROM b fill(x)", "expected number argument in fill()"),
    ("SELECT a FROM b fill", "fill must be a function call"),
    ("SELECT a FROM b tz(5)", "expected string argument in tz()"),
    ("SELECT a FROM b tz", "tz must be a function call"),
    ("SELECT a FROM b tz('x')", "unable to find time zone x"),
    ("SELECT a FROM b tz('UTC','x')", "tz requires exactly one argument"),
    (
        "SELECT a::x FROM b",
        "found x, expected float, integer, unsigned, string, boolean, field, tag at line 1, char 11",
    ),
    ("SELECT *::x FROM b", "found x, expected field, tag at line 1, char 11"),
    (
        "SELECT a::5 FROM b",
        "found 5, expected float, integer, string, boolean, field, tag at line 1, char 11",
    ),
    (
        "SELECT a AND b FROM c",
        "invalid operator AND in SELECT clause at line 1, char 8; operator is intended for WHERE clause",
    ),
    (
        "SELECT f(a > 1) FROM c",
        "invalid operator > in SELECT clause at line 1, char 8; operator is intended for WHERE clause",
    ),
    ("SELECT -9223372036854775809 FROM c", "constant -9223372036854775809 underflows int64"),
    ("SELECT 18446744073709551616 FROM c", "unable to parse integer at line 1, char 8"),
    ("SELECT 1h2 FROM c", "invalid duration"),
    ("SELECT a..b.c.d FROM e", "too many segments in \"a\"..\"b\".\"c\".d at line 1, char 1"),
    ("DROP SERIES FROM a.b", "retention policy not supported at line 1, char 1"),
    ("DROP SERIES FROM a.b.c", "retention policy not supported at line 1, char 1"),
    ("SHOW TAG VALUES WITH KEY = 'a'", "found a, expected identifier at line 1, char 27"),
    ("SHOW TAG VALUES WITH KEY IN host", "found host, expected ( at line 1, char 29"),
    ("SHOW TAG VALUES WITH KEY =~ host", "found host, expected regex at line 1, char 29"),
    ("SHOW MEASUREMENTS WITH MEASUREMENT != a", "found !=, expected =, =~ at line 1, char 36"),
    ("SHOW STATS FOR 5", "found 5, expected string at line 1, char 16"),
    ("SHOW GRANTS", "found EOF, expected FOR at line 1, char 13"),
    ("GRANT READ TO u", "found TO, expected ON at line 1, char 12"),
    ("GRANT ALL FROM u", "found FROM, expected ON, TO at line 1, char 11"),
    ("GRANT x ON d TO u", "found x, expected READ, WRITE, ALL [PRIVILEGES] at line 1, char 7"),
    ("REVOKE WRITE FROM u", "found FROM, expected ON at line 1, char 14"),
    ("REVOKE ALL TO u", "found TO, expected ON, FROM at line 1, char 12"),
    ("KILL QUERY x", "found x, expected integer at line 1, char 12"),
    (
        "DROP SHARD 18446744073709551616",
        "strconv.ParseUint: parsing \"18446744073709551616\": value out of range at line 1, char 12",
    ),
    ("CREATE SUBSCRIPTION s ON d DESTINATIONS ALL 'x'", "found  , expected . at line 1, char 27"),
    (
        "CREATE SUBSCRIPTION s ON d.r DESTINATIONS x",
        "found x, expected ALL, ANY at line 1, char 43",
    ),
    (
        "CREATE CONTINUOUS QUERY q ON d BEGIN SELECT mean(v) INTO x FROM c END",
        "found c, expected GROUP BY time(...) at line 1, char 65",
    ),
    (
        "CREATE CONTINUOUS QUERY q ON d BEGIN SELECT mean(v) INTO x FROM c GROUP BY time(v) END",
        "found ), expected GROUP BY time(...), time dimension must have duration argument at line 1, char 82",
    ),
    (
        "CREATE CONTINUOUS QUERY q ON d BEGIN SELECT v FROM c END",
        "found FROM, expected INTO at line 1, char 47",
    ),
    (
        "CREATE CONTINUOUS QUERY q ON d RESAMPLE BEGIN SELECT v INTO x FROM c END",
        "found BEGIN, expected EVERY, FOR at line 1, char 41",
    ),
    (
        "CREATE CONTINUOUS QUERY q ON d RESAMPLE FOR 1m BEGIN SELECT mean(v) INTO x FROM c GROUP BY time(5m) END",
        "FOR duration must be >= GROUP BY time duration: must be a minimum of 5m, got 1m",
    ),
    (
        "CREATE RETENTION POLICY p ON d DURATION 1h REPLICATION 1 SHARD DURATION INF",
        "invalid duration INF for shard duration at line 1, char 73",
    ),
    (
        "ALTER RETENTION POLICY p ON d DURATION 1h DURATION 2h",
        "found duplicate DURATION option at line 1, char 43",
    ),
    ("SET PASSWORD FOR u 'p'", "found p, expected = at line 1, char 19"),
    ("SHOW DATABASES SHOW USERS", "found SHOW, expected ; at line 1, char 16"),
];
