//! What large requests, and large answers, may take of the memory, all together (DESIGN §8). A request that most
//! clients send fits into what its connection has anyway; a thousand strangers who each send the largest one that is
//! allowed, or ask for the largest answer and do not take it, must not be held in memory at once. Not here: how large
//! one may be (`limits`).

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that are left.
#[derive(Debug)]
pub(super) struct Memory(AtomicUsize);

/// A part of it, until it is dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    memory: &'a Memory,
    bytes: usize,
}

impl Memory {
    pub(super) fn of(bytes: usize) -> Self {
        Self(AtomicUsize::new(bytes))
    }

    /// Takes so many; `None` where so many are not left.
    pub(super) fn take(&self, bytes: usize) -> Option<Share<'_>> {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
                left.checked_sub(bytes)
            })
            .ok()
            .map(|_| Share {
                memory: self,
                bytes,
            })
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.memory.0.fetch_add(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back_and_no_more_is_given_than_there_is() {
        let memory = Memory::of(100);
        let most = memory.take(60);
        assert!(most.is_some() && memory.take(41).is_none());
        let rest = memory.take(40);
        assert!(rest.is_some() && memory.take(1).is_none());
        drop(most);
        assert!(memory.take(60).is_some() && memory.take(61).is_none());
        drop(rest);
        assert!(memory.take(100).is_some());
    }
}
