//! Bodies that `flate2` deflated, cut and damaged.

use flate2::{Compress, Compression, FlushCompress};

use super::*;

fn gzip(plain: &[u8], flags: u8, extras: &[u8]) -> Vec<u8> {
    let mut out = [&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 0xff], extras].concat();
    let mut raw = Vec::with_capacity(plain.len() + 1_000);
    let mut compress = Compress::new(Compression::best(), false);
    compress
        .compress_vec(plain, &mut raw, FlushCompress::Finish)
        .unwrap();
    let mut crc = Crc::new();
    crc.update(plain);
    out.extend(raw);
    out.extend(crc.sum().to_le_bytes());
    out.extend((plain.len() as u32).to_le_bytes());
    out
}

fn in_pieces(body: &[u8], piece: usize, space: usize) -> Result<Vec<u8>, BodyError> {
    let mut inflate = Inflate::new(0);
    let (mut out, mut buffer) = (Vec::new(), alloc::vec![0; space]);
    for mut rest in body.chunks(piece) {
        loop {
            let done = inflate.inflate(rest, &mut buffer)?;
            out.extend_from_slice(&buffer[..done.produced]);
            rest = &rest[done.consumed..];
            if done.consumed == 0 && done.produced == 0 {
                break;
            }
        }
    }
    inflate.finish().map(|()| out)
}

#[test]
fn members_of_any_header_inflate_in_pieces_of_any_size() {
    let plain: Vec<u8> = (0..5_000_u32).flat_map(|i| (i * i).to_le_bytes()).collect();
    let mut body = gzip(&plain, 0, b"");
    body.extend(gzip(b"", 0b1_1100, b"\x03\0abcname\0comment\0"));
    body.extend(gzip(b"end", 0b1000, b"name\0"));
    let expected = [&plain[..], b"end"].concat();
    for (piece, space) in [(1, 1), (7, 3), (64, 1_000), (body.len(), 1 << 20)] {
        assert_eq!(
            in_pieces(&body, piece, space).as_ref(),
            Ok(&expected),
            "{piece} {space}"
        );
    }
}

#[test]
fn every_truncation_is_told() {
    let body = gzip(b"cpu v=1\ncpu v=2\n", 0b1000, b"name\0");
    assert_eq!(Inflate::whole(b"", 0), Err(BodyError::Empty));
    for cut in 1..body.len() {
        let expected = Err(BodyError::UnexpectedEof);
        assert_eq!(Inflate::whole(&body[..cut], 0), expected, "{cut}");
        assert_eq!(in_pieces(&body[..cut], 3, 2), expected, "{cut}");
    }
}

#[test]
fn what_is_not_gzip_is_told_once_ten_bytes_are_there() {
    assert_eq!(
        Inflate::whole(b"cpu v=1 1", 0),
        Err(BodyError::UnexpectedEof)
    );
    assert_eq!(
        Inflate::whole(b"cpu v=1 10", 0),
        Err(BodyError::InvalidHeader)
    );
    let mut name = b"\x1f\x8b\x08\x08\0\0\0\0\0\0".to_vec();
    name.extend([b'x'; 600]);
    assert_eq!(Inflate::whole(&name, 0), Err(BodyError::InvalidHeader));
    let body = gzip(b"a", 0b0010, b"\0\0");
    assert_eq!(Inflate::whole(&body, 0), Err(BodyError::InvalidHeader));
}

#[test]
fn a_wrong_sum_or_length_is_told() {
    let body = gzip(b"cpu v=1", 0, b"");
    for from_end in 1..=8 {
        let mut damaged = body.clone();
        let at = damaged.len() - from_end;
        damaged[at] ^= 1;
        assert_eq!(Inflate::whole(&damaged, 0), Err(BodyError::InvalidChecksum));
    }
    let mut damaged = body;
    damaged[10] = 0xff;
    assert!(matches!(
        Inflate::whole(&damaged, 0),
        Err(BodyError::Corrupt(_))
    ));
}

#[test]
fn the_limit_counts_what_comes_out() {
    let body = gzip(&[b'a'; 1_000], 0, b"");
    assert!(Inflate::whole(&body, 1_000).is_ok());
    assert_eq!(Inflate::whole(&body, 999), Err(BodyError::TooLarge));
}

#[test]
fn a_bomb_is_refused_long_before_its_size() {
    let body = gzip(&alloc::vec![0; 40 << 20], 0, b"");
    assert!(body.len() < 200_000);
    let mut inflate = Inflate::new(0);
    let mut buffer = alloc::vec![0; 64 << 10];
    let mut rest = &body[..];
    let error = loop {
        match inflate.inflate(rest, &mut buffer) {
            Ok(done) => rest = &rest[done.consumed..],
            Err(error) => break error,
        }
    };
    assert_eq!(error, BodyError::TooLarge);
    assert!(inflate.produced() < 36 << 20);
}

#[test]
fn no_flipped_bit_makes_it_panic() {
    let body = gzip(
        b"cpu,host=a v=1 1\ncpu,host=a v=2 2\n",
        0b1_1110,
        b"\x01\0anb\0c\0\0\0",
    );
    for bit in 0..body.len() * 8 {
        let mut damaged = body.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let _ = Inflate::whole(&damaged, 1 << 16);
    }
}
