//! Every bit of a small log flipped, every length of it cut, through a whole engine: it always
//! starts, shows nothing wrong, reports what it lost, and loses no more than what was hit.
#![allow(missing_docs)]

use tidegate_tests::sim::sample::{Sample, Segments, Verdict, frames};

/// Where frames begin; `docs/format.md`.
const HEADER_BLOCK: usize = 12_288;

fn sample() -> Sample {
    let sample = Sample::new().expect("storage that does not fail");
    assert_eq!(sample.segments.len(), 3, "three segments");
    assert_eq!(sample.places.len(), sample.requests());
    let verdict = judge(&sample, &sample.segments, "whole");
    assert!(verdict.lost.is_empty() && verdict.damage.is_empty() && verdict.torn_bytes == 0);
    sample
}

fn judge(sample: &Sample, segments: &Segments, what: &str) -> Verdict {
    let verdict = sample.judge(segments);
    verdict.unwrap_or_else(|why| panic!("{what}: {why}"))
}

/// Bytes to flip: all that mean something, and of long zeros a few, unless there is time.
fn bytes_of(segment: &[u8]) -> Vec<usize> {
    let is_thorough = std::env::var("PROOF_MINUTES").is_ok();
    let means = |at: usize| {
        let near = at.saturating_sub(8)..segment.len().min(at + 8);
        segment[near].iter().any(|&byte| byte != 0)
    };
    let all = 0..segment.len();
    all.filter(|&at| is_thorough || at % 61 == 0 || means(at))
        .collect()
}

#[test]
fn no_flipped_bit_costs_more_than_the_request_it_hits() {
    let sample = sample();
    let mut segments = sample.segments.clone();
    let (mut flips, mut losses, mut harmless) = (0, 0, 0);
    for (&id, bytes) in &sample.segments {
        for at in bytes_of(bytes) {
            for bit in 0..8 {
                let what = format!("segment {id}, byte {at}, bit {bit}");
                flip(&mut segments, id, at, bit);
                let verdict = judge(&sample, &segments, &what);
                flip(&mut segments, id, at, bit);
                let hit = |number: &usize| {
                    let (segment, range) = &sample.places[*number];
                    *segment == id && range.contains(&at)
                };
                assert!(
                    verdict.lost.iter().all(hit),
                    "{what}: a neighbour is lost: {verdict:?}"
                );
                assert!(verdict.lost.len() <= 1, "{what}: {verdict:?}");
                assert!(verdict.damage.len() <= 1, "{what}: {verdict:?}");
                assert_eq!(verdict.torn_bytes, 0, "{what}: taken for a torn tail");
                let is_header = at < HEADER_BLOCK;
                assert!(!is_header || verdict.lost.is_empty(), "{what}: {verdict:?}");
                flips += 1;
                losses += usize::from(!verdict.lost.is_empty());
                harmless += usize::from(verdict.damage.is_empty());
            }
        }
    }
    println!("{flips} flips: {losses} cost one request, {harmless} nothing; 0 wrong, 0 unreported");
    assert!(flips > 20_000 && losses > 5_000 && harmless > 1_000);
}

fn flip(segments: &mut Segments, id: u64, at: usize, bit: u8) {
    if let Some(byte) = segments.get_mut(&id).and_then(|bytes| bytes.get_mut(at)) {
        *byte ^= 1 << bit;
    }
}

#[test]
fn a_cut_costs_only_what_lies_behind_it() {
    let sample = sample();
    let (mut cuts, mut losses) = (0, 0);
    for (&id, bytes) in &sample.segments {
        let is_last = id == 3;
        for length in (0..bytes.len()).rev() {
            // What is cut within its header block and has no successor is as one never written.
            if is_last && length < HEADER_BLOCK {
                break;
            }
            let mut segments = sample.segments.clone();
            segments.insert(id, bytes[..length].to_vec());
            let what = format!("segment {id} cut to {length}");
            let verdict = judge(&sample, &segments, &what);
            let behind = |number: &usize| {
                let (segment, range) = &sample.places[*number];
                *segment == id && range.end > length
            };
            assert!(verdict.lost.iter().all(behind), "{what}: {verdict:?}");
            cuts += 1;
            losses += verdict.lost.len();
        }
    }
    println!("{cuts} cuts, {losses} requests lost and reported; 0 wrong, 0 unreported");
    assert!(cuts > 20_000 && losses > 10_000);
}

#[test]
fn the_points_of_a_damaged_frame_are_told() {
    let sample = sample();
    let rows = frames(&sample.segments)
        .into_iter()
        .filter(|frame| frame.kind == 2);
    let mut seen = 0;
    for frame in rows {
        let mut segments = sample.segments.clone();
        flip(&mut segments, frame.segment, frame.payload.start, 3);
        let verdict = judge(&sample, &segments, "rows");
        let told: Vec<_> = verdict
            .damage
            .iter()
            .map(|one| (one.first.0, one.points))
            .collect();
        assert_eq!(told, [(frame.lsn, Some(u64::from(frame.points)))]);
        seen += 1;
    }
    assert!(seen > 10);
}

#[test]
fn rows_without_their_definitions_are_reported_too() {
    let sample = sample();
    let all = frames(&sample.segments);
    let firsts = all.iter().filter(|frame| frame.kind == 1 && !frame.is_copy);
    let mut losses = 0;
    for first in firsts {
        let payload =
            |range: &std::ops::Range<usize>| &sample.segments[&first.segment][range.clone()];
        let is_copy = |frame: &&tidegate_tests::sim::sample::FrameAt| {
            frame.is_copy
                && frame.segment == first.segment
                && payload(&frame.payload) == payload(&first.payload)
        };
        let copy = all.iter().find(is_copy).expect("written twice");
        let mut segments = sample.segments.clone();
        flip(&mut segments, first.segment, first.payload.start, 0);
        flip(&mut segments, first.segment, copy.payload.start, 0);
        let what = format!("both copies of LSN {}", first.lsn);
        losses += judge(&sample, &segments, &what).lost.len();
    }
    assert!(losses > 10, "{losses}");
}
