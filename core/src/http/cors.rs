//! Which pages of other origins a browser lets in, and what they may send.

use alloc::string::String;
use alloc::vec::Vec;

use super::answer::Answer;
use super::head::Head;
use super::route::Site;

/// What an answer says to a browser; nothing, unless the request comes from a page that is let in.
#[derive(Clone, Debug, Default)]
pub(super) struct Cors {
    origin: Vec<u8>,
    /// Headers that a page asks to send, beyond those that upstream lets it send.
    more_headers: Vec<&'static str>,
    /// The answer depends on who asks.
    varies: bool,
    /// The site names the pages it trusts, so they get to see more than with upstream.
    named: bool,
}

impl Cors {
    pub(super) fn new(head: &Head<'_>, site: &Site) -> Self {
        let origin = head.get("Origin");
        let any = site.cors_origins.iter().any(|allowed| allowed == "*");
        let named = |allowed: &String| allowed.as_bytes().eq_ignore_ascii_case(origin);
        let varies = !any && !site.cors_origins.is_empty();
        if origin.is_empty() || !(any || site.cors_origins.iter().any(named)) {
            return Self {
                varies,
                ..Self::default()
            };
        }
        let asked = |name: &&&str| {
            let all = head.all("Access-Control-Request-Headers");
            let mut words = all.flat_map(|value| value.split(|&byte| byte == b','));
            words.any(|word| word.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
        };
        let more = MORE_HEADERS.iter();
        Self {
            origin: origin.into(),
            more_headers: more.filter(|name| varies || asked(name)).copied().collect(),
            varies,
            named: varies,
        }
    }

    /// Source: influxdb 1.12 `services/httpd.cors`; beyond it: what is compressed may be sent.
    pub(super) fn set(&self, answer: &mut Answer) {
        if self.varies {
            answer.set("Vary", b"Origin");
        }
        if self.origin.is_empty() {
            return;
        }
        answer.set("Access-Control-Allow-Origin", &self.origin);
        answer.set("Access-Control-Allow-Methods", METHODS.as_bytes());
        let mut headers = String::from(HEADERS);
        for name in &self.more_headers {
            headers.push_str(", ");
            headers.push_str(name);
        }
        answer.set("Access-Control-Allow-Headers", headers.as_bytes());
        let exposed = if self.named { EXPOSED_MORE } else { EXPOSED };
        answer.set("Access-Control-Expose-Headers", exposed.as_bytes());
    }
}

const METHODS: &str = "DELETE, GET, OPTIONS, POST, PUT, PATCH";

const HEADERS: &str = "Accept, Accept-Encoding, Authorization, Content-Length, Content-Type, \
                       User-Agent, X-CSRF-Token, X-HTTP-Method-Override";

/// What a page may send as well: told to it if it asks, or if the site names it.
const MORE_HEADERS: [&str; 6] = [
    "Content-Encoding",
    "Request-Id",
    "X-Request-Id",
    "X-Tidegate-Ack",
    "X-Tidegate-Errors",
    "X-Tidegate-Strict",
];

const EXPOSED: &str = "Date, X-InfluxDB-Version, X-InfluxDB-Build";

const EXPOSED_MORE: &str = "Date, X-InfluxDB-Version, X-InfluxDB-Build, X-InfluxDB-Error, \
                            Request-Id, Retry-After, X-Tidegate-Ack, X-Tidegate-Version";

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origins: &[&str], request: &[(&str, &[u8])]) -> Answer {
        let site = Site {
            cors_origins: origins.iter().map(|&origin| origin.into()).collect(),
            ..Site::default()
        };
        let head = Head {
            method: "OPTIONS",
            path: "/write",
            query: "",
            headers: request,
        };
        let mut answer = Answer {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
        };
        Cors::new(&head, &site).set(&mut answer);
        answer
    }

    const PAGE: (&str, &[u8]) = ("Origin", b"https://a.example");

    #[test]
    fn any_origin_is_let_in_as_upstream_does_and_may_send_gzip_if_it_asks() {
        let answer = headers(&["*"], &[PAGE]);
        assert_eq!(answer.header("Access-Control-Allow-Origin"), PAGE.1);
        assert_eq!(
            answer.header("Access-Control-Allow-Headers"),
            HEADERS.as_bytes()
        );
        assert_eq!(answer.header("Vary"), b"");
        let asks = (
            "access-control-request-headers",
            &b"content-type, content-encoding"[..],
        );
        let answer = headers(&["*"], &[PAGE, asks]);
        let allowed = alloc::format!("{HEADERS}, Content-Encoding");
        assert_eq!(
            answer.header("Access-Control-Allow-Headers"),
            allowed.as_bytes()
        );
        let odd = ("Access-Control-Request-Headers", &b"X-Evil\r\nX: y"[..]);
        let answer = headers(&["*"], &[PAGE, odd]);
        assert_eq!(
            answer.header("Access-Control-Allow-Headers"),
            HEADERS.as_bytes()
        );
    }

    #[test]
    fn with_a_list_only_those_on_it_are_let_in() {
        let list = ["https://b.example", "https://a.example"];
        let answer = headers(&list, &[PAGE]);
        assert_eq!(answer.header("Access-Control-Allow-Origin"), PAGE.1);
        assert_eq!(answer.header("Vary"), b"Origin");
        let allowed = answer.header("Access-Control-Allow-Headers");
        assert!(allowed.ends_with(b"X-Tidegate-Strict"));
        for other in [
            &b"https://a.example.evil"[..],
            b"http://a.example",
            b"https://a.example:8086",
            b"null",
            b"*",
            b"",
        ] {
            let answer = headers(&list, &[("Origin", other)]);
            assert_eq!(answer.headers, [("Vary", b"Origin".to_vec())]);
        }
        assert_eq!(headers(&[], &[PAGE]).headers, []);
        assert_eq!(headers(&["*"], &[]).headers, []);
    }
}
