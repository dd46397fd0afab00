//! Request targets as clients write them.
//!
//! `"`, `<`, `>`, `#` and bytes beyond ASCII have to be escaped in a target, but `curl
//! '.../query?q=SELECT v FROM "cpu"'` with its spaces replaced is sent as it stands, and Go's server
//! takes it. hyper's does not, or cuts it off at the `#`; so they are escaped before it reads them.

use tokio::io::ReadBuf;

use super::patience::Serving;

/// Escapes the targets of a connection's requests.
#[derive(Debug, Default)]
pub(super) struct Targets {
    place: Place,
    /// The request whose head is being read, counted by [`Serving`].
    request: u64,
    /// What is escaped and found no room yet.
    left: Vec<u8>,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Method,
    Target,
    /// All that follows the first line.
    Rest,
}

impl Targets {
    /// Gives out what found no room before; whether there was any.
    pub(super) fn deliver(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let length = self.left.len().min(buffer.remaining());
        buffer.put_slice(&self.left[..length]);
        self.left.drain(..length);
        length > 0
    }

    /// Escapes what was read behind `before`, as far as it is a target.
    ///
    /// Only where nothing but a head can be: a body that grew would end too early, and its rest be
    /// taken for a request. So a connection is left alone behind a body that was not read to its
    /// end; and so are heads sent before the answer to the request before them.
    pub(super) fn escape(&mut self, serving: &Serving, buffer: &mut ReadBuf<'_>, before: usize) {
        if serving.now() || serving.is_body_left() {
            return;
        }
        if self.request != serving.requests() {
            self.request = serving.requests();
            self.place = Place::Method;
        }
        if self.place == Place::Rest {
            return;
        }
        let bytes = &buffer.filled()[before..];
        let line_end = bytes.iter().position(|&byte| byte == b'\n');
        let line = &bytes[..line_end.unwrap_or(bytes.len())];
        let start = match self.place {
            Place::Method => line.iter().position(|&byte| byte == b' '),
            _ => Some(0),
        };
        self.place = match (line_end, start) {
            (Some(_), _) => Place::Rest,
            (None, Some(_)) => Place::Target,
            (None, None) => Place::Method,
        };
        let (method, target) = line.split_at(start.unwrap_or(line.len()));
        if !target.iter().any(|&byte| is_foreign(byte)) {
            return;
        }
        let mut escaped = method.to_vec();
        for &byte in target {
            if is_foreign(byte) {
                escaped.extend_from_slice(format!("%{byte:02X}").as_bytes());
            } else {
                escaped.push(byte);
            }
        }
        escaped.extend_from_slice(&bytes[line.len()..]);
        self.left = escaped;
        buffer.set_filled(before);
        self.deliver(buffer);
    }
}

const fn is_foreign(byte: u8) -> bool {
    matches!(byte, b'"' | b'#' | b'<' | b'>' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What hyper gets if the client's bytes come in pieces of that size.
    fn read(targets: &mut Targets, serving: &Serving, sent: &[u8], piece: usize) -> Vec<u8> {
        let mut got = Vec::new();
        for piece in sent.chunks(piece) {
            let mut room = vec![0; piece.len() + 1];
            let mut buffer = ReadBuf::new(&mut room);
            buffer.put_slice(b"!");
            buffer.put_slice(piece);
            targets.escape(serving, &mut buffer, 1);
            got.extend_from_slice(&buffer.filled()[1..]);
            loop {
                let mut buffer = ReadBuf::new(&mut room);
                if !targets.deliver(&mut buffer) {
                    break;
                }
                got.extend_from_slice(buffer.filled());
            }
        }
        got
    }

    #[test]
    fn a_target_is_escaped_and_nothing_else() {
        let sent = b"POST /a\"<>#\xff%22?\"= HTTP/1.1\r\nX: \"<\xff\r\n\r\n\"#\n\" \"\n";
        let wanted = b"POST /a%22%3C%3E%23%FF%22?%22= HTTP/1.1\r\nX: \"<\xff\r\n\r\n\"#\n\" \"\n";
        for piece in 1..=sent.len() {
            let mut targets = Targets::default();
            let got = read(&mut targets, &Serving::default(), sent, piece);
            assert_eq!(got, wanted, "in pieces of {piece}");
        }
    }

    #[test]
    fn no_byte_of_a_body_is_touched() {
        let serving = Serving::default();
        let mut targets = Targets::default();
        let head = b"POST /\" HTTP/1.1\r\nContent-Length: 9\r\n\r\n";
        assert_eq!(read(&mut targets, &serving, head, 9).len(), head.len() + 2);
        let guard = serving.begin(false);
        let body = b"GET /\" HTTP/1.1\n";
        assert_eq!(read(&mut targets, &serving, body, 5), body);
        // Answered before all of it was there.
        drop(guard);
        assert_eq!(read(&mut targets, &serving, body, 5), body);
        // The next one is read to its end.
        let guard = serving.begin(false);
        serving.body_ends();
        drop(guard);
        assert_eq!(read(&mut targets, &serving, body, 5).len(), body.len() + 2);
    }
}
