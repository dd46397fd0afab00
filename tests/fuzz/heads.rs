//! Heads of requests: method, path, parameters, headers.

use tidegate_core::http::{Decision, Gate, Head, Params, Site, decide};
use tidegate_core::model::Precision;
use tidegate_tests::fuzz::Target;
use tidegate_tests::r#gen::Rng;
use tidegate_tests::proof::fixtures;

/// A head is its lines; whatever it is, the decision is well formed.
pub(crate) struct Heads;

struct Door;

impl Gate for Door {
    fn exists(&mut self, database: &str) -> bool {
        database == "d"
    }
}

impl Target for Heads {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let rows = fixtures::rows("http.jsonl");
        let heads = rows.iter().map(|row| {
            let mut head = format!("{} {}\n", row.need("method"), row.need("path"));
            for (name, value) in row.pairs("headers") {
                head += &format!("{name}: {value}\n");
            }
            head.into_bytes()
        });
        heads.collect()
    }

    fn tokens(&self) -> &'static [&'static [u8]] {
        &[
            b"/write",
            b"/api/v2/write",
            b"/query",
            b"/ping",
            b"?",
            b"&",
            b"=",
            b"%",
            b"%2",
            b"%zz",
            b"%00",
            b"%ff",
            b"+",
            b";",
            b"db=d",
            b"&db=",
            b"bucket=d/",
            b"precision=",
            b"ms",
            b"\n",
            b"q=SELECT+1",
            b"chunked=true",
            b"pretty=true",
            b"epoch=s",
            b"rp=",
            b"consistency=any",
            b"strict=true",
            b"errors=lines",
            b"ack=wal",
            b"POST ",
            b"OPTIONS ",
            b"HEAD ",
            b"Origin: x\n",
            b"Accept: text/csv;q=0.5,*/*\n",
            b"Content-Encoding: gzip\n",
            b"Content-Length: 1\n",
            b"X-Request-Id: \r\x01\n",
            b"Authorization: Basic eA==\n",
            b"params={\"a\":1}",
        ]
    }

    fn read(&mut self, rng: &mut Rng, input: &[u8]) -> bool {
        let text = String::from_utf8_lossy(input);
        let mut lines = text.split('\n');
        let first = lines.next().unwrap_or_default();
        let (method, target) = first.split_once(' ').unwrap_or((first, "/"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<(&str, &[u8])> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name, value.as_bytes()))
            .collect();
        let head = Head {
            method,
            path,
            query,
            headers: &headers,
        };
        let site = Site {
            cors_origins: if rng.one_in(2) {
                vec!["x".into()]
            } else {
                vec!["*".into()]
            },
            strict: rng.one_in(2),
            ..Site::default()
        };
        assert_eq!(
            Params::parse(query.as_bytes()),
            Params::parse(query.as_bytes())
        );
        let answer = match decide(&head, &site, &mut Door, "id") {
            Decision::Answer(answer) => answer,
            Decision::Write(plan) => {
                assert_eq!(plan.database, "d");
                assert!(Precision::from_code(plan.precision.code()) == Some(plan.precision));
                return plan.request(1).now_ns == 1;
            }
            Decision::Query(plan) => {
                let body = input.get(..rng.index(input.len() + 1)).unwrap_or_default();
                match plan.begin(body) {
                    Ok(run) => run.head(),
                    Err(answer) => answer,
                }
            }
            Decision::Metrics(responder) | Decision::Vars(responder) => responder.empty(200),
        };
        assert!((200..600).contains(&answer.status), "{answer:?}");
        for (name, value) in &answer.headers {
            let clean = |&byte: &u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
            assert!(value.iter().all(clean), "{name}: {value:?}");
        }
        answer.status < 400
    }
}
