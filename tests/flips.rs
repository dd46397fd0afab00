//! Everything that may become of a small log at rest, through a whole engine: it always starts,
//! shows nothing wrong, reports what it lost, and loses no more than what was hit.
#![allow(missing_docs)]

use std::num::NonZero;

use tidegate_tests::sim::at_rest::{self, Cases};
use tidegate_tests::sim::sample::Sample;

/// A log of three segments, and one of three behind a snapshot that stands for the first ones.
fn samples() -> [Sample; 2] {
    let samples = [Sample::new(), Sample::with_snapshot()];
    let samples = samples.map(|sample| sample.expect("storage that does not fail"));
    for (sample, counts) in samples.iter().zip([(3, 0), (3, 1)]) {
        let kinds = sample.segments.keys().map(|&id| sample.is_snapshot(id));
        let found = kinds.clone().filter(|&is_snapshot| is_snapshot).count();
        assert_eq!((kinds.count() - found, found), counts);
        assert_eq!(sample.places.len(), sample.requests());
        at_rest::whole(sample).expect("whole");
    }
    samples
}

fn is_thorough() -> bool {
    std::env::var("PROOF_MINUTES").is_ok()
}

/// Tries it with each sample: what was tried and found in both, and that it was enough.
fn done(
    what: &str,
    tried_min: usize,
    lost_min: usize,
    cases: impl Fn(&Sample) -> Result<Cases, String>,
) {
    let (mut tried, mut lost, mut harmless) = (0, 0, 0);
    for sample in &samples() {
        let cases = cases(sample).unwrap_or_else(|why| panic!("{why}"));
        tried += cases.tried;
        lost += cases.lost;
        harmless += cases.harmless;
    }
    println!(
        "{tried} {what}: {lost} requests lost and reported, {harmless} cost nothing; 0 wrong, \
         0 unreported"
    );
    assert!(tried >= tried_min && lost >= lost_min);
}

#[test]
fn no_flipped_bit_costs_more_than_the_request_it_hits() {
    done("flips", 40_000, 10_000, |sample| {
        let has_snapshot = sample.segments.keys().any(|&id| sample.is_snapshot(id));
        flips(sample, has_snapshot || is_thorough())
    });
}

/// On all processors: every bit, or but few of those among long zeros.
fn flips(sample: &Sample, is_every: bool) -> Result<Cases, String> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mine = |segment: &[u8], number: usize| {
        let means = |at: usize| {
            let near = at.saturating_sub(8)..segment.len().min(at + 8);
            segment[near].iter().any(|&byte| byte != 0)
        };
        let all = (0..segment.len()).filter(|at| at % threads == number);
        all.filter(|&at| is_every || at % 61 == 0 || means(at))
            .collect()
    };
    let parts: Result<Vec<Cases>, String> = std::thread::scope(|scope| {
        let part = |number| move || at_rest::bits(sample, |segment| mine(segment, number));
        let running: Vec<_> = (0..threads)
            .map(|number| scope.spawn(part(number)))
            .collect();
        let parts = running.into_iter();
        parts.map(|part| part.join().expect("no panic")).collect()
    });
    Ok(at_rest::sum(&parts?))
}

#[test]
fn a_cut_costs_only_what_lies_behind_it() {
    done("cuts", 40_000, 20_000, |sample| at_rest::cuts(sample, 1));
}

#[test]
fn a_zeroed_sector_or_page_costs_only_what_lies_in_it() {
    done("sectors zeroed", 200, 20, |sample| {
        at_rest::holes(sample, 512)
    });
    done("pages zeroed", 30, 8, |sample| at_rest::holes(sample, 4096));
}

#[test]
fn a_sector_written_to_the_wrong_place_costs_only_what_lay_there() {
    let stride = if is_thorough() { 1 } else { 7 };
    done("sectors astray", 10_000, 1_000, |sample| {
        at_rest::strays(sample, stride)
    });
}

#[test]
fn a_segment_or_snapshot_that_is_gone_costs_only_what_lay_in_it() {
    done("files gone", 4, 4, at_rest::gone);
}

#[test]
fn a_snapshot_that_is_all_there_is_is_missed_whatever_is_left_of_it() {
    let cases = at_rest::alone(1).unwrap_or_else(|why| panic!("{why}"));
    println!("{cases:?} of a snapshot alone; 0 wrong, 0 unreported");
    assert!(cases.tried > 10_000 && cases.lost > 10_000);
}

#[test]
fn a_segment_of_another_database_is_refused() {
    done("foreign segments", 6, 0, at_rest::foreign);
}

#[test]
fn the_points_of_a_damaged_frame_are_told() {
    done("frames of rows damaged", 20, 20, at_rest::points_told);
}

#[test]
fn rows_without_their_definitions_are_reported_too() {
    done("definitions damaged twice", 20, 20, at_rest::undefined);
}

#[test]
fn a_torn_write_holds_whole_requests() {
    done("torn writes", 1_000, 0, at_rest::torn);
}

#[test]
fn what_a_later_frame_promised_durable_is_no_torn_tail() {
    done("frames damaged without a register", 10, 2, at_rest::vouched);
}
