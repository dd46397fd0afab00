//! What can go wrong with a body before its first line is parsed.

use alloc::string::String;

/// Why a body could not be received. The texts are Go's, as upstream passes them on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// A compressed body that is empty.
    #[error("EOF")]
    Empty,
    /// It ends too early.
    #[error("unexpected EOF")]
    UnexpectedEof,
    /// Not gzip.
    #[error("gzip: invalid header")]
    InvalidHeader,
    /// What was inflated is not what was deflated.
    #[error("gzip: invalid checksum")]
    InvalidChecksum,
    /// Not deflate; the offset in the compressed body.
    #[error("flate: corrupt input before offset {0}")]
    Corrupt(u64),
    /// Beyond the limit, inflated or not.
    #[error("Request Entity Too Large")]
    TooLarge,
    /// The connection failed; the host's words.
    #[error("{0}")]
    Read(String),
}
