use alloc::vec::Vec;

use super::*;
use crate::ids::{ShardGroupId, ShardId};
use crate::model::{TIME_MAX_NS, TIME_MIN_NS};

const HOUR: i64 = 3_600_000_000_000;

fn spec(name: &str, duration_ns: i64) -> PolicySpec {
    PolicySpec {
        name: name.into(),
        duration_ns,
        ..PolicySpec::autogen()
    }
}

fn with_autogen() -> Catalog {
    let mut catalog = Catalog::default();
    let changes = catalog
        .plan_create_first(&PolicySpec::autogen())
        .expect("valid");
    changes.iter().for_each(|change| catalog.apply(change));
    catalog
}

fn make_group(catalog: &mut Catalog, time_ns: i64) -> ShardGroup {
    let policy = catalog.policy("").expect("autogen is the default");
    let (change, group) = catalog.plan_group(policy, time_ns);
    catalog.apply(&change);
    group
}

#[test]
fn the_account_rebuilds_the_catalog() {
    let mut catalog = with_autogen();
    for time in [0, 1_000 * HOUR, -5_000 * HOUR, TIME_MIN_NS, TIME_MAX_NS] {
        make_group(&mut catalog, time);
    }
    let mut bytes = Vec::new();
    catalog
        .account()
        .iter()
        .for_each(|change| change.encode(&mut bytes));
    let mut copy = with_autogen();
    let mut at = 0;
    while at < bytes.len() {
        copy.apply(&Change::decode(&bytes, &mut at).expect("just encoded"));
    }
    assert_eq!(copy, catalog);
    for cut in 0..bytes.len() {
        let mut at = 0;
        while let Some(_change) = Change::decode(&bytes[..cut], &mut at) {}
    }
}

#[test]
fn durations_are_judged_as_upstream_does() {
    let catalog = with_autogen();
    let create = |spec: &PolicySpec| catalog.plan_create(spec, false);
    assert_eq!(
        create(&spec("p", HOUR / 2)),
        Err(CatalogError::DurationTooLow)
    );
    let long_groups = PolicySpec {
        shard_group_duration_ns: Some(48 * HOUR),
        ..spec("p", 24 * HOUR)
    };
    assert_eq!(create(&long_groups), Err(CatalogError::DurationBelowGroup));
    assert_eq!(
        create(&spec("autogen", 24 * HOUR)),
        Err(CatalogError::PolicyExists)
    );
    assert_eq!(create(&PolicySpec::autogen()), Ok(Vec::new()));
    let short_groups = PolicySpec {
        shard_group_duration_ns: Some(1),
        ..spec("p", 24 * HOUR)
    };
    assert_eq!(
        short_groups.resolve().map(|p| p.shard_group_duration_ns),
        Ok(HOUR)
    );
    assert_eq!(shard_group_duration(0), 168 * HOUR);
    assert_eq!(shard_group_duration(180 * 24 * HOUR), 168 * HOUR);
    assert_eq!(shard_group_duration(48 * HOUR), 24 * HOUR);
    assert_eq!(shard_group_duration(48 * HOUR - 1), HOUR);
}

#[test]
fn groups_never_overlap_whatever_the_order_and_the_duration() {
    let mut state = 1u64;
    let mut catalog = with_autogen();
    for step in 0..400 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let time = match step % 50 {
            0 => TIME_MIN_NS,
            1 => TIME_MAX_NS,
            _ => (state as i64 >> 20) * 1_000_000,
        };
        if step % 20 == 0 {
            let hours = 1 + (state >> 50) as i64 % 300;
            let shorter = Alteration {
                shard_group_duration_ns: Some(hours * HOUR),
                ..Alteration::default()
            };
            let changes = catalog
                .plan_alter("autogen", &shorter, false)
                .expect("valid");
            changes.iter().for_each(|change| catalog.apply(change));
        }
        let policy = catalog.policy("").expect("default");
        if policy.group_at(time).is_none() {
            assert!(make_group(&mut catalog, time).covers(time), "{time}");
        }
        let policy = catalog.policy("").expect("default");
        assert!(
            policy
                .group_at(time)
                .is_some_and(|group| group.covers(time))
        );
        let groups: Vec<_> = policy.groups.iter().collect();
        assert!(
            groups
                .windows(2)
                .all(|pair| pair[0].end_ns <= pair[1].start_ns)
        );
        assert!(
            policy
                .groups
                .iter()
                .all(|group| group.start_ns < group.end_ns)
        );
    }
}

