//! What a seed decides before anything happens: which troubles are on, and how often they come.

use crate::r#gen::Rng;

macro_rules! kinds {
    ($($name:ident: $text:literal, $low:literal, $high:literal;)*) => {
        /// A kind of trouble or of work that a world has or has not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $(#[doc = $text] $name,)* }

        const KINDS: &[(Kind, &str, u64, u64)] = &[$((Kind::$name, $text, $low, $high)),*];
    };
}

// Each: how rare it may be made, as one chance in so many.
kinds! {
    Power: "power loss", 1, 4;
    Kill: "kill", 1, 4;
    Trap: "trap", 2, 8;
    Close: "clean close", 2, 8;
    Crash: "end of a life at a step", 10, 120;
    CrashInside: "end of a life within an operation of the disk", 10, 200;
    CrashInRecovery: "end of a life while it recovers", 2, 8;
    WriteError: "write error", 20, 300;
    SyncError: "sync error", 10, 200;
    NamesError: "error of a sync of names", 5, 60;
    NoSpace: "no space", 20, 200;
    ShortWrite: "short write", 2, 30;
    ReadError: "read error", 20, 200;
    Damage: "damage at rest", 1, 3;
    Clock: "clock trouble", 5, 60;
    Async: "asynchronous host", 1, 2;
    Tight: "tight budgets", 1, 1;
    Hostile: "hostile bodies", 6, 40;
    Repeat: "repeated bodies", 4, 30;
    Statements: "statements", 6, 60;
    Queries: "queries", 4, 30;
    Clash: "fields of two types", 1, 1;
    Frail: "end of a life between two effects while it recovers", 3, 8;
    Snapshots: "snapshots", 12, 17;
}

/// Kinds that came when seeds were kept already; drawn apart, so that those stay what they were.
const LATER: &[Kind] = &[Kind::Clash, Kind::Frail, Kind::Snapshots];

/// A world in outline.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Draws everything.
    pub seed: u64,
    /// Steps of clients, host and fate.
    pub steps: u32,
    /// Bytes at which a segment is followed by the next.
    pub roll_bytes: u64,
    /// Log bytes that may wait.
    pub pending_bytes_max: u64,
    /// Budget of cache and index.
    pub cache_bytes_max: u64,
    /// Largest body.
    pub body_bytes_max: u64,
    /// Whether one lane of the host may be slower than the others.
    pub(super) has_lanes: bool,
    on: u32,
    one_in: [u64; KINDS.len()],
}

impl Plan {
    /// What `seed` decides.
    pub fn draw(seed: u64) -> Self {
        let (mut early, mut later) = (Rng::new(seed), Rng::new(seed ^ 0x1a7e));
        let mut on = 0;
        let mut one_in = [0; KINDS.len()];
        for &(kind, _, low, high) in KINDS {
            let lots = if LATER.contains(&kind) {
                &mut later
            } else {
                &mut early
            };
            let is_on = match kind {
                Kind::Crash | Kind::Async | Kind::Statements => !lots.one_in(4),
                Kind::Damage => lots.one_in(4),
                Kind::CrashInRecovery | Kind::Tight => lots.one_in(4),
                _ => lots.one_in(2),
            };
            on |= u32::from(is_on) << kind as u32;
            one_in[kind as usize] = low + lots.below(high - low + 1);
        }
        let mut lots = early;
        let mut plan = Self {
            seed,
            steps: 40 + lots.below(300) as u32,
            roll_bytes: 12_288 + (1 << (8 + lots.below(10))),
            pending_bytes_max: 64 << 20,
            cache_bytes_max: 1 << 30,
            body_bytes_max: 1 << 20,
            has_lanes: false,
            on,
            one_in,
        };
        if plan.is_on(Kind::Tight) {
            plan.pending_bytes_max = 1 << (12 + lots.below(6));
            plan.cache_bytes_max = 1 << (14 + lots.below(9));
            plan.body_bytes_max = 1 << (9 + lots.below(8));
        }
        plan.settle();
        plan
    }

    /// What `seed` decided when the first seeds were kept.
    pub fn draw_early(seed: u64) -> Self {
        let plan = Self::draw(seed);
        LATER.iter().fold(plan, |plan, &kind| plan.without(kind))
    }

    /// The world that variables of the environment ask for, as [`super::replay_command`] names
    /// them.
    pub fn asked_for(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| variable(name)?.parse::<u64>().ok();
        let plan = Self::draw(number("TIDEGATE_SIM_SEED")?);
        let mask = number("TIDEGATE_SIM_KINDS").map_or(plan.mask(), |mask| mask as u32);
        let steps = number("TIDEGATE_SIM_STEPS").map_or(plan.steps, |steps| steps as u32);
        let mut plan = plan.with_mask(mask);
        match variable("TIDEGATE_SIM_HOST").as_deref() {
            Some("async") => plan = plan.with_host(true),
            Some("sync") => plan = plan.with_host(false),
            _ => {}
        }
        plan.steps = steps;
        Some(plan)
    }

