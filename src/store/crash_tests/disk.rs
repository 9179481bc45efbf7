//! A disk with a volatile cache. What was written since the last sync may be lost sector by sector: in any order, torn
//! within a page, the length of the file too. It can fail at any operation, be full, and lie about syncs.
//!
//! A sector is written whole or not at all (redb's `docs/design.md`, "Assumptions about underlying media", asks for less:
//! for whole bytes; so some disks here have sectors of one to 64 bytes). A sync that fails has brought some sectors to the
//! disk and thrown the others out of the cache: they still read as they were written, and no later sync saves them.
//! Linux does that.
//!
//! The disk is cut at random moments, before whichever operation comes next: [`Cut`] is what a machine would find that
//! lost power then, with what the file had to hold at that moment.

use super::dice::Dice;
use redb::{BackendError, StorageBackend};
use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sectors of most disks.
const SECTOR: usize = 512;

/// A disk and whoever uses it.
#[derive(Clone, Debug)]
pub(super) struct Disk(Arc<Mutex<State>>);

/// What is there after the power was cut.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub(super) image: Vec<u8>,
    /// Numbers of the states of which the file must hold one.
    pub(super) candidates: Vec<usize>,
    /// How many operations came before.
    pub(super) operations: u64,
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// One operation fails after so many that do not.
    Once(u32),
    /// All operations fail after so many that do not, until the disk is mended.
    Down(u32),
    /// There is no room for so many more bytes, until there is.
    Full(usize),
}

struct State {
    /// What is read.
    seen: Vec<u8>,
    /// What a cut leaves at least: what was synced.
    durable: Vec<u8>,
    /// What each sector was written as since it was durable, oldest first.
    versions: BTreeMap<usize, Vec<Vec<u8>>>,
    /// How long the file was since its length was durable.
    lengths: Vec<usize>,
    sector: usize,
    dice: Dice,
    fault: Option<Fault>,
    /// One of so many syncs does nothing and says that it did.
    lies: Option<usize>,
    candidates: Vec<usize>,
    cuts: Vec<Cut>,
    /// The disk is cut at one of so many operations.
    cut_at_one_of: usize,
    operations: u64,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "State({} bytes)", self.seen.len())
    }
}

