//! What the answers say about who answers.

/// `X-Influxdb-Version`, and the version in `/ping` and `/health`. Clients parse the leading
/// major and minor number to choose their dialect, so it is the version whose answers we give.
pub const INFLUXDB_VERSION: &str = "1.12.4";

/// `X-Influxdb-Build`.
pub const INFLUXDB_BUILD: &str = "OSS";

/// `X-Tidegate-Version`: our own.
pub const TIDEGATE_VERSION: &str = env!("CARGO_PKG_VERSION");
