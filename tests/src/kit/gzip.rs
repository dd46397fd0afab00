//! gzip in memory.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// `bytes` as one gzip member at `level` (0 to 9).
pub fn compress(bytes: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(level));
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Appends what `bytes` inflate to. Several members in a row are one stream.
pub fn decompress_into(bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    MultiGzDecoder::new(bytes).read_to_end(out).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{compress, decompress_into};

    #[test]
    fn what_was_compressed_comes_back_also_in_two_members() {
        let body = b"cpu,host=a v=1i 1\n".repeat(500);
        let mut twice = compress(&body, 6).expect("compress");
        assert!(twice.len() < body.len() / 10);
        twice.extend(compress(b"tail", 1).expect("compress"));
        let mut out = Vec::new();
        decompress_into(&twice, &mut out).expect("decompress");
        assert_eq!(out, [&body[..], b"tail"].concat());
        assert!(decompress_into(&twice[..twice.len() - 3], &mut out).is_err());
    }
}
