//! The configuration: a TOML file, overridden by the environment, overridden by flags.
//!
//! Keys bear upstream's names where upstream has them.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tidegate_core::limits;
use toml::{Table, Value};

use crate::cli::ServeFlags;
use crate::failure::Failure;
use crate::log::log;
use crate::units::{Level, Size, Span};

/// Everything that can be configured, with its default.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Config {
    pub data: Data,
    pub http: Http,
    pub guest: Guest,
}

/// `[data]`: where and how much. 0 switches a limit on series, values, tags, fields or lines off.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Data {
    /// The data directory.
    pub dir: PathBuf,
    /// Bytes of cache and index a database may hold.
    pub cache_max_memory_size: Size,
    /// A segment of the log is closed at this size.
    pub wal_segment_size: Size,
    /// A snapshot is written after this much log, and the log behind it deleted: what a start has
    /// to read.
    pub wal_snapshot_size: Size,
    /// Log bytes that may wait for the disk; beyond, writes are answered 503.
    pub wal_pending_size: Size,
    /// Space kept for what is accepted when the disk fills up; 0 for none.
    pub space_reserve_size: Size,
    /// Whether measurements and tags must be printable UTF-8.
    pub validate_keys: bool,
    /// Whether unsigned integers (`1u`) are taken; upstream has to be built for it.
    pub unsigned_support: bool,
    /// Series that a database may have.
    pub max_series_per_database: u64,
    /// Values that a tag of a measurement may have.
    pub max_values_per_tag: u64,
    /// Longest line; less than 128k counts as that.
    pub max_line_size: Size,
    /// Most tags of a line.
    pub max_tags_per_line: u64,
    /// Most fields of a line; less than 64 counts as that.
    pub max_fields_per_line: u64,
    /// A database that nobody used for this long gives its memory back.
    pub idle_close: Span,
}

/// `[http]`: the listener and its limits. 0 switches a limit off.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Http {
    /// Where to listen; an empty host means every interface.
    pub bind_address: String,
    /// Whether users have to say who they are.
    pub auth_enabled: bool,
    /// Signs the JSON Web Tokens that are taken in place of a password; empty for none.
    pub shared_secret: Secret,
    /// What the prompt of a browser names.
    pub realm: String,
    /// Whether `/ping`, `/health`, `/status` and `/metrics` ask for a user too.
    pub ping_auth_enabled: bool,
    /// Whether `/debug/vars` is for admins only.
    pub pprof_auth_enabled: bool,
    /// Allows listening on more than loopback while nobody has to say who they are.
    pub open_to_network: bool,
    /// Whether writes are read strictly that do not say `strict=false`: CRLF is taken, and what is
    /// certainly a mistake is refused.
    pub strict: bool,
    /// Origins of pages that may send requests from a browser; `*` for all. In the environment
    /// with commas between them.
    pub cors_origins: Vec<String>,
    /// Largest body, before and after inflating.
    pub max_body_size: Size,
    /// Most points of a write, counted as lines that are neither blank nor comments.
    pub max_points_per_request: u64,
    /// Bytes of all bodies that are in memory at the same time; beyond, writes are answered 503.
    pub max_body_memory: Size,
    /// Writes that are served at the same time.
    pub max_concurrent_write_limit: usize,
    /// Writes that may wait for their turn.
    pub max_enqueued_write_limit: usize,
    /// How long a write waits for its turn.
    pub enqueued_write_timeout: Span,
    /// Connections held open at the same time; further ones wait to be accepted.
    pub max_connection_limit: usize,
    /// Connections held open at the same time from one address (of IPv6, one /64); further ones are
    /// told 503 and closed. Not behind a proxy, whose address all of them have.
    pub max_connections_per_address: usize,
    /// From the first byte of a request to the end of its head.
    pub head_timeout: Span,
    /// How long a connection may stay open without a request.
    pub idle_timeout: Span,
    /// How long a client may refuse to take bytes of its answer.
    pub write_stall_timeout: Span,
    /// Bytes a second a body has to bring on average, once ten seconds have passed.
    pub body_rate_min: Size,
    /// What a write has to be before it is answered, unless its request says so: `durable`
    /// (synced), `wal` (handed to the operating system) or `memory` (accepted).
    pub ack_level: Level,
    /// How long a write waits for the disk before it is answered 503.
    pub durable_timeout: Span,
    /// How long in-flight requests may take at shutdown.
    pub stop_timeout: Span,
}

