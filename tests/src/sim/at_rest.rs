//! Everything that may become of a small log at rest, one by one, through a whole engine.
//!
//! [`Sample::judge`] says whether anything is wrong, invented or lost without a report; here is
//! what may be lost, and with what.

use std::ops::Range;

use tidegate_core::engine::Damage;

use super::sample::{FrameAt, Sample, Segments, Verdict, frames};

/// Where frames begin; `docs/format.md`.
const HEADER_BLOCK: usize = 12_288;
const PAGE: usize = 4_096;
const SECTOR: usize = 512;

/// What came of many cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cases {
    /// So many were tried.
    pub tried: usize,
    /// So many requests were lost, and reported.
    pub lost: usize,
    /// So many cases cost nothing and were not worth a report.
    pub harmless: usize,
}

impl Cases {
    fn add(&mut self, verdict: &Verdict) {
        self.tried += 1;
        self.lost += verdict.lost.len();
        self.harmless += usize::from(verdict.damage.is_empty());
    }
}

fn judge(sample: &Sample, segments: &Segments, what: &str) -> Result<Verdict, String> {
    let verdict = sample.judge(segments);
    verdict.map_err(|why| format!("{what}: {why}"))
}

/// All of it, with only every `stride`-th of what there is much of.
///
/// # Errors
///
/// What is wrong in the first case that is.
pub fn everything(sample: &Sample, stride: usize) -> Result<Cases, String> {
    whole(sample)?;
    let bytes = |segment: &[u8]| (0..segment.len()).step_by(stride).collect();
    let parts = [
        points_told(sample)?,
        undefined(sample)?,
        gone(sample)?,
        foreign(sample)?,
        vouched(sample)?,
        torn(sample)?,
        holes(sample, SECTOR)?,
        holes(sample, PAGE)?,
        strays(sample, stride)?,
        cuts(sample, stride)?,
        bits(sample, bytes)?,
    ];
    Ok(sum(&parts))
}

/// All of them in one.
pub fn sum(parts: &[Cases]) -> Cases {
    let mut all = Cases::default();
    for one in parts {
        all.tried += one.tried;
        all.lost += one.lost;
        all.harmless += one.harmless;
    }
    all
}

/// Nothing happened to it.
///
/// # Errors
///
/// If anything is lost, damaged or torn all the same.
pub fn whole(sample: &Sample) -> Result<(), String> {
    let verdict = judge(sample, &sample.segments, "whole")?;
    let is_whole = verdict.lost.is_empty() && verdict.damage.is_empty() && verdict.torn_bytes == 0;
    is_whole
        .then_some(())
        .ok_or_else(|| format!("whole: {verdict:?}"))
}

/// Every bit of the bytes that `bytes` chooses of each segment is flipped: no more than the
/// request that it hits is lost.
///
/// # Errors
///
/// As [`everything`].
pub fn bits(sample: &Sample, bytes: impl Fn(&[u8]) -> Vec<usize>) -> Result<Cases, String> {
    let mut segments = sample.segments.clone();
    let mut cases = Cases::default();
    for (&id, segment) in &sample.segments {
        for at in bytes(segment) {
            for bit in 0..8 {
                let what = format!("segment {id}, byte {at}, bit {bit}");
                flip(&mut segments, id, at, bit);
                let verdict = judge(sample, &segments, &what)?;
                flip(&mut segments, id, at, bit);
                only_hit(sample, &verdict, id, &(at..at + 1), &what)?;
                let is_one = verdict.damage.len() <= 1
                    && (verdict.lost.len() <= 1 || sample.is_snapshot(id));
                let is_header = at < HEADER_BLOCK && !verdict.lost.is_empty();
                if !is_one || is_header {
                    return Err(format!("{what}: costs too much: {verdict:?}"));
                }
                cases.add(&verdict);
            }
        }
    }
    Ok(cases)
}

