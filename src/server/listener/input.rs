//! Bytes that arrived and were not used yet.
//! Owns: how much memory a request takes before it is whole, and that none of it is given back as it is: passwords and
//! secrets pass here. Not here: waiting for them (`wire`), how many a head or a body may have (`limits`).

use std::time::Duration;

use zeroize::Zeroize;

use super::memory::{Memory, Share};
use super::refusal::Refusal;
use super::registry::Peer;
use super::wire::{Arrived, Wire};

/// The buffer of a connection that has nothing large to say.
pub(super) const SMALL_INPUT: usize = 2 * 1024;

/// What a head may take without asking. Heads without end from every connection that there may be fit into the memory
/// with this, and those of most clients fit into it.
pub(super) const SMALL_HEAD: usize = 4 * 1024;

/// A connection's buffer.
#[derive(Default)]
pub(super) struct Input<'c> {
    storage: Vec<u8>,
    start: usize,
    end: usize,
    /// How much of the storage was ever written to.
    used: usize,
    /// Whether the last bytes that arrived left no room for more.
    full: bool,
    /// For what a head takes beyond the small one.
    share: Option<Share<'c>>,
}

impl<'c> Input<'c> {
    pub(super) fn unread(&self) -> &[u8] {
        self.storage.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether the client sent more than was used. Requests may be just as long as the buffer, so that nothing is left
    /// in it while more of them wait.
    pub(super) fn asks_ahead(&self, wire: &Wire) -> bool {
        !self.unread().is_empty() || (self.full && wire.has_more())
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    pub(super) fn discard(&mut self) {
        self.start = self.end;
    }

    /// Before more of a head is read: one that is not small any more takes what the largest needs, or is refused where
    /// large requests have all that there is for them.
    pub(super) fn allow_head(
        &mut self,
        memory: &'c Memory,
        owner: Option<Peer>,
        largest: usize,
    ) -> Result<(), Refusal> {
        if self.share.is_none() && self.unread().len() >= SMALL_HEAD {
            let large = largest.saturating_sub(SMALL_HEAD);
            self.share = Some(memory.take(large, owner).ok_or(Refusal::Overloaded)?);
        }
        Ok(())
    }

    /// Reads more bytes behind the unread ones.
    pub(super) fn fill(&mut self, wire: &mut Wire, timeout: Duration) -> Arrived {
        if self.start > 0 {
            self.storage.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.storage.len() {
            // Heads and chunks are bounded by their limits, and so is this.
            self.resize((self.storage.len() * 2).max(SMALL_INPUT));
        }
        let arrived = wire.read(
            self.storage.get_mut(self.end..).unwrap_or_default(),
            timeout,
        );
        if let Arrived::Bytes(count) = arrived {
            self.end = (self.end + count).min(self.storage.len());
            self.used = self.used.max(self.end);
            self.full = self.end == self.storage.len();
        }
        arrived
    }

    /// Makes room for pieces of that size.
    pub(super) fn widen(&mut self, size: usize) {
        if self.storage.len() < size {
            self.resize(size);
        }
    }

    /// Gives back what a larger request took, but for `kept` bytes. What the client sent ahead stays.
    pub(super) fn shrink_to(&mut self, kept: usize) {
        let needed = match self.unread().len() {
            0 => 0,
            unread => unread.max(SMALL_INPUT),
        };
        if self.storage.len() > kept.max(needed) {
            self.resize(needed);
        }
        if self.storage.len() <= SMALL_HEAD {
            self.share = None;
        }
    }

    /// Storage of that size with what is unread. A vector that grows by itself leaves a copy behind.
    fn resize(&mut self, size: usize) {
        let mut storage = vec![0; size];
        let unread = self.unread();
        let length = unread.len().min(size);
        if let (Some(place), Some(unread)) = (storage.get_mut(..length), unread.get(..length)) {
            place.copy_from_slice(unread);
        }
        self.wipe();
        (self.storage, self.start, self.end, self.used) = (storage, 0, length, length);
    }

    fn wipe(&mut self) {
        if let Some(used) = self.storage.get_mut(..self.used) {
            used.zeroize();
        }
    }
}

impl Drop for Input<'_> {
    fn drop(&mut self) {
        self.wipe();
    }
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
