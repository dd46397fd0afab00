//! The parser against recorded answers, a naive twin, and itself.

mod agreement;
mod numbers;
mod recorded;
mod twin;
mod units;
