//! Inputs made of other inputs: joined, cut, changed in places, with tokens put in.

use super::Rng;

/// How long what comes out may become, in bytes; what goes in may be longer.
const GROWN_BYTES_MAX: usize = 256 << 10;

/// Changes `input` in one to a few places. `corpus` is what may be spliced in, `tokens` what means
/// something to the reader of such inputs.
pub fn mutate(rng: &mut Rng, input: &[u8], corpus: &[Vec<u8>], tokens: &[&[u8]]) -> Vec<u8> {
    let mut out = input.to_vec();
    // Mostly few: what is changed everywhere is refused by the first check.
    let steps = [1, 1, 2, 3, 3, 8][rng.index(6)];
    for _ in 0..1 + rng.below(steps) {
        step(rng, &mut out, corpus, tokens);
    }
    out.truncate(GROWN_BYTES_MAX);
    out
}

fn step(rng: &mut Rng, out: &mut Vec<u8>, corpus: &[Vec<u8>], tokens: &[&[u8]]) {
    let at = rng.index(out.len() + 1);
    match rng.below(12) {
        0 => flip(rng, out),
        1 => set(rng, out),
        2 => drop(out.drain(at..(at + 1 + rng.index(8)).min(out.len()))),
        3..=5 if !tokens.is_empty() => {
            let token = rng.pick(tokens);
            out.splice(at..at, token.iter().copied());
        }
        6 if !tokens.is_empty() => {
            let token = rng.pick(tokens);
            let end = (at + token.len()).min(out.len());
            out.splice(at..end, token.iter().copied());
        }
        7 => copy_within(rng, out, at),
        8 => out.truncate(at),
        9 if !corpus.is_empty() => {
            let other = &corpus[rng.index(corpus.len())];
            let from = rng.index(other.len() + 1);
            let length = rng.index(other.len() - from + 1).min(4 << 10);
            out.splice(at..at, other[from..from + length].iter().copied());
        }
        10 => repeat(rng, out, at),
        _ => out.insert(at, rng.next_u64() as u8),
    }
}

fn flip(rng: &mut Rng, out: &mut [u8]) {
    let (at, bit) = (rng.index(out.len()), 1 << rng.below(8));
    if let Some(byte) = out.get_mut(at) {
        *byte ^= bit;
    }
}

fn set(rng: &mut Rng, out: &mut [u8]) {
    let (at, value) = (rng.index(out.len()), rng.byte(b"\0\xff\x7f\x80 \n\"\\09aA"));
    if let Some(byte) = out.get_mut(at) {
        *byte = value;
    }
}

fn copy_within(rng: &mut Rng, out: &mut Vec<u8>, at: usize) {
    let from = rng.index(out.len() + 1);
    let length = rng.index(out.len() - from + 1).min(64);
    let piece = out[from..from + length].to_vec();
    out.splice(at..at, piece);
}

fn repeat(rng: &mut Rng, out: &mut Vec<u8>, at: usize) {
    let Some(&byte) = out.get(at) else { return };
    let count = 1 << rng.below(9);
    out.splice(at..at, std::iter::repeat_n(byte, count));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_differ_stay_bounded_and_depend_on_the_seed_alone() {
        let corpus = [b"cpu,host=a v=1 1".to_vec(), Vec::new(), b"x".repeat(3_000)];
        let run = |seed| -> Vec<Vec<u8>> {
            let mut rng = Rng::new(seed);
            let mut bodies = vec![corpus[0].clone()];
            for _ in 0..20_000 {
                let last = bodies.last().expect("one").clone();
                let from = if last.len() > 5_000 {
                    &corpus[0]
                } else {
                    &last
                };
                bodies.push(mutate(&mut rng, from, &corpus, &[b"=", b"\"", b"1i"]));
            }
            bodies
        };
        let first = run(1);
        assert_eq!(first, run(1));
        assert_ne!(first, run(2));
        assert!(first.iter().all(|body| body.len() <= GROWN_BYTES_MAX));
        let changed = first.windows(2).filter(|two| two[0] != two[1]).count();
        assert!(changed > 18_000, "{changed}");
        assert!(mutate(&mut Rng::new(3), b"", &[], &[]).len() < 2);
    }
}
