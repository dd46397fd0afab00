//! The log as it lies there, read as `docs/format.md` says and without the core's help: where a
//! segment follows another one, it follows a whole frame, no LSN is given out twice, and a
//! snapshot holds what it says and is alone with the segments that it does not cover.

use std::collections::BTreeMap;

use super::disk::Disk;
use super::file::File;

const HEADER_BLOCK: usize = 12_288;
/// Where the copies of a header begin.
const HEADERS_AT: [usize; 3] = [0, 4_608, 8_704];

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    flags: u8,
    salt: u32,
    segment: u64,
    predecessor: u64,
    predecessor_end: usize,
    first_lsn: u64,
    low_watermark: u64,
    /// Of a snapshot: where its frames end, how many, and their points.
    totals: (usize, u64, u64),
}

/// Holds every segment against the one that it names as its predecessor, and every snapshot
/// against what it says of itself. Only where nothing is damaged; a segment that was never
/// created whole says nothing.
pub(super) fn check(disk: &Disk) -> Result<(), String> {
    let mut salts = BTreeMap::new();
    for (id, file) in disk.segments().chain(disk.blobs()) {
        let Some(header) = header(&file.cached) else {
            continue;
        };
        if let Some(other) = salts.insert(header.salt, id) {
            return Err(format!(
                "SALT of segment or snapshot {id} is that of {other}"
            ));
        }
    }
    let segments: BTreeMap<u64, &File> = disk.segments().collect();
    for (&id, file) in &segments {
        check_segment(id, file, &segments)?;
    }
    for (id, file) in disk.blobs() {
        check_snapshot(id, file, &segments)?;
    }
    Ok(())
}

/// Whether everything that a snapshot covers is gone.
pub(super) fn check_retired(disk: &Disk) -> Result<(), String> {
    let Some((newest, _)) = disk.blobs().next_back() else {
        return Ok(());
    };
    let covered = disk.segments().filter(|(id, _)| *id < newest).count();
    let older = disk.blobs().count() - 1;
    if covered + older > 0 {
        return Err(format!(
            "UNRETIRED: {covered} segments and {older} snapshots behind snapshot {newest}"
        ));
    }
    Ok(())
}

/// The first LSN in the header of a segment, or the one that follows what a snapshot covers.
pub(super) fn first_lsn(bytes: &[u8]) -> Option<u64> {
    header(bytes).map(|header| header.first_lsn)
}

/// The file below which all are garbage, as a header says.
pub(super) fn low_watermark(bytes: &[u8]) -> Option<u64> {
    header(bytes).map(|header| header.low_watermark)
}

fn check_segment(id: u64, file: &File, segments: &BTreeMap<u64, &File>) -> Result<(), String> {
    let is_whole = file.cached.len() >= HEADER_BLOCK;
    let Some(header) = header(&file.cached).filter(|_| is_whole) else {
        return Ok(());
    };
    let named = segments.get(&header.predecessor).map(|file| &file.cached);
    let Some(named) = named.filter(|_| header.predecessor_end > 0) else {
        return Ok(());
    };
    let followed = walk(named, header.predecessor_end);
    if (followed.end, followed.next) == (header.predecessor_end, header.first_lsn) {
        return Ok(());
    }
    Err(format!(
        "CHAIN: segment {id} begins with LSN {} behind byte {} of {}, where LSN {} follows at {}",
        header.first_lsn, header.predecessor_end, header.predecessor, followed.next, followed.end
    ))
}

fn check_snapshot(id: u64, file: &File, segments: &BTreeMap<u64, &File>) -> Result<(), String> {
    let Some(header) = header(&file.cached) else {
        return Err(format!("CHAIN: snapshot {id} has no header"));
    };
    let (end, frames, points) = header.totals;
    let walked = walk(&file.cached, end);
    let is_whole = (walked.end, walked.next, walked.points) == (end, frames + 1, points);
    let follows = segments.get(&id).and_then(|file| first_lsn(&file.cached));
    let is_followed = follows.is_none_or(|lsn| lsn == header.first_lsn);
    if header.segment == id && header.flags & 2 != 0 && is_whole && is_followed {
        return Ok(());
    }
    Err(format!(
        "CHAIN: snapshot {id} is {header:?}, followed by LSN {follows:?}, and holds {walked:?}"
    ))
}

/// The first copy of the header that is intact.
fn header(bytes: &[u8]) -> Option<Header> {
    let mut copies = HEADERS_AT.iter().filter_map(|&at| bytes.get(at..at + 128));
    let is_intact = |copy: &&[u8]| {
        copy.starts_with(b"TGSEGMNT") && u64::from(crc32c(&copy[..124])) == number(copy, 124, 4)
    };
    let copy = copies.find(is_intact)?;
    let number = |at: usize| number(copy, at, 8);
    Some(Header {
        flags: copy[11],
        salt: (number(8) >> 32) as u32,
        segment: number(16),
        predecessor: number(40),
        predecessor_end: number(48) as usize,
        first_lsn: number(56),
        low_watermark: number(64),
        totals: (number(72) as usize, number(80), number(88)),
    })
}

/// Bit by bit, without the core's help.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0x82f6_3b78 & 0_u32.wrapping_sub(crc & 1));
    let byte = |crc: u32, &byte: &u8| (0..8).fold(crc ^ u32::from(byte), step);
    !bytes.iter().fold(!0, byte)
}

#[derive(Clone, Copy, Debug, Default)]
struct Walked {
    /// Where the last frame ends.
    end: usize,
    /// The number that follows it.
    next: u64,
    points: u64,
}

/// Goes from frame to frame as long as one begins before `end`.
fn walk(bytes: &[u8], end: usize) -> Walked {
    let first = header(bytes).map_or(0, |header| match header.flags & 2 {
        0 => header.first_lsn,
        _ => 1,
    });
    let mut walked = Walked {
        end: HEADER_BLOCK,
        next: first,
        points: 0,
    };
    while let Some(head) = bytes.get(walked.end..walked.end + 40) {
        if walked.end >= end || number(head, 8, 8) != walked.next {
            break;
        }
        let length = 40 + number(head, 4, 4) as usize;
        walked.end = (walked.end + length).next_multiple_of(8);
        walked.next += 1;
        walked.points += number(head, 28, 4);
    }
    walked
}

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let part = bytes.get(at..at + length).unwrap_or_default();
    part.iter()
        .rev()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}
