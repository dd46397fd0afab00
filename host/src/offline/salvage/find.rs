//! Which logs there are, and which segment belongs to which: by what segments say of
//! themselves, not by where they lie.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tidegate_core::ids::{FileId, Lsn, SegmentId};
use tidegate_core::wal::{Illegible, Salvage};

use super::segment::{self, SegmentFile};
use crate::failure::Failure;
use crate::store::DatabaseDir;

/// A log: the segments of one node id.
#[derive(Debug)]
pub(super) struct Log {
    /// The database, or a name for one that nothing names.
    pub name: String,
    /// Snapshots first, then segments, in order of their ids.
    pub members: Vec<Member>,
    /// Files that cannot be read, with the reason.
    pub illegible: Vec<(PathBuf, String)>,
    /// Where each segment ends, and the LSN that follows, as far as a later one says.
    pub seals: BTreeMap<SegmentId, (u64, Lsn)>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// A segment or snapshot of a log.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub file: SegmentFile,
    pub id: FileId,
    pub predecessor: Option<SegmentId>,
    pub first_lsn: Lsn,
    pub is_abandoned: bool,
    /// Whether it says itself what it is.
    pub is_sure: bool,
}

/// A directory with segments in it, and whose it says it is.
struct Place {
    wal: PathBuf,
    blobs: PathBuf,
    name: String,
    node_id: Option<u128>,
}

/// The logs under `dir`: a data directory, the directory of one database, or one of segments.
pub(super) fn logs(dir: &Path, only: Option<&str>) -> Result<Vec<Log>, Failure> {
    let places = places(dir)?;
    let mut nodes: Vec<(Option<u128>, Log)> = Vec::new();
    for place in &places {
        nodes.push((place.node_id, Log::new(&place.name)));
    }
    for (index, place) in places.iter().enumerate() {
        let mut files =
            segment::list(&place.wal).map_err(|error| Failure::io("list", &place.wal, &error))?;
        // It is made with the first snapshot.
        files.extend(segment::list(&place.blobs).unwrap_or_default());
        for file in files {
            place_file(file, index, &mut nodes);
        }
    }
    let mut logs: Vec<Log> = nodes.into_iter().map(|(_, log)| log).collect();
    for log in &mut logs {
        log.members
            .sort_by_key(|member| (!member.is_snapshot(), member.id));
    }
    if let Some(only) = only {
        logs.retain(|log| log.name == only);
        if logs.is_empty() {
            let text = format!("{} holds no database {only:?}", dir.display());
            return Err(Failure::world(text));
        }
    }
    Ok(logs)
}

/// Puts a segment where it belongs; `index` is the log of the directory it lies in.
fn place_file(file: SegmentFile, index: usize, nodes: &mut Vec<(Option<u128>, Log)>) {
    let contents = match segment::read(&file.path) {
        Ok(contents) => contents,
        Err(error) => {
            nodes[index]
                .1
                .illegible
                .push((file.path, error.to_string()));
            return;
        }
    };
    let found = match Salvage::new(&contents.bytes, file.named) {
        Ok(found) => found,
        Err(why) => {
            let why = illegible(why, &contents.bytes);
            nodes[index].1.illegible.push((file.path, why));
            return;
        }
    };
    let node = found.node_id();
    // A directory that does not say whose it is belongs to its first segment.
    if nodes[index].0.is_none() {
        nodes[index].0 = node;
    }
    let own = match node {
        Some(node) if nodes[index].0 != Some(node) => log_of(node, &file, nodes),
        _ => index,
    };
    let log = &mut nodes[own].1;
    if found.file() != file.named {
        let (path, is) = (file.path.display(), found.file());
        log.notes
            .push(format!("{path} is {is}, whatever its name says"));
    }
    if let (Some(before), Some(seal)) = (found.predecessor(), found.seal()) {
        let known = log.seals.entry(before).or_insert(seal);
        *known = (*known).max(seal);
    }
    log.members.push(Member {
        id: found.file(),
        predecessor: found.predecessor(),
        first_lsn: found.first_lsn(),
        is_abandoned: found.is_abandoned_repair(),
        is_sure: found.node_id().is_some(),
        file,
    });
}

/// The log of a node that is not that of the directory its segment was found in.
fn log_of(node: u128, file: &SegmentFile, nodes: &mut Vec<(Option<u128>, Log)>) -> usize {
    let known = nodes.iter().position(|(other, _)| *other == Some(node));
    let index = known.unwrap_or_else(|| {
        nodes.push((Some(node), Log::new(&format!("recovered_{node:032x}"))));
        nodes.len() - 1
    });
    let log = &mut nodes[index].1;
    let path = file.path.display();
    log.notes.push(format!(
        "{path} is of this log, and lies in the directory of another"
    ));
    index
}

fn illegible(why: Illegible, bytes: &[u8]) -> String {
    match why {
        Illegible::Newer(version) => format!(
            "it has format version {version}; use the tidegate that wrote it, or a newer one"
        ),
        Illegible::Nothing if bytes.iter().all(|&byte| byte == 0) => {
            "there is nothing in it".to_owned()
        }
        Illegible::Nothing => "no header, no register and no whole record is left".to_owned(),
    }
}

impl Member {
    pub(super) const fn is_snapshot(&self) -> bool {
        matches!(self.id, FileId::Blob(_))
    }

    /// Its number.
    pub(super) const fn number(&self) -> u64 {
        self.id.to_pair().1
    }
}

impl Log {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            members: Vec::new(),
            illegible: Vec::new(),
            seals: BTreeMap::new(),
            notes: Vec::new(),
        }
    }
}

fn places(dir: &Path) -> Result<Vec<Place>, Failure> {
    if dir.join("wal").is_dir() {
        return Ok(vec![place(dir)]);
    }
    let databases = dir.join("databases");
    if !databases.is_dir() {
        let is_wal = segment::list(dir).is_ok_and(|found| !found.is_empty());
        if is_wal {
            return Ok(vec![Place {
                wal: dir.to_owned(),
                ..place(dir)
            }]);
        }
        return Err(Failure::world(format!(
            "{} is neither a data directory (it has no databases/), nor one of a database (it \
             has no wal/), nor does it hold segments",
            dir.display()
        )));
    }
    let failed = |error| Failure::io("list", &databases, &error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&databases).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        // What is being created or dropped has an extension.
        if path.extension().is_none() && path.join("wal").is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.iter().map(|path| place(path)).collect())
}

fn place(path: &Path) -> Place {
    let identity = DatabaseDir::identity_in(path).ok();
    let unnamed = || {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("recovered_{name}")
    };
    Place {
        wal: path.join("wal"),
        blobs: path.join("blobs"),
        name: identity
            .as_ref()
            .map_or_else(unnamed, |found| found.name.clone()),
        node_id: identity.map(|found| found.node_id),
    }
}
