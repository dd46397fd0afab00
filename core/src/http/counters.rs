//! What a server counts, and how `/debug/vars` and `/metrics` show it.

use alloc::string::String;
use core::fmt::Write;

use super::text::json_string;
use crate::model::Rfc3339;

/// A number that a host keeps; it starts at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Requests of any kind.
    Requests,
    /// Requests being served; goes down again.
    RequestsActive,
    /// Nanoseconds that requests took.
    RequestNs,
    /// Writes whose head was accepted.
    Writes,
    /// Writes being served; goes down again.
    WritesActive,
    /// Nanoseconds that writes took.
    WriteNs,
    /// Bytes of the bodies of writes, inflated.
    WriteBytes,
    /// Queries whose head was accepted.
    Queries,
    /// Nanoseconds that queries took.
    QueryNs,
    /// Bytes of the answers to queries.
    QueryBytes,
    /// Requests of `/ping`.
    Pings,
    /// Requests of `/status`.
    Statuses,
    /// Points stored.
    PointsOk,
    /// Points left out by retention, schema or limits.
    PointsDropped,
    /// Points of requests that failed as a whole, and lines that are no points.
    PointsFailed,
    /// Points whose write failed after it was acknowledged as `wal` or `memory`.
    PointsLost,
    /// Answers 4xx.
    ClientErrors,
    /// Answers 5xx.
    ServerErrors,
    /// Answers 401.
    AuthFailures,
    /// Requests that reached an engine with points.
    EngineWrites,
    /// Such requests that stored all they brought, or part of it.
    EngineWritesOk,
    /// Such requests that failed.
    EngineWritesFailed,
    /// Requests that were not durable in time.
    Timeouts,
    /// Connections being held; goes down again.
    Connections,
    /// Databases there are; goes down again.
    Databases,
}

/// Module and name in `/debug/vars`, name in `/metrics` without the common prefix, whether it can
/// go down.
type Names = (&'static str, &'static str, &'static str, bool);

impl Counter {
    /// How many there are.
    pub const COUNT: usize = NAMES.len();

    /// All of them; each stands at the place that `as usize` tells.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|&(counter, _)| counter)
    }

    const fn names(self) -> Names {
        NAMES[self as usize].1
    }
}

/// Upstream's names are those of influxdb 1.12 `services/httpd.Statistics` and
/// `coordinator.WriteStatistics`; what upstream does not count stands in the module `tidegate`.
const NAMES: [(Counter, Names); 25] = {
    use Counter::*;
    [
        (Requests, ("httpd", "req", "http_requests", false)),
        (
            RequestsActive,
            ("httpd", "reqActive", "http_requests_active", true),
        ),
        (
            RequestNs,
            ("httpd", "reqDurationNs", "http_request_nanoseconds", false),
        ),
        (Writes, ("httpd", "writeReq", "http_write_requests", false)),
        (
            WritesActive,
            ("httpd", "writeReqActive", "http_writes_active", true),
        ),
        (
            WriteNs,
            (
                "httpd",
                "writeReqDurationNs",
                "http_write_nanoseconds",
                false,
            ),
        ),
        (
            WriteBytes,
            ("httpd", "writeReqBytes", "http_write_bytes", false),
        ),
        (Queries, ("httpd", "queryReq", "http_query_requests", false)),
        (
            QueryNs,
            (
                "httpd",
                "queryReqDurationNs",
                "http_query_nanoseconds",
                false,
            ),
        ),
        (
            QueryBytes,
            ("httpd", "queryRespBytes", "http_query_bytes", false),
        ),
        (Pings, ("httpd", "pingReq", "http_ping_requests", false)),
        (
            Statuses,
            ("httpd", "statusReq", "http_status_requests", false),
        ),
        (
            PointsOk,
            ("httpd", "pointsWrittenOK", "points_written", false),
        ),
        (
            PointsDropped,
            ("httpd", "pointsWrittenDropped", "points_dropped", false),
        ),
        (
            PointsFailed,
            ("httpd", "pointsWrittenFail", "points_failed", false),
        ),
        (
            PointsLost,
            (
                "tidegate",
                "pointsFailedAfterAck",
                "points_failed_after_ack",
                false,
            ),
        ),
        (
            ClientErrors,
            ("httpd", "clientError", "http_client_errors", false),
        ),
        (
            ServerErrors,
            ("httpd", "serverError", "http_server_errors", false),
        ),
        (
            AuthFailures,
            ("httpd", "authFail", "http_auth_failures", false),
        ),
        (EngineWrites, ("write", "req", "engine_writes", false)),
        (
            EngineWritesOk,
            ("write", "writeOk", "engine_writes_ok", false),
        ),
        (
            EngineWritesFailed,
            ("write", "writeError", "engine_writes_failed", false),
        ),
        (Timeouts, ("write", "writeTimeout", "write_timeouts", false)),
        (
            Connections,
            ("tidegate", "connections", "http_connections", true),
        ),
        (Databases, ("tidegate", "databases", "databases", true)),
    ]
};

