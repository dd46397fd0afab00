//! From a request to its response: asks the core what to do, and does it.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::http::request::Parts;
use hyper::{Request, Response};
use tidegate_core::http::{
    Answer, Counter, Credentials, Decision, Denied, Gate, Head, HealthCheck, Params, Responder,
    Site, asks_for_user, decide,
};

use super::body::Received;
use super::budget::Budget;
use super::figures::Figures;
use super::packing::Packing;
use super::pool::Pool;
use super::request_id::RequestIds;
use super::respond::{self, Content};
use super::throttle::Throttle;
use super::{query, write};
use crate::config::Http;
use crate::database::{DatabaseList, now_ns};
use crate::users::{Identity, Users};

/// Longest request target.
const TARGET_BYTES_MAX: usize = 8 << 10;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Server {
    pub(super) limits: Http,
    pub(super) databases: Arc<DatabaseList>,
    pub(super) users: Arc<Users>,
    pub(super) pool: Pool,
    pub(super) budget: Budget,
    pub(super) figures: Figures,
    site: Site,
    throttle: Throttle,
    request_ids: RequestIds,
}

/// What a host knows when the head of a request arrives.
struct Door<'a> {
    databases: &'a DatabaseList,
    user: &'a Result<Identity, Denied>,
}

impl Gate for Door<'_> {
    fn exists(&mut self, database: &str) -> bool {
        self.databases.get(database).is_some()
    }

    fn authenticate(&mut self, _head: &Head<'_>, _params: &Params) -> Result<(), Denied> {
        self.user.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    fn may_write(&mut self, database: &str) -> Result<(), String> {
        let no_user = || Err("no user provided".to_owned());
        self.user
            .as_ref()
            .map_or_else(|_| no_user(), |user| user.may_write(database))
    }

    fn is_admin(&mut self) -> bool {
        self.user.as_ref().is_ok_and(Identity::is_admin)
    }
}

impl Server {
    /// `seed` is random.
    pub(crate) fn new(
        limits: Http,
        databases: Arc<DatabaseList>,
        users: Arc<Users>,
        seed: u64,
    ) -> Arc<Self> {
        let site = Site {
            auth_enabled: limits.auth_enabled,
            ping_auth_enabled: limits.ping_auth_enabled,
            debug_auth_enabled: limits.pprof_auth_enabled,
            realm: limits.realm.clone(),
            body_bytes_max: limits.max_body_size.0,
            strict: limits.strict,
            cors_origins: limits.cors_origins.clone(),
            ack: limits.ack_level.0,
            ..Site::default()
        };
        Arc::new(Self {
            site,
            throttle: Throttle::new(&limits),
            budget: Budget::new(limits.max_body_memory.0),
            limits,
            databases,
            users,
            pool: Pool::default(),
            figures: Figures::default(),
            request_ids: RequestIds::new(seed),
        })
    }

    /// The response to a request that came `from` there. Its body is read only if it matters.
    pub(super) async fn answer(
        self: &Arc<Self>,
        request: Request<Received>,
        from: IpAddr,
    ) -> Response<Content> {
        // The one reading of the clock: it becomes the time of points that have none.
        let now_ns = now_ns();
        self.figures.add(Counter::Requests, 1);
        let _busy = self
            .figures
            .busy(Some(Counter::RequestsActive), Some(Counter::RequestNs));
        let path = request.uri().path().to_owned();
        let response = self.respond(request, from, now_ns).await;
        self.figures.answered(&path, response.status().as_u16());
        response
    }