/// Every `stride`-th length of each segment: only what lies behind it is lost.
///
/// # Errors
///
/// As [`everything`].
pub fn cuts(sample: &Sample, stride: usize) -> Result<Cases, String> {
    let mut cases = Cases::default();
    for (&id, bytes) in &sample.segments {
        let is_last = id == newest(sample);
        for length in (0..bytes.len()).rev().step_by(stride) {
            // What is cut within its header block and has no successor is as one never written.
            if is_last && length < HEADER_BLOCK {
                break;
            }
            let mut segments = sample.segments.clone();
            segments.insert(id, bytes[..length].to_vec());
            let what = format!("segment {id} cut to {length}");
            let verdict = judge(sample, &segments, &what)?;
            let behind = |number: &usize| {
                let (segment, range) = &sample.places[*number];
                *segment == id && range.end > length
            };
            if !verdict.lost.iter().all(behind) {
                return Err(format!("{what}: a neighbour is lost: {verdict:?}"));
            }
            cases.add(&verdict);
        }
    }
    Ok(cases)
}

/// Every sector or page is zeroed in turn: only requests that lie in it are lost.
///
/// # Errors
///
/// As [`everything`].
pub fn holes(sample: &Sample, size: usize) -> Result<Cases, String> {
    let mut cases = Cases::default();
    for (&id, bytes) in &sample.segments {
        for start in (0..bytes.len()).step_by(size) {
            let range = start..bytes.len().min(start + size);
            let mut segments = sample.segments.clone();
            let held = segments.entry(id).or_default();
            held[range.clone()].fill(0);
            let what = format!("segment {id}, bytes {range:?} zeroed");
            let verdict = judge(sample, &segments, &what)?;
            only_hit(sample, &verdict, id, &range, &what)?;
            cases.add(&verdict);
        }
    }
    Ok(cases)
}

/// Sectors written over others, each pair within a segment and every `stride`-th one of two
/// segments: only requests that lie there are lost. What is of the same segment may be believed
/// behind the damage, but never in the place of another frame, and never an older one.
///
/// # Errors
///
/// As [`everything`].
pub fn strays(sample: &Sample, stride: usize) -> Result<Cases, String> {
    let sectors: Vec<(u64, usize)> = sample
        .segments
        .iter()
        .flat_map(|(&id, bytes)| (0..bytes.len() / SECTOR).map(move |at| (id, at * SECTOR)))
        .collect();
    let all = frames(&sample.segments);
    let mut segments = sample.segments.clone();
    let mut cases = Cases::default();
    for (number, (to, from)) in pairs(&sectors).enumerate() {
        let ((id, at), (from, start)) = (to, from);
        if from != id && number % stride != 0 {
            continue;
        }
        let range = at..at + SECTOR;
        let stray = sample.segments[&from][start..start + SECTOR].to_vec();
        let put = |segments: &mut Segments, bytes: &[u8]| {
            if let Some(held) = segments.get_mut(&id) {
                held[range.clone()].copy_from_slice(bytes);
            }
        };
        let what = format!("bytes {start} of segment {from} over bytes {at} of {id}");
        put(&mut segments, &stray);
        let verdict = judge(sample, &segments, &what)?;
        put(&mut segments, &sample.segments[&id][range.clone()]);
        if from != id {
            only_hit(sample, &verdict, id, &range, &what)?;
        }
        let first_hit = hit_lsns(&all, id, &range).map_or(u64::MAX, |(first, _)| first);
        if verdict.damage.iter().any(|one| one.first.0 < first_hit) {
            return Err(format!("{what}: reports what is not hit: {verdict:?}"));
        }
        cases.add(&verdict);
    }
    Ok(cases)
}

fn pairs<T: Copy>(all: &[T]) -> impl Iterator<Item = (T, T)> + '_ {
    all.iter()
        .flat_map(move |&one| all.iter().map(move |&other| (one, other)))
}

/// The first and the last LSN of frames that reach into these bytes.
fn hit_lsns(all: &[FrameAt], id: u64, bytes: &Range<usize>) -> Option<(u64, u64)> {
    let is_hit = |frame: &&FrameAt| {
        let (start, end) = (
            frame.payload.start - 40,
            frame.payload.end.next_multiple_of(8),
        );
        frame.segment == id && start < bytes.end && bytes.start < end
    };
    let lsns = all.iter().filter(is_hit).map(|frame| frame.lsn);
    Some((lsns.clone().min()?, lsns.max()?))
}

