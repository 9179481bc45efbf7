//! A file that is read and never written: what redb writes to it stays in memory. With it the repair of a file that was
//! not closed is tried before the file itself is touched, so that a damaged one is left as it is.

use redb::StorageBackend;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

const PAGE: u64 = 4_096;

/// The file, and the pages that were written over it.
#[derive(Debug)]
pub(super) struct Rehearsal {
    file: File,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    len: u64,
    /// What the file holds below this; beyond it new pages are zero.
    held: u64,
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Rehearsal {
    pub(super) fn of(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self {
            file,
            state: Mutex::new(State {
                len,
                held: len,
                pages: BTreeMap::new(),
            }),
        })
    }

    /// The size of the file in bytes.
    pub(super) fn size(&self) -> u64 {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .held
    }

    /// The page as it stands now.
    fn page(&self, state: &State, number: u64) -> io::Result<Vec<u8>> {
        if let Some(page) = state.pages.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; usize::try_from(PAGE).unwrap_or(4_096)];
        let begin = number * PAGE;
        let there = state.held.saturating_sub(begin).min(PAGE);
        let there = usize::try_from(there).unwrap_or(0);
        if let Some(part) = page.get_mut(..there) {
            self.file.read_exact_at(part, begin)?;
        }
        Ok(page)
    }
}

/// The pieces of a range, page by page: page number, where in the page, where in the range, how much.
fn pieces(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize, usize)> {
    let mut done = 0usize;
    std::iter::from_fn(move || {
        if done >= length {
            return None;
        }
        let at = offset + u64::try_from(done).ok()?;
        let within = usize::try_from(at % PAGE).ok()?;
        let size = (usize::try_from(PAGE).ok()? - within).min(length - done);
        let piece = (at / PAGE, within, done, size);
        done += size;
        Some(piece)
    })
}

fn beyond() -> io::Error {
    io::Error::from(io::ErrorKind::UnexpectedEof)
}

impl StorageBackend for Rehearsal {
    fn len(&self) -> io::Result<u64> {
        Ok(self
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if offset.saturating_add(u64::try_from(out.len()).unwrap_or(u64::MAX)) > state.len {
            return Err(beyond());
        }
        for (number, within, done, size) in pieces(offset, out.len()) {
            let page = self.page(&state, number)?;
            let (to, from) = (
                out.get_mut(done..done + size),
                page.get(within..within + size),
            );
            let (Some(to), Some(from)) = (to, from) else {
                return Err(beyond());
            };
            to.copy_from_slice(from);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.len = len;
        state.held = state.held.min(len);
        let keep = len.div_ceil(PAGE);
        state.pages.retain(|number, _| *number < keep);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, within, done, size) in pieces(offset, data.len()) {
            let mut page = self.page(&state, number)?;
            let (to, from) = (
                page.get_mut(within..within + size),
                data.get(done..done + size),
            );
            let (Some(to), Some(from)) = (to, from) else {
                return Err(beyond());
            };
            to.copy_from_slice(from);
            state.pages.insert(number, page);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Folder;

    #[test]
    fn what_is_written_is_read_back_and_the_file_keeps_its_bytes() {
        let dir = Folder::new("rehearsal");
        let path = dir.join("file");
        let before: Vec<u8> = (0..10_000u32)
            .map(|i| u8::try_from(i % 251).unwrap())
            .collect();
        std::fs::write(&path, &before).unwrap();
        let rehearsal = Rehearsal::of(File::open(&path).unwrap()).unwrap();
        rehearsal.write(4_090, &[7; 20]).unwrap();
        rehearsal.set_len(20_000).unwrap();
        rehearsal.write(19_990, &[9; 10]).unwrap();
        let mut out = vec![0; 20_000];
        rehearsal.read(0, &mut out).unwrap();
        assert_eq!(out[..4_090], before[..4_090]);
        assert_eq!(out[4_090..4_110], [7; 20]);
        assert_eq!(out[4_110..10_000], before[4_110..]);
        assert!(out[10_000..19_990].iter().all(|b| *b == 0));
        assert_eq!(out[19_990..], [9; 10]);
        assert!(rehearsal.read(19_999, &mut [0; 2]).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
