//! The servers that are compared: how each is started, prepared and named.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{self, Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::args::Args;
use crate::kit::http::percent_encode;
use crate::kit::{Client, Process, free_port};

const START_WITHIN: Duration = Duration::from_secs(120);
const STOP_WITHIN: Duration = Duration::from_secs(120);
/// For requests that may have much to do.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A server to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours, engines in wasm.
    Tidegate,
    /// Ours, engines native: what wasm costs.
    TidegateNative,
    /// InfluxDB 1.x.
    Influxdb,
    /// VictoriaMetrics, single node.
    VictoriaMetrics,
}

impl Kind {
    /// All, in the order of the table.
    pub const ALL: [Self; 4] = [
        Self::Tidegate,
        Self::TidegateNative,
        Self::Influxdb,
        Self::VictoriaMetrics,
    ];

    /// Its name on the command line.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Tidegate => "tidegate",
            Self::TidegateNative => "native",
            Self::Influxdb => "influxdb",
            Self::VictoriaMetrics => "victoria-metrics",
        }
    }

    /// Its name in the table.
    pub fn label(self) -> &'static str {
        match self {
            Self::TidegateNative => "tidegate --native",
            other => other.flag(),
        }
    }

    /// Whether this is our own server.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Tidegate | Self::TidegateNative)
    }

    fn ready_path(self) -> &'static str {
        if self == Self::VictoriaMetrics {
            "/health"
        } else {
            "/ping"
        }
    }
}

/// A server that is installed here.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub kind: Kind,
    binary: PathBuf,
    /// What it says it is.
    pub version: String,
}

impl Server {
    /// Finds the server's binary and asks its version.
    ///
    /// # Errors
    /// If it cannot be run; the message says which path was tried.
    pub(super) fn find(kind: Kind, args: &Args) -> io::Result<Self> {
        let (binary, arguments): (_, &[&str]) = match kind {
            Kind::Tidegate | Kind::TidegateNative => (&args.binary, &["--version"]),
            Kind::Influxdb => (&args.influxd, &["version"]),
            Kind::VictoriaMetrics => (&args.victoria_metrics, &["-version"]),
        };
        let output = Command::new(binary)
            .args(arguments)
            .output()
            .map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", binary.display()))
            })?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said)
            .lines()
            .next()
            .unwrap_or("")
            .trim()
            .to_owned();
        let packaged = || package_version(kind.flag());
        let version = if said.is_empty() { packaged() } else { said };
        // It is started elsewhere, so a path must not depend on where we are; a bare name is
        // looked up as the shell would.
        let bare = binary.components().count() == 1;
        let binary = if bare {
            binary.clone()
        } else {
            path::absolute(binary)?
        };
        Ok(Self {
            kind,
            binary,
            version,
        })
    }

    /// Starts it on `home`, a directory of its own, and waits until it answers.
    pub(super) fn start(&self, home: &Path) -> io::Result<Running> {
        let address = free_port()?;
        let data = home.join("data");
        fs::create_dir_all(&data)?;
        let mut command = Command::new(&self.binary);
        command.env("HOME", home).current_dir(home);
        match self.kind {
            Kind::Tidegate | Kind::TidegateNative => {
                command.arg("serve").arg("--data").arg(&data);
                command.arg("--http").arg(address.to_string());
                if self.kind == Kind::TidegateNative {
                    command.arg("--native");
                }
            }
            Kind::Influxdb => {
                let config = home.join("influxdb.conf");
                fs::write(&config, influx_config(&data, address, free_port()?))?;
                command.arg("run").arg("-config").arg(&config);
            }
            Kind::VictoriaMetrics => {
                command.arg(format!("-storageDataPath={}", data.display()));
                command.arg(format!("-httpListenAddr={address}"));
                command.args(["-retentionPeriod=100y", "-loggerLevel=WARN"]);
            }
        }
        let mut process = Process::spawn(&mut command, &home.join("log"))?;
        process.wait_ready(address, self.kind.ready_path(), START_WITHIN)?;
        Ok(Running {
            kind: self.kind,
            process,
            address,
        })
    }
}

/// A server that answers.
pub(super) struct Running {
    pub kind: Kind,
    pub process: Process,
    pub address: SocketAddr,
}

impl Running {
    /// Makes the database `bench`, where databases are made.
    pub(super) fn create_database(&self) -> io::Result<()> {
        if self.kind == Kind::VictoriaMetrics {
            return Ok(());
        }
        let target = format!("/query?q={}", percent_encode("CREATE DATABASE bench"));
        let answer = Client::connect(self.address, PATIENCE)?.post(&target, b"")?;
        if answer.status == 200 && !answer.text().contains("\"error\"") {
            return Ok(());
        }
        let told = answer.text();
        Err(io::Error::other(format!(
            "CREATE DATABASE answered {} {told}",
            answer.status
        )))
    }

    /// Stops it as an operator would; gives the CPU time of its whole life.
    pub(super) fn stop(self) -> io::Result<Duration> {
        let exit = self.process.terminate(STOP_WITHIN)?;
        if exit.forced {
            let name = self.kind.label();
            return Err(io::Error::other(format!(
                "{name} did not stop within {STOP_WITHIN:?}"
            )));
        }
        Ok(exit.cpu)
    }
}

/// Durability stays at its default, an fsync a write. Everything that would only add work
/// beside ingest is off, and so are limits that 100,000 hosts would meet.
fn influx_config(data: &Path, http: SocketAddr, rpc: SocketAddr) -> String {
    let data = data.display();
    format!(
        r#"reporting-disabled = true
bind-address = "{rpc}"
[meta]
dir = "{data}/meta"
[data]
dir = "{data}/data"
wal-dir = "{data}/wal"
wal-fsync-delay = "0s"
query-log-enabled = false
max-series-per-database = 0
max-values-per-tag = 0
[monitor]
store-enabled = false
[subscriber]
enabled = false
[continuous_queries]
enabled = false
[logging]
level = "error"
suppress-logo = true
[http]
bind-address = "{http}"
log-enabled = false
"#
    )
}

/// What dpkg knows, for a server that does not tell.
fn package_version(package: &str) -> String {
    let asked = Command::new("dpkg-query")
        .args(["-W", "-f", "${Version}", package])
        .output();
    let told = asked.ok().filter(|output| output.status.success());
    told.map_or_else(
        || "unknown version".to_owned(),
        |output| format!("{} (package)", String::from_utf8_lossy(&output.stdout)),
    )
}
