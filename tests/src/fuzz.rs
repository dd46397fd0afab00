//! A fuzzer without coverage: mutants of a corpus, and of mutants that were accepted.

use std::time::{Duration, Instant};

use crate::r#gen::{Rng, mutate};

/// An input may take this long; a body of 25 MB is judged in less.
const SLOW: Duration = Duration::from_secs(4);

/// How many accepted mutants are kept to be changed further.
const KEPT_MAX: usize = 512;

/// Something that reads what strangers send.
pub trait Target {
    /// Inputs to begin with.
    fn corpus(&self) -> Vec<Vec<u8>>;

    /// What means something to the reader.
    fn tokens(&self) -> &'static [&'static [u8]];

    /// Reads an input; whether it was accepted. Panics if a promise is broken.
    fn read(&mut self, rng: &mut Rng, input: &[u8]) -> bool;
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Inputs tried.
    pub inputs: u64,
    /// Those that were accepted.
    pub accepted: u64,
    /// The longest that one took.
    pub slowest: Duration,
}

/// Tries inputs for so long.
///
/// # Panics
/// If the target does, or takes too long; the input is printed.
pub fn run(mut target: impl Target, seed: u64, for_long: Duration) -> Done {
    let mut rng = Rng::new(seed);
    let (corpus, tokens) = (target.corpus(), target.tokens());
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut done = Done::default();
    let start = Instant::now();
    let mut plain = corpus.iter();
    while start.elapsed() < for_long {
        let input = match plain.next() {
            Some(input) => input.clone(),
            None => {
                let from = if !kept.is_empty() && rng.one_in(3) {
                    &kept[rng.index(kept.len())]
                } else {
                    &corpus[rng.index(corpus.len())]
                };
                mutate(&mut rng, from, &corpus, tokens)
            }
        };
        let told = Told(&input);
        let began = Instant::now();
        let accepted = target.read(&mut rng, &input);
        let took = began.elapsed();
        assert!(took < SLOW, "an input took {took:?}");
        drop(told);
        done.inputs += 1;
        done.accepted += u64::from(accepted);
        done.slowest = done.slowest.max(took);
        if accepted && input.len() < 8 << 10 {
            if kept.len() < KEPT_MAX {
                kept.push(input);
            } else {
                let at = rng.index(KEPT_MAX);
                kept[at] = input;
            }
        }
    }
    done
}

/// Prints the input while a panic goes by.
struct Told<'a>(&'a [u8]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let start = &self.0[..self.0.len().min(64 << 10)];
            eprintln!(
                "input of {} bytes: b\"{}\"",
                self.0.len(),
                start.escape_ascii()
            );
        }
    }
}
