//! Requests as clients write them by hand, and answers as they ask for them.

use tidegate_tests::kit::gzip;
use tidegate_tests::proof::server::Face;

use crate::on_every_host;

#[test]
fn a_target_need_not_be_escaped_where_it_is_clear() {
    on_every_host("requests", |server| {
        let name = server.face.name();
        let mut client = server.client().expect("connection");
        let mut ask = |method: &str, target: &str, body: &[u8]| {
            let answer = client.request(method, target, &[], body).expect("answer");
            (answer.status, answer.text())
        };
        let body = b"cpu,host=<a> v=1 1\ncpu,host=\"b\" v=3 2";
        assert_eq!(ask("POST", "/write?db=d", body).0, 204, "{name}");
        for (clause, values) in [
            ("v>2", "[[2,3]]"),
            ("v<2", "[[1,1]]"),
            ("host='<a>'", "[[1,1]]"),
            ("host='\"b\"'", "[[2,3]]"),
        ] {
            let target = format!("/query?db=d&epoch=ns&q=SELECT+v+FROM+\"cpu\"+WHERE+{clause}");
            for method in ["GET", "POST"] {
                let (status, text) = ask(method, &target, b"");
                let found = format!("\"values\":{values}");
                assert!(
                    status == 200 && text.contains(&found),
                    "{name} {target}: {text}"
                );
            }
        }
        // Node's parser refuses what is not ASCII before it asks anybody.
        let letter = if server.face == Face::Node {
            "o"
        } else {
            "\u{f6}"
        };
        let missing = format!("/write?db=n{letter}\"<#>");
        let (status, text) = ask("POST", &missing, body);
        let wanted = "{\"error\":\"database not found: \\\"n*\\\\\\\"\\u003c#\\u003e\\\"\"}\n";
        assert_eq!((status, text), (404, wanted.replace('*', letter)), "{name}");
        // What looks like a target in a body is none.
        let body = b"POST\\ /\"<#> v=\"<#>\" 1";
        assert_eq!(ask("POST", "/write?db=d", body).0, 204, "{name}");
        let target = "/query?db=d&epoch=ns&q=SELECT+v+FROM+/POST/";
        let (_, text) = ask("GET", target, b"");
        assert!(
            text.contains("\"values\":[[1,\"\\u003c#\\u003e\"]]"),
            "{name}: {text}"
        );
    });
}

#[test]
fn a_path_with_escapes_is_another_path() {
    on_every_host("requests", |server| {
        let mut client = server.client().expect("connection");
        for (path, status) in [("/ping", 204), ("/%70ing", 404), ("/ping%20", 404)] {
            let answer = client.get(path).expect("answer");
            assert_eq!(answer.status, status, "{} {path}", server.face.name());
        }
    });
}

#[test]
fn rows_are_compressed_for_who_asks() {
    on_every_host("requests", |server| {
        let name = server.face.name();
        let mut client = server.client().expect("connection");
        // Enough for an answer in pieces.
        let lines: String = (0..20_000)
            .map(|at| format!("many v={at} {at}\n"))
            .collect();
        let written = client
            .post("/write?db=d", lines.as_bytes())
            .expect("answer");
        assert_eq!(written.status, 204, "{name}");
        let mut ask = |target: &str, accepted: &str| {
            let headers = [("Accept-Encoding", accepted)];
            client
                .request("GET", target, &headers, b"")
                .expect("answer")
        };
        for query in [
            "SELECT+v+FROM+many",
            "SELECT+v+FROM+many+LIMIT+1",
            "SHOW+DATABASES",
        ] {
            for more in ["", "&chunked=true"] {
                let target = format!("/query?db=d&q={query}{more}");
                let plain = ask(&target, "identity");
                assert_eq!(plain.header("Content-Encoding"), None, "{name} {target}");
                let packed = ask(&target, "deflate, gzip");
                assert_eq!(
                    packed.header("Content-Encoding"),
                    Some("gzip"),
                    "{name} {target}"
                );
                let mut text = Vec::new();
                gzip::decompress_into(&packed.body, &mut text).expect("gzip");
                assert_eq!(text, plain.body, "{name} {target}");
            }
        }
        for (target, status) in [("/query?q=SHOW", 400), ("/ping", 204), ("/health", 200)] {
            let answer = ask(target, "gzip");
            let told = (answer.status, answer.header("Content-Encoding"));
            assert_eq!(told, (status, None), "{name} {target}");
        }
    });
}
