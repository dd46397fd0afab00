//! Answers, and the headers that all of them have in common.

use alloc::string::String;
use alloc::vec::Vec;

use crate::engine::WriteReport;
use crate::model::Quoted;

use super::accept::Format;
use super::cors::Cors;
use super::head::Head;
use super::params::Params;
use super::render;
use super::route::Site;
use super::version::{INFLUXDB_BUILD, INFLUXDB_VERSION, TIDEGATE_VERSION};

/// A whole answer, or the head of one whose body follows in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Names in their usual case, and values without line breaks or other control bytes.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The body; the host states its length.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer of the router, outside of all handlers: unknown path, wrong method.
    pub(super) fn plain(status: u16, text: &str) -> Self {
        let mut answer = Self {
            status,
            headers: Vec::new(),
            body: text.into(),
        };
        answer.versions();
        answer.set("Content-Type", b"text/plain; charset=utf-8");
        answer.set("X-Content-Type-Options", b"nosniff");
        answer
    }

    /// Adds a header. Control bytes but TAB become spaces: this keeps a client's input from
    /// adding headers of its own.
    pub fn set(&mut self, name: &'static str, value: &[u8]) {
        let clean = |&byte: &u8| {
            if byte != b'\t' && (byte < b' ' || byte == 0x7f) {
                b' '
            } else {
                byte
            }
        };
        self.headers
            .push((name, value.trim_ascii().iter().map(clean).collect()));
    }

    /// The value of a header; empty if it is not set.
    pub fn header(&self, name: &str) -> &[u8] {
        let named = self
            .headers
            .iter()
            .find(|header| header.0.eq_ignore_ascii_case(name));
        named.map_or(&[], |(_, value)| value)
    }

    fn versions(&mut self) {
        self.set("X-Influxdb-Version", INFLUXDB_VERSION.as_bytes());
        self.set("X-Influxdb-Build", INFLUXDB_BUILD.as_bytes());
        self.set("X-Tidegate-Version", TIDEGATE_VERSION.as_bytes());
    }
}

/// What has to be known of a request to answer it, whenever that is.
#[derive(Clone, Debug)]
pub struct Responder {
    /// The format of bodies.
    pub format: Format,
    /// Whether JSON is indented.
    pub pretty: bool,
    request_id: Vec<u8>,
    cors: Cors,
}

impl Responder {
    /// Takes from the head what concerns the answer. `fresh_id` is used unless the client names
    /// its request.
    pub(super) fn new(head: &Head<'_>, params: &Params, site: &Site, fresh_id: &str) -> Self {
        let given = ["X-Request-Id", "Request-Id"].map(|name| head.get(name));
        let id = given.into_iter().find(|id| !id.is_empty());
        Self {
            format: Format::negotiate(head),
            pretty: params.get("pretty") == b"true",
            request_id: id.unwrap_or(fresh_id.as_bytes()).into(),
            cors: Cors::new(head, site),
        }
    }

    /// An answer of a handler, with an empty body.
    pub fn empty(&self, status: u16) -> Answer {
        let mut answer = self.bare(status);
        answer.set("Content-Type", self.format.content_type().as_bytes());
        answer
    }

    /// An answer without a content type: to OPTIONS.
    pub(super) fn bare(&self, status: u16) -> Answer {
        let mut answer = Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        };
        answer.versions();
        if !self.request_id.is_empty() {
            answer.set("Request-Id", &self.request_id);
            answer.set("X-Request-Id", &self.request_id);
        }
        self.cors.set(&mut answer);
        answer
    }

    /// An error in the format asked for.
    pub fn error(&self, status: u16, message: &[u8]) -> Answer {
        let mut answer = self.empty(status);
        if status != 401 {
            let start = message.get(..ERROR_HEADER_BYTES_MAX).unwrap_or(message);
            answer.set("X-Influxdb-Error", start);
        }
        render::error(self.format, self.pretty, message, &mut answer.body);
        answer
    }

    /// The error of a write, with the list of its rejected lines.
    pub(super) fn rejected(&self, status: u16, message: &[u8], report: &WriteReport) -> Answer {
        let mut answer = self.error(status, message);
        answer.body.clear();
        render::rejected(self.format, self.pretty, message, report, &mut answer.body);
        answer
    }

    /// 401, with the scheme to use.
    pub fn unauthorized(&self, realm: &str, message: &str) -> Answer {
        let mut answer = self.error(401, message.as_bytes());
        let scheme: String = alloc::format!("Basic realm={}", Quoted(realm.as_bytes()));
        answer.set("WWW-Authenticate", scheme.as_bytes());
        answer
    }
}

/// Most bytes of an error that are repeated in a header. influxdb 1.12 `services/httpd`.
const ERROR_HEADER_BYTES_MAX: usize = 1024;