/// Names that upstream's readers may look for, of what cannot happen here.
const NEVER: [(&str, &str); 5] = [
    ("httpd", "promReadReq"),
    ("httpd", "promWriteReq"),
    ("httpd", "recoveredPanics"),
    ("write", "subWriteDrop"),
    ("write", "subWriteOk"),
];

/// What stands in `/debug/vars` beside the counters.
#[derive(Clone, Copy, Debug)]
pub struct Uptime<'a> {
    /// Where the server listens.
    pub bind: &'a str,
    /// Now, in nanoseconds since the epoch.
    pub now_ns: i64,
    /// When the server started.
    pub started_ns: i64,
}

/// The text of `/metrics`, in the exposition format of Prometheus 0.0.4.
pub fn metrics(get: impl Fn(Counter) -> u64) -> String {
    let mut text = String::new();
    for counter in Counter::all() {
        let (_, _, name, goes_down) = counter.names();
        let (kind, suffix) = if goes_down {
            ("gauge", "")
        } else {
            ("counter", "_total")
        };
        let value = get(counter);
        let _ = write!(
            text,
            "# TYPE tidegate_{name}{suffix} {kind}\ntidegate_{name}{suffix} {value}\n"
        );
    }
    text
}

/// The text of `/debug/vars`, without its last brace, so that a host can go on.
///
/// Source: influxdb 1.12 `services/httpd.serveExpvar`.
pub fn vars(get: impl Fn(Counter) -> u64, uptime: &Uptime<'_>) -> String {
    let seconds = uptime.now_ns.saturating_sub(uptime.started_ns) / 1_000_000_000;
    let (now, started) = (Rfc3339(uptime.now_ns), Rfc3339(uptime.started_ns));
    let mut text = alloc::format!(
        "{{\n\"system\": {{\"currentTime\":\"{now}\",\"started\":\"{started}\",\
         \"uptime\":{seconds}}}"
    );
    let mut bind = alloc::vec::Vec::new();
    json_string(&mut bind, uptime.bind.as_bytes());
    let tags = alloc::format!("{{\"bind\":{}}}", String::from_utf8_lossy(&bind));
    let key = alloc::format!("httpd:{}", uptime.bind);
    let points = get(Counter::PointsOk) + get(Counter::PointsDropped);
    for (module, key, tags, more) in [
        ("httpd", key.as_str(), tags.as_str(), None),
        ("write", "write", "null", Some(points)),
        ("tidegate", "tidegate", "null", None),
    ] {
        let mut quoted = alloc::vec::Vec::new();
        json_string(&mut quoted, key.as_bytes());
        let key = String::from_utf8_lossy(&quoted);
        let _ = write!(
            text,
            ",\n{key}: {{\"name\":\"{module}\",\"tags\":{tags},\"values\":{{"
        );
        let counted = Counter::all().map(|counter| (counter.names(), get(counter)));
        let counted = counted.map(|((module, name, _, _), value)| ((module, name), value));
        let counted = counted.chain(NEVER.map(|name| (name, 0)));
        let all = ["pointReq", "pointReqLocal"].map(|name| (("write", name), points));
        let counted = counted.chain(all.into_iter().filter(|_| more.is_some()));
        let mut comma = "";
        for ((_, name), value) in counted.filter(|((of, _), _)| *of == module) {
            let _ = write!(text, "{comma}\"{name}\":{value}");
            comma = ",";
        }
        text.push_str("}}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn counters_stand_at_their_places_and_no_name_comes_twice() {
        let mut names = BTreeSet::new();
        for (at, counter) in Counter::all().enumerate() {
            assert_eq!(counter as usize, at);
            let (module, name, metric, _) = counter.names();
            assert!(names.insert(alloc::format!("{module} {name}")));
            assert!(names.insert(metric.into()));
        }
        assert_eq!(Counter::COUNT, names.len() / 2);
    }

    #[test]
    fn both_texts_name_every_counter() {
        let get = |counter: Counter| 100 + counter as u64;
        let uptime = Uptime {
            bind: "127.0.0.1:8086",
            now_ns: 61_000_000_000,
            started_ns: 1_000_000_000,
        };
        let (vars, metrics) = (vars(get, &uptime), metrics(get));
        for counter in Counter::all() {
            let (_, name, metric, _) = counter.names();
            let value = get(counter);
            assert!(
                vars.contains(&alloc::format!("\"{name}\":{value}")),
                "{name}"
            );
            assert!(
                metrics.contains(&alloc::format!("tidegate_{metric}")),
                "{metric}"
            );
        }
        assert!(vars.contains("\"uptime\":60}"), "{vars}");
        assert!(vars.contains("\"httpd:127.0.0.1:8086\": {\"name\":\"httpd\",\"tags\":{\"bind\":"));
        assert!(metrics.contains("# TYPE tidegate_http_requests_total counter\n"));
        assert!(metrics.contains("# TYPE tidegate_databases gauge\ntidegate_databases 124\n"));
    }
}
