//! The range of time in WHERE.

use std::string::{String, ToString};

use super::condition;
use crate::influxql::{TimeRange, time_range};
use crate::model::{TIME_MAX_NS, TIME_MIN_NS};

/// 2026-01-01T00:00:00Z
const NOW_NS: i64 = 1_767_225_600_000_000_000;
const HOUR: i64 = 3_600_000_000_000;

fn split(text: &str) -> (String, Option<i64>, Option<i64>) {
    let (rest, range) = time_range(Some(&condition(text)), NOW_NS).expect(text);
    (
        rest.map(|rest| rest.to_string()).unwrap_or_default(),
        range.min_ns,
        range.max_ns,
    )
}

#[test]
fn time_is_taken_out_of_the_condition() {
    for (text, rest, min_ns, max_ns) in [
        ("time > 5", "", Some(6), None),
        ("time >= 5", "", Some(5), None),
        ("time < 5", "", None, Some(4)),
        ("time <= 5", "", None, Some(5)),
        ("time = 5", "", Some(5), Some(5)),
        ("5 < time", "", Some(6), None),
        ("5 >= TIME", "", None, Some(5)),
        ("time > 1.5", "", Some(2), None),
        ("time > 1h", "", Some(HOUR + 1), None),
        ("time >= now() - 1h", "", Some(NOW_NS - HOUR), None),
        (
            "time >= '2026-01-01' AND time < '2026-01-01T01:00:00Z'",
            "",
            Some(NOW_NS),
            Some(NOW_NS + HOUR - 1),
        ),
        (
            "time > 1767225600000ms + 1m",
            "",
            Some(NOW_NS + 60_000_000_001),
            None,
        ),
        ("a = 1 AND time > 5", "a = 1", Some(6), None),
        (
            "time > 5 AND (a = 1 OR b = 2)",
            "a = 1 OR b = 2",
            Some(6),
            None,
        ),
        (
            "(a = 1 AND time > 5) AND b = 2",
            "(a = 1) AND b = 2",
            Some(6),
            None,
        ),
        ("((time > 5))", "", Some(6), None),
        // There is no union of ranges: they are intersected whatever joins them.
        ("time > 5 OR time < 9", "", Some(6), Some(8)),
        ("a = 1 OR time < 9", "a = 1", None, Some(8)),
        ("true", "", None, None),
        ("false", "false", None, None),
        ("1 = 1", "", None, None),
        ("1 = 2 OR a = 1 + 2", "a = 3", None, None),
        ("time > 9223372036854775807", "", Some(i64::MAX), None),
    ] {
        assert_eq!(split(text), (rest.to_string(), min_ns, max_ns), "{text}");
    }
}

#[test]
fn an_open_end_is_the_end_of_time() {
    let range = TimeRange::default();
    assert_eq!((range.min(), range.max()), (TIME_MIN_NS, TIME_MAX_NS));
    assert_eq!(time_range(None, NOW_NS), Ok((None, range)));
}

#[test]
fn what_cannot_be_compared_with_time_is_told_in_upstreams_words() {
    for (text, expected) in [
        (
            "time > 'abc'",
            "invalid operation: time and *influxql.StringLiteral are not compatible",
        ),
        (
            "time > v",
            "invalid operation: time and *influxql.VarRef are not compatible",
        ),
        (
            "time =~ /a/",
            "invalid operation: time and *influxql.RegexLiteral are not compatible",
        ),
        (
            "time > true",
            "invalid operation: time and *influxql.BooleanLiteral are not compatible",
        ),
        (
            "time > now() - 'x'",
            "invalid operation: time and *influxql.BinaryExpr are not compatible",
        ),
        (
            "time > f(1)",
            "invalid operation: time and *influxql.Call are not compatible",
        ),
        (
            "time > 18446744073709551615",
            "invalid operation: time and *influxql.UnsignedLiteral are not compatible",
        ),
        ("time != 5", "invalid time comparison operator: !="),
        ("time + 5", "invalid time comparison operator: +"),
        ("time > '2026-01-01T00:00:00'", "invalid timestamp string"),
        ("time > '2026-13-01'", "invalid timestamp string"),
        (
            "time > '3026-12-01'",
            "time 3026-12-01T00:00:00Z overflows time literal",
        ),
        (
            "time > '1026-12-01'",
            "time 1026-12-01T00:00:00Z underflows time literal",
        ),
        ("v", "invalid condition expression: v"),
        ("time", "invalid condition expression: time"),
        ("a = 1 AND 3", "invalid condition expression: 3"),
        ("f(a)", "invalid condition expression: f(a)"),
    ] {
        let error = time_range(Some(&condition(text)), NOW_NS).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
    }
}
