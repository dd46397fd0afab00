//! A query that may go on: its parameters, wherever they stand.

use alloc::string::String;

use super::answer::{Answer, Responder};
use super::head::Head;
use super::multipart;
use super::params::Params;
use super::render::Epoch;
use super::run::QueryRun;

/// Largest form, in bytes. Go `net/http.Request.ParseForm`.
const FORM_BYTES_MAX: u64 = 10 << 20;

/// Rows in a chunk, unless the client says. influxdb 1.12 `services/httpd.DefaultChunkSize`.
const CHUNK_ROWS: usize = 10_000;

/// A query whose head was accepted.
///
/// The host reads the body if [`wants_body`](Self::wants_body), up to
/// [`body_bytes_max`](Self::body_bytes_max), and calls [`begin`](Self::begin).
#[derive(Clone, Debug)]
pub struct QueryPlan {
    params: Params,
    form: Form,
    get: bool,
    responder: Responder,
}

#[derive(Clone, Debug)]
enum Form {
    None,
    UrlEncoded,
    Multipart(alloc::vec::Vec<u8>),
}

impl QueryPlan {
    pub(super) fn new(head: &Head<'_>, params: Params, responder: Responder) -> Self {
        let content_type = head.get("Content-Type");
        let media = content_type
            .split(|&byte| byte == b';')
            .next()
            .unwrap_or_default();
        let media = media.trim_ascii();
        let form = if head.method != "POST" {
            Form::None
        } else if media.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            Form::UrlEncoded
        } else if media.eq_ignore_ascii_case(b"multipart/form-data") {
            multipart::boundary(content_type).map_or(Form::None, Form::Multipart)
        } else {
            Form::None
        };
        Self {
            params,
            form,
            get: head.method == "GET",
            responder,
        }
    }

    /// Whether the body is a form. Other bodies do not matter, whatever their encoding: clients
    /// announce gzip for a body that is not there.
    pub const fn wants_body(&self) -> bool {
        !matches!(self.form, Form::None)
    }

    /// Largest form in bytes; beyond, send [`too_large`](Self::too_large).
    pub const fn body_bytes_max(&self) -> u64 {
        FORM_BYTES_MAX
    }

    /// 413.
    pub fn too_large(&self) -> Answer {
        self.responder.error(413, b"Request Entity Too Large")
    }

    /// Parses the query. `body` is empty unless it was wanted.
    ///
    /// # Errors
    ///
    /// The answer to a query that does not parse.
    ///
    /// Source: influxdb 1.12 `services/httpd.serveQuery`.
    pub fn begin(self, body: &[u8]) -> Result<QueryRun, Answer> {
        // What the form says comes before what the address says.
        let params = match &self.form {
            Form::None => self.params,
            Form::UrlEncoded => Params::parse(body).followed_by(self.params),
            Form::Multipart(boundary) => self.params.followed_by(multipart::parse(body, boundary)),
        };
        let text = String::from_utf8_lossy(params.get("q"));
        let text = text.trim();
        if text.is_empty() {
            return Err(self
                .responder
                .error(400, b"missing required parameter \"q\""));
        }
        let chunk_rows = (params.get("chunked") == b"true").then(|| {
            let asked = params.text("chunk_size").parse().ok();
            asked.filter(|&rows: &usize| rows > 0).unwrap_or(CHUNK_ROWS)
        });
        QueryRun::parse(Asked {
            text: text.into(),
            bound: params.text("params").into_owned(),
            database: params.text("db").into_owned(),
            retention_policy: params.text("rp").into_owned(),
            epoch: Epoch::of(params.get("epoch")),
            chunk_rows,
            read_only: self.get,
            quiet: params.get("async") == b"true",
            responder: self.responder,
        })
    }
}

/// The parameters of a query.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) text: String,
    /// Values of bound parameters, as a JSON object; empty if there are none.
    pub(super) bound: String,
    pub(super) database: String,
    pub(super) retention_policy: String,
    pub(super) epoch: Epoch,
    pub(super) chunk_rows: Option<usize>,
    /// Whether a change earns a warning.
    pub(super) read_only: bool,
    /// Whether the answer is empty: `async=true`.
    pub(super) quiet: bool,
    pub(super) responder: Responder,
}
