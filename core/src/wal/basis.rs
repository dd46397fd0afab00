//! What the log goes on from: the newest snapshot, if there is one.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::ids::{BlobId, FileId, SegmentId};
use crate::planted::{Planted, planted};

use super::chain::{Entry, Extent, Info, LSNS_UNKNOWN, Note, State};
use super::header::Header;
use super::report::{Reason, ReplayEnd};

/// The snapshot in force. Files with a lower number than it are garbage.
#[derive(Debug, Default)]
pub(super) struct Basis {
    blobs: Vec<Info>,
    /// Files below this one are covered, whether or not the snapshot itself can be used.
    pub(super) low: SegmentId,
    /// The LSN that follows what it covers.
    pub(super) first_lsn: u64,
    /// What is to be read of it, or is missing.
    pub(super) entries: Vec<Entry>,
    /// Whether nothing tells which LSNs a snapshot covers that shows no header.
    is_end_unknown: bool,
    /// Points it holds, as it tells itself.
    pub(super) points: u64,
    /// Whether a blob that may be it cannot be read now.
    pub(super) is_disturbed: bool,
}

impl Basis {
    /// From what the headers of all files told.
    ///
    /// A snapshot that has its header is whole, and with its header it says what it covers. Where
    /// it is gone, headers of later segments still say so: its loss is then known.
    pub(super) fn find(segments: &[Info], blobs: Vec<Info>) -> Self {
        let headers = || segments.iter().filter_map(Info::header);
        let marks = headers().map(|header| header.low_watermark);
        let mark = marks.max().unwrap_or_default();
        let newest = blobs.iter().rev().find(|blob| blob.header().is_some());
        let newest = newest.filter(|blob| blob.id >= mark);
        let oldest = blobs.iter().find(|_| planted(Planted::SnapshotOld));
        let newest = oldest.or(newest);
        let low = newest.map_or(mark, |blob| blob.id);
        let mut basis = Self {
            low,
            is_disturbed: blobs
                .iter()
                .any(|blob| blob.id >= low && matches!(blob.state, State::Unreadable)),
            ..Self::default()
        };
        if let Some((info, header)) = newest.and_then(|info| Some((info, info.header()?))) {
            basis.use_snapshot(info, header);
        } else if low.0 > 0 {
            basis.miss(low, segments, &blobs);
        }
        // It was whole when it was listed first: what it covered is gone, now or for ever. What
        // bears another's header may have been put there, if the log goes on behind it.
        let last = headers().map(|header| header.segment).max();
        let is_lost = |blob: &&Info| match blob.state {
            State::Headed(..) => false,
            State::Headless { .. } | State::Unreadable => blob.id > low,
            State::Misplaced => blob.id > low && last.is_none_or(|last| last < blob.id),
        };
        if let Some(lost) = blobs.iter().rev().find(is_lost)
            && !planted(Planted::SnapshotLostSilent)
        {
            basis.miss(lost.id, segments, &blobs);
        }
        basis.blobs = blobs;
        basis
    }

    fn miss(&mut self, id: SegmentId, segments: &[Info], blobs: &[Info]) {
        let blob = blobs.iter().find(|blob| blob.id == id);
        let headers = segments.iter().filter_map(Info::header);
        let follows = headers.filter(|header| header.segment >= id);
        let end_lsn = follows.map(|header| header.first_lsn.0).min();
        self.is_end_unknown |= end_lsn.is_none();
        self.entries.push(Entry::Missing {
            file: FileId::Blob(BlobId(id.0)),
            length: blob.map_or(0, |blob| blob.length),
            first_lsn_max: 1,
            // It may have covered all that the log will not give out again.
            end_lsn: end_lsn.or(Some(1 + LSNS_UNKNOWN)),
        });
    }

    fn use_snapshot(&mut self, info: &Info, header: &Header) {
        let totals = header.snapshot.unwrap_or_default();
        self.first_lsn = header.first_lsn.0;
        self.points = totals.points;
        self.entries.push(Entry::Usable(Extent {
            file: FileId::Blob(BlobId(info.id.0)),
            salt: header.salt,
            first_lsn: 1,
            length: info.length,
            limit: totals.end,
            certified: u64::MAX,
            end_lsn: Some(totals.frames + 1),
            tail: None,
        }));
    }

    /// Judges the blobs, and keeps what is numbered from now on apart from all there is.
    pub(super) fn conclude(&self, end: &mut ReplayEnd, notes: &mut VecDeque<Note>) {
        let newest = self
            .blobs
            .last()
            .map_or(0, |blob| blob.id.0)
            .max(self.low.0);
        end.next_segment = end.next_segment.max(SegmentId(newest.saturating_add(1)));
        end.next_lsn.0 = end.next_lsn.0.max(self.first_lsn);
        if self.is_end_unknown {
            end.next_lsn.0 = end.next_lsn.0.saturating_add(LSNS_UNKNOWN);
        }
        end.may_retire &= !self.is_disturbed;
        for blob in &self.blobs {
            let file = FileId::Blob(BlobId(blob.id.0));
            let reason = match blob.state {
                _ if blob.id < self.low => {
                    end.obsolete.push(file);
                    continue;
                }
                State::Headless { .. } if blob.length > 0 => Reason::Damaged,
                State::Misplaced => Reason::Misplaced,
                _ => continue,
            };
            notes.push_back(Note {
                file,
                offset: 0,
                length: blob.length,
                reason,
            });
        }
    }
}