/// `[guest]`: the WebAssembly instances that engines run in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Guest {
    /// Runs engines as native code instead.
    pub native: bool,
    /// Linear memory of one instance.
    pub memory_max: Size,
    /// Memory of a closed instance that is kept for the next.
    pub keep_resident: Size,
    /// Databases that may be open at the same time.
    pub instances_max: u32,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            dir: "./tidegate-data".into(),
            cache_max_memory_size: Size(1 << 30),
            wal_segment_size: Size(64 << 20),
            wal_snapshot_size: Size(128 << 20),
            wal_pending_size: Size(64 << 20),
            space_reserve_size: Size(96 << 20),
            validate_keys: false,
            unsigned_support: false,
            max_series_per_database: limits::SERIES_MAX,
            max_values_per_tag: limits::TAG_VALUES_MAX,
            max_line_size: Size(0),
            max_tags_per_line: 0,
            max_fields_per_line: limits::FIELDS_MAX,
            idle_close: Span::seconds(600),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            bind_address: "127.0.0.1:8086".into(),
            auth_enabled: false,
            shared_secret: Secret::default(),
            realm: "InfluxDB".into(),
            ping_auth_enabled: false,
            pprof_auth_enabled: false,
            open_to_network: false,
            strict: false,
            cors_origins: vec!["*".into()],
            max_body_size: Size(25_000_000),
            max_points_per_request: 0,
            max_body_memory: Size(1 << 30),
            max_concurrent_write_limit: 0,
            max_enqueued_write_limit: 0,
            enqueued_write_timeout: Span::seconds(30),
            max_connection_limit: 0,
            max_connections_per_address: 0,
            head_timeout: Span::seconds(10),
            idle_timeout: Span::seconds(60),
            write_stall_timeout: Span::seconds(10),
            body_rate_min: Size(1024),
            ack_level: Level::default(),
            durable_timeout: Span::seconds(30),
            stop_timeout: Span::seconds(30),
        }
    }
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            native: false,
            memory_max: Size(4 << 30),
            keep_resident: Size(16 << 20),
            instances_max: 256,
        }
    }
}

impl Config {
    /// Merges file, environment and flags; what none of them names keeps its default.
    pub(crate) fn load(
        flags: &ServeFlags,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Failure> {
        let known = Table::try_from(Self::default())
            .map_err(|error| Failure::usage(format!("defaults: {error}")))?;
        let mut table = match &flags.config {
            Some(path) => read_file(path, &known)?,
            None => Table::new(),
        };
        let mut sources: Vec<String> = Vec::new();
        sources.extend(flags.config.iter().map(|path| path.display().to_string()));
        for (name, value) in environment {
            if apply_variable(&name, &value, &known, &mut table)? {
                sources.push(name);
            }
        }
        let mut config: Self = table.try_into().map_err(|error: toml::de::Error| {
            let place = sources.join(", ");
            Failure::usage(format!("configuration ({place}): {}", error.message()))
        })?;
        if let Some(dir) = &flags.data {
            config.data.dir.clone_from(dir);
        }
        if let Some(address) = &flags.http {
            config.http.bind_address.clone_from(address);
        }
        config.guest.native |= flags.native;
        Ok(config)
    }
}

fn read_file(path: &Path, known: &Table) -> Result<Table, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        // Without the line itself, which may hold a secret.
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.unwrap_or_default().matches('\n').count() + 1;
        let (path, message) = (path.display(), error.message());
        Failure::usage(format!("{path}, line {line}: {message}"))
    })?;
    for (section, keys) in &table {
        let Some(Value::Table(known)) = known.get(section) else {
            return Err(unknown_key(path, section, known));
        };
        let Value::Table(keys) = keys else {
            let text = format!(
                "{}: {section} is a section, write [{section}]",
                path.display()
            );
            return Err(Failure::usage(text));
        };
        if let Some(key) = keys.keys().find(|key| !known.contains_key(*key)) {
            return Err(unknown_key(path, &format!("{section}.{key}"), known));
        }
    }
    Ok(table)
}

fn unknown_key(path: &Path, key: &str, known: &Table) -> Failure {
    let known: Vec<&str> = known.keys().map(String::as_str).collect();
    let (path, known) = (path.display(), known.join(", "));
    Failure::usage(format!("{path}: unknown key {key}; known here are {known}"))
}

/// Applies `TIDEGATE_<SECTION>_<KEY>`; whether the variable was one of ours.
fn apply_variable(
    name: &str,
    text: &str,
    known: &Table,
    table: &mut Table,
) -> Result<bool, Failure> {
    let Some(rest) = name.strip_prefix("TIDEGATE_") else {
        return Ok(false);
    };
    let path = rest.to_ascii_lowercase().replace('_', "-");
    let Some((section, key)) = path.split_once('-') else {
        return Ok(false);
    };
    let Some(Value::Table(keys)) = known.get(section) else {
        // Not ours to judge: scripts around the server may use the prefix as well.
        let sections: BTreeSet<&str> = known.keys().map(String::as_str).collect();
        log!("ignoring {name}: there is no section {section}, only {sections:?}");
        return Ok(false);
    };
    let Some(default) = keys.get(key) else {
        let keys: Vec<String> = keys.keys().map(|key| variable(section, key)).collect();
        let keys = keys.join(", ");
        return Err(Failure::usage(format!(
            "unknown key in the environment: {name}; known are {keys}"
        )));
    };
    let wrong = |what| Failure::usage(format!("{name}={text:?}: {what} is expected"));
    let value = match default {
        Value::Boolean(_) => Value::Boolean(text.parse().map_err(|_| wrong("true or false"))?),
        Value::Integer(_) => Value::Integer(text.parse().map_err(|_| wrong("a number"))?),
        Value::Array(_) => {
            let parts = text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
        }
        _ => Value::String(text.to_owned()),
    };
    let section = table.entry(section).or_insert_with(|| Table::new().into());
    if let Value::Table(section) = section {
        section.insert(key.to_owned(), value);
    }
    Ok(true)
}

fn variable(section: &str, key: &str) -> String {
    format!("TIDEGATE_{section}_{key}")
        .replace('-', "_")
        .to_ascii_uppercase()
}

/// A text that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What it is.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests;
