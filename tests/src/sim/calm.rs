//! The last look: the core's own loop over the disk of the world.

use tidegate_core::engine::{Config, Phase};
use tidegate_core::storage;

use super::adapter::{Adapter, CalmStorage};
use super::observe::observe;
use super::world::World;

/// Opens the disk with [`storage::open`] and compares with what the world's host found.
pub(super) fn reopen_with_the_core(world: &mut World) -> Result<(), String> {
    let node = u128::from(world.plan.seed) << 64 | 5;
    let config = Config::new("d", node, 7);
    let mut storage = CalmStorage {
        disk: &mut world.disk,
        adapter: Adapter::new(None),
    };
    let opened = storage::open(config, &mut storage).map_err(|fault| fault.to_string());
    let mut engine = opened?;
    if engine.phase() != Phase::Running {
        return Err(format!(
            "STUCK: {:?} {:?}",
            engine.phase(),
            engine.refusal()
        ));
    }
    let seen = observe(&mut engine, world.now_ns)?;
    if seen.content != world.history.content && !world.may_lose {
        return Err("WRONG: the core's loop finds other points than the host's".into());
    }
    Ok(())
}
