//! What large requests, and large answers, may take of the memory, all together (DESIGN §8). A request that most
//! clients send fits into what its connection has anyway; a thousand strangers who each send the largest one that is
//! allowed, or ask for the largest answer and do not take it, must not be held in memory at once. Not here: how large
//! one may be (`limits`).

use super::registry::Peer;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What one peer may always hold: the largest request that anybody may send.
const ONE: usize = 64 * 1024;

/// What a head, a body and the records of TLS may each hold of a connection without asking: those of most clients fit into
/// it, and as much from every connection that there may be fits into the memory.
pub(super) const SMALL: usize = 4 * 1024;

/// Bytes that are left, and who holds how many of the others.
#[derive(Debug)]
pub(super) struct Memory {
    each: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    left: usize,
    held: HashMap<Peer, usize>,
}

/// A part of it, until it is dropped. Whoever holds bytes takes it before they are there: it is the truth about them.
#[derive(Debug)]
pub(super) struct Share<'a> {
    memory: &'a Memory,
    bytes: usize,
    owner: Option<Peer>,
}

impl Memory {
    pub(super) fn of(bytes: usize) -> Self {
        let state = State {
            left: bytes,
            held: HashMap::new(),
        };
        Self {
            each: (bytes / 4).max(ONE),
            state: Mutex::new(state),
        }
    }

    /// Takes so many for a peer; `None` where [`Share::resize`] says no.
    pub(super) fn take(&self, bytes: usize, owner: Option<Peer>) -> Option<Share<'_>> {
        let mut share = self.nothing_for(owner);
        share.resize(bytes).then_some(share)
    }

    /// A share of a peer that will grow.
    pub(super) fn nothing_for(&self, owner: Option<Peer>) -> Share<'_> {
        Share {
            memory: self,
            bytes: 0,
            owner,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share<'_> {
    /// Makes it that large. False where so much is not left, or its peer would hold more than a quarter: a single
    /// stranger takes nobody else's part. Without an owner the quarter is not asked: a trusted proxy stands for many.
    /// Then it stays as it is.
    #[must_use]
    pub(super) fn resize(&mut self, bytes: usize) -> bool {
        if bytes == self.bytes {
            return true;
        }
        let mut state = self.memory.state();
        let Some(left) = (state.left + self.bytes).checked_sub(bytes) else {
            return false;
        };
        if let Some(peer) = self.owner {
            let held = state.held.get(&peer).copied().unwrap_or(0);
            let held = held.saturating_sub(self.bytes).saturating_add(bytes);
            if bytes > self.bytes && held > self.memory.each {
                return false;
            }
            match held {
                0 => state.held.remove(&peer),
                held => state.held.insert(peer, held),
            };
        }
        state.left = left;
        self.bytes = bytes;
        true
    }

    /// Parts with so much of it, which nobody else can take in between.
    pub(super) fn split(&mut self, bytes: usize) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { bytes, ..*self }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        // To give back is never refused.
        let _ = self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn what_is_taken_comes_back_and_no_more_is_given_than_there_is() {
        let memory = Memory::of(100);
        let most = memory.take(60, None);
        assert!(most.is_some() && memory.take(41, None).is_none());
        let rest = memory.take(40, None);
        assert!(rest.is_some() && memory.take(1, None).is_none());
        drop(most);
        assert!(memory.take(60, None).is_some() && memory.take(61, None).is_none());
        drop(rest);
        assert!(memory.take(100, None).is_some());
    }

    /// One address that kept 69 bodies coming had everybody's long requests refused.
    #[test]
    fn one_peer_holds_a_quarter_and_a_trusted_proxy_what_there_is() {
        let memory = Memory::of(16 * ONE);
        let peer = |number| Some(Peer::V4(Ipv4Addr::new(127, 0, 0, number)));
        let mut held: Vec<_> = (0..4).map(|_| memory.take(ONE, peer(1)).unwrap()).collect();
        assert!(memory.take(1, peer(1)).is_none());
        let other = memory.take(4 * ONE, peer(2)).unwrap();
        let proxy = memory.take(8 * ONE, None).unwrap();
        assert!(memory.take(1, peer(3)).is_none(), "all is taken");
        held.pop();
        assert!(memory.take(ONE, peer(1)).is_some());
        drop((held, other, proxy));
        assert!(memory.state().held.is_empty());
        assert_eq!(memory.state().left, 16 * ONE);
    }

    #[test]
    fn a_share_grows_and_shrinks_and_its_parts_come_back_each() {
        let memory = Memory::of(4 * ONE);
        let peer = Some(Peer::V4(Ipv4Addr::LOCALHOST));
        let mut share = memory.nothing_for(peer);
        assert!(share.resize(ONE) && !share.resize(ONE + 1));
        let part = share.split(ONE / 2);
        assert!(!share.resize(ONE), "the part counts");
        assert!(share.resize(ONE / 4) && share.resize(ONE / 2));
        drop(share);
        assert_eq!(memory.state().left, 4 * ONE - ONE / 2);
        drop(part);
        assert_eq!(memory.state().left, 4 * ONE);
        assert!(memory.state().held.is_empty());
    }
}
