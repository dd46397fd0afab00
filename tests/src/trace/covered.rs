//! What tapes hold. A comparison in which one of these never happened proves less than it says.

macro_rules! covered {
    ($($name:ident: $text:literal,)*) => {
        /// Something that the tapes of a run have to hold.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Covered { $(#[doc = $text] $name,)* }

        const TEXTS: &[&str] = &[$($text),*];
    };
}

covered! {
    Written: "writes stored whole",
    Partial: "partial writes",
    NothingParsed: "writes of which nothing was parsed",
    Refused: "writes refused as a whole",
    Change: "statements that changed policies or made the database",
    Denied: "statements answered with an error",
    Cursor: "queries with a cursor",
    MoreRows: "batches with more to come",
    Closed: "cursors closed before their end",
    Float: "float cells",
    Unsigned: "unsigned cells",
    Text: "string cells",
    Infinite: "infinite float cells",
    Persist: "effects with bytes",
    Effect: "effects without bytes",
    Supplied: "reads answered with bytes",
    ReadFault: "reads answered with a fault",
    Fault: "effects reported with a fault",
    Poisoned: "engines poisoned",
    Replay: "engines that read an earlier log to its end",
    Relogged: "recoveries that logged points again",
    Damage: "recoveries that report damage",
    Misuse: "calls out of turn",
}

/// Counts of [`Covered`].
#[derive(Clone, Debug)]
pub struct Coverage(Vec<u64>);

impl Default for Coverage {
    fn default() -> Self {
        Self(vec![0; TEXTS.len()])
    }
}

impl Coverage {
    /// Counts one.
    pub fn note(&mut self, what: Covered) {
        self.0[what as usize] += 1;
    }

    /// Adds the counts of another tape.
    pub fn add(&mut self, other: &Self) {
        let pairs = self.0.iter_mut().zip(&other.0);
        pairs.for_each(|(mine, theirs)| *mine += theirs);
    }

    /// What no tape holds.
    pub fn missing(&self) -> Vec<&'static str> {
        let counts = TEXTS.iter().zip(&self.0);
        let zero = counts.filter(|(_, count)| **count == 0);
        zero.map(|(text, _)| *text).collect()
    }

    /// A line for each.
    pub fn table(&self) -> String {
        let counts = TEXTS.iter().zip(&self.0);
        counts
            .map(|(text, count)| format!("{count:>12}  {text}\n"))
            .collect()
    }
}
