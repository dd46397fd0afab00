//! A minimal blocking HTTP/1.1 client: one connection, kept alive.
//!
//! Ours because tests must be able to send broken requests byte by byte, and because the
//! load generator must cost next to nothing: a request is one write, an answer mostly one read.

use std::io::{self, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// One connection to a server.
pub struct Client {
    stream: TcpStream,
    reader: ResponseReader,
}

impl Client {
    /// Connects without Nagle's delay. Every later read and write fails after `timeout`.
    pub fn connect(address: SocketAddr, timeout: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self {
            stream,
            reader: ResponseReader::default(),
        })
    }

    /// Sends one request with `Host` and `Content-Length` added, and reads its answer.
    pub fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Response> {
        self.send(&request_bytes(method, target, headers, body))?;
        self.receive(method == "HEAD")
    }

    /// `GET target`.
    pub fn get(&mut self, target: &str) -> io::Result<Response> {
        self.request("GET", target, &[], b"")
    }

    /// `POST target` with a body.
    pub fn post(&mut self, target: &str, body: &[u8]) -> io::Result<Response> {
        self.request("POST", target, &[], body)
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Reads the next answer; `to_head` if it answers a HEAD and so has no body.
    pub fn receive(&mut self, to_head: bool) -> io::Result<Response> {
        self.reader.read(&mut self.stream, to_head)
    }

    /// The socket, for tests that half-close it or shorten its timeouts.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body, with chunked coding undone and content coding left as it is.
    pub body: Vec<u8>,
    head: Vec<u8>,
}

impl Response {
    /// The value of the first header called `name` in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.header_bytes(name)?).ok()
    }

    /// As [`header`](Self::header), for a value that need not be UTF-8.
    pub fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        let lines = self.head.split(|&byte| byte == b'\n').skip(1);
        lines.into_iter().find_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let (key, value) = line.split_at(colon);
            key.eq_ignore_ascii_case(name.as_bytes())
                .then(|| value[1..].trim_ascii())
        })
    }

    /// The body as text, with what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the server will close the connection after this answer.
    pub fn closes(&self) -> bool {
        self.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// The bytes of one request.
pub fn request_bytes(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !body.is_empty() || method == "POST" {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// `text` with every byte outside the unreserved set as `%XX`, for query strings.
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Bytes received and not yet used, across answers.
#[derive(Default)]
struct ResponseReader {
    buffer: Vec<u8>,
    used: usize,
}

impl ResponseReader {
    fn read(&mut self, source: &mut impl Read, to_head: bool) -> io::Result<Response> {
        loop {
            let head = self.take_head(source)?;
            let mut response = Response {
                status: status_of(&head)?,
                body: Vec::new(),
                head,
            };
            if response.status < 200 {
                continue;
            }
            if to_head || matches!(response.status, 204 | 304) {
                return Ok(response);
            }
            let chunked = response
                .header("transfer-encoding")
                .is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
            if chunked {
                response.body = self.take_chunks(source)?;
            } else if let Some(length) = response.header("content-length") {
                let length = length
                    .parse()
                    .map_err(|_| invalid("content-length is no number"))?;
                response.body = self.take(source, length)?;
            } else {
                while self.fill(source)? {}
                response.body = self.buffer.split_off(self.used);
            }
            return Ok(response);
        }
    }

    fn take_head(&mut self, source: &mut impl Read) -> io::Result<Vec<u8>> {
        let mut searched = self.used;
        loop {
            let found = self.buffer[searched..]
                .windows(4)
                .position(|four| four == b"\r\n\r\n");
            if let Some(offset) = found {
                let head = self.buffer[self.used..searched + offset].to_vec();
                self.used = searched + offset + 4;
                return Ok(head);
            }
            searched = self.buffer.len().saturating_sub(3).max(self.used);
            let before = self.used;
            self.need(source)?;
            searched -= before - self.used;
        }
    }

    fn take_chunks(&mut self, source: &mut impl Read) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.take_line(source)?;
            let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
            let size = std::str::from_utf8(digits)
                .ok()
                .and_then(|text| usize::from_str_radix(text.trim(), 16).ok())
                .ok_or_else(|| invalid("chunk size is no hexadecimal number"))?;
            if size == 0 {
                while !self.take_line(source)?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.take(source, size)?);
            if !self.take_line(source)?.is_empty() {
                return Err(invalid("chunk is longer than its size"));
            }
        }
    }

    /// Takes bytes up to the next CR LF, which is dropped.
    fn take_line(&mut self, source: &mut impl Read) -> io::Result<Vec<u8>> {
        loop {
            let rest = &self.buffer[self.used..];
            if let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
                let line = rest[..end].to_vec();
                self.used += end + 2;
                return Ok(line);
            }
            self.need(source)?;
        }
    }

    fn take(&mut self, source: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
        let mut taken = Vec::new();
        loop {
            let rest = &self.buffer[self.used..];
            let part = rest.len().min(length - taken.len());
            taken.extend_from_slice(&rest[..part]);
            self.used += part;
            if taken.len() == length {
                return Ok(taken);
            }
            self.need(source)?;
        }
    }

    fn need(&mut self, source: &mut impl Read) -> io::Result<()> {
        if self.fill(source)? {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "connection closed inside an answer",
        ))
    }

    /// Receives some more; false at the end of the stream. Used bytes are dropped first.
    fn fill(&mut self, source: &mut impl Read) -> io::Result<bool> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let before = self.buffer.len();
        self.buffer.resize(before + 16 * 1024, 0);
        let received = loop {
            match source.read(&mut self.buffer[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer
            .truncate(before + *received.as_ref().unwrap_or(&0));
        Ok(received? > 0)
    }
}

fn status_of(head: &[u8]) -> io::Result<u16> {
    let text = head
        .strip_prefix(b"HTTP/1.")
        .and_then(|rest| rest.get(2..5));
    text.and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| invalid("not an HTTP/1 answer"))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("bad HTTP answer: {what}"),
    )
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
