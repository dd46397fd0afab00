//! Set algebra on sorted series ids.

use alloc::vec::Vec;

use crate::ids::SeriesId;

/// Ids in both, in order.
pub fn intersect(a: &[SeriesId], b: &[SeriesId]) -> Vec<SeriesId> {
    merge(a, b, |in_a, in_b| in_a && in_b)
}

/// Ids in either, in order.
pub fn union(a: &[SeriesId], b: &[SeriesId]) -> Vec<SeriesId> {
    merge(a, b, |_, _| true)
}

/// Ids in `a` but not in `b`, in order.
pub fn difference(a: &[SeriesId], b: &[SeriesId]) -> Vec<SeriesId> {
    merge(a, b, |in_a, in_b| in_a && !in_b)
}

fn merge(a: &[SeriesId], b: &[SeriesId], keep: fn(bool, bool) -> bool) -> Vec<SeriesId> {
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    let mut out = Vec::new();
    while let Some(id) = a.peek().into_iter().chain(b.peek()).min().copied() {
        let in_a = a.next_if_eq(&id).is_some();
        let in_b = b.next_if_eq(&id).is_some();
        if keep(in_a, in_b) {
            out.push(id);
        }
    }
    out
}
