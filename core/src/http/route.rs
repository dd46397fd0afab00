//! From a request's head to what has to be done about it, before any of its body is read.

use alloc::string::String;
use alloc::vec::Vec;

use super::ack::AckLevel;
use super::answer::{Answer, Responder};
use super::head::Head;
use super::params::{Params, unescape_path};
use super::query::QueryPlan;
use super::text::json_string;
use super::version::INFLUXDB_VERSION;
use super::wishes::Wishes;
use super::write::WritePlan;
use crate::limits;
use crate::model::{Precision, Quoted};

/// What a host decided about its HTTP face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Whether requests have to say who they are.
    pub auth_enabled: bool,
    /// Whether that includes `/ping`, `/health`, `/status` and `/metrics`.
    pub ping_auth_enabled: bool,
    /// Whether `/debug/vars` is for admins only.
    pub debug_auth_enabled: bool,
    /// The realm named in a 401.
    pub realm: String,
    /// Largest body of a write, in bytes, inflated or not; 0 for no limit.
    pub body_bytes_max: u64,
    /// Whether a write is read strictly that does not ask for either.
    pub strict: bool,
    /// Pages that may send requests from a browser; `*` lets in all, as upstream does.
    pub cors_origins: Vec<String>,
    /// What a write is promised that asks for nothing.
    pub ack: AckLevel,
    /// The promises that the host tells apart, the weakest first. Who asks for one between them
    /// gets the next stronger one; who asks for more than the last one is refused.
    pub ack_levels: &'static [AckLevel],
}

impl Default for Site {
    fn default() -> Self {
        Self {
            auth_enabled: false,
            ping_auth_enabled: false,
            debug_auth_enabled: false,
            realm: "InfluxDB".into(),
            body_bytes_max: limits::BODY_BYTES_MAX as u64,
            strict: false,
            cors_origins: ["*".into()].into(),
            ack: AckLevel::Durable,
            ack_levels: &AckLevel::ALL,
        }
    }
}

impl Site {
    const fn guards_vars(&self) -> bool {
        self.auth_enabled && self.debug_auth_enabled
    }
}

/// What a host knows about databases and users when a request arrives.
pub trait Gate {
    /// Whether there is such a database.
    fn exists(&mut self, database: &str) -> bool;

    /// Checks the credentials of a request and remembers its user. Called only where
    /// [`asks_for_user`] holds, so that a host that has to wait for the verdict can get it before.
    fn authenticate(&mut self, _head: &Head<'_>, _params: &Params) -> Result<(), Denied> {
        Ok(())
    }

    /// Whether the user may write to `database`; the error is the text of the 403.
    fn may_write(&mut self, _database: &str) -> Result<(), String> {
        Ok(())
    }

    /// Whether the user is an admin.
    fn is_admin(&mut self) -> bool {
        false
    }
}

/// Why credentials do not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// They are wrong or missing: the text of the 401.
    Unauthorized(String),
    /// They cannot be checked now: the text of a 503, since agents drop a batch on any 4xx.
    Later {
        /// What stands in the way.
        text: String,
        /// When to come back.
        seconds: u64,
    },
}

impl Denied {
    fn answer(&self, responder: &Responder, site: &Site) -> Answer {
        match self {
            Self::Unauthorized(text) => responder.unauthorized(&site.realm, text),
            Self::Later { text, seconds } => {
                let mut answer = responder.error(503, text.as_bytes());
                answer.set("Retry-After", alloc::format!("{seconds}").as_bytes());
                answer
            }
        }
    }
}

/// What to do about a request.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Send this; the body of the request does not matter.
    Answer(Answer),
    /// Read the body and write it.
    Write(WritePlan),
    /// Read the body if it has to be, and run the query.
    Query(QueryPlan),
    /// The host's own figures, as Prometheus reads them.
    Metrics(Responder),
    /// The host's own figures, as upstream's `/debug/vars` gives them.
    Vars(Responder),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Write,
    WriteV2,
    Query,
    Ping,
    Health,
    Status,
    Metrics,
}

