//! `MapShards`: which shard a point belongs to, or why it belongs to none.
//!
//! Every point is judged by itself. Upstream's verdict depends on the other points of the
//! batch (a point older than its policy is stored if a neighbour made the covering group);
//! ours does not.
//!
//! Source: influxdb 1.12 `coordinator.PointsWriter.MapShards`.

mod dropped;
mod window;

pub use dropped::{DroppedPoints, describe_violation};
pub use window::{Bound, Window};
