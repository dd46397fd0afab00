//! The parser against recorded answers, a naive twin, and itself.

mod recorded;
mod twin;
mod agreement;
mod numbers;
mod units;