    async fn respond(
        self: &Arc<Self>,
        request: Request<Received>,
        from: IpAddr,
        now_ns: i64,
    ) -> Response<Content> {
        let (parts, body) = request.into_parts();
        if parts.uri.path().len() + parts.uri.query().unwrap_or_default().len() > TARGET_BYTES_MAX {
            return respond::whole(plain(414, "URI Too Long\n"));
        }
        // Where it ends is a matter of opinion, and whoever stands before us may have another one.
        let has = |name| parts.headers.contains_key(name);
        if has(hyper::header::CONTENT_LENGTH) && has(hyper::header::TRANSFER_ENCODING) {
            let text = "both Content-Length and Transfer-Encoding, send one of them\n";
            let mut answer = plain(400, text);
            answer.set("Connection", b"close");
            return respond::whole(answer);
        }
        // As upstream: before anything else, and for this path only.
        let mut slot = None;
        if parts.uri.path() == "/write" && parts.method == hyper::Method::POST {
            match self.throttle.slot().await {
                Ok(free) => slot = Some(free),
                Err(text) => return respond::whole(throttled(text)),
            }
        }
        let headers: Vec<(&str, &[u8])> = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let head = Head {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &headers,
        };
        let fresh_id = self.request_ids.next(now_ns);
        let user = self.user_of(&head, from, now_ns).await;
        let mut door = Door {
            databases: &self.databases,
            user: &user,
        };
        let decision = decide(&head, &self.site, &mut door, &fresh_id);
        drop(headers);
        let response = self.carry_out(decision, &parts, body, user, now_ns).await;
        drop(slot);
        response
    }

    /// Does what was decided about a request.
    async fn carry_out(
        self: &Arc<Self>,
        decision: Decision,
        head: &Parts,
        body: Received,
        user: Result<Identity, Denied>,
        now_ns: i64,
    ) -> Response<Content> {
        match decision {
            Decision::Answer(mut answer) => {
                if head.uri.path() == "/health" {
                    self.tell_health(&mut answer);
                }
                respond::whole(answer)
            }
            Decision::Write(plan) => {
                self.figures.add(Counter::Writes, 1);
                let _busy = self
                    .figures
                    .busy(Some(Counter::WritesActive), Some(Counter::WriteNs));
                respond::whole(write::serve(self, &plan, body, now_ns).await)
            }
            Decision::Query(plan) => {
                self.figures.add(Counter::Queries, 1);
                let _busy = self.figures.busy(None, Some(Counter::QueryNs));
                // Whom credentials did not do is answered by now.
                let user = user.unwrap_or(Identity::Nobody);
                let packing = Packing::asked_by(&head.headers);
                query::serve(self, plan, body, user, packing).await
            }
            Decision::Metrics(responder) => {
                let databases = self.databases.all().len();
                let text = self
                    .figures
                    .metrics(databases, self.databases.late_failures());
                respond::whole(text_answer(
                    &responder,
                    "text/plain; version=0.0.4; charset=utf-8",
                    text,
                ))
            }
            Decision::Vars(responder) => {
                let databases = self.databases.all().len();
                let bind = &self.limits.bind_address;
                let late_failures = self.databases.late_failures();
                let text = self.figures.vars(bind, databases, late_failures);
                respond::whole(text_answer(
                    &responder,
                    "application/json; charset=utf-8",
                    text,
                ))
            }
        }
    }

    /// Who sent a request, where that matters.
    async fn user_of(
        &self,
        head: &Head<'_>,
        from: IpAddr,
        now_ns: i64,
    ) -> Result<Identity, Denied> {
        if !asks_for_user(head, &self.site) {
            return Ok(Identity::Open);
        }
        let credentials = Credentials::of(head, &Params::parse(head.query.as_bytes()));
        self.users.identify(credentials, from, now_ns).await
    }

    /// Adds a check for each database of which there is something to tell.
    fn tell_health(&self, answer: &mut Answer) {
        if answer.status != 200 {
            return;
        }
        let databases = self.databases.all();
        let concerns = databases.iter().filter_map(|database| {
            let (message, fails) = database.concern()?;
            Some(HealthCheck {
                name: format!("database {:?}", database.name()),
                message,
                fails,
            })
        });
        answer.tell_health(&self.site, concerns);
    }
}

fn plain(status: u16, text: &str) -> Answer {
    let mut answer = Answer {
        status,
        headers: Vec::new(),
        body: text.into(),
    };
    answer.set("Content-Type", b"text/plain; charset=utf-8");
    answer
}

/// 503, so that agents keep their batch.
fn throttled(text: &str) -> Answer {
    let mut answer = plain(503, text);
    answer.set("Retry-After", b"1");
    answer
}

fn text_answer(responder: &Responder, content_type: &str, text: String) -> Answer {
    let mut answer = responder.empty(200);
    answer.headers.retain(|(name, _)| *name != "Content-Type");
    answer.set("Content-Type", content_type.as_bytes());
    answer.body = text.into_bytes();
    answer
}
