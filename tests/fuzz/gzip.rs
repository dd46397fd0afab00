//! Compressed bodies.

use flate2::read::MultiGzDecoder;
use std::io::Read as _;
use tidegate_core::http::{BodyError, Inflate};
use tidegate_tests::fuzz::Target;
use tidegate_tests::r#gen::Rng;
use tidegate_tests::kit::gzip::compress;

/// Never more than this comes out.
const BYTES_MAX: u64 = 300_000;

/// Whole and in pieces the same comes out, which is what another reader gets; and never too much.
pub(crate) struct Gzip;

impl Target for Gzip {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let body = b"cpu,host=a v=1i 1767225600000000000\n".repeat(20);
        let zeros = vec![0; 2_000_000];
        let mut corpus = Vec::new();
        for (text, level) in [
            (&body[..], 1),
            (&body, 9),
            (b"", 6),
            (&body[..40], 0),
            (&zeros, 9),
        ] {
            corpus.push(compress(text, level).expect("memory"));
        }
        let two = [corpus[0].clone(), corpus[3].clone()].concat();
        corpus.push([&two[..], b"trailing"].concat());
        corpus.push(two);
        // A name, a comment, an extra field and the checksum of the header.
        let mut full = vec![0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 2, 0, 1, 2];
        full.extend_from_slice(b"name\0comment\0");
        let mut crc = flate2::Crc::new();
        crc.update(&full);
        full.extend_from_slice(&(crc.sum() as u16).to_le_bytes());
        full.extend_from_slice(&corpus[0][10..]);
        corpus.push(full);
        corpus
    }

    fn tokens(&self) -> &'static [&'static [u8]] {
        &[
            b"\x1f\x8b\x08",
            b"\x00",
            b"\xff\xff",
            b"\x1f\x8b\x08\x1e",
            b"\x03\x00",
            b"\x01\x00\x00\xff\xff",
        ]
    }

    fn read(&mut self, rng: &mut Rng, input: &[u8]) -> bool {
        let whole = Inflate::whole(input, BYTES_MAX);
        let mut inflate = Inflate::new(BYTES_MAX);
        let (mut out, mut rest) = (Vec::new(), input);
        let pieces = loop {
            let (feed, mut room) = (rest.len().min(1 + rng.index(40)), [0; 64]);
            let room = &mut room[..1 + rng.index(63)];
            match inflate.inflate(&rest[..feed], room) {
                Err(error) => break Err(error),
                Ok(done) if done.consumed == 0 && done.produced == 0 && rest.len() == feed => {
                    break inflate.finish().map(|()| out);
                }
                Ok(done) => {
                    out.extend_from_slice(&room[..done.produced]);
                    rest = &rest[done.consumed..];
                    assert!(out.len() as u64 <= BYTES_MAX, "more came out than may");
                    let stuck = done.consumed == 0 && done.produced == 0 && feed < rest.len();
                    assert!(!stuck || feed > 0, "nothing moves");
                }
            }
        };
        if let (Ok(whole), Ok(pieces)) = (&whole, &pieces) {
            assert!(whole == pieces, "in pieces something else comes out");
        }
        assert_eq!(whole.is_ok(), pieces.is_ok(), "{whole:?} {pieces:?}");
        let mut other = Vec::new();
        let read = MultiGzDecoder::new(input)
            .take(4_000_000)
            .read_to_end(&mut other);
        match whole {
            // Go, whose reader ours is like, takes flags that are reserved; this one does not.
            Ok(whole) => {
                let differs = match &read {
                    Ok(_) => other != whole,
                    Err(error) => !error.to_string().contains("invalid gzip header"),
                };
                assert!(!differs, "another reader differs: {read:?}");
                true
            }
            Err(BodyError::TooLarge) => {
                assert!(read.is_err() || other.len() as u64 > BYTES_MAX);
                false
            }
            Err(_) => false,
        }
    }
}
