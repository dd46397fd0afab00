//! What a browser is told, so that a page may write here.

use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::server::{Face, Server};

use crate::on_every_host;

#[test]
fn a_page_may_send_gzip() {
    on_every_host("pages", |server| {
        let mut client = server.client().expect("connection");
        let name = server.face.name();
        let asks = [
            ("Origin", "http://page.example"),
            ("Access-Control-Request-Method", "POST"),
            (
                "Access-Control-Request-Headers",
                "content-encoding,content-type",
            ),
        ];
        let answer = client
            .request("OPTIONS", "/write?db=d", &asks, b"")
            .expect("answer");
        assert_eq!(answer.status, 200, "{name}");
        let allowed = answer.header("Access-Control-Allow-Headers").expect("told");
        assert!(allowed.ends_with(", Content-Encoding"), "{name}: {allowed}");
        let answer = client
            .request("POST", "/write?db=d", &asks[..1], b"cpu v=1 1")
            .expect("answer");
        assert_eq!(answer.status, 204, "{name}");
        let origin = answer.header("Access-Control-Allow-Origin");
        assert_eq!(origin, Some("http://page.example"), "{name}");
    });
}

#[test]
fn only_pages_on_the_list_are_let_in() {
    if !Face::Guest.is_here() {
        return;
    }
    let home = TempDir::new("origins").expect("dir");
    let list = "https://a.example, http://localhost:3000";
    let environment = [("TIDEGATE_HTTP_CORS_ORIGINS", list)];
    let server = Server::start_with(Face::Guest, home.path(), &environment).expect("server");
    let mut client = server.client().expect("connection");
    for (origin, let_in) in [
        ("https://a.example", true),
        ("http://localhost:3000", true),
        ("https://b.example", false),
        ("null", false),
    ] {
        let answer = client
            .request("GET", "/ping", &[("Origin", origin)], b"")
            .expect("answer");
        let told = answer.header("Access-Control-Allow-Origin");
        assert_eq!(told, let_in.then_some(origin));
        assert_eq!(answer.header("Vary"), Some("Origin"));
    }
}
