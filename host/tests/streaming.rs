//! Answers that are longer than what is sent whole.

mod kit;

use std::fmt::Write as _;
use std::io::{Read, Write as _};

use kit::{Server, TempDir};

const POINTS: u64 = 6_000;

fn filled(name: &str) -> (TempDir, Server) {
    let temp = TempDir::new(name);
    let server = Server::start(&temp.0.join("data"));
    server.query("CREATE+DATABASE+a");
    let mut lines = String::new();
    for n in 0..POINTS {
        let _ = writeln!(lines, "m,host=h v={n} {}", (n + 1) * 1_000_000_000);
    }
    assert_eq!(server.write(&lines), 204);
    (temp, server)
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    loop {
        let (length, rest) = body.split_once("\r\n").expect("a chunk");
        let length = usize::from_str_radix(length, 16).expect("a length");
        whole.push_str(&rest[..length]);
        assert_eq!(&rest[length..length + 2], "\r\n");
        body = &rest[length + 2..];
        if length == 0 {
            assert_eq!(body, "", "nothing follows");
            return whole;
        }
    }
}

#[test]
fn a_long_answer_arrives_whole_in_pieces() {
    let (_temp, server) = filled("long");
    let (status, answer) = server.post("/query?db=a&epoch=s&q=SELECT+v+FROM+m", b"", "");
    assert_eq!(status, 200);
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let head = head.to_ascii_lowercase();
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert!(!head.contains("content-length"), "{head}");
    let mut expected =
        r#"{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","v"],"values":["#
            .to_owned();
    for n in 0..POINTS {
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(expected, "{comma}[{},{n}]", n + 1);
    }
    expected.push_str("]}]}]}\n");
    assert!(expected.len() > 64 << 10);
    let body = unchunk(body);
    assert_eq!(body.len(), expected.len(), "{} ... ", &body[..200]);
    assert!(body == expected, "some row differs");
}

#[test]
fn a_client_that_leaves_in_the_middle_does_no_harm() {
    let (_temp, server) = filled("leaves");
    for _ in 0..20 {
        let mut stream = server.connect();
        stream
            .write_all(b"GET /query?db=a&q=SELECT+v+FROM+m HTTP/1.1\r\nHost: a\r\n\r\n")
            .expect("sent");
        let mut beginning = [0; 100];
        stream.read_exact(&mut beginning).expect("it begins");
    }
    assert_eq!(server.write("m v=1 1"), 204);
    server.signal("-TERM");
    let (code, log) = server.wait();
    assert_eq!((code, log.contains("stopped")), (Some(0), true), "{log}");
}
