//! Effects in the fixed-width form that crosses the guest boundary.

use crate::ids::{EffectId, Lsn, SegmentId};

use super::Effect;

/// Length of an effect record in bytes.
///
/// | offset | size | field |
/// | --- | --- | --- |
/// | 0 | 1 | kind: 1 persist log, 2 read log, 3 delete log, 4 quarantine |
/// | 1 | 1 | sync |
/// | 2 | 6 | zero |
/// | 8 | 8 | effect id |
/// | 16 | 8 | segment |
/// | 24 | 8 | offset |
/// | 32 | 8 | length |
/// | 40 | 8 | up to (LSN) |
///
/// All numbers are little-endian.
pub const RECORD_BYTES: usize = 48;

/// The record of `effect`.
pub fn encode_effect(effect: &Effect) -> [u8; RECORD_BYTES] {
    let (kind, sync, segment, offset, length, up_to) = match *effect {
        Effect::PersistLog {
            segment,
            offset,
            length,
            up_to,
            sync,
            ..
        } => (1, sync, segment, offset, length as u64, up_to),
        Effect::ReadLog {
            segment,
            offset,
            length,
            ..
        } => (2, false, segment, offset, length as u64, Lsn(0)),
        Effect::DeleteLog { segment, .. } => (3, false, segment, 0, 0, Lsn(0)),
        Effect::Quarantine {
            segment,
            offset,
            length,
            ..
        } => (4, false, segment, offset, length, Lsn(0)),
    };
    let mut record = [0; RECORD_BYTES];
    record[0] = kind;
    record[1] = u8::from(sync);
    let numbers = [effect.id().0, segment.0, offset, length, up_to.0];
    for (slot, number) in record[8..].chunks_exact_mut(8).zip(numbers) {
        slot.copy_from_slice(&number.to_le_bytes());
    }
    record
}

/// The inverse of [`encode_effect`]; `None` for a kind this version does not know.
pub fn decode_effect(record: &[u8; RECORD_BYTES]) -> Option<Effect> {
    let number = |index: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&record[8 + index * 8..16 + index * 8]);
        u64::from_le_bytes(bytes)
    };
    let (id, segment) = (EffectId(number(0)), SegmentId(number(1)));
    let (offset, length, up_to) = (number(2), number(3), Lsn(number(4)));
    let sync = record[1] != 0;
    let small = usize::try_from(length).ok();
    Some(match record[0] {
        1 => Effect::PersistLog {
            id,
            segment,
            offset,
            length: small?,
            up_to,
            sync,
        },
        2 => Effect::ReadLog {
            id,
            segment,
            offset,
            length: small?,
        },
        3 => Effect::DeleteLog { id, segment },
        4 => Effect::Quarantine {
            id,
            segment,
            offset,
            length,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_effect_survives_its_record() {
        let (id, segment) = (EffectId(1), SegmentId(2));
        for effect in [
            Effect::PersistLog {
                id,
                segment,
                offset: 3,
                length: 4,
                up_to: Lsn(5),
                sync: true,
            },
            Effect::ReadLog {
                id,
                segment,
                offset: u64::MAX,
                length: 4,
            },
            Effect::DeleteLog { id, segment },
            Effect::Quarantine {
                id,
                segment,
                offset: 1,
                length: u64::MAX,
            },
        ] {
            assert_eq!(decode_effect(&encode_effect(&effect)), Some(effect));
        }
    }
}
