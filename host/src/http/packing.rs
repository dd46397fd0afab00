//! Answers compressed on their way out, for clients that ask for it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::HeaderMap;
use hyper::header::ACCEPT_ENCODING;

/// How the pieces of an answer leave.
pub(super) enum Packing {
    /// As they are.
    Plain,
    /// As parts of one gzip member.
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Packing {
    /// What the head of a request asks for.
    ///
    /// Source: influxdb 1.12 `services/httpd.gzipFilter`, which weighs nothing either.
    pub(super) fn asked_by(headers: &HeaderMap) -> Self {
        let accepted = headers
            .get(ACCEPT_ENCODING)
            .map_or(&b""[..], |value| value.as_bytes());
        if !accepted.windows(4).any(|four| four == b"gzip") {
            return Self::Plain;
        }
        // Others wait for the thread meanwhile; what more work saves in bytes is little.
        Self::Gzip(Box::new(GzEncoder::new(Vec::new(), Compression::fast())))
    }

    /// The value of `Content-Encoding`, if there is to be one.
    pub(super) const fn encoding(&self) -> Option<&'static [u8]> {
        match self {
            Self::Plain => None,
            Self::Gzip(_) => Some(b"gzip"),
        }
    }

    /// A piece as it leaves: all of it can be read before the next one arrives.
    pub(super) fn pack(&mut self, piece: Vec<u8>, is_last: bool) -> Vec<u8> {
        let Self::Gzip(encoder) = self else {
            return piece;
        };
        // Writing to memory does not fail.
        let _ = encoder.write_all(&piece);
        let _ = if is_last {
            encoder.try_finish()
        } else {
            encoder.flush()
        };
        std::mem::take(encoder.get_mut())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::MultiGzDecoder;

    use super::*;

    fn asked(value: &str) -> Packing {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, value.parse().expect("a value"));
        Packing::asked_by(&headers)
    }

    #[test]
    fn only_who_asks_gets_gzip() {
        assert!(Packing::asked_by(&HeaderMap::new()).encoding().is_none());
        for plain in ["", "identity", "br, deflate"] {
            assert!(asked(plain).encoding().is_none(), "{plain}");
        }
        for gzip in ["gzip", "deflate, gzip;q=0.5", "x-gzip"] {
            assert_eq!(asked(gzip).encoding(), Some(&b"gzip"[..]), "{gzip}");
        }
    }

    #[test]
    fn every_piece_can_be_read_at_once_and_all_are_one_member() {
        let mut packing = asked("gzip");
        let (mut sent, mut text) = (Vec::new(), String::new());
        for number in 0..5 {
            let piece = format!("piece {number} ").repeat(100);
            text.push_str(&piece);
            sent.extend(packing.pack(piece.into_bytes(), number == 4));
            let mut read = Vec::new();
            // Until the end it is cut off, which is an error behind what could be read.
            let whole = MultiGzDecoder::new(&sent[..]).read_to_end(&mut read);
            assert_eq!(read, text.as_bytes());
            assert_eq!(whole.is_ok(), number == 4);
        }
    }
}