    /// With a host that always, or never, completes effects at once.
    #[must_use]
    pub fn with_host(&self, is_async: bool) -> Self {
        let mut plan = self.clone();
        let bit = 1 << Kind::Async as u32;
        plan.on = plan.on & !bit | if is_async { bit } else { 0 };
        plan.one_in[Kind::Async as usize] = 1;
        plan.has_lanes = is_async;
        plan
    }

    /// Whether the host always completes effects later, never at once.
    pub const fn is_always_async(&self) -> bool {
        self.has_lanes && self.is_on(Kind::Async)
    }

    /// Without that kind.
    #[must_use]
    pub fn without(&self, kind: Kind) -> Self {
        let mut plan = self.clone();
        plan.on &= !(1 << kind as u32);
        plan.settle();
        plan
    }

    /// What is unreadable is as good as damaged: both belong to worlds that may lose. There,
    /// power is not lost where creations fail: requests that failed and came back would be
    /// hard to tell from inventions. A host that is always at once has one lane.
    fn settle(&mut self) {
        self.has_lanes &= self.is_on(Kind::Async);
        let mut off = Vec::new();
        if !self.is_on(Kind::Damage) {
            off.push(Kind::ReadError);
        } else if self.is_on(Kind::Power) {
            off.extend([Kind::WriteError, Kind::SyncError, Kind::NoSpace]);
        }
        off.iter().for_each(|&kind| self.on &= !(1 << kind as u32));
    }

    /// Whether the kind is on.
    pub const fn is_on(&self, kind: Kind) -> bool {
        self.on >> kind as u32 & 1 == 1
    }

    /// One chance in so many; 0, which is never, if the kind is off.
    pub const fn one_in(&self, kind: Kind) -> u64 {
        if self.is_on(kind) {
            self.one_in[kind as usize]
        } else {
            0
        }
    }

    /// Log bytes after which a snapshot is written.
    pub const fn snapshot_log_bytes(&self) -> u64 {
        match self.one_in(Kind::Snapshots) {
            0 => u64::MAX,
            bits => 1 << bits,
        }
    }

    /// Bytes of a part of a snapshot.
    pub const fn snapshot_part_bytes(&self) -> u64 {
        1 << (9 + self.seed % 6)
    }

    /// Whether its engines take unsigned integers, and its clients send some.
    pub const fn has_unsigned(&self) -> bool {
        self.seed % 2 == 1
    }

    /// The kinds that are on.
    pub fn kinds(&self) -> Vec<Kind> {
        let kinds = KINDS.iter().map(|&(kind, ..)| kind);
        kinds.filter(|&kind| self.is_on(kind)).collect()
    }

    /// The kinds as a number, to hand on in a variable of the environment.
    pub const fn mask(&self) -> u32 {
        self.on
    }

    /// With exactly the kinds of such a number.
    #[must_use]
    pub fn with_mask(&self, mask: u32) -> Self {
        let mut plan = Self {
            on: mask,
            ..self.clone()
        };
        plan.settle();
        plan
    }

    /// The plan in words.
    pub fn describe(&self) -> String {
        let names = KINDS.iter().filter(|&&(kind, ..)| self.is_on(kind));
        let names: Vec<String> = names
            .map(|&(kind, text, ..)| format!("{text} 1/{}", self.one_in(kind)))
            .collect();
        format!(
            "{} steps, segments of {} bytes; {}",
            self.steps,
            self.roll_bytes,
            names.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Plan};

    #[test]
    fn a_mask_gives_the_same_plan_and_a_kind_can_be_taken_away() {
        let plan = Plan::draw(5);
        assert_eq!(plan.with_mask(plan.mask()).describe(), plan.describe());
        for kind in plan.kinds() {
            let less = plan.without(kind);
            assert!(!less.is_on(kind) && less.one_in(kind) == 0);
        }
    }

    #[test]
    fn a_host_is_at_once_or_later_throughout() {
        for seed in 0..50 {
            let plan = Plan::draw(seed);
            let [at_once, later] = [false, true].map(|is_async| plan.with_host(is_async));
            assert!(!at_once.is_on(Kind::Async) && !at_once.is_always_async());
            assert!(later.is_on(Kind::Async) && later.is_always_async());
            assert_eq!(at_once.mask() | 1 << Kind::Async as u32, later.mask());
        }
    }

    #[test]
    fn reads_fail_only_where_loss_is_allowed() {
        let both = |plan: &Plan| (plan.is_on(Kind::ReadError), plan.is_on(Kind::Damage));
        let seen: Vec<_> = (0..200).map(|seed| both(&Plan::draw(seed))).collect();
        assert!(!seen.contains(&(true, false)));
        assert!(seen.contains(&(true, true)) && seen.contains(&(false, false)));
    }
}
