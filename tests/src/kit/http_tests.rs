use std::io::{self, Read};

use super::{ResponseReader, percent_encode, request_bytes};

/// Gives its bytes in pieces of `step`.
struct Trickle<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.step.min(self.bytes.len()).min(out.len());
        let (now, later) = self.bytes.split_at(count);
        out[..count].copy_from_slice(now);
        self.bytes = later;
        Ok(count)
    }
}

fn at_every_step(bytes: &[u8], check: impl Fn(&mut ResponseReader, &mut Trickle<'_>)) {
    for step in 1..=bytes.len() {
        check(&mut ResponseReader::default(), &mut Trickle { bytes, step });
    }
}

#[test]
fn answers_in_a_row_are_read_however_the_bytes_arrive() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: one\r\n\r\nhello\
        HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n\
        HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad Request\r\ncontent-length:0\r\n\r\n\
        HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n\
        HTTP/1.0 503 Busy\r\nConnection: close\r\n\r\nto the end";
    at_every_step(bytes, |reader, source| {
        let hello = reader.read(source, false).expect("content-length");
        assert_eq!((hello.status, hello.text().as_str()), (200, "hello"));
        assert_eq!(hello.header("x-a"), Some("one"));
        assert!(!hello.closes());
        assert_eq!(reader.read(source, false).expect("no content").status, 204);
        assert_eq!(reader.read(source, false).expect("after 100").status, 400);
        let chunked = reader.read(source, false).expect("chunked");
        assert_eq!(chunked.text(), "abc0123456789");
        let last = reader.read(source, false).expect("until closed");
        assert_eq!((last.status, last.text().as_str()), (503, "to the end"));
        assert!(last.closes());
        let error = reader.read(source, false).expect_err("nothing left");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    });
}

#[test]
fn an_answer_to_head_has_no_body() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 No\r\n\r\n";
    at_every_step(bytes, |reader, source| {
        assert!(reader.read(source, true).expect("head").body.is_empty());
        assert_eq!(reader.read(source, false).expect("next").status, 204);
    });
}

#[test]
fn a_broken_answer_is_an_error() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0 hello\r\n\r\n",
        b"",
    ] {
        at_every_step(bytes, |reader, source| {
            assert!(reader.read(source, false).is_err());
        });
    }
}

#[test]
fn a_request_carries_its_length() {
    let bytes = request_bytes("POST", "/write?db=d", &[("X-A", "b")], b"cpu v=1");
    assert_eq!(
        bytes,
        b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n\
          Content-Length: 7\r\n\r\ncpu v=1"
    );
    assert!(
        !request_bytes("GET", "/ping", &[], b"")
            .windows(6)
            .any(|six| six == b"Length")
    );
}

#[test]
fn queries_are_percent_encoded() {
    assert_eq!(percent_encode("a b='x'"), "a%20b%3D%27x%27");
    assert_eq!(percent_encode("-._~Az9"), "-._~Az9");
}
