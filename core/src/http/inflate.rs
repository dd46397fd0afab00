//! Gzip bodies, piece by piece, with the errors of Go's `compress/gzip`.

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::body::BodyError;

/// What a call of [`Inflate::inflate`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the input that are done with.
    pub consumed: usize,
    /// Bytes that were put at the start of the output.
    pub produced: usize,
}

/// Inflates a body of one or more gzip members, which is read and written in pieces of any size.
///
/// Feed it until a call neither consumes nor produces anything, then feed more; at the end of
/// the body ask [`finish`](Self::finish).
///
/// Source: RFC 1952; Go `compress/gzip.Reader` for the order of checks and the texts.
#[derive(Debug)]
pub struct Inflate {
    state: State,
    /// The header or trailer so far.
    held: Vec<u8>,
    raw: Decompress,
    crc: Crc,
    consumed: u64,
    produced: u64,
    past_header: bool,
    limit: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    Deflated,
    Trailer,
}

/// A body may always inflate to this, however small it is.
const RATIO_FREE_BYTES: u64 = 1 << 20;

/// Most inflated bytes for each compressed one beyond that. Deflate itself ends at 1032; line
/// protocol that repeats one line stays below 300.
const RATIO_MAX: u64 = 500;

impl Inflate {
    /// `bytes_max` is the most that may come out; 0 for no limit.
    pub fn new(bytes_max: u64) -> Self {
        Self {
            state: State::Header,
            held: Vec::new(),
            raw: Decompress::new(false),
            crc: Crc::new(),
            consumed: 0,
            produced: 0,
            past_header: false,
            limit: if bytes_max == 0 { u64::MAX } else { bytes_max },
        }
    }

    /// Whether the first header was found good. The length the head of the request stated is
    /// checked after that, not before.
    pub const fn past_header(&self) -> bool {
        self.past_header
    }

    /// Bytes that came out so far.
    pub const fn produced(&self) -> u64 {
        self.produced
    }

