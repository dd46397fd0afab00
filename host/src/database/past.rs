//! What the lives of an engine tell the next one.
//!
//! A disk on which nothing becomes durable any more is no reason to stop answering queries: after
//! four lives in a row that ended so, which takes half a second, the next one is read-only. It sees
//! what is proven durable, it writes nothing, and it ends when the disk may be well again.

use std::collections::BTreeMap;

use tidegate_core::engine::FileInfo;
use tidegate_core::ids::{FileId, Lsn, SegmentId};

/// Of so many lives in a row that made nothing durable, the last one decides.
const BROKEN_MAX: u32 = 4;

/// What became of earlier lives.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Lives in a row in which a persist failed and none succeeded.
    broken: u32,
    /// Durable ends of segments that a persist to failed.
    ends: BTreeMap<SegmentId, u64>,
    /// The record that ended the last life that ended so.
    trapped: Option<(FileId, Lsn)>,
}

impl Past {
    /// Whether the next life only reads.
    pub(super) const fn is_read_only(&self) -> bool {
        self.broken >= BROKEN_MAX
    }

    /// Takes what a life leaves.
    pub(super) fn learn(&mut self, has_persisted: bool, ends: &BTreeMap<SegmentId, u64>) {
        if has_persisted {
            self.broken = 0;
        }
        self.ends.extend(ends);
    }

    /// A life ended since a persist failed.
    pub(super) const fn note_broken(&mut self) {
        self.broken = self.broken.saturating_add(1);
    }

    /// A life ended as it applied this record while opening; whether it is not the first.
    pub(super) fn note_trapped(&mut self, record: (FileId, Lsn)) -> bool {
        self.trapped.replace(record) == Some(record)
    }

    /// The disk may be well again. If it is not, the life after the next is read-only again.
    pub(super) const fn note_mended(&mut self) {
        self.broken = BROKEN_MAX - 1;
    }

    /// Leaves out what a read-only life could not make durable, and must not show therefore:
    /// after a sync that failed, the system shows bytes that are not on disk.
    pub(super) fn hide_unproven(&self, files: &mut [FileInfo]) {
        for info in files {
            if let FileId::Segment(id) = info.file
                && let Some(&end) = self.ends.get(&id)
            {
                info.length = info.length.min(end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_that_broke_in_a_row_make_the_next_one_read_only() {
        let mut past = Past::default();
        let ends = BTreeMap::from([(SegmentId(7), 100)]);
        past.learn(false, &ends);
        past.note_broken();
        assert!(!past.is_read_only());
        past.learn(true, &BTreeMap::new());
        past.note_broken();
        for _ in 1..BROKEN_MAX {
            assert!(!past.is_read_only(), "something became durable in between");
            past.note_broken();
        }
        assert!(past.is_read_only());
        let info = |id, length| FileInfo {
            file: FileId::Segment(SegmentId(id)),
            length,
        };
        let mut segments = [info(6, 500), info(7, 500)];
        past.hide_unproven(&mut segments);
        assert_eq!(segments, [info(6, 500), info(7, 100)]);
        past.note_mended();
        assert!(!past.is_read_only());
        past.note_broken();
        assert!(past.is_read_only());
    }
}
