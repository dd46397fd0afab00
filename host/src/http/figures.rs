//! What the server counts about its requests.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_core::engine::WriteReport;

/// Counters since the start; names are upstream's.
#[derive(Debug, Default)]
pub(super) struct Figures {
    requests: AtomicU64,
    writes: AtomicU64,
    queries: AtomicU64,
    write_bytes: AtomicU64,
    points_ok: AtomicU64,
    points_dropped: AtomicU64,
    points_fail: AtomicU64,
    client_errors: AtomicU64,
    server_errors: AtomicU64,
    denied: AtomicU64,
}

impl Figures {
    /// A request is answered with this status.
    pub(super) fn answered(&self, status: u16) {
        add(&self.requests, 1);
        match status {
            400..500 => add(&self.client_errors, 1),
            500.. => add(&self.server_errors, 1),
            _ => {}
        }
    }

    /// Credentials did not do.
    pub(super) fn denied(&self) {
        add(&self.denied, 1);
    }

    /// A write passed its first checks.
    pub(super) fn write(&self) {
        add(&self.writes, 1);
    }

    /// A query passed its first checks.
    pub(super) fn query(&self) {
        add(&self.queries, 1);
    }

    /// A body of this length was received, inflated.
    pub(super) fn bytes(&self, count: u64) {
        add(&self.write_bytes, count);
    }

    /// A write was judged, and what it stored is as safe as it was to be.
    pub(super) fn points(&self, report: &WriteReport) {
        add(&self.points_ok, report.written);
        add(&self.points_dropped, report.dropped);
        add(&self.points_fail, report.unparsed);
    }

    /// `late_failures`: points that were acknowledged before they were durable, and whose write
    /// then failed.
    fn all(&self, late_failures: u64) -> [(&'static str, &'static str, u64); 11] {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("req", "http_requests", get(&self.requests)),
            ("writeReq", "http_write_requests", get(&self.writes)),
            ("queryReq", "http_query_requests", get(&self.queries)),
            ("writeReqBytes", "http_write_bytes", get(&self.write_bytes)),
            ("pointsWrittenOK", "points_written", get(&self.points_ok)),
            (
                "pointsWrittenDropped",
                "points_dropped",
                get(&self.points_dropped),
            ),
            (
                "pointsWrittenFail",
                "lines_unparsed",
                get(&self.points_fail),
            ),
            (
                "pointsFailedAfterAck",
                "points_failed_after_ack",
                late_failures,
            ),
            (
                "clientError",
                "http_client_errors",
                get(&self.client_errors),
            ),
            (
                "serverError",
                "http_server_errors",
                get(&self.server_errors),
            ),
            ("authFail", "http_auth_failures", get(&self.denied)),
        ]
    }

    /// As Prometheus reads them.
    pub(super) fn metrics(&self, databases: usize, late_failures: u64) -> String {
        let mut text = format!("# TYPE tidegate_databases gauge\ntidegate_databases {databases}\n");
        for (_, name, value) in self.all(late_failures) {
            let name = format!("tidegate_{name}_total");
            let _ = write!(text, "# TYPE {name} counter\n{name} {value}\n");
        }
        text
    }

    /// As upstream's `/debug/vars` gives them.
    pub(super) fn vars(&self, late_failures: u64) -> String {
        let mut text = r#"{"httpd":{"name":"httpd","tags":{},"values":{"#.to_owned();
        for (index, (name, _, value)) in self.all(late_failures).into_iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(text, "{comma}\"{name}\":{value}");
        }
        text.push_str("}}}\n");
        text
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
