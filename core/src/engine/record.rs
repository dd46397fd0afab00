//! Effects in the fixed-width form that crosses the guest boundary.

use crate::ids::{EffectId, FileId, Lsn};

use super::Effect;

/// Length of an effect record in bytes.
///
/// | offset | size | field |
/// | --- | --- | --- |
/// | 0 | 1 | kind: 1 persist log, 2 read, 3 delete, 4 quarantine, 5 put blob |
/// | 1 | 1 | persist log: whether to sync; put blob: whether it is the last part |
/// | 2 | 1 | file: 1 segment, 2 blob |
/// | 3 | 5 | zero |
/// | 8 | 8 | effect id |
/// | 16 | 8 | number of the file |
/// | 24 | 8 | offset |
/// | 32 | 8 | length |
/// | 40 | 8 | up to (LSN) |
///
/// All numbers are little-endian.
pub const RECORD_BYTES: usize = 48;

/// The record of `effect`.
pub fn encode_effect(effect: &Effect) -> [u8; RECORD_BYTES] {
    let none = Lsn(0);
    let (kind, flag, file, offset, length, up_to) = match *effect {
        Effect::PersistLog {
            segment,
            offset,
            length,
            up_to,
            sync,
            ..
        } => {
            let file = FileId::Segment(segment);
            (1, sync, file, offset, length as u64, up_to)
        }
        Effect::Read {
            file,
            offset,
            length,
            ..
        } => (2, false, file, offset, length as u64, none),
        Effect::Delete { file, .. } => (3, false, file, 0, 0, none),
        Effect::Quarantine {
            file,
            offset,
            length,
            ..
        } => (4, false, file, offset, length, none),
        Effect::PutBlob {
            blob,
            offset,
            length,
            is_last,
            ..
        } => {
            let file = FileId::Blob(blob);
            (5, is_last, file, offset, length as u64, none)
        }
    };
    let (file, number) = file.to_pair();
    let mut record = [0; RECORD_BYTES];
    record[..3].copy_from_slice(&[kind, u8::from(flag), file]);
    let numbers = [effect.id().0, number, offset, length, up_to.0];
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
    let (id, flag) = (EffectId(number(0)), record[1] != 0);
    let file = FileId::from_pair(record[2], number(1))?;
    let (offset, length, up_to) = (number(2), number(3), Lsn(number(4)));
    let small = usize::try_from(length).ok();
    Some(match (record[0], file) {
        (1, FileId::Segment(segment)) => Effect::PersistLog {
            id,
            segment,
            offset,
            length: small?,
            up_to,
            sync: flag,
        },
        (2, file) => Effect::Read {
            id,
            file,
            offset,
            length: small?,
        },
        (3, file) => Effect::Delete { id, file },
        (4, file) => Effect::Quarantine {
            id,
            file,
            offset,
            length,
        },
        (5, FileId::Blob(blob)) => Effect::PutBlob {
            id,
            blob,
            offset,
            length: small?,
            is_last: flag,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{BlobId, SegmentId};

    #[test]
    fn every_effect_survives_its_record() {
        let (id, segment, blob) = (EffectId(1), SegmentId(2), BlobId(3));
        for effect in [
            Effect::PersistLog {
                id,
                segment,
                offset: 3,
                length: 4,
                up_to: Lsn(5),
                sync: true,
            },
            Effect::PutBlob {
                id,
                blob,
                offset: 3,
                length: 4,
                is_last: true,
            },
            Effect::Read {
                id,
                file: FileId::Segment(segment),
                offset: u64::MAX,
                length: 4,
            },
            Effect::Delete {
                id,
                file: FileId::Blob(blob),
            },
            Effect::Quarantine {
                id,
                file: FileId::Blob(blob),
                offset: 1,
                length: u64::MAX,
            },
        ] {
            assert_eq!(decode_effect(&encode_effect(&effect)), Some(effect));
        }
    }
}
