//! One log, read out: definitions first, then rows.

use std::collections::HashMap;
use std::io;

use tidegate_core::ids::{FileId, LayoutId, SegmentId, SeriesId, ShardId};
use tidegate_core::wal::definition::{self, Definition};
use tidegate_core::wal::{Frame, FrameKind, Piece, Salvage, sections};

use super::account::{Account, Loss};
use super::files::Files;
use super::find::{Log, Member};
use super::policies::{Home, Policies};
use super::segment;
use super::spell::{self, Fields, Series};

/// What the numbers of one segment stand for.
#[derive(Default)]
struct Numbers {
    series: HashMap<(ShardId, SeriesId), Series>,
    layouts: HashMap<(ShardId, LayoutId), Fields>,
}

/// Writes all that can be read of a log. An error is one of writing.
pub(super) fn salvage(log: &Log, files: &mut Files) -> io::Result<(Account, String)> {
    let mut account = Account::new(&log.name);
    account.notes.clone_from(&log.notes);
    let mut policies = Policies::default();
    let members = counted(log, &mut account);
    for member in &members {
        each_piece(log, member, |piece| {
            if let Piece::Frame { frame, .. } = piece
                && frame.kind == FrameKind::Definitions
            {
                apply_catalog(frame.payload, &mut policies);
            }
            Ok(())
        })?;
    }
    for (path, why) in &log.illegible {
        account.illegible.push((path.clone(), why.clone()));
    }
    account.lost.extend(missing(&members, log));
    for member in &members {
        account.segments += u64::from(!member.is_snapshot());
        account.snapshots += u64::from(member.is_snapshot());
        let mut numbers = Numbers::default();
        each_piece(log, member, |piece| {
            if let Piece::Frame { frame, .. } = piece
                && frame.kind == FrameKind::Definitions
            {
                numbers.learn(frame.payload);
            }
            Ok(())
        })?;
        let unreadable = each_piece(log, member, |piece| {
            take(piece, &numbers, &policies, files, &mut account)
        })?;
        if unreadable > 0 {
            let path = member.file.path.display();
            account
                .notes
                .push(format!("{path}: {unreadable} bytes could not be read"));
        }
    }
    account.lost.sort_by_key(|loss| (loss.file, loss.offset));
    Ok((account, policies.statements(&log.name)))
}

/// Segments without the repairs that were not brought to their end: what they repeat is in the
/// segments they follow, if those are there.
fn counted(log: &Log, account: &mut Account) -> Vec<Member> {
    let is_there = |id| {
        log.members
            .iter()
            .any(|member| member.id == FileId::Segment(id))
    };
    let mut members = log.members.clone();
    let low = covered(log);
    members.retain(|member| member.number() >= low);
    members.retain(|member| {
        let is_repeated = member.is_abandoned && member.predecessor.is_some_and(is_there);
        if is_repeated {
            let path = member.file.path.display();
            let note = format!("{path} repeats what is in the one before it, and is left out");
            account.notes.push(note);
        }
        !is_repeated
    });
    members
}

/// What has a lower number than this is covered by a snapshot, and waits to be deleted.
fn covered(log: &Log) -> u64 {
    let snapshots = log
        .members
        .iter()
        .filter(|member| member.is_snapshot() && member.is_sure);
    snapshots.map(Member::number).max().unwrap_or(0)
}

/// Segments that others name and that are not there.
fn missing(members: &[Member], log: &Log) -> Vec<Loss> {
    let mut lost: Vec<Loss> = Vec::new();
    for member in members {
        let Some(before) = member.predecessor else {
            continue;
        };
        let file = FileId::Segment(before);
        let is_there = log.members.iter().any(|other| other.id == file);
        let is_covered = before.0 < covered(log);
        if is_there || is_covered || lost.iter().any(|loss| loss.file == file) {
            continue;
        }
        lost.push(Loss {
            file,
            offset: 0,
            length: 0,
            // Where it began is known to none but itself.
            lsns: (None, member.first_lsn.0.saturating_sub(1)),
            points: None,
        });
    }
    lost
}