impl Disk {
    /// A disk with a file of those bytes on it, which holds the state of that number.
    pub(super) fn with(image: Vec<u8>, state: usize, cut_at_one_of: usize, mut dice: Dice) -> Self {
        let sector = if dice.once_in(4) {
            1 << dice.below(7)
        } else {
            SECTOR
        };
        Self(Arc::new(Mutex::new(State {
            durable: image.clone(),
            seen: image,
            versions: BTreeMap::new(),
            lengths: Vec::new(),
            sector,
            dice,
            fault: None,
            lies: None,
            candidates: vec![state],
            cuts: Vec::new(),
            cut_at_one_of,
            operations: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of so many syncs does nothing from now on, and says that it did.
    pub(super) fn lie_about_syncs(&self, one_of: usize) {
        self.state().lies = Some(one_of);
    }

    pub(super) fn fail(&self, fault: Fault) {
        self.state().fault = Some(fault);
    }

    /// Another file lies there now: a backup, or what a card gives back that loses its memory.
    pub(super) fn replace(&self, image: Vec<u8>) {
        let mut state = self.state();
        state.durable.clone_from(&image);
        state.seen = image;
        state.versions.clear();
        state.lengths.clear();
    }

    pub(super) fn mend(&self) {
        self.state().fault = None;
    }

    /// Whether nothing of it can be used.
    pub(super) fn is_down(&self) -> bool {
        self.state().fault == Some(Fault::Down(0))
    }

    /// From now on the file may also hold this state.
    pub(super) fn may_hold(&self, number: usize) {
        self.state().candidates.push(number);
    }

    /// From now on it must hold this one.
    pub(super) fn must_hold(&self, number: usize) {
        self.state().candidates = vec![number];
    }

    /// How long the file is.
    pub(super) fn length(&self) -> usize {
        self.state().seen.len()
    }

    /// The power is cut now.
    pub(super) fn cut_now(&self) -> Cut {
        self.state().cut()
    }

    /// The cuts that there were.
    pub(super) fn take_cuts(&self) -> Vec<Cut> {
        std::mem::take(&mut self.state().cuts)
    }
}

impl State {
    /// Begins an operation: the power may be cut before it, and it may fail.
    fn begin(&mut self) -> io::Result<()> {
        self.operations += 1;
        if self.dice.once_in(self.cut_at_one_of) {
            let cut = self.cut();
            self.cuts.push(cut);
        }
        match &mut self.fault {
            Some(Fault::Once(0)) => {
                self.fault = None;
                Err(io::Error::other("the disk failed once"))
            }
            Some(Fault::Down(0)) => Err(io::Error::other("the disk is down")),
            Some(Fault::Once(left) | Fault::Down(left)) => {
                *left -= 1;
                Ok(())
            }
            Some(Fault::Full(_)) | None => Ok(()),
        }
    }

    fn cut(&mut self) -> Cut {
        let mut image = self.durable.clone();
        let lengths = self.lengths.len();
        let length = match self.dice.below(lengths + 1) {
            0 => image.len(),
            n => self.lengths[n - 1],
        };
        let longest = self.lengths.iter().copied().max().unwrap_or(0);
        image.resize(image.len().max(longest), 0);
        // Some cuts lose almost nothing, some almost everything, and most something.
        let kept_of_eight = self.dice.below(9);
        for (number, versions) in &self.versions {
            if self.dice.below(8) >= kept_of_eight {
                continue;
            }
            // Mostly the last one: what is written twice is mostly written twice in the cache.
            let version = if self.dice.once_in(4) {
                self.dice.below(versions.len())
            } else {
                versions.len() - 1
            };
            put(&mut image, number * self.sector, &versions[version]);
        }
        image.truncate(length);
        image.resize(length, 0);
        Cut {
            image,
            candidates: self.candidates.clone(),
            operations: self.operations,
        }
    }

    fn write(&mut self, offset: usize, data: &[u8]) -> io::Result<()> {
        let end = offset + data.len();
        if end > self.seen.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.seen[offset..end].copy_from_slice(data);
        let sectors = offset / self.sector..end.div_ceil(self.sector);
        for number in sectors {
            let begin = number * self.sector;
            let end = (begin + self.sector).min(self.seen.len());
            let version = self.seen[begin..end].to_vec();
            self.versions.entry(number).or_default().push(version);
        }
        Ok(())
    }

    fn set_len(&mut self, length: usize) {
        // What is cut off reads as zeros when the file grows again.
        let sector = self.sector;
        for number in length.div_ceil(sector)..self.seen.len().div_ceil(sector) {
            let versions = self.versions.entry(number).or_default();
            versions.push(vec![0; sector]);
        }
        self.seen.resize(length, 0);
        self.lengths.push(length);
    }

    fn sync(&mut self) {
        if self.lies.is_some_and(|one_of| self.dice.once_in(one_of)) {
            return;
        }
        for (number, versions) in std::mem::take(&mut self.versions) {
            if let Some(last) = versions.last() {
                let end = number * self.sector + last.len();
                if self.durable.len() < end {
                    self.durable.resize(end, 0);
                }
                put(&mut self.durable, number * self.sector, last);
            }
        }
        self.durable.resize(self.seen.len(), 0);
        self.lengths.clear();
    }

    /// Some of it reached the disk. The rest never will, unless it is written again.
    fn half_a_sync(&mut self) {
        let cut = self.cut();
        self.durable = cut.image;
        self.versions.clear();
        // The length is the file system's own affair, and not lost with a page.
        self.durable.resize(self.seen.len(), 0);
        self.lengths.clear();
    }
}

fn put(image: &mut [u8], offset: usize, bytes: &[u8]) {
    let end = (offset + bytes.len()).min(image.len());
    if let Some(to) = image.get_mut(offset..end) {
        to.copy_from_slice(&bytes[..end - offset]);
    }
}

fn number(value: u64) -> usize {
    usize::try_from(value).unwrap()
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        let mut state = self.state();
        state.begin()?;
        Ok(u64::try_from(state.seen.len()).unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.begin()?;
        let begin = number(offset);
        let found = state.seen.get(begin..begin + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.begin()?;
        let len = number(len);
        if let Some(Fault::Full(room)) = &mut state.fault {
            let room = *room;
            let more = len.saturating_sub(state.seen.len());
            if more > room {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.fault = Some(Fault::Full(room - more));
        }
        state.set_len(len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        if let Err(error) = state.begin() {
            state.half_a_sync();
            return Err(error);
        }
        state.sync();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if let Err(error) = state.begin() {
            // A part of it was written before it failed.
            let part = state.dice.below(data.len() + 1);
            state.write(number(offset), &data[..part])?;
            return Err(error);
        }
        // A file with holes in it can find the disk full at any write.
        if matches!(state.fault, Some(Fault::Full(0))) && state.dice.once_in(3) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.write(number(offset), data)
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}