/// Every segment but the newest is taken away in turn: only its requests are lost.
///
/// # Errors
///
/// As [`everything`].
pub fn gone(sample: &Sample) -> Result<Cases, String> {
    let mut cases = Cases::default();
    for (&id, bytes) in &sample.segments {
        if id == newest(sample) {
            continue;
        }
        let mut segments = sample.segments.clone();
        segments.remove(&id);
        let what = format!("segment {id} gone");
        let verdict = judge(sample, &segments, &what)?;
        only_hit(sample, &verdict, id, &(0..bytes.len()), &what)?;
        cases.add(&verdict);
    }
    Ok(cases)
}

/// A snapshot and nothing else, cut at every `stride`-th length and zeroed in part: what has no
/// header any more is still missed.
///
/// # Errors
///
/// As [`everything`].
pub fn alone(stride: usize) -> Result<Cases, String> {
    let sample = Sample::snapshot_alone()?;
    if sample.segments.keys().any(|&id| !sample.is_snapshot(id)) {
        return Err("a snapshot that stands for less than all".into());
    }
    whole(&sample)?;
    let parts = [
        holes(&sample, SECTOR)?,
        holes(&sample, PAGE)?,
        cuts(&sample, stride)?,
    ];
    Ok(sum(&parts))
}

/// A segment of another database among them: the engine refuses to open.
///
/// # Errors
///
/// As [`everything`].
pub fn foreign(sample: &Sample) -> Result<Cases, String> {
    let other = Sample::of_another_node()?;
    let mut cases = Cases::default();
    for (&id, bytes) in &other.segments {
        let mut segments = sample.segments.clone();
        segments.insert(id, bytes.clone());
        let verdict = sample.judge(&segments);
        if !verdict.is_err_and(|why| why.starts_with("Refused")) {
            return Err(format!("segment {id} of another database was not refused"));
        }
        cases.tried += 1;
    }
    Ok(cases)
}

/// A damaged payload of rows: its points are told exactly.
///
/// # Errors
///
/// As [`everything`].
pub fn points_told(sample: &Sample) -> Result<Cases, String> {
    let mut cases = Cases::default();
    for frame in frames(&sample.segments) {
        if frame.kind != 2 {
            continue;
        }
        let mut segments = sample.segments.clone();
        flip(&mut segments, frame.segment, frame.payload.start, 3);
        let what = format!("rows of LSN {}", frame.lsn);
        let verdict = judge(sample, &segments, &what)?;
        let told = verdict.damage.iter();
        let told: Vec<_> = told.map(|one| (one.first.0, one.points)).collect();
        if told != [(frame.lsn, Some(u64::from(frame.points)))] {
            return Err(format!("{what}: told as {told:?}"));
        }
        cases.add(&verdict);
    }
    Ok(cases)
}

/// Both copies of a definitions frame are damaged: whatever that costs is reported.
///
/// # Errors
///
/// As [`everything`].
pub fn undefined(sample: &Sample) -> Result<Cases, String> {
    let all = frames(&sample.segments);
    let mut cases = Cases::default();
    for first in all.iter().filter(|frame| frame.kind == 1 && !frame.is_copy) {
        let what = format!("both copies of LSN {}", first.lsn);
        let copy = copy_of(sample, &all, first).ok_or_else(|| format!("{what}: only one"))?;
        let mut segments = sample.segments.clone();
        flip(&mut segments, first.segment, first.payload.start, 0);
        flip(&mut segments, first.segment, copy.payload.start, 0);
        cases.add(&judge(sample, &segments, &what)?);
    }
    Ok(cases)
}

fn copy_of<'a>(sample: &Sample, all: &'a [FrameAt], first: &FrameAt) -> Option<&'a FrameAt> {
    let payload = |frame: &FrameAt| &sample.segments[&first.segment][frame.payload.clone()];
    all.iter().find(|frame| {
        frame.is_copy && frame.segment == first.segment && payload(frame) == payload(first)
    })
}

