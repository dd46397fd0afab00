//! Merging: the newest value counts, deletes are gone, nothing else changes.

use alloc::vec;
use alloc::vec::Vec;

use super::ranges::some_erased;
use super::twin::{Lots, points};
use super::*;

/// Merges blocks, and tells the bytes, or why it could not.
fn merge(
    blocks: &[(Vec<u8>, Vec<Erased>)],
    config: WriterConfig,
    rows_max: usize,
) -> Result<Vec<u8>, MergeError> {
    let open_one = |(at, (bytes, erased)): (usize, &(Vec<u8>, Vec<Erased>))| {
        (open(bytes, at as u64).unwrap(), erased.clone())
    };
    let inputs = blocks.iter().enumerate().map(open_one).collect();
    let writer = BlockWriter::new(identity(99), config);
    let (mut merge, mut out) = (Merge::new(inputs, writer), Vec::new());
    loop {
        match merge.step(rows_max)? {
            MergeStep::Read(input, need) => merge.supply(input, read(&blocks[input].0, need)),
            MergeStep::Part => {
                put(merge.part().unwrap(), &mut out);
                merge.advance();
            }
            MergeStep::More => {}
            MergeStep::Done => break,
        }
    }
    assert_eq!(merge.writer().bytes(), out.len() as u64);
    Ok(out)
}

fn is_erased(erased: &[Erased], key: &[u8], time: i64) -> bool {
    erased.iter().any(|erased| {
        let concerns = match &erased.victims {
            Victims::All => true,
            Victims::Measurement(name) => key.split(|&byte| byte == b',').next() == Some(name),
            Victims::Series(other) => other == key,
        };
        concerns && (erased.time_min..=erased.time_max).contains(&time)
    })
}

#[test]
fn merged_blocks_hold_what_the_naive_twin_holds() {
    let mut lots = Lots(23);
    for seed in 0..60u64 {
        let (mut expected, mut blocks) = (Twin::new(), Vec::new());
        for at in 0..1 + seed % 5 {
            // The same series and times come back, with other values and other types.
            let twin = points(seed + at * (seed % 2) * 1000, 1 + seed % 20, 40);
            let mut twin: Twin = twin.into_iter().filter(|_| lots.draw(4) > 0).collect();
            for value in twin.values_mut() {
                if lots.draw(8) == 0 {
                    *value = Owned::Integer(lots.draw(1000) as i64);
                }
            }
            let bytes = block_of(&twin, identity(at), SMALL);
            let erased = if twin.is_empty() {
                vec![]
            } else {
                some_erased(&mut lots, &twin)
            };
            let kept = twin
                .into_iter()
                .filter(|((key, time, _), _)| !is_erased(&erased, key, *time));
            expected.extend(kept);
            blocks.push((bytes, erased));
        }
        let merged = merge(&blocks, SMALL, 1 + seed as usize % 50).unwrap();
        let (found, damage) = all(&merged, 99);
        assert!(found == expected, "seed {seed}");
        assert_eq!(damage, []);
        // As if it had been written at once, whatever the steps were.
        assert!(
            merged == block_of(&expected, identity(99), SMALL),
            "seed {seed}"
        );
        assert!(merge(&blocks, SMALL, 10_000).unwrap() == merged);
    }
}

#[test]
fn nothing_is_merged_out_of_a_damaged_block() {
    let twin = points(3, 10, 50);
    let good = block_of(&twin, identity(0), SMALL);
    let mut bad = block_of(&twin, identity(1), SMALL);
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    let result = merge(&[(good, vec![]), (bad, vec![])], SMALL, 100);
    let Err(MergeError::Damaged { input, damage }) = result else {
        panic!("merged");
    };
    assert_eq!(input, 1);
    assert!(damage.values.is_some_and(|values| values > 0));
}
