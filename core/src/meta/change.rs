//! Changes to the catalog, as the log carries them.

use alloc::string::String;
use alloc::vec::Vec;

use super::{RetentionPolicy, ShardGroup, ShardGroups};
use crate::ids::{ShardGroupId, ShardId};
use crate::model::varint;

/// A fact about what exists. Applying it cannot fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Forget all: a full account of the catalog follows. Carries the counters.
    Reset {
        /// The last shard group id given out.
        last_group: ShardGroupId,
        /// The last shard id given out.
        last_shard: ShardId,
    },
    /// What is known of the catalog follows, and nothing is to be forgotten: a part of it may be
    /// where it cannot be read now. Carries the counters.
    Known {
        /// The last shard group id given out.
        last_group: ShardGroupId,
        /// The last shard id given out.
        last_shard: ShardId,
    },
    /// A policy exists with these terms; an existing one keeps its groups.
    PutPolicy(RetentionPolicy),
    /// A policy and its groups are gone.
    DropPolicy(String),
    /// This policy is the default one. It need not exist.
    SetDefault(String),
    /// A group of a policy exists.
    PutGroup {
        /// The policy.
        policy: String,
        /// The group.
        group: ShardGroup,
    },
}

impl Change {
    /// Appends the change: a tag byte, then its parts.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Reset {
                last_group,
                last_shard,
            } => {
                out.push(1);
                varint::put(out, last_group.0);
                varint::put(out, last_shard.0);
            }
            Self::Known {
                last_group,
                last_shard,
            } => {
                out.push(6);
                varint::put(out, last_group.0);
                varint::put(out, last_shard.0);
            }
            Self::PutPolicy(policy) => {
                out.push(2);
                varint::put_bytes(out, policy.name.as_bytes());
                varint::put(out, policy.duration_ns as u64);
                varint::put(out, policy.shard_group_duration_ns as u64);
                varint::put(out, u64::from(policy.replica_n));
                varint::put(out, policy.future_limit_ns as u64);
                varint::put(out, policy.past_limit_ns as u64);
            }
            Self::DropPolicy(name) => {
                out.push(3);
                varint::put_bytes(out, name.as_bytes());
            }
            Self::SetDefault(name) => {
                out.push(4);
                varint::put_bytes(out, name.as_bytes());
            }
            Self::PutGroup { policy, group } => {
                out.push(5);
                varint::put_bytes(out, policy.as_bytes());
                varint::put(out, group.id.0);
                varint::put(out, group.shard.0);
                varint::put(out, varint::zigzag(group.start_ns));
                varint::put(out, varint::zigzag(group.end_ns));
            }
        }
    }

    /// Reads a change at `*at` and moves past it; `None` if it is not one.
    pub fn decode(bytes: &[u8], at: &mut usize) -> Option<Self> {
        let tag = *bytes.get(*at)?;
        *at += 1;
        Some(match tag {
            1 => Self::Reset {
                last_group: ShardGroupId(varint::get(bytes, at)?),
                last_shard: ShardId(varint::get(bytes, at)?),
            },
            2 => Self::PutPolicy(RetentionPolicy {
                name: text(bytes, at)?,
                duration_ns: varint::get(bytes, at)? as i64,
                shard_group_duration_ns: varint::get(bytes, at)? as i64,
                replica_n: u32::try_from(varint::get(bytes, at)?).ok()?,
                future_limit_ns: varint::get(bytes, at)? as i64,
                past_limit_ns: varint::get(bytes, at)? as i64,
                groups: ShardGroups::default(),
            }),
            3 => Self::DropPolicy(text(bytes, at)?),
            4 => Self::SetDefault(text(bytes, at)?),
            5 => Self::PutGroup {
                policy: text(bytes, at)?,
                group: ShardGroup {
                    id: ShardGroupId(varint::get(bytes, at)?),
                    shard: ShardId(varint::get(bytes, at)?),
                    start_ns: varint::unzigzag(varint::get(bytes, at)?),
                    end_ns: varint::unzigzag(varint::get(bytes, at)?),
                },
            },
            6 => Self::Known {
                last_group: ShardGroupId(varint::get(bytes, at)?),
                last_shard: ShardId(varint::get(bytes, at)?),
            },
            _ => return None,
        })
    }
}

fn text(bytes: &[u8], at: &mut usize) -> Option<String> {
    String::from_utf8(varint::get_bytes(bytes, at)?.to_vec()).ok()
}
