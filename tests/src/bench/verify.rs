//! Counting what a server holds after a load and a restart.

use std::io;

use serde_json::Value;

use super::servers::{Kind, PATIENCE, Running};
use crate::r#gen::Shape;
use crate::r#gen::devops::START_NS;
use crate::kit::Client;
use crate::kit::http::percent_encode;

/// What a server says it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// Points counted.
    pub counted: u64,
    /// Points that were acknowledged among those.
    pub expected: u64,
    /// Only some hosts' points were counted.
    pub sampled: bool,
}

impl Stored {
    /// Nothing acknowledged is missing.
    pub(super) fn is_complete(self) -> bool {
        self.counted >= self.expected
    }
}

/// Asks `server` for its points, of which the first `points` of `shape` were acknowledged.
pub(super) fn count(server: &Running, shape: Shape, points: u64) -> io::Result<Stored> {
    let mut client = Client::connect(server.address, PATIENCE)?;
    if server.kind == Kind::VictoriaMetrics {
        let counted = count_samples(&mut client, shape.last_ns(points))?;
        return Ok(Stored {
            counted,
            expected: points,
            sampled: false,
        });
    }
    let counted = query(&mut client, "SELECT COUNT(usage_user) FROM cpu")?;
    if let Some(counted) = counted_by_server(&counted) {
        return Ok(Stored {
            counted,
            expected: points,
            sampled: false,
        });
    }
    // A server without COUNT: read some hosts' rows instead, the first and the last included.
    let mut stored = Stored {
        counted: 0,
        expected: 0,
        sampled: true,
    };
    for part in 0..=8 {
        let host = (shape.hosts - 1) * part / 8;
        let q = format!("SELECT usage_user FROM cpu WHERE hostname='host_{host}'");
        stored.counted += rows(&query(&mut client, &q)?)?;
        stored.expected += shape.points_of_host(points, host);
    }
    Ok(stored)
}

fn query(client: &mut Client, q: &str) -> io::Result<Value> {
    json(
        client,
        &format!("/query?db=bench&epoch=ns&q={}", percent_encode(q)),
    )
}

fn counted_by_server(answer: &Value) -> Option<u64> {
    let result = answer.get("results")?.get(0)?;
    if result.get("error").is_some() {
        return None;
    }
    // No series at all is what an empty database answers.
    let Some(series) = result.get("series") else {
        return Some(0);
    };
    series.get(0)?.get("values")?.get(0)?.get(1)?.as_u64()
}

fn rows(answer: &Value) -> io::Result<u64> {
    let result = answer.get("results").and_then(|results| results.get(0));
    let result = result.filter(|result| result.get("error").is_none());
    let result = result.ok_or_else(|| io::Error::other(format!("a select failed: {answer}")))?;
    let series = result
        .get("series")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    Ok(series
        .filter_map(|one| one.get("values")?.as_array())
        .map(|rows| rows.len() as u64)
        .sum())
}

/// Counts the samples of one of the ten fields, so points. The range is open at its start,
/// so it begins a minute before the first point.
fn count_samples(client: &mut Client, last_ns: i64) -> io::Result<u64> {
    let (start, end) = (START_NS / 1_000_000_000 - 60, last_ns / 1_000_000_000 + 1);
    let promql = format!("sum(count_over_time(cpu_usage_user[{}s]))", end - start);
    let target = format!("/api/v1/query?time={end}&query={}", percent_encode(&promql));
    let answer = json(client, &target)?;
    let found = answer.pointer("/data/result").and_then(Value::as_array);
    let found = found.ok_or_else(|| io::Error::other(format!("a query failed: {answer}")))?;
    let Some(first) = found.first() else {
        return Ok(0);
    };
    let count = first.pointer("/value/1").and_then(Value::as_str);
    count
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| io::Error::other(format!("no count in {answer}")))
}

fn json(client: &mut Client, target: &str) -> io::Result<Value> {
    let answer = client.get(target)?;
    serde_json::from_slice(&answer.body)
        .map_err(|_| io::Error::other(format!("{target} answered {}", answer.status)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{counted_by_server, rows};

    #[test]
    fn a_count_is_read_and_a_refused_one_is_not_zero() {
        let series = json!({"name": "cpu", "columns": ["time", "count"], "values": [[0, 42]]});
        let answer = json!({"results": [{"statement_id": 0, "series": [series]}]});
        assert_eq!(counted_by_server(&answer), Some(42));
        assert_eq!(
            counted_by_server(&json!({"results": [{"statement_id": 0}]})),
            Some(0)
        );
        let refused = json!({"results": [{"statement_id": 0, "error": "not supported"}]});
        assert_eq!(counted_by_server(&refused), None);
        assert_eq!(counted_by_server(&json!({"error": "parse"})), None);
        assert!(rows(&refused).is_err());
    }

    #[test]
    fn rows_of_all_series_are_added() {
        let series = json!([{"values": [[1, 2], [3, 4]]}, {"values": [[5, 6]]}]);
        assert_eq!(
            rows(&json!({"results": [{"series": series}]})).expect("rows"),
            3
        );
        assert_eq!(
            rows(&json!({"results": [{"statement_id": 0}]})).expect("rows"),
            0
        );
    }
}
