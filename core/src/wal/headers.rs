//! Reading the header blocks of all files, before anything else of them.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::fault::StorageFault;
use crate::ids::{BlobId, FileId, SegmentId};
use crate::planted::{Planted, planted};

use super::chain::{Info, State};
use super::header::{
    FORMAT_VERSION, HEADER_BLOCK_BYTES, Header, HeaderFound, PAGE_BYTES, Register,
};

/// A read that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) file: FileId,
    pub(super) offset: u64,
    pub(super) length: usize,
}

/// What reading headers needs next.
#[derive(Debug)]
pub(super) enum Ask {
    Read(Wanted),
    /// All are read.
    Done,
}

/// The files of a listing, ascending, and how many of their headers are read: those of segments
/// first, then those of blobs.
#[derive(Debug)]
pub(super) struct Headers {
    node_id: u128,
    pub(super) segments: Vec<Info>,
    pub(super) blobs: Vec<Info>,
    read: usize,
    pages: Option<Pages>,
}

/// A header block that could not be read at once, page by page.
#[derive(Debug)]
struct Pages {
    block: Vec<u8>,
    /// How far it was tried.
    tried: usize,
    is_any_readable: bool,
    is_slot_unread: bool,
}

impl Headers {
    pub(super) fn new(node_id: u128, files: &[(FileId, u64)]) -> Self {
        let (mut segments, mut blobs) = (Vec::new(), Vec::new());
        for &(file, length) in files {
            let (list, id) = match file {
                FileId::Segment(id) => (&mut segments, id),
                FileId::Blob(id) => (&mut blobs, SegmentId(id.0)),
            };
            list.push(Info::unread(id, length));
        }
        for list in [&mut segments, &mut blobs] {
            list.sort_by_key(|info| (info.id, core::cmp::Reverse(info.length)));
            list.dedup_by_key(|info| info.id);
        }
        Self {
            node_id,
            segments,
            blobs,
            read: 0,
            pages: None,
        }
    }

    /// The file whose header is next, and what is known of it.
    fn current(&mut self) -> Option<(FileId, &mut Info)> {
        let segments = self.segments.len();
        if self.read < segments {
            let info = self.segments.get_mut(self.read)?;
            return Some((FileId::Segment(info.id), info));
        }
        let at = self.read - segments;
        let info = self.blobs.get_mut(at)?;
        Some((FileId::Blob(BlobId(info.id.0)), info))
    }

    pub(super) fn next(&mut self) -> Ask {
        let tried = self.pages.as_ref().map(|pages| pages.tried as u64);
        loop {
            let Some((file, info)) = self.current() else {
                return Ask::Done;
            };
            let block = HEADER_BLOCK_BYTES.min(info.length);
            if block == 0 {
                self.read += 1;
                continue;
            }
            let (offset, length) = match tried {
                None => (0, block),
                Some(tried) => (tried, PAGE_BYTES.min(block - tried)),
            };
            let length = length as usize;
            return Ask::Read(Wanted {
                file,
                offset,
                length,
            });
        }
    }

    /// Takes what was asked for.
    ///
    /// # Errors
    ///
    /// Why the log is not ours to open.
    pub(super) fn supply(
        &mut self,
        bytes: Result<&[u8], StorageFault>,
        requested: usize,
    ) -> Result<(), String> {
        match (self.pages.take(), bytes) {
            (Some(pages), bytes) => self.take_page(pages, bytes),
            (None, Ok(block)) => {
                if let Some((_, info)) = self.current()
                    && block.len() < requested
                {
                    info.length = block.len() as u64;
                }
                self.judge(block)
            }
            (None, Err(_)) => {
                // One bad page shall not hide the copies in the others.
                self.pages = Some(Pages {
                    block: vec![0; requested],
                    tried: 0,
                    is_any_readable: false,
                    is_slot_unread: false,
                });
                Ok(())
            }
        }
    }

    fn take_page(
        &mut self,
        mut pages: Pages,
        bytes: Result<&[u8], StorageFault>,
    ) -> Result<(), String> {
        let length = (PAGE_BYTES as usize).min(pages.block.len() - pages.tried);
        let page = &mut pages.block[pages.tried..][..length];
        if let Ok(bytes) = bytes {
            let length = length.min(bytes.len());
            page[..length].copy_from_slice(&bytes[..length]);
            pages.is_any_readable = true;
        } else {
            // All but the first page have one.
            pages.is_slot_unread |= pages.tried > 0;
        }
        pages.tried += length;
        if pages.tried < pages.block.len() {
            self.pages = Some(pages);
            return Ok(());
        }
        let at = self.read;
        if pages.is_any_readable {
            self.judge(&pages.block)?;
        }
        // What is not in some pages may be in those that cannot be read.
        self.read = at;
        if let Some((_, info)) = self.current() {
            info.is_slot_unread = pages.is_slot_unread;
            if matches!(info.state, State::Headless { .. }) {
                info.state = State::Unreadable;
            }
        }
        self.read = at + 1;
        Ok(())
    }

    fn judge(&mut self, block: &[u8]) -> Result<(), String> {
        let own = self.node_id;
        let Some((file, info)) = self.current() else {
            return Ok(());
        };
        let register = Register::find(block, info.id);
        info.state = match Header::find(block, file) {
            HeaderFound::Newer(version) => return Err(newer(file, version)),
            HeaderFound::Valid(header)
                if header.node_id != own && !planted(Planted::NodeUnchecked) =>
            {
                return Err(foreign(file, header.node_id, own));
            }
            HeaderFound::Valid(header) if header.file() != file => State::Misplaced,
            HeaderFound::Valid(header) => {
                State::Headed(header, register.filter(|found| found.salt == header.salt))
            }
            HeaderFound::None => State::Headless {
                register,
                is_blank: info.length <= HEADER_BLOCK_BYTES || block.iter().all(|&byte| byte == 0),
            },
        };
        self.read += 1;
        Ok(())
    }
}

fn newer(file: FileId, version: u16) -> String {
    format!(
        "{file} has format version {version}, which this program does not read \
         (it reads {FORMAT_VERSION}): start the program that wrote it, or move the file away"
    )
}

fn foreign(file: FileId, found: u128, own: u128) -> String {
    format!(
        "{file} belongs to another log (node {found:032x}, not {own:032x}): \
         move it back to the directory it came from"
    )
}
