//! The servers that tests start: ours on every host, and the packaged InfluxDB.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::kit::http::percent_encode;
use crate::kit::process::Exit;
use crate::kit::{Client, Process, Response, free_port};

/// For everything a healthy server answers at once.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A host of the engine, or upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Face {
    /// `tidegate serve`: engines in WebAssembly.
    Guest,
    /// `tidegate serve --native`.
    Native,
    /// The npm package's server under Node.
    Node,
    /// Debian's `influxd` 1.6.7.
    Influxd,
}

impl Face {
    /// Ours, on every host.
    pub const OURS: [Self; 3] = [Self::Native, Self::Guest, Self::Node];

    /// Its name in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Native => "native",
            Self::Node => "node",
            Self::Influxd => "influxd",
        }
    }

    /// Whether it can be started here; says loudly if not.
    pub fn is_here(self) -> bool {
        let (here, how) = match self {
            Self::Guest | Self::Native => (binary().exists(), "make build, or set TIDEGATE_BINARY"),
            Self::Node => (
                node_server().exists() && runs("node"),
                "build wasm/dist, or set TIDEGATE_NODE_SERVER",
            ),
            Self::Influxd => (runs("influxd"), "install the package influxdb"),
        };
        if !here {
            super::missing_layer(self.name(), how);
        }
        here
    }
}

/// The binary under test.
pub fn binary() -> PathBuf {
    std::env::var_os("TIDEGATE_BINARY")
        .map_or_else(|| root().join("target/release/tidegate"), absolute)
}

fn node_server() -> PathBuf {
    std::env::var_os("TIDEGATE_NODE_SERVER")
        .map_or_else(|| root().join("wasm/dist/server/node.js"), absolute)
}

/// The top of the source tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Tests run in their package's folder, people set paths in the root.
fn absolute(path: std::ffi::OsString) -> PathBuf {
    root().join(path)
}

fn runs(program: &str) -> bool {
    let version = if program == "influxd" {
        "version"
    } else {
        "--version"
    };
    let output = Command::new(program).arg(version).output();
    output.is_ok_and(|output| output.status.success())
}

/// A server that answers.
pub struct Server {
    /// Which.
    pub face: Face,
    /// Where it listens.
    pub address: SocketAddr,
    process: Process,
}

impl Server {
    /// Starts it on `home`, which may hold the data of an earlier start.
    ///
    /// # Errors
    /// If it does not answer in time; the message holds the end of its log.
    pub fn start(face: Face, home: &Path) -> io::Result<Self> {
        Self::start_with(face, home, &[])
    }

    /// Starts it with more variables in its environment.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(face: Face, home: &Path, environment: &[(&str, &str)]) -> io::Result<Self> {
        let address = free_port()?;
        let mut command = command(face, home, address)?;
        command.envs(environment.iter().copied());
        Self::spawn(face, address, &mut command, &home.join("log"))
    }

    /// Starts it by a command of the test's own.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn spawn(
        face: Face,
        address: SocketAddr,
        command: &mut Command,
        log: &Path,
    ) -> io::Result<Self> {
        let mut process = Process::spawn(command, log)?;
        process.wait_ready(address, "/ping", Duration::from_secs(60))?;
        Ok(Self {
            face,
            address,
            process,
        })
    }

    /// A connection.
    ///
    /// # Errors
    /// If the server does not take it.
    pub fn client(&self) -> io::Result<Client> {
        Client::connect(self.address, PATIENCE)
    }

    /// A query by POST; its parameters in the address, as `db`, `epoch=ns` and `q`.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn query(&self, database: &str, statement: &str) -> io::Result<Response> {
        self.client()?.post(&query_target(database, statement), b"")
    }

    /// A statement that has to succeed.
    ///
    /// # Errors
    /// If it does not.
    pub fn execute(&self, statement: &str) -> io::Result<()> {
        let answer = self.query("", statement)?;
        let text = answer.text();
        if answer.status == 200 && !text.contains("\"error\"") {
            return Ok(());
        }
        let name = self.face.name();
        let status = answer.status;
        Err(io::Error::other(format!(
            "{name}: {statement}: {status} {text}"
        )))
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The last lines it wrote.
    pub fn log_tail(&self) -> String {
        self.process.log_tail()
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub fn kill(self) -> io::Result<()> {
        self.process.kill()
    }

    /// Ends it as an operator would.
    ///
    /// # Errors
    /// If it cannot be told.
    pub fn terminate(self) -> io::Result<Exit> {
        self.process.terminate(PATIENCE)
    }
}

/// The target of a query.
pub fn query_target(database: &str, statement: &str) -> String {
    let (database, statement) = (percent_encode(database), percent_encode(statement));
    format!("/query?db={database}&epoch=ns&q={statement}")
}

/// The command that starts a server on `home`.
///
/// # Errors
/// If its configuration cannot be written.
pub fn command(face: Face, home: &Path, address: SocketAddr) -> io::Result<Command> {
    let data = home.join("data");
    let listen = address.to_string();
    let mut command = match face {
        Face::Guest | Face::Native => {
            let mut command = Command::new(binary());
            command.arg("serve");
            command
        }
        Face::Node => {
            let mut command = Command::new("node");
            command.arg(node_server());
            command
        }
        Face::Influxd => {
            let config = home.join("influxdb.conf");
            fs::write(&config, influxd_config(&data, address, free_port()?))?;
            let mut command = Command::new("influxd");
            command.args(["run", "-config"]).arg(config);
            command
        }
    };
    if face != Face::Influxd {
        command.arg("--data").arg(&data).args(["--http", &listen]);
    }
    if face == Face::Native {
        command.arg("--native");
    }
    command.env("HOME", home);
    Ok(command)
}

fn influxd_config(data: &Path, http: SocketAddr, rpc: SocketAddr) -> String {
    let data = data.display();
    format!(
        "reporting-disabled = true\nbind-address = \"{rpc}\"\n\
         [meta]\ndir = \"{data}/meta\"\n\
         [data]\ndir = \"{data}/data\"\nwal-dir = \"{data}/wal\"\nquery-log-enabled = false\n\
         [monitor]\nstore-enabled = false\n[subscriber]\nenabled = false\n\
         [logging]\nlevel = \"error\"\nsuppress-logo = true\n\
         [http]\nbind-address = \"{http}\"\nlog-enabled = false\n"
    )
}
