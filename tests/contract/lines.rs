//! Strict writes, and the list of rejected lines.

use serde_json::{Value, json};
use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::server::{Face, Server};

use crate::on_every_host;

const BODY: &[u8] = b"cpu,host=a v=1 1\ncpu v=x 2\n# fine\n  bad\ncpu v=\"s\" 3\ncpu v=2 4\n";

#[test]
fn every_rejected_line_is_listed_for_who_asks() {
    on_every_host("lines", |server| {
        let mut client = server.client().expect("connection");
        let name = server.face.name();
        let plain = client.post("/write?db=d", BODY).expect("answer");
        assert_eq!(plain.status, 400, "{name}");
        let text = plain.text();
        let plain: Value = serde_json::from_str(&text).expect("JSON");
        let keys: Vec<&String> = plain.as_object().expect("object").keys().collect();
        assert_eq!(keys, ["error"], "{name}: {text}");
        let expected = json!([
            {"line": 2, "column": 7, "fate": "unparsed", "reason": "invalid boolean"},
            {"line": 4, "column": 6, "fate": "unparsed", "reason": "missing fields"},
            {"line": 5, "column": 5, "fate": "rejected", "reason": "field type conflict: input \
              field \"v\" on measurement \"cpu\" is type string, already exists as type float"},
        ]);
        let header = [("X-Tidegate-Errors", "lines")];
        for (target, headers) in [
            ("/write?db=d&errors=lines", &[][..]),
            ("/write?db=d", &header),
            ("/api/v2/write?bucket=d", &header),
        ] {
            let answer = client
                .request("POST", target, headers, BODY)
                .expect("answer");
            let told: Value = serde_json::from_slice(&answer.body).expect("JSON");
            assert_eq!((answer.status, &told["lines"]), (400, &expected), "{name}");
            assert_eq!(told["error"], plain["error"], "{name}");
            assert_eq!(told["written"], 2, "{name}");
        }
        let good = client
            .request("POST", "/write?db=d", &header, b"cpu v=1 1")
            .expect("answer");
        assert_eq!((good.status, good.body.len()), (204, 0), "{name}");
        let wrong = client.post("/write?db=d&errors=all", BODY).expect("answer");
        assert_eq!(
            wrong.text(),
            "{\"error\":\"invalid errors \\\"all\\\" (use text or lines)\"}\n"
        );
    });
}

#[test]
fn the_list_comes_in_the_format_that_is_asked_for() {
    on_every_host("formats", |server| {
        let mut client = server.client().expect("connection");
        let mut ask = |accept: &str, body: &[u8]| {
            let headers = [("Accept", accept), ("X-Tidegate-Errors", "lines")];
            let answer = client.request("POST", "/write?db=d", &headers, body);
            answer.expect("answer").body
        };
        let csv = ask("text/csv", b"cpu v=\"a,b\n");
        assert_eq!(
            String::from_utf8_lossy(&csv),
            "error\n\"unable to parse 'cpu v=\"\"a,b': unbalanced quotes\"\n\n\
             line,column,fate,reason\n1,7,unparsed,unbalanced quotes\n"
        );
        let packed = ask("application/x-msgpack", b"bad");
        let expected = b"\x83\xa5error\xd9\x25unable to parse 'bad': missing fields\xa7written\x00\
            \xa5lines\x91\x84\xa4line\x01\xa6column\x04\xa4fate\xa8unparsed\
            \xa6reason\xaemissing fields";
        assert_eq!(
            String::from_utf8_lossy(&packed),
            String::from_utf8_lossy(expected)
        );
        // However many there are, the answer has an end, and says that it is not all.
        let many = ask("application/json", &b"x\n".repeat(200_000));
        assert!(many.len() < 6 << 20, "{}", many.len());
        let many: Value = serde_json::from_slice(&many).expect("JSON");
        let listed = many["lines"].as_array().expect("list").len() as u64;
        let left_out = many["left_out"].as_u64().expect("a number");
        assert_eq!(listed + left_out, 200_000);
    });
}

#[test]
fn strict_is_asked_for_by_request_or_by_configuration() {
    let body = b"cpu v=1 1\r\n\r\n# a=\"b\ncpu v=2 2\r\ncpu \t=1 3\n";
    let strict = |server: &Server, target: &str| {
        let answer = server.client().expect("connection").post(target, body);
        answer.expect("answer").text()
    };
    on_every_host("strict", |server| {
        let told = strict(server, "/write?db=d&strict=true&errors=lines");
        let told: Value = serde_json::from_str(&told).expect("JSON");
        let reasons = told["lines"].as_array().expect("list").iter();
        let reasons: Vec<&str> = reasons.filter_map(|line| line["reason"].as_str()).collect();
        assert_eq!(told["written"], 1);
        assert_eq!(
            reasons,
            ["comment with a quote swallows the lines behind it",],
            "{told}"
        );
        let told = strict(server, "/write?db=d");
        assert!(told.contains("cpu v=1 1\\r': bad timestamp"), "{told}");
    });
    if Face::Guest.is_here() {
        let home = TempDir::new("strict").expect("dir");
        let environment = [("TIDEGATE_HTTP_STRICT", "true")];
        let server = Server::start_with(Face::Guest, home.path(), &environment).expect("server");
        server.execute("CREATE DATABASE d").expect("database");
        assert!(strict(&server, "/write?db=d").contains("comment with a quote"));
        assert!(strict(&server, "/write?db=d&strict=false").contains("bad timestamp"));
    }
}

#[test]
fn limits_and_unsigned_integers_are_configured() {
    let environment = [
        ("TIDEGATE_DATA_UNSIGNED_SUPPORT", "true"),
        ("TIDEGATE_DATA_MAX_SERIES_PER_DATABASE", "3"),
        ("TIDEGATE_DATA_MAX_VALUES_PER_TAG", "2"),
        ("TIDEGATE_DATA_MAX_TAGS_PER_LINE", "2"),
        ("TIDEGATE_DATA_MAX_FIELDS_PER_LINE", "64"),
    ];
    for face in [Face::Guest, Face::Native] {
        if !face.is_here() {
            continue;
        }
        let home = TempDir::new("limits").expect("dir");
        let start = || Server::start_with(face, home.path(), &environment).expect("server");
        let server = start();
        server.execute("CREATE DATABASE d").expect("database");
        let write = |server: &Server, body: &str| {
            let mut client = server.client().expect("connection");
            let answer = client.post("/write?db=d", body.as_bytes());
            answer.expect("answer").text()
        };
        assert_eq!(write(&server, "m u=18446744073709551615u 1"), "");
        let rows = server.query("d", "SELECT u FROM m").expect("answer").text();
        assert!(rows.contains("[1,18446744073709551615]"), "{rows}");
        assert!(write(&server, "m u=1u,a=-1u 1").contains("invalid number"));
        assert_eq!(write(&server, "m,t=a u=1u 1\nm,t=b u=1u 1"), "");
        let full = "{\"error\":\"partial write: max-series-per-database exceeded database=d \
                    limit=3 series=3 keys=2 dropped=2 for database: d for retention policy: \
                    autogen\"}\n";
        // Six points of known series and two of new ones.
        let body = "m,t=a u=1u 1\nm,t=b u=2u 2\n".repeat(3) + "n u=1 1\nm,t=a,x=y u=1u 1\n";
        assert_eq!(write(&server, &body), full);
        assert!(write(&server, "m,a=1,b=2,c=3 u=1u 1").contains("too many tags"));
        // And after a restart the counts are what they were.
        drop(server.terminate().expect("ended"));
        let server = start();
        assert_eq!(write(&server, &body), full);
    }
}
