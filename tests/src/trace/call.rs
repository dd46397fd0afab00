//! The calls on a tape.

use std::fmt;

/// A call of the engine with all that is given to it. Numbers and bytes are those that cross the
/// guest boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// A fresh engine: `Config::encode` and `encode_listing`.
    Open {
        /// Both, one after the other.
        params: &'a [u8],
    },
    /// A write: `WriteRequest::encode`, and the body.
    Write {
        /// The request.
        params: &'a [u8],
        /// The lines.
        body: &'a [u8],
    },
    /// A statement.
    Execute {
        /// The clock reading, nanoseconds.
        now_ns: i64,
        /// Its text.
        text: &'a [u8],
    },
    /// The next batch of a cursor.
    Fetch {
        /// Which cursor.
        cursor: u32,
        /// About so many rows.
        rows_max: u32,
    },
    /// The end of a cursor.
    Close {
        /// Which cursor.
        cursor: u32,
    },
    /// The next effect, and its bytes.
    Poll {
        /// The effect that came natively; 0 for none.
        id: u64,
        /// The length of its bytes; whether a guest has as many follows from its record.
        length: u32,
    },
    /// The report of an effect.
    Complete {
        /// Which effect.
        id: u64,
        /// `StorageFault::code`, 0 for success.
        fault: u32,
    },
    /// The answer to a read.
    Supply {
        /// Which effect.
        id: u64,
        /// `StorageFault::code`, 0 for success.
        fault: u32,
        /// What was read.
        bytes: &'a [u8],
    },
}

impl<'a> Call<'a> {
    /// The call in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Write { .. } => "write",
            Self::Execute { .. } => "execute",
            Self::Fetch { .. } => "fetch",
            Self::Close { .. } => "close",
            Self::Poll { .. } => "poll",
            Self::Complete { .. } => "complete",
            Self::Supply { .. } => "supply",
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Open { params } => {
                out.push(1);
                put_bytes(out, params);
            }
            Self::Write { params, body } => {
                out.push(2);
                put_bytes(out, params);
                put_bytes(out, body);
            }
            Self::Execute { now_ns, text } => {
                out.push(3);
                out.extend_from_slice(&now_ns.to_le_bytes());
                put_bytes(out, text);
            }
            Self::Fetch { cursor, rows_max } => {
                out.push(4);
                out.extend_from_slice(&cursor.to_le_bytes());
                out.extend_from_slice(&rows_max.to_le_bytes());
            }
            Self::Close { cursor } => {
                out.push(5);
                out.extend_from_slice(&cursor.to_le_bytes());
            }
            Self::Poll { id, length } => {
                out.push(6);
                out.extend_from_slice(&id.to_le_bytes());
                out.extend_from_slice(&length.to_le_bytes());
            }
            Self::Complete { id, fault } => {
                out.push(7);
                out.extend_from_slice(&id.to_le_bytes());
                out.extend_from_slice(&fault.to_le_bytes());
            }
            Self::Supply { id, fault, bytes } => {
                out.push(8);
                out.extend_from_slice(&id.to_le_bytes());
                out.extend_from_slice(&fault.to_le_bytes());
                put_bytes(out, bytes);
            }
        }
    }

    fn decode(code: u8, tape: &mut Cut<'a>) -> Option<Self> {
        Some(match code {
            1 => Self::Open {
                params: tape.bytes()?,
            },
            2 => Self::Write {
                params: tape.bytes()?,
                body: tape.bytes()?,
            },
            3 => Self::Execute {
                now_ns: i64::from_le_bytes(tape.array()?),
                text: tape.bytes()?,
            },
            4 => Self::Fetch {
                cursor: tape.word()?,
                rows_max: tape.word()?,
            },
            5 => Self::Close {
                cursor: tape.word()?,
            },
            6 => Self::Poll {
                id: u64::from_le_bytes(tape.array()?),
                length: tape.word()?,
            },
            7 => Self::Complete {
                id: u64::from_le_bytes(tape.array()?),
                fault: tape.word()?,
            },
            8 => Self::Supply {
                id: u64::from_le_bytes(tape.array()?),
                fault: tape.word()?,
                bytes: tape.bytes()?,
            },
            _ => return None,
        })
    }
}

impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())?;
        match *self {
            Self::Open { params } => write!(f, ", {} bytes of parameters", params.len()),
            Self::Write { body, .. } => {
                let start = body[..body.len().min(300)].escape_ascii();
                write!(f, " of {} bytes: {start}", body.len())
            }
            Self::Execute { text, .. } => write!(f, ": {}", text.escape_ascii()),
            Self::Fetch { cursor, rows_max } => write!(f, " {rows_max} rows of cursor {cursor}"),
            Self::Close { cursor } => write!(f, " cursor {cursor}"),
            Self::Poll { id, length } => write!(f, ": effect {id} with {length} bytes"),
            Self::Complete { id, fault } => write!(f, " effect {id}, fault {fault}"),
            Self::Supply { id, fault, bytes } => {
                write!(f, " effect {id}, fault {fault}, {} bytes", bytes.len())
            }
        }
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// What is left of a tape.
#[derive(Clone, Copy, Debug)]
struct Cut<'a>(&'a [u8]);

impl<'a> Cut<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn word(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.word()?;
        self.take(length as usize)
    }
}

/// The calls of a tape in order, each with the hash after it.
#[derive(Clone, Copy, Debug)]
pub struct Calls<'a> {
    tape: Cut<'a>,
    /// Length of an effect's record.
    pub record_bytes: usize,
}

impl<'a> Calls<'a> {
    /// From the beginning of a tape.
    ///
    /// # Panics
    /// If there is no head.
    pub fn new(tape: &'a [u8]) -> Self {
        let mut tape = Cut(tape);
        let record_bytes = tape.word().expect("a tape has a head") as usize;
        Self { tape, record_bytes }
    }
}

impl<'a> Iterator for Calls<'a> {
    type Item = (Call<'a>, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let code = self.tape.take(1).expect("a tape has an end")[0];
        if code == 0 {
            return None;
        }
        let call = Call::decode(code, &mut self.tape).expect("a call on a tape is whole");
        let hash = [self.tape.word(), self.tape.word()];
        let [a, b] = hash.map(|lane| u64::from(lane.expect("a hash stands behind every call")));
        Some((call, a << 32 | b))
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Calls};

    #[test]
    fn every_call_is_read_as_it_was_written() {
        let calls = [
            Call::Open { params: b"p" },
            Call::Write {
                params: b"",
                body: b"lines",
            },
            Call::Execute {
                now_ns: i64::MIN,
                text: b"SHOW",
            },
            Call::Fetch {
                cursor: u32::MAX,
                rows_max: 2,
            },
            Call::Close { cursor: 3 },
            Call::Poll {
                id: u64::MAX,
                length: 4,
            },
            Call::Complete { id: 1, fault: 4 },
            Call::Supply {
                id: 2,
                fault: 0,
                bytes: b"read",
            },
        ];
        let mut tape = 48_u32.to_le_bytes().to_vec();
        for call in calls {
            call.encode(&mut tape);
            tape.extend_from_slice(&[7, 0, 0, 0, 9, 0, 0, 0]);
        }
        tape.push(0);
        let read: Vec<_> = Calls::new(&tape).collect();
        assert_eq!(read, calls.map(|call| (call, 7 << 32 | 9)));
        let mut names: Vec<_> = calls.iter().map(Call::name).collect();
        names.dedup();
        assert_eq!(names.len(), calls.len());
    }
}
