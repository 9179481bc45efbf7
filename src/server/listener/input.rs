//! Bytes that arrived and were not used yet.
//! Owns: how much memory a request takes before it is whole, and that none of it is given back as it is: passwords and
//! secrets pass here. Not here: waiting for them (`wire`), how many a head or a body may have (`limits`).

use std::time::Duration;

use zeroize::Zeroize;

use super::memory::{SMALL, Share};
use super::wire::{Arrived, Wire};

/// The buffer of a connection that has nothing large to say.
pub(super) const SMALL_INPUT: usize = 2 * 1024;

/// A connection's buffer.
pub(super) struct Input<'c> {
    storage: Vec<u8>,
    start: usize,
    end: usize,
    /// How much of the storage was ever written to.
    used: usize,
    /// Whether the last bytes that arrived left no room for more.
    full: bool,
    /// For what the storage takes beyond a small head's.
    share: Share<'c>,
}

impl<'c> Input<'c> {
    /// `share` grows with what is taken for a head.
    pub(super) fn new(share: Share<'c>) -> Self {
        Self {
            storage: Vec::new(),
            start: 0,
            end: 0,
            used: 0,
            full: false,
            share,
        }
    }

    pub(super) fn unread(&self) -> &[u8] {
        self.storage.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether the client sent more than was used. Requests may be just as long as the buffer, or as a record, so that
    /// nothing is left in it while more of them wait.
    pub(super) fn asks_ahead(&self, wire: &Wire<'_>) -> bool {
        let may_wait = self.full || wire.is_encrypted();
        !self.unread().is_empty() || (may_wait && wire.has_more())
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    pub(super) fn discard(&mut self) {
        self.start = self.end;
    }

    /// Reads more bytes behind the unread ones, if large requests have not all that there is for them.
    pub(super) fn fill(&mut self, wire: &mut Wire<'_>, timeout: Duration) -> Arrived {
        if self.start > 0 {
            self.storage.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.storage.len() {
            // Heads and chunks are bounded by their limits, and so is this.
            let size = (self.storage.len() * 2).max(SMALL_INPUT);
            if !self.share.resize(size.saturating_sub(SMALL)) {
                return Arrived::TooMuch;
            }
            self.resize(size);
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

    /// Makes room for pieces of that size; whoever wants them answers for it.
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
        // Less than before, but where pieces were larger than anybody answered for.
        let _ = self.share.resize(self.storage.len().saturating_sub(SMALL));
    }

    /// A head that took so much beyond a small one was read, and stands elsewhere now: gives its bytes back, and what
    /// was taken for them to whoever has it. To ask anew would be to lose it to others.
    pub(super) fn hand_over(&mut self, large: usize) -> Share<'c> {
        let share = self.share.split(large);
        self.shrink_to(SMALL_INPUT);
        share
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
