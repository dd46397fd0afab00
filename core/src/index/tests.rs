use alloc::vec::Vec;

use super::*;
use crate::ids::{LayoutId, SeriesId};
use crate::model::FieldType;

fn ids(list: &[u32]) -> Vec<SeriesId> {
    list.iter().map(|&id| SeriesId(id)).collect()
}

#[test]
fn postings_answer_tag_lookups() {
    let mut index = Index::new(1);
    for key in [
        "cpu,host=a,region=w",
        "cpu,host=b,region=w",
        "mem,host=a",
        "cpu",
    ] {
        assert_eq!(index.series(key.as_bytes()), None);
        let id = index.add_series(key.as_bytes());
        assert_eq!(index.series(key.as_bytes()), Some(id));
        assert_eq!(index.series_key(id), key.as_bytes());
    }
    let (_, cpu) = index.measurement_named(b"cpu").expect("cpu was added");
    assert_eq!(cpu.series(), ids(&[0, 1, 3]));
    assert_eq!(cpu.postings(b"region", b"w"), ids(&[0, 1]));
    assert_eq!(cpu.postings(b"host", b"b"), ids(&[1]));
    assert_eq!(cpu.postings(b"host", b"c"), ids(&[]));
    assert_eq!(
        cpu.tag_keys().collect::<Vec<_>>(),
        [&b"host"[..], b"region"]
    );
}

#[test]
fn names_are_kept_unescaped_and_keys_as_they_came() {
    let mut index = Index::new(1);
    let id = index.add_series(br"disk\ io,pa\,th=/dev/sd\ a");
    assert_eq!(index.series_key(id), br"disk\ io,pa\,th=/dev/sd\ a");
    let (_, disk) = index.measurement_named(b"disk io").expect("unescaped");
    assert_eq!(disk.postings(b"pa,th", b"/dev/sd a"), ids(&[0]));
}

#[test]
fn a_layout_is_found_again_by_its_fields_in_order() {
    let mut index = Index::new(1);
    let cpu = index.intern_measurement(b"cpu");
    let a = index
        .intern_field(cpu, b"a", FieldType::Float)
        .expect("new");
    let b = index
        .intern_field(cpu, b"b", FieldType::Integer)
        .expect("new");
    assert_eq!(index.intern_field(cpu, b"a", FieldType::String), Some(a));
    assert_eq!(index.intern_layout(cpu, &[a, b]), Some(LayoutId(0)));
    assert_eq!(index.intern_layout(cpu, &[b, a]), Some(LayoutId(1)));
    assert_eq!(index.intern_layout(cpu, &[a, b]), Some(LayoutId(0)));
    assert_eq!(index.intern_layout(cpu, &[a, FieldSlot(9)]), None);
    let layout = index.layouts().get(LayoutId(1)).expect("made above");
    assert_eq!(
        (layout.types.as_slice(), layout.integers),
        (&[FieldType::Integer, FieldType::Float][..], 1)
    );
}

#[test]
fn spellings_beyond_the_limit_are_not_remembered() {
    let mut arrivals = Arrivals::new(1);
    let spellings = [
        b"m,a=1,b=2,c=3",
        b"m,a=1,c=3,b=2",
        b"m,b=2,a=1,c=3",
        b"m,b=2,c=3,a=1",
    ];
    for key in spellings {
        assert!(arrivals.learn(key, SeriesId(0), LayoutId(0)).is_some());
    }
    assert!(
        arrivals
            .learn(b"m,c=3,a=1,b=2", SeriesId(0), LayoutId(0))
            .is_none()
    );
    assert_eq!(
        arrivals.learn(spellings[2], SeriesId(0), LayoutId(7)),
        Some(ArrivalId(2))
    );
    assert_eq!(
        arrivals.get(ArrivalId(2)).map(|a| a.layout),
        Some(LayoutId(7))
    );
    assert!(arrivals.learn(b"n", SeriesId(1), LayoutId(0)).is_some());
}

#[test]
fn set_algebra_equals_filtering() {
    let sets = [
        ids(&[]),
        ids(&[0]),
        ids(&[0, 2, 4]),
        ids(&[1, 2, 3]),
        ids(&[4, 9]),
    ];
    for a in &sets {
        for b in &sets {
            let both: Vec<_> = a.iter().filter(|id| b.contains(id)).copied().collect();
            let only_a: Vec<_> = a.iter().filter(|id| !b.contains(id)).copied().collect();
            let mut either: Vec<_> = a.iter().chain(b).copied().collect();
            either.sort();
            either.dedup();
            assert_eq!(postings::intersect(a, b), both);
            assert_eq!(postings::difference(a, b), only_a);
            assert_eq!(postings::union(a, b), either);
        }
    }
}