impl Route {
    /// By the path as it was sent: upstream's router takes no escapes.
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/write" => Self::Write,
            "/api/v2/write" => Self::WriteV2,
            "/query" => Self::Query,
            "/ping" => Self::Ping,
            "/health" => Self::Health,
            "/status" => Self::Status,
            "/metrics" => Self::Metrics,
            _ => return None,
        })
    }

    const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Write | Self::WriteV2 => &["OPTIONS", "POST"],
            Self::Query => &["GET", "OPTIONS", "POST"],
            Self::Ping | Self::Status => &["GET", "HEAD", "OPTIONS"],
            Self::Health | Self::Metrics => &["GET", "OPTIONS"],
        }
    }

    /// Whether credentials are asked for, where the site has them.
    const fn guarded(self, site: &Site) -> bool {
        match self {
            Self::Write | Self::WriteV2 | Self::Query => site.auth_enabled,
            _ => site.auth_enabled && site.ping_auth_enabled,
        }
    }
}

/// Whether [`decide`] will ask the gate who the user is.
pub fn asks_for_user(head: &Head<'_>, site: &Site) -> bool {
    if is_vars(head.path) {
        return site.guards_vars();
    }
    let asks = |route: Route| {
        route.guarded(site) && route.methods().contains(&head.method) && head.method != "OPTIONS"
    };
    Route::of(head.path).is_some_and(asks)
}

/// Decides about a request. `fresh_id` names it, unless its client does.
///
/// The order of checks is upstream's: path, method, credentials, then those of the handler.
///
/// Source: influxdb 1.12 `services/httpd.NewHandler`, `Handler.AddRoutes`, `serveWrite`.
pub fn decide(head: &Head<'_>, site: &Site, gate: &mut impl Gate, fresh_id: &str) -> Decision {
    let params = Params::parse(head.query.as_bytes());
    let responder = Responder::new(head, &params, site, fresh_id);
    if is_vars(head.path) {
        return vars(head, site, gate, responder, &params);
    }
    let Some(route) = Route::of(head.path) else {
        return Decision::Answer(refuse(head, 404, "404 page not found\n"));
    };
    if !route.methods().contains(&head.method) {
        let mut answer = refuse(head, 405, "Method Not Allowed\n");
        answer.set("Allow", route.methods().join(", ").as_bytes());
        return Decision::Answer(answer);
    }
    if head.method == "OPTIONS" {
        return Decision::Answer(responder.bare(200));
    }
    if route.guarded(site)
        && let Err(denied) = gate.authenticate(head, &params)
    {
        return Decision::Answer(denied.answer(&responder, site));
    }
    match route {
        Route::Write | Route::WriteV2 => {
            let target = if route == Route::Write {
                Target::v1
            } else {
                Target::v2
            };
            write(head, site, gate, responder, target(&params), &params)
        }
        Route::Query => Decision::Query(QueryPlan::new(head, params, responder)),
        Route::Ping => Decision::Answer(ping(&params, &responder)),
        Route::Health => Decision::Answer(health(&responder, site)),
        Route::Status => Decision::Answer(responder.empty(204)),
        Route::Metrics => Decision::Metrics(responder),
    }
}

/// The path of upstream's own figures; whatever follows it does not matter.
const VARS: &[u8] = b"/debug/vars";

/// Upstream looks for it before it asks its router, and in the path without escapes.
fn is_vars(path: &str) -> bool {
    unescape_path(path).is_some_and(|path| path.starts_with(VARS))
}

/// Source: influxdb 1.12 `services/httpd.NewHandler`, where `pprof-auth-enabled` guards this too.
fn vars(
    head: &Head<'_>,
    site: &Site,
    gate: &mut impl Gate,
    responder: Responder,
    params: &Params,
) -> Decision {
    if !site.guards_vars() {
        return Decision::Vars(responder);
    }
    match gate.authenticate(head, params) {
        Ok(()) if gate.is_admin() => Decision::Vars(responder),
        Ok(()) => Decision::Answer(responder.error(403, b"error authorizing admin access")),
        Err(denied) => Decision::Answer(denied.answer(&responder, site)),
    }
}

/// Where a write goes, as its parameters say.
struct Target {
    database: Vec<u8>,
    retention_policy: Vec<u8>,
    precision: Precision,
}

impl Target {
    fn v1(params: &Params) -> Result<Self, (u16, String)> {
        let precision = Precision::from_v1(&params.text("precision")).ok_or_else(|| {
            let given = Quoted(params.get("precision"));
            (
                400,
                alloc::format!("invalid precision {given} (use n, u, ms, s, m or h)"),
            )
        })?;
        Ok(Self {
            database: params.get("db").into(),
            retention_policy: params.get("rp").into(),
            precision,
        })
    }