#[test]
fn dropping_the_default_leaves_its_name_dangling() {
    let mut catalog = with_autogen();
    catalog
        .plan_drop("autogen")
        .iter()
        .for_each(|change| catalog.apply(change));
    assert_eq!(catalog.default_policy(), "autogen");
    assert!(catalog.policy("").is_none());
    assert!(catalog.plan_drop("autogen").is_empty());
}

#[test]
fn an_account_of_a_part_adds_to_what_is_there_and_forgets_nothing() {
    let mut hidden = with_autogen();
    let group = make_group(&mut hidden, 0);
    let mut partial = Catalog::default();
    partial.note_damage(7 << 32);
    let unknown = partial.account();
    assert!(matches!(unknown[..], [Change::Known { .. }]), "{unknown:?}");
    for change in partial
        .plan_create_first(&PolicySpec::autogen())
        .expect("new")
    {
        partial.apply(&change);
    }
    let later = make_group(&mut partial, 0);
    assert!(later.shard.0 > 7 << 32);
    for change in partial.account() {
        let mut bytes = Vec::new();
        change.encode(&mut bytes);
        assert_eq!(Change::decode(&bytes, &mut 0).as_ref(), Some(&change));
        hidden.apply(&change);
    }
    for known in [group, later] {
        assert_eq!(hidden.group_of(known.shard), Some(("autogen", known)));
    }
    assert!(make_group(&mut hidden, 1 << 60).shard > later.shard);
}

#[test]
fn of_two_groups_of_one_range_the_newer_takes_the_writes_and_neither_is_repeated() {
    let mut catalog = with_autogen();
    let older = make_group(&mut catalog, 0);
    let newer = ShardGroup {
        id: ShardGroupId(older.id.0 + 7),
        shard: ShardId(older.shard.0 + 7),
        ..older
    };
    let put = |group| Change::PutGroup {
        policy: "autogen".into(),
        group,
    };
    for group in [newer, older, newer, older] {
        catalog.apply(&put(group));
    }
    let policy = catalog.policy("autogen").expect("there");
    assert_eq!(policy.groups.iter().collect::<Vec<_>>(), [&older, &newer]);
    assert_eq!(policy.group_at(0), Some(&newer));
}

#[test]
fn of_overlapping_groups_the_newest_takes_each_time() {
    let mut state = 7_u64;
    let mut draw = |below: i64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i64 % below
    };
    for _ in 0..500 {
        let mut catalog = with_autogen();
        let mut groups = Vec::new();
        let mut ids: Vec<u64> = (1..=8).collect();
        while !ids.is_empty() {
            let id = ids.remove(draw(ids.len() as i64) as usize);
            let start_ns = draw(40) - 20;
            let group = ShardGroup {
                id: ShardGroupId(id),
                shard: ShardId(id),
                start_ns,
                end_ns: start_ns + 1 + draw(15),
            };
            groups.push(group);
            catalog.apply(&Change::PutGroup {
                policy: "autogen".into(),
                group,
            });
        }
        let policy = catalog.policy("").expect("default");
        for time in -22..40 {
            let covering = groups.iter().filter(|group| group.covers(time));
            let newest = covering.max_by_key(|group| group.id);
            let taking = policy.group_at(time);
            assert_eq!(taking.map(|group| group.id), newest.map(|group| group.id));
            let Some(taking) = taking else { continue };
            assert!(taking.covers(time));
            // The same all over the range that it is said to take.
            for other in taking.start_ns..taking.end_ns {
                assert_eq!(policy.group_at(other), Some(taking));
            }
        }
    }
}

#[test]
fn a_sealed_group_takes_no_points_and_the_next_one_has_its_range() {
    let mut catalog = with_autogen();
    let sealed = make_group(&mut catalog, 0);
    catalog.note_damage(7 << 32);
    catalog.seal_groups();
    let policy = catalog.policy("autogen").expect("there");
    assert_eq!(policy.group_at(0), Some(&sealed), "it is read still");
    assert_eq!(catalog.group_for(policy, 0), None);
    let next = make_group(&mut catalog, 0);
    assert_eq!(
        (next.start_ns, next.end_ns),
        (sealed.start_ns, sealed.end_ns)
    );
    let policy = catalog.policy("autogen").expect("there");
    assert_eq!(catalog.group_for(policy, 0), Some(next));
    let elsewhere = make_group(&mut catalog, 1 << 60);
    let policy = catalog.policy("autogen").expect("there");
    assert_eq!(catalog.group_for(policy, 1 << 60), Some(elsewhere));
}
