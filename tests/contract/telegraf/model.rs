//! What becomes of a batch, by Telegraf's own rules.

use serde_json::Value;

/// One of its two outputs that write to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// `outputs.influxdb`: /write.
    V1,
    /// `outputs.influxdb_v2`: /api/v2/write.
    V2,
}

impl Output {
    pub(super) const BOTH: [Self; 2] = [Self::V1, Self::V2];

    /// Its name in Telegraf's configuration.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V1 => "influxdb",
            Self::V2 => "influxdb_v2",
        }
    }
}

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Telegraf takes it for stored.
    Delivered,
    /// It stays in the buffer and is sent again.
    Kept,
    /// The database is made, and the batch stays in the buffer.
    MakesDatabase,
    /// It is sent again in halves.
    Split,
    /// It is gone.
    Dropped,
}

impl Fate {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "delivered" => Self::Delivered,
            "kept" => Self::Kept,
            "makes_database" => Self::MakesDatabase,
            "split" => Self::Split,
            "dropped" => Self::Dropped,
            _ => return None,
        })
    }
}

/// Words in an error that end a batch whatever the status. Source: Telegraf
/// `plugins/outputs/influxdb/http.go`, the constants `errString...`.
const FATAL_WORDS: [&str; 5] = [
    "retention policy not found",
    "hinted handoff queue not empty",
    "points beyond retention policy",
    "partial write",
    "unable to parse",
];

/// The fate of a batch that was answered with this; status 0 for no answer.
///
/// Source: Telegraf `plugins/outputs/influxdb/http.go` `writeBatch` and `validateResponse`,
/// `plugins/outputs/influxdb/influxdb.go` `Write`; `plugins/outputs/influxdb_v2/http.go`
/// `writeBatch`.
pub(super) fn fate(output: Output, status: u16, body: &[u8]) -> Fate {
    match output {
        Output::V1 => by_v1(status, body),
        Output::V2 => by_v2(status),
    }
}

fn by_v1(status: u16, body: &[u8]) -> Fate {
    match status {
        0 => return Fate::Kept,
        204 => return Fate::Delivered,
        _ => {}
    }
    let told: Option<Value> = serde_json::from_slice(body).ok();
    if told.is_none() && !body.is_empty() {
        return Fate::Kept;
    }
    let told = told.unwrap_or_default();
    let words = told
        .get("error")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if words.contains("database not found") {
        Fate::MakesDatabase
    } else if status / 100 == 4 || FATAL_WORDS.iter().any(|fatal| words.contains(fatal)) {
        Fate::Dropped
    } else {
        Fate::Kept
    }
}

fn by_v2(status: u16) -> Fate {
    match status {
        200 | 201 | 202 | 204 | 206..=208 => Fate::Delivered,
        413 => Fate::Split,
        401 | 403 | 429 => Fate::Kept,
        400..=499 => Fate::Dropped,
        _ => Fate::Kept,
    }
}