    fn v2(params: &Params) -> Result<Self, (u16, String)> {
        let precision = Precision::from_v2(&params.text("precision")).ok_or_else(|| {
            let given = Quoted(params.get("precision"));
            (
                400,
                alloc::format!("invalid precision {given} (use ns, us, ms or s)"),
            )
        })?;
        let bucket = params.get("bucket");
        let slash = bucket.iter().position(|&byte| byte == b'/');
        let (database, policy) = bucket.split_at(slash.unwrap_or(bucket.len()));
        let complaint = match (bucket, database) {
            (b"", _) => {
                "bucket name \"\" is missing a slash; not in \"database/retention-policy\" format"
                    .into()
            }
            (_, b"") => {
                let bucket = Quoted(bucket);
                alloc::format!("bucket name {bucket} is in db/rp form but has an empty database")
            }
            _ => {
                return Ok(Self {
                    database: database.into(),
                    retention_policy: policy.get(1..).unwrap_or_default().into(),
                    precision,
                });
            }
        };
        Err((404, complaint))
    }
}

fn write(
    head: &Head<'_>,
    site: &Site,
    gate: &mut impl Gate,
    responder: Responder,
    target: Result<Target, (u16, String)>,
    params: &Params,
) -> Decision {
    let refuse = |status, text: &str| Decision::Answer(responder.error(status, text.as_bytes()));
    let target = match target {
        Ok(target) => target,
        Err((status, text)) => return refuse(status, &text),
    };
    if target.database.is_empty() {
        return refuse(400, "database is required");
    }
    // A name that is not UTF-8 is no database's name.
    let database = match String::from_utf8(target.database) {
        Ok(name) if gate.exists(&name) => name,
        Ok(name) => {
            let name = Quoted(name.as_bytes());
            return refuse(404, &alloc::format!("database not found: {name}"));
        }
        Err(name) => {
            let name = Quoted(name.as_bytes());
            return refuse(404, &alloc::format!("database not found: {name}"));
        }
    };
    if site.auth_enabled
        && let Err(text) = gate.may_write(&database)
    {
        return refuse(403, &text);
    }
    let ack = match AckLevel::promised(head, params, site) {
        Ok(level) => level,
        Err((status, text)) => return refuse(status, &text),
    };
    let wishes = match Wishes::of(head, params, site) {
        Ok(wishes) => wishes,
        Err(text) => return refuse(400, &text),
    };
    let plan = WritePlan {
        database,
        retention_policy: String::from_utf8_lossy(&target.retention_policy).into_owned(),
        precision: target.precision,
        consistency_known: consistency_is_known(params.get("consistency")),
        // Compared exactly: upstream takes `GZIP` and `deflate` bodies as they are.
        gzip: head.get("Content-Encoding") == b"gzip",
        body_bytes_max: site.body_bytes_max,
        declared_bytes: head.content_length(),
        wishes,
        ack,
        responder,
    };
    match plan.too_large_as_declared() {
        // Whether a compressed body has a good header is checked before its length.
        Some(answer) if !plan.gzip => Decision::Answer(answer),
        _ => Decision::Write(plan),
    }
}

fn consistency_is_known(level: &[u8]) -> bool {
    let known = ["", "any", "one", "quorum", "all"];
    known
        .iter()
        .any(|known| level.eq_ignore_ascii_case(known.as_bytes()))
}

fn ping(params: &Params, responder: &Responder) -> Answer {
    match params.get("verbose") {
        b"" | b"0" | b"false" => responder.empty(204),
        _ => {
            let mut answer = responder.empty(200);
            answer.body.extend_from_slice(b"{\"version\":");
            json_string(&mut answer.body, INFLUXDB_VERSION.as_bytes());
            answer.body.push(b'}');
            answer
        }
    }
}

fn health(responder: &Responder, site: &Site) -> Answer {
    let mut answer = responder.empty(200);
    answer.tell_health(site, []);
    answer
}

fn refuse(head: &Head<'_>, status: u16, text: &str) -> Answer {
    Answer::plain(status, if head.method == "HEAD" { "" } else { text })
}