/// Reads a segment; how many of its bytes could not be read.
fn each_piece(
    log: &Log,
    member: &Member,
    mut visit: impl FnMut(Piece<'_>) -> io::Result<()>,
) -> io::Result<u64> {
    // What could be read a moment ago: should it be gone now, it reads as lost.
    let Ok(contents) = segment::read(&member.file.path) else {
        return Ok(0);
    };
    let Ok(found) = Salvage::new(&contents.bytes, member.file.named) else {
        return Ok(contents.unreadable);
    };
    let sealed = log.seals.get(&SegmentId(member.number())).copied();
    let sealed = sealed.filter(|_| !member.is_snapshot());
    let mut done = Ok(());
    found.read(sealed, |piece| {
        if done.is_ok() {
            done = visit(piece);
        }
    });
    done.map(|()| contents.unreadable)
}

fn take(
    piece: Piece<'_>,
    numbers: &Numbers,
    policies: &Policies,
    files: &mut Files,
    account: &mut Account,
) -> io::Result<()> {
    match piece {
        Piece::Frame { frame, is_copy } => {
            let is_ours = matches!(frame.kind, FrameKind::Rows | FrameKind::Definitions);
            account.records += u64::from(is_ours && !is_copy && !frame.more);
            if frame.kind == FrameKind::Rows {
                rows(&frame, numbers, policies, files, account)?;
            }
        }
        // A copy or a pad: nothing is lost.
        Piece::Lost(damage) if damage.points == Some(0) => {}
        Piece::Lost(damage) => account.lost.push(Loss {
            file: damage.file,
            offset: damage.offset,
            length: damage.length,
            lsns: (Some(damage.first.0), damage.last.0),
            points: damage.points,
        }),
        Piece::Torn { length, .. } => account.torn_bytes += length,
    }
    Ok(())
}

/// Writes the rows of a frame.
fn rows(
    frame: &Frame<'_>,
    numbers: &Numbers,
    policies: &Policies,
    files: &mut Files,
    account: &mut Account,
) -> io::Result<()> {
    let (mut unwritten, mut dropped) = (0, 0);
    let mut lines = Vec::new();
    for mut section in sections(frame.payload) {
        let shard = section.shard;
        let policy = match policies.home(shard) {
            Home::Policy(policy) => policy,
            Home::Dropped => {
                dropped += u64::from(section.rows);
                continue;
            }
            Home::Unknown => {
                account.homeless += u64::from(section.rows);
                policies.fallback()
            }
        };
        lines.clear();
        let types = |layout| numbers.layouts.get(&(shard, layout)).map(Fields::types);
        loop {
            let row = match section.next_row(types) {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(count) => {
                    unwritten += u64::from(count);
                    break;
                }
            };
            let series = numbers.series.get(&(shard, row.series));
            let fields = numbers.layouts.get(&(shard, row.layout));
            let spelled = series
                .zip(fields)
                .is_some_and(|(series, fields)| spell::line(series, fields, &row, &mut lines));
            unwritten += u64::from(!spelled);
        }
        files.lines(&account.database, policy, &lines)?;
    }
    // A point of many large fields fills several rows, but is one point.
    let points = u64::from(frame.points);
    let dropped = dropped.min(points);
    let unwritten = unwritten.min(points - dropped);
    account.dropped += dropped;
    account.points += points - dropped - unwritten;
    if unwritten > 0 {
        account.lost.push(Loss {
            file: frame.file,
            offset: frame.offset,
            length: frame.payload.len() as u64,
            lsns: (Some(frame.lsn.0), frame.lsn.0),
            points: Some(unwritten),
        });
    }
    Ok(())
}

fn apply_catalog(payload: &[u8], policies: &mut Policies) {
    for entry in definition::entries(payload) {
        if let Definition::Catalog(change) = entry {
            policies.apply(change);
        }
    }
}

impl Numbers {
    fn learn(&mut self, payload: &[u8]) {
        for entry in definition::entries(payload) {
            match entry {
                Definition::Catalog(_) => {}
                Definition::Series { shard, series, key } => {
                    let place = self.series.entry((shard, series));
                    place.or_insert_with(|| Series::new(key));
                }
                Definition::Layout {
                    shard,
                    layout,
                    fields,
                    ..
                } => {
                    let place = self.layouts.entry((shard, layout));
                    place.or_insert_with(|| Fields::new(&fields));
                }
            }
        }
    }
}
