use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::ids::{LayoutId, SeriesId};
use crate::model::row::Class;

/// What a cache is, told the naive way.
type Twin = Vec<Vec<(i64, LayoutId, Class, Vec<u8>)>>;

fn assert_same(cache: &Cache, twin: &Twin) {
    for (id, expected) in twin.iter().enumerate() {
        let rows = cache.rows(SeriesId(id as u32), u32::MAX);
        let found: Vec<_> = rows
            .map(|row| (row.time, row.layout, row.class, row.values.to_vec()))
            .collect();
        assert_eq!(&found, expected, "series {id}");
    }
}

#[test]
fn rows_come_back_in_order_of_arrival() {
    let mut cache = Cache::default();
    let mut twin: Twin = vec![Vec::new(); 40];
    let mut state = 7u64;
    for step in 0..20_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let series = (state >> 40) as usize % twin.len();
        let layout = LayoutId((state >> 50) as u32 % 2 * (state >> 20) as u32 % 300);
        let class = Class::from_code((state >> 33) as u8);
        let length = if step % 1_000 == 0 {
            5_000
        } else {
            (state >> 35) as usize % 40
        };
        let values = vec![state as u8; length];
        let time = (state >> 8) as i64 - (1 << 40);
        cache.append(SeriesId(series as u32), layout, class, time, &values);
        twin[series].push((time, layout, class, values));
    }
    assert_same(&cache, &twin);
    assert_eq!(cache.row_count(), 20_000);
}

#[test]
fn a_row_larger_than_a_page_has_one_of_its_own() {
    let mut cache = Cache::default();
    let mut twin: Twin = vec![Vec::new(); 2];
    for length in [10, 3 << 20, 10, (1 << 20) - 27, 1 << 20, 5] {
        for series in 0..2 {
            let values = vec![length as u8; length];
            cache.append(SeriesId(series), LayoutId(0), Class::Narrow, 1, &values);
            twin[series as usize].push((1, LayoutId(0), Class::Narrow, values));
        }
    }
    assert_same(&cache, &twin);
}

#[test]
fn a_reader_sees_only_what_it_pinned() {
    let mut cache = Cache::default();
    let series = SeriesId(0);
    for time in 0..10 {
        cache.append(series, LayoutId(0), Class::Narrow, time, b"x");
    }
    let pinned = cache.rows_of(series);
    cache.append(series, LayoutId(0), Class::Narrow, 10, b"y");
    assert_eq!(cache.rows(series, pinned).count(), 10);
    assert_eq!(cache.rows(series, u32::MAX).count(), 11);
    assert_eq!(cache.rows(SeriesId(9), u32::MAX).count(), 0);
}

#[test]
fn order_is_tracked_per_series() {
    let mut cache = Cache::default();
    for (series, time) in [(0, 1), (0, 2), (1, 2), (1, 1), (2, 5), (2, 5)] {
        cache.append(SeriesId(series), LayoutId(0), Class::Narrow, time, b"");
    }
    assert!(cache.is_in_order(SeriesId(0)));
    assert!(!cache.is_in_order(SeriesId(1)));
    assert!(!cache.is_in_order(SeriesId(2)));
    assert_eq!(cache.time_range(), Some((1, 5)));
}
