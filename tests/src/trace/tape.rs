//! Recording a tape.

use std::cell::RefCell;
use std::rc::Rc;

use tidegate_core::engine::RECORD_BYTES;

use super::call::Call;
use super::covered::{Coverage, Covered};
use super::fold::Fold;
use super::outcome::{Dump, Outcome};
use crate::r#gen::Rng;

/// A tape that is being recorded, or none. Copies are handles of the same tape.
#[derive(Clone, Debug, Default)]
pub struct Tape(Option<Rc<RefCell<Recording>>>);

#[derive(Debug)]
struct Recording {
    done: Recorded,
    fold: Fold,
    watch: Option<u32>,
    lots: Rng,
}

/// What was recorded.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// See the module.
    pub tape: Vec<u8>,
    /// Calls on it.
    pub calls: u32,
    /// The hash of all outcomes.
    pub hash: u64,
    /// What it holds.
    pub coverage: Coverage,
    /// The outcome of the call that was asked for.
    pub watched: Option<Dump>,
}

impl Tape {
    /// An empty tape for the world of a seed; keeps the outcome of call `watch` to show it.
    pub fn new(seed: u64, watch: Option<u32>) -> Self {
        let done = Recorded {
            tape: (RECORD_BYTES as u32).to_le_bytes().to_vec(),
            ..Recorded::default()
        };
        Self(Some(Rc::new(RefCell::new(Recording {
            done,
            fold: Fold::default(),
            watch,
            lots: Rng::new(seed ^ 0x7a9e),
        }))))
    }

    /// Whether anything is recorded.
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Appends a call and what came out of it.
    pub fn note(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        self.with(|recording| {
            let done = &mut recording.done;
            if recording.watch == Some(done.calls) {
                done.watched = Some(outcome.dump());
            }
            outcome.fold_into(&mut recording.fold);
            call.encode(&mut done.tape);
            done.hash = recording.fold.value();
            for lane in [(done.hash >> 32) as u32, done.hash as u32] {
                done.tape.extend_from_slice(&lane.to_le_bytes());
            }
            done.calls += 1;
        });
    }

    /// Counts something that the tape now holds.
    pub fn covers(&self, what: Covered) {
        self.with(|recording| recording.done.coverage.note(what));
    }

    /// Draws from a source of its own, so that the world goes on as it does without a tape; 0
    /// while nothing is recorded.
    pub fn draw(&self, bound: usize) -> usize {
        let mut drawn = 0;
        self.with(|recording| drawn = recording.lots.index(bound));
        drawn
    }

    /// Ends the tape.
    pub fn end(&self) -> Recorded {
        let mut done = Recorded::default();
        self.with(|recording| done = std::mem::take(&mut recording.done));
        done.tape.push(0);
        done
    }

    fn with(&self, act: impl FnOnce(&mut Recording)) {
        if let Some(recording) = &self.0 {
            act(&mut recording.borrow_mut());
        }
    }
}
