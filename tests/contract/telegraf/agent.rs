//! Telegraf's requests, sent byte for byte as recorded.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tidegate_tests::kit::{Client, gzip};
use tidegate_tests::proof::server::Server;

use super::model::{Fate, Output, fate};

/// How long a batch may take to arrive once what was in its way is gone.
const ARRIVES_MAX: Duration = Duration::from_secs(30);
/// The least Telegraf waits for an answer: `timeout` of both outputs.
const PATIENCE: Duration = Duration::from_secs(5);

/// A recorded file.
pub(super) fn fixture(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/telegraf");
    fs::read_to_string(path.join(name)).expect("fixture")
}

/// One output of a running Telegraf.
pub(super) struct Agent {
    pub(super) output: Output,
    pub(super) database: String,
    /// A retention policy of its configuration; empty for none.
    pub(super) policy: &'static str,
    address: SocketAddr,
    requests: Value,
}

/// What it got, and what it does about it.
#[derive(Clone, Debug)]
pub(super) struct Met {
    pub(super) fate: Fate,
    pub(super) status: u16,
    pub(super) text: String,
    pub(super) retry_after: Option<String>,
}

impl Agent {
    /// One that has just started, after its attempt to make the database.
    pub(super) fn start(server: &Server, output: Output) -> Self {
        let agent = Self {
            output,
            database: format!("telegraf_{}", output.name()),
            policy: "",
            address: server.address,
            requests: serde_json::from_str(&fixture("requests.json")).expect("JSON"),
        };
        agent.make_database();
        agent
    }

    /// As at connect, and when it is told that the database is missing.
    pub(super) fn make_database(&self) {
        let text = self.requests["connect"]["body"].as_str().expect("body");
        let body = text.replace("{db}", &self.database);
        let length = body.len().to_string();
        let mut bytes = self.head("connect").replace("{length}", &length);
        bytes.push_str(&body);
        let answer = self.exchange(bytes.as_bytes()).expect("answer");
        let mut told = answer.body.clone();
        if answer.header("Content-Encoding") == Some("gzip") {
            told.clear();
            gzip::decompress_into(&answer.body, &mut told).expect("gzip");
        }
        let told: Value = serde_json::from_slice(&told).expect("JSON");
        // Any text at results[0].error would be a failure.
        assert_eq!(answer.status, 200, "{told}");
        assert_eq!(told["results"][0]["error"], Value::Null, "{told}");
    }

    /// Sends a batch once, and does at once what its answer asks for.
    pub(super) fn send(&self, batch: &[u8]) -> Met {
        let name = match (self.output, self.policy) {
            (Output::V1, "") => "influxdb",
            (Output::V1, _) => "influxdb_rp",
            (Output::V2, _) => "influxdb_v2",
        };
        let mut bytes = self.head(name).into_bytes();
        chunked(&gzip::compress(batch, 6).expect("gzip"), &mut bytes);
        let met = match self.exchange(&bytes) {
            Ok(answer) => Met {
                fate: fate(self.output, answer.status, &answer.body),
                status: answer.status,
                text: answer.text(),
                retry_after: answer.header("Retry-After").map(str::to_owned),
            },
            Err(error) => Met {
                fate: fate(self.output, 0, b""),
                status: 0,
                text: error.to_string(),
                retry_after: None,
            },
        };
        if met.fate == Fate::MakesDatabase {
            self.make_database();
        }
        met
    }

    /// Sends a batch that was kept until it is delivered.
    pub(super) fn deliver(&self, batch: &[u8]) {
        let began = Instant::now();
        loop {
            let met = self.send(batch);
            match met.fate {
                Fate::Delivered => return,
                Fate::Kept | Fate::MakesDatabase => {}
                Fate::Split => return self.deliver_halves(batch),
                Fate::Dropped => panic!("{}: a batch is lost: {met:?}", self.output.name()),
            }
            assert!(began.elapsed() < ARRIVES_MAX, "still refused: {met:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Source: Telegraf `plugins/outputs/influxdb_v2/http.go` `splitAndWrite`.
    fn deliver_halves(&self, batch: &[u8]) {
        let lines: Vec<&[u8]> = batch.split_inclusive(|&byte| byte == b'\n').collect();
        assert!(lines.len() > 1, "one line is too large");
        let (first, second) = lines.split_at(lines.len() / 2);
        self.deliver(&first.concat());
        self.deliver(&second.concat());
    }

    fn head(&self, name: &str) -> String {
        let lines = self.requests[name]["head"].as_array().expect("a head");
        let lines = lines.iter().filter_map(Value::as_str);
        let text: String = lines.map(|line| format!("{line}\r\n")).collect();
        let host = self.address.to_string();
        let text = text.replace("{host}", &host).replace("{rp}", self.policy);
        text.replace("{db}", &self.database) + "\r\n"
    }

    fn exchange(&self, bytes: &[u8]) -> std::io::Result<tidegate_tests::kit::Response> {
        let mut client = Client::connect(self.address, PATIENCE)?;
        client.send(bytes)?;
        client.receive(false)
    }
}

/// The gzip header, the content, the trailer: each is a write of Go's compressor.
fn chunked(packed: &[u8], out: &mut Vec<u8>) {
    let (head, rest) = packed.split_at(10);
    let (content, tail) = rest.split_at(rest.len() - 8);
    for part in [head, content, tail] {
        out.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
}