    /// Inflates from `input` into `output` until one of them is used up.
    ///
    /// # Errors
    ///
    /// What is wrong with the body, or [`BodyError::TooLarge`] once it exceeds the limit. Then
    /// the bytes that came out before are of no use either.
    pub fn inflate(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, BodyError> {
        let mut done = Progress {
            consumed: 0,
            produced: 0,
        };
        loop {
            let rest = input.get(done.consumed..).unwrap_or_default();
            let space = output.get_mut(done.produced..).unwrap_or_default();
            let step = match self.state {
                State::Header => self.header(rest)?,
                State::Deflated => self.deflated(rest, space)?,
                State::Trailer => self.trailer(rest)?,
            };
            done.consumed += step.consumed;
            done.produced += step.produced;
            self.consumed += step.consumed as u64;
            self.produced += step.produced as u64;
            let free = self
                .consumed
                .saturating_mul(RATIO_MAX)
                .max(RATIO_FREE_BYTES);
            if self.produced > self.limit.min(free) {
                return Err(BodyError::TooLarge);
            }
            if step.consumed == 0 && step.produced == 0 {
                return Ok(done);
            }
        }
    }

    /// Whether the body may end here.
    ///
    /// # Errors
    ///
    /// [`BodyError::Empty`] if there was nothing, [`BodyError::UnexpectedEof`] within a member.
    pub fn finish(&self) -> Result<(), BodyError> {
        match self.state {
            State::Header if !self.held.is_empty() => Err(BodyError::UnexpectedEof),
            State::Header if !self.past_header => Err(BodyError::Empty),
            State::Header => Ok(()),
            State::Deflated | State::Trailer => Err(BodyError::UnexpectedEof),
        }
    }

    /// All of a body that is at hand.
    ///
    /// # Errors
    ///
    /// As [`inflate`](Self::inflate) and [`finish`](Self::finish).
    pub fn whole(body: &[u8], bytes_max: u64) -> Result<Vec<u8>, BodyError> {
        let mut inflate = Self::new(bytes_max);
        let (mut out, mut piece) = (Vec::new(), alloc::vec![0; 64 << 10]);
        let mut rest = body;
        loop {
            let done = inflate.inflate(rest, &mut piece)?;
            rest = rest.get(done.consumed..).unwrap_or_default();
            out.extend_from_slice(piece.get(..done.produced).unwrap_or_default());
            if done.consumed == 0 && done.produced == 0 {
                inflate.finish()?;
                return Ok(out);
            }
        }
    }

    fn header(&mut self, input: &[u8]) -> Result<Progress, BodyError> {
        let before = self.held.len();
        let room = HEADER_BYTES_MAX.saturating_sub(before);
        self.held
            .extend_from_slice(input.get(..room).unwrap_or(input));
        let consumed = match header_length(&self.held)? {
            None => self.held.len() - before,
            Some(length) => {
                self.held.clear();
                self.state = State::Deflated;
                self.past_header = true;
                self.raw.reset(false);
                self.crc.reset();
                length.saturating_sub(before)
            }
        };
        Ok(Progress {
            consumed,
            produced: 0,
        })
    }

    fn deflated(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, BodyError> {
        let (read, written) = (self.raw.total_in(), self.raw.total_out());
        let status = self
            .raw
            .decompress(input, output, FlushDecompress::None)
            .map_err(|_| BodyError::Corrupt(self.raw.total_in()))?;
        if status == Status::StreamEnd {
            self.state = State::Trailer;
        }
        let progress = Progress {
            consumed: (self.raw.total_in() - read) as usize,
            produced: (self.raw.total_out() - written) as usize,
        };
        self.crc
            .update(output.get(..progress.produced).unwrap_or_default());
        Ok(progress)
    }

    fn trailer(&mut self, input: &[u8]) -> Result<Progress, BodyError> {
        let missing = 8_usize.saturating_sub(self.held.len());
        let piece = input.get(..missing).unwrap_or(input);
        self.held.extend_from_slice(piece);
        if let Some(&[a, b, c, d, e, f, g, h]) = self.held.first_chunk() {
            let sum = u32::from_le_bytes([a, b, c, d]);
            let length = u32::from_le_bytes([e, f, g, h]);
            if sum != self.crc.sum() || length != self.raw.total_out() as u32 {
                return Err(BodyError::InvalidChecksum);
            }
            self.held.clear();
            self.state = State::Header;
        }
        Ok(Progress {
            consumed: piece.len(),
            produced: 0,
        })
    }
}

const HEADER_BYTES_MAX: usize = 10 + 2 + 0xffff + 2 * TEXT_BYTES_MAX + 2;

/// Longest name or comment with its NUL. Go `compress/gzip`.
const TEXT_BYTES_MAX: usize = 512;

/// Length of the header that `bytes` begin with; `None` while it is not all there.
fn header_length(bytes: &[u8]) -> Result<Option<usize>, BodyError> {
    let Some(&[id1, id2, method, flags, ..]) = bytes.first_chunk::<10>() else {
        return Ok(None);
    };
    if (id1, id2, method) != (0x1f, 0x8b, 8) {
        return Err(BodyError::InvalidHeader);
    }
    let mut at = 10;
    if flags & 0b0100 != 0 {
        let Some(&[low, high]) = bytes.get(at..).and_then(<[u8]>::first_chunk) else {
            return Ok(None);
        };
        at += 2 + usize::from(u16::from_le_bytes([low, high]));
    }
    for flag in [0b1000, 0b1_0000] {
        if flags & flag != 0 {
            let text = bytes.get(at..).unwrap_or_default();
            let text = text.get(..TEXT_BYTES_MAX).unwrap_or(text);
            match text.iter().position(|&byte| byte == 0) {
                Some(end) => at += end + 1,
                None if text.len() == TEXT_BYTES_MAX => return Err(BodyError::InvalidHeader),
                None => return Ok(None),
            }
        }
    }
    if flags & 0b0010 != 0 {
        let Some(&[low, high]) = bytes.get(at..).and_then(<[u8]>::first_chunk) else {
            return Ok(None);
        };
        let mut crc = Crc::new();
        crc.update(bytes.get(..at).unwrap_or_default());
        if crc.sum() as u16 != u16::from_le_bytes([low, high]) {
            return Err(BodyError::InvalidHeader);
        }
        at += 2;
    }
    Ok((at <= bytes.len()).then_some(at))
}
