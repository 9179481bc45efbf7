//! What large requests, and large answers, may take of the memory, all together (DESIGN §8). A request that most
//! clients send fits into what its connection has anyway; a thousand strangers who each send the largest one that is
//! allowed, or ask for the largest answer and do not take it, must not be held in memory at once. Not here: how large
//! one may be (`limits`).

use super::registry::Peer;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What one peer may always hold: the largest request that anybody may send.
const ONE: usize = 64 * 1024;

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

/// A part of it, until it is dropped.
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

    /// Takes so many for a peer; `None` where so many are not left, or the peer would hold more than a quarter: a single
    /// stranger takes nobody else's part. Without an owner the quarter is not asked: a trusted proxy stands for many.
    pub(super) fn take(&self, bytes: usize, owner: Option<Peer>) -> Option<Share<'_>> {
        let mut state = self.state();
        let left = state.left.checked_sub(bytes)?;
        if let Some(peer) = owner {
            let held = state.held.get(&peer).copied().unwrap_or(0);
            let held = held.checked_add(bytes).filter(|held| *held <= self.each)?;
            state.held.insert(peer, held);
        }
        state.left = left;
        Some(Share {
            memory: self,
            bytes,
            owner,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut state = self.memory.state();
        state.left += self.bytes;
        let Some(peer) = self.owner else { return };
        if let Some(held) = state.held.get_mut(&peer) {
            *held = held.saturating_sub(self.bytes);
            if *held == 0 {
                state.held.remove(&peer);
            }
        }
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
}