/// Both slots of the register of the newest segment are gone, and one frame more, of those that
/// a later one promised durable: that is damage still, and no torn tail.
///
/// # Errors
///
/// As [`everything`].
pub fn vouched(sample: &Sample) -> Result<Cases, String> {
    let id = newest(sample);
    let last = sample.places.last().map_or(0, |(_, range)| range.start);
    let mut cases = Cases::default();
    let all = frames(&sample.segments).into_iter();
    for frame in all.filter(|frame| frame.segment == id && frame.payload.start < last) {
        let mut segments = sample.segments.clone();
        let held = segments.entry(id).or_default();
        for slot in [PAGE, 2 * PAGE] {
            held[slot..slot + SECTOR].fill(0);
        }
        flip(&mut segments, id, frame.payload.start - 1, 0);
        let what = format!("no register, and the head of LSN {}", frame.lsn);
        let verdict = judge(sample, &segments, &what)?;
        if verdict.damage.is_empty() || verdict.torn_bytes > 0 {
            return Err(format!("{what}: {verdict:?}"));
        }
        cases.add(&verdict);
    }
    Ok(cases)
}

/// The last write is cut at every eighth byte, and nothing proves it durable: of its requests
/// each is there whole or not at all.
///
/// # Errors
///
/// As [`everything`].
pub fn torn(sample: &Sample) -> Result<Cases, String> {
    let mut cases = Cases::default();
    let Some((id, range)) = sample.places.last() else {
        return Ok(cases);
    };
    for length in range.clone().step_by(8) {
        let mut segments = sample.segments.clone();
        let held = segments.entry(*id).or_default();
        for slot in [PAGE, 2 * PAGE] {
            held[slot..slot + SECTOR].fill(0);
        }
        held.truncate(length);
        let done = sample.is_prefix(&segments);
        done.map_err(|why| format!("the last write torn at {length}: {why}"))?;
        cases.tried += 1;
    }
    Ok(cases)
}

fn newest(sample: &Sample) -> u64 {
    let segments = sample.segments.keys().copied();
    let segments = segments.filter(|&id| !sample.is_snapshot(id));
    segments.max().unwrap_or_default()
}

fn flip(segments: &mut Segments, id: u64, at: usize, bit: u8) {
    if let Some(byte) = segments.get_mut(&id).and_then(|bytes| bytes.get_mut(at)) {
        *byte ^= 1 << bit;
    }
}

/// What a snapshot lost is told in points, exactly but for those that newer ones hide.
fn points_fit(sample: &Sample, verdict: &Verdict, what: &str) -> Result<(), String> {
    // Of one that is lost as a whole nothing is known.
    if verdict
        .damage
        .iter()
        .any(|one| one.points.is_none() && one.offset == 0)
    {
        return Ok(());
    }
    let told = verdict.damage.iter().map(|one| one.points);
    let told: Option<u64> = told.sum();
    let lost = verdict.values_lost;
    let fits = told.is_some_and(|told| lost <= 2 * told && told <= lost + sample.hidden());
    if fits {
        return Ok(());
    }
    Err(format!(
        "{what}: {lost} values lost, told as {told:?} points"
    ))
}

/// Whatever is lost lies in these bytes, and nothing is taken for a torn tail.
fn only_hit(
    sample: &Sample,
    verdict: &Verdict,
    id: u64,
    bytes: &Range<usize>,
    what: &str,
) -> Result<(), String> {
    let is_hit = |number: &usize| {
        let (segment, range) = &sample.places[*number];
        *segment == id && range.start < bytes.end && bytes.start < range.end
    };
    if !verdict.lost.iter().all(is_hit) {
        return Err(format!("{what}: a neighbour is lost: {verdict:?}"));
    }
    if sample.is_snapshot(id) {
        points_fit(sample, verdict, what)?;
    }
    if verdict.torn_bytes > 0 {
        return Err(format!("{what}: taken for a torn tail: {verdict:?}"));
    }
    let (first, last) = hit_lsns(&frames(&sample.segments), id, bytes).unwrap_or((u64::MAX, 0));
    // What is lost as a whole has no frames to tell.
    let is_whole = |one: &Damage| one.points.is_none() && one.offset == 0;
    let is_more = |one: &Damage| !is_whole(one) && (one.first.0 < first || one.last.0 > last);
    if verdict.damage.iter().any(is_more) {
        return Err(format!("{what}: reports what is not hit: {verdict:?}"));
    }
    Ok(())
}
